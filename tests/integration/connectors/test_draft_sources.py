"""Drafts from real tables: what each kind of source declares, and that no row is read for it."""

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import psycopg
import pytest
from typer.testing import CliRunner, Result

from connectors.draft import UNDECIDED
from connectors.sources import SourceColumn, describe, open_source
from contracts.error_catalogue import CATALOGUE
from contracts.errors import FAMILIES, InvalidInput, Unavailable
from saphan.connector_commands import app
from saphan.connector_drafting import Drafts, MadeWithDrafts

pytestmark = pytest.mark.integration

VALUE = "SOMCHAI-1103700000000"
TABLE = "fraud_case"
INSERT = "INSERT INTO fraud_case VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
DECLARED = """CREATE TABLE fraud_case (case_id VARCHAR PRIMARY KEY, suspect_id VARCHAR NOT NULL, province VARCHAR,
    age INTEGER, cleared BOOLEAN, amount DECIMAL(12, 2), reported_at TIMESTAMP NOT NULL, closed_on DATE, body {blob})"""
ROW = ("c1", VALUE, "10", 30, True, 5, "2026-01-01 10:00:00", "2026-01-02", b"x")
KINDS = ["string", "string", "string", "integer", "boolean", "number", "timestamp", "date", None]


def sqlite(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "a.db")) as database, database:
        database.execute(DECLARED.format(blob="BLOB"))
        database.execute(INSERT, ROW)
    return f"sqlite:///{folder}/a.db"


def duck(folder: Path) -> str:
    with duckdb.connect(str(folder / "a.duckdb")) as database:
        database.execute(DECLARED.format(blob="BLOB"))
        database.execute(INSERT, ROW)
    return f"duckdb:///{folder}/a.duckdb"


def parquet(folder: Path) -> str:
    duck(folder)
    with duckdb.connect(str(folder / "a.duckdb")) as database:
        database.table(TABLE).to_parquet(f"{folder}/fraud_case.parquet")
    return f"parquet:///{folder}"


def csv(folder: Path) -> str:
    duck(folder)
    with duckdb.connect(str(folder / "a.duckdb")) as database:
        database.table(TABLE).to_csv(f"{folder}/fraud_case.csv", header=True)
    return f"csv:///{folder}"


def saphan(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def drafts(result: Result) -> Drafts:
    assert result.exit_code == 0, result.output
    return Drafts.model_validate_json(result.stdout)


@pytest.mark.parametrize("make", [sqlite, duck])
def test_a_database_declares_types_keys_and_what_is_never_empty(tmp_path: Path, make: Callable[[Path], str]) -> None:
    columns = describe(make(tmp_path), TABLE)

    assert [each.type for each in columns] == KINDS
    assert [each.name for each in columns if each.key] == ["case_id"]
    assert {each.name for each in columns if each.required} >= {"suspect_id", "reported_at"}
    assert not {each.name for each in columns if each.required} & {"province", "age"}


def test_parquet_declares_types_and_csv_names_alone(tmp_path: Path) -> None:
    assert [each.type for each in describe(parquet(tmp_path), TABLE)] == KINDS
    (tmp_path / "csv").mkdir()
    columns = describe(csv(tmp_path / "csv"), TABLE)
    assert {each.type for each in columns} == {None}
    assert columns[0] == SourceColumn("case_id", None, required=False, key=False)


def test_a_key_of_two_columns_is_no_rows_key(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as database, database:
        database.execute("CREATE TABLE pairs (a TEXT, b TEXT, PRIMARY KEY (a, b))")
    with duckdb.connect(str(tmp_path / "a.duckdb")) as other:
        other.execute("CREATE TABLE pairs (a TEXT, b TEXT, PRIMARY KEY (a, b))")

    for url in (f"sqlite:///{tmp_path}/a.db", f"duckdb:///{tmp_path}/a.duckdb"):
        assert [each.key for each in describe(url, "pairs")] == [False, False]


@pytest.mark.parametrize("make", [sqlite, duck, parquet])
def test_a_table_or_a_source_that_is_not_there_is_named(tmp_path: Path, make: Callable[[Path], str]) -> None:
    url = make(tmp_path)
    with pytest.raises(InvalidInput, match="source-mismatch"):
        describe(url, "no_such_table")
    if make is not sqlite:
        with pytest.raises(Unavailable, match="source-unreachable"):
            describe(f"{url.partition(':')[0]}:///{tmp_path}/nowhere/at/all", TABLE)


@pytest.mark.parametrize("make", [sqlite, duck, parquet, csv])
def test_a_draft_is_written_for_its_owner_alone_and_holds_no_value(tmp_path: Path, make: Callable[[Path], str]) -> None:
    file = tmp_path / "draft.odcs.yaml"
    key = ("--row-key", "case_id") if make in (parquet, csv) else ()
    arguments = ("draft", "--source", make(tmp_path), "--agency", "ccib", "--table", TABLE, "--output", str(file), *key)
    (draft,) = drafts(saphan(*arguments, "--json")).drafts

    assert {each.rule for each in draft.open_rules} == {"status-active", "unit-column"}
    assert file.stat().st_mode & 0o777 == 0o600
    assert VALUE not in file.read_text(encoding="utf-8")
    assert "codeList: provinces" in file.read_text(encoding="utf-8")
    again = saphan(*arguments)
    assert (again.exit_code, again.stderr.partition(" ")[0]) == (2, "file-exists")


@pytest.fixture
def looker(postgres_database: str) -> Iterator[str]:
    """A filled table, and the URL of a user who may enter the database and read no row of it."""
    role = f"looker_{secrets.token_hex(4)}"
    with psycopg.connect(postgres_database.replace("+psycopg", ""), autocommit=True) as database:
        database.execute(DECLARED.format(blob="BYTEA"))
        database.execute(INSERT.replace("?", "%s"), ROW)
        database.execute(f"CREATE ROLE {role} LOGIN")
        yield postgres_database.replace("//saphan@", f"//{role}@")
        database.execute(f"DROP ROLE {role}")


def test_a_table_that_may_not_be_read_is_drafted_all_the_same(tmp_path: Path, looker: str) -> None:
    file = tmp_path / "draft.odcs.yaml"
    arguments = ("draft", "--source", looker, "--agency", "ccib", "--table", TABLE, "--output", str(file), "--json")
    (draft,) = drafts(saphan(*arguments)).drafts

    with pytest.raises(Unavailable):
        list(open_source(looker).batches(TABLE, ["province"]))
    assert [each.type for each in describe(looker, TABLE)] == KINDS
    assert {each.rule for each in draft.open_rules} == {"status-active", "unit-column"}
    assert VALUE not in file.read_text(encoding="utf-8")


# ---------------------------------------------------------------- init
def init(home: Path, *arguments: str) -> Result:
    gateway = ("--gateway", "http://gateway.example", "--home", str(home))
    return saphan("init", "--agency", "ccib", *gateway, *arguments)


def test_init_makes_a_home_with_drafts_that_nothing_reads_before_they_are_decided(tmp_path: Path) -> None:
    home = tmp_path / "ccib"
    made = init(home, "--source", sqlite(tmp_path), "--table", TABLE, "--json")

    assert made.exit_code == 0, made.output
    view = MadeWithDrafts.model_validate_json(made.stdout)
    assert view.member.agency == "ccib"
    assert [each.file for each in view.drafts] == [str(home / "drafts" / "fraud_case.odcs.yaml")]
    assert not list((home / "contracts").iterdir())
    listed = saphan("approve", "--home", str(home), "--json")
    assert json.loads(listed.stdout) == {"contracts": []}


def test_a_draft_of_the_home_is_decided_published_and_approved_like_any_contract(tmp_path: Path) -> None:
    home = tmp_path / "ccib"
    assert init(home, "--source", sqlite(tmp_path), "--dataset", "tpo_complaint").exit_code == 0
    shown = saphan("draft", "--table", TABLE, "--home", str(home))
    assert "Who is one person?" in shown.stdout
    assert "บุคคลหนึ่งคือใคร" in shown.stdout
    file = home / "drafts" / "fraud_case.odcs.yaml"
    text = file.read_text(encoding="utf-8").replace("status: draft", "status: active")
    file.write_text(text.replace(UNDECIDED, "suspect_id"), encoding="utf-8")

    approved = saphan("approve", str(file), "--home", str(home), "--json")
    assert [each["id"] for each in json.loads(approved.stdout)["contracts"]] == ["fraud_case"]


@pytest.mark.parametrize(
    ("arguments", "code"), [((), "setting-invalid"), (("--table", "no_such_table"), "source-mismatch")]
)
def test_init_makes_nothing_when_it_has_nothing_to_make(tmp_path: Path, arguments: tuple[str, ...], code: str) -> None:
    made = init(tmp_path / "ccib", "--source", sqlite(tmp_path), *arguments)

    assert made.stderr.partition(" ")[0] == code
    assert made.exit_code == FAMILIES[CATALOGUE[code].family].exit_code
    assert not (tmp_path / "ccib").exists()
