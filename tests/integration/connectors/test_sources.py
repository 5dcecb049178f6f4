"""The agency's tables as connectors see them: read-only, by name, without a word about where they are."""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from connectors.sources import open_source, place_of
from contracts.errors import InvalidInput, Unavailable

pytestmark = pytest.mark.integration

ROWS = [("a", 1.5, "2026-01-01 00:00:00"), ("b", None, None), ("c", 2.5, "2026-01-02 10:30:00")]


def _sqlite(folder: Path) -> str:
    with sqlite3.connect(folder / "agency.db") as connection:
        connection.execute("CREATE TABLE cases (id TEXT, damage REAL, event_at TEXT)")
        connection.executemany("INSERT INTO cases VALUES (?, ?, ?)", ROWS)
    connection.close()
    return f"sqlite:///{folder}/agency.db"


def _duckdb(folder: Path) -> str:
    with duckdb.connect(str(folder / "agency.duckdb")) as connection:
        connection.execute("CREATE TABLE cases (id VARCHAR, damage DOUBLE, event_at TIMESTAMP)")
        connection.executemany("INSERT INTO cases VALUES (?, ?, ?)", ROWS)
    return f"duckdb:///{folder}/agency.duckdb"


def _export(folder: Path, kind: str) -> str:
    (folder / "tables").mkdir()
    _duckdb(folder)
    with duckdb.connect(str(folder / "agency.duckdb")) as connection:
        cases = connection.table("cases")
        cases.to_parquet(f"{folder}/tables/cases.parquet") if kind == "parquet" else cases.to_csv(
            f"{folder}/tables/cases.csv", header=True
        )
    return f"{kind}:///{folder}/tables"


@pytest.fixture(params=["sqlite", "duckdb", "parquet", "csv"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    match request.param:
        case "sqlite":
            return _sqlite(tmp_path)
        case "duckdb":
            return _duckdb(tmp_path)
        case kind:
            return _export(tmp_path, str(kind))


def _all(url: str, table: str, columns: Sequence[str], batch_rows: int = 50_000) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for batch in open_source(url).batches(table, columns, batch_rows):
        assert batch.num_rows <= batch_rows
        rows += zip(*(batch.column(name).to_pylist() for name in columns), strict=True)
    return rows


def test_every_source_gives_the_named_columns_in_their_order(url: str) -> None:
    rows = _all(url, "cases", ["damage", "id"])
    assert sorted((str(name), None if damage is None else float(str(damage))) for damage, name in rows) == [
        ("a", 1.5),
        ("b", None),
        ("c", 2.5),
    ]


def test_every_source_hands_over_no_more_rows_at_once_than_asked(url: str) -> None:
    assert len(_all(url, "cases", ["id"], batch_rows=2)) == len(ROWS)


@pytest.mark.parametrize(("table", "columns", "where"), [("nothing", ["id"], "nothing"), ("cases", ["no"], "cases.no")])
def test_every_source_names_what_it_lacks(url: str, table: str, columns: list[str], where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        _all(url, table, columns)
    assert (caught.value.code, caught.value.details["where"]) == ("source-mismatch", where)


def test_a_single_file_is_its_table_whatever_it_is_called(tmp_path: Path) -> None:
    url = _export(tmp_path, "csv")
    assert len(_all(f"{url}/cases.csv", "anything", ["id"])) == len(ROWS)


@pytest.mark.parametrize("kind", ["sqlite", "duckdb", "parquet", "csv"])
def test_a_missing_file_is_unreachable_and_its_path_stays_unsaid(kind: str, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="source-unreachable") as caught:
        _all(f"{kind}:///{tmp_path}/hidden-place", "cases", ["id"])
    assert "hidden-place" not in str(caught.value.problem())
    assert list(tmp_path.iterdir()) == [], "reading makes no file"


def test_an_unreachable_server_is_named_without_host_user_or_password() -> None:
    with pytest.raises(Unavailable, match="source-unreachable") as caught:
        _all("postgresql+psycopg://officer:hunter2@127.0.0.1:1/cases", "cases", ["id"])
    problem = str(caught.value.problem())
    assert caught.value.details == {"source": "postgresql"}
    assert not [word for word in ("hunter2", "officer", "127.0.0.1") if word in problem]
    assert caught.value.__cause__ is None


def test_a_source_of_another_kind_is_refused_without_repeating_the_url() -> None:
    with pytest.raises(InvalidInput, match="setting-invalid") as caught:
        open_source("ftp://officer:hunter2@somewhere/cases")
    assert "hunter2" not in str(caught.value.problem())


def test_sqlite_is_opened_for_reading_only(tmp_path: Path) -> None:
    source = open_source(_sqlite(tmp_path))
    engine = source._engine()  # type: ignore[attr-defined]  # what guards the agency is inside
    with engine.connect() as connection, pytest.raises(Exception, match="readonly"):
        connection.exec_driver_sql("DELETE FROM cases")
    engine.dispose()


def test_duckdb_is_opened_for_reading_only_and_reaches_no_other_file(tmp_path: Path) -> None:
    source = open_source(_duckdb(tmp_path))
    connection = source._connect("cases")  # type: ignore[attr-defined]  # what guards the agency is inside
    (tmp_path / "other.csv").write_text("a\n1\n")
    with pytest.raises(duckdb.InvalidInputException, match="read-only"):
        connection.execute("DELETE FROM cases")
    with pytest.raises(duckdb.PermissionException):
        connection.read_csv(str(tmp_path / "other.csv"))
    connection.close()


def test_a_parquet_reader_reaches_no_other_file(tmp_path: Path) -> None:
    source = open_source(_export(tmp_path, "parquet"))
    connection = source._connect("cases")  # type: ignore[attr-defined]  # what guards the agency is inside
    (tmp_path / "other.csv").write_text("a\n1\n")
    with pytest.raises(duckdb.PermissionException):
        connection.read_csv(str(tmp_path / "other.csv"))
    with pytest.raises(duckdb.InvalidInputException, match="locked"):
        connection.execute("SET enable_external_access = true")
    connection.close()


def test_a_sqlite_column_of_mixed_types_is_read_as_text(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "mixed.db") as connection:
        connection.execute("CREATE TABLE cases (id)")
        connection.executemany("INSERT INTO cases VALUES (?)", [(1,), ("x",), (None,), (2.5,)])
    connection.close()
    assert _all(f"sqlite:///{tmp_path}/mixed.db", "cases", ["id"]) == [("1",), ("x",), (None,), ("2.5",)]


def test_a_damaged_sqlite_file_is_unreachable(tmp_path: Path) -> None:
    (tmp_path / "agency.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(Unavailable, match="source-unreachable"):
        _all(f"sqlite:///{tmp_path}/agency.db", "cases", ["id"])


def test_an_instant_keeps_its_offset(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "agency.duckdb")) as connection:
        connection.execute("CREATE TABLE cases AS SELECT TIMESTAMPTZ '2026-01-01 00:00:00+07' AS event_at")
    ((at,),) = _all(f"duckdb:///{tmp_path}/agency.duckdb", "cases", ["event_at"])
    assert isinstance(at, datetime)
    assert at.astimezone(UTC) == datetime(2025, 12, 31, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("url", "other"),
    [
        (
            "postgresql://ann:old@db.example/cases",
            "postgresql+psycopg://bob:new@DB.example.:5432/cases?sslmode=require",
        ),
        ("postgresql:///cases?host=db.example&port=5432", "postgresql://db.example/cases"),
        ("postgresql://cases@db.example", "postgresql://db.example/cases"),
        ("sqlite:////srv/cases.db", "sqlite:////srv/x/../cases.db"),
        ("duckdb:////srv/cases.duckdb", "duckdb:////srv/./cases.duckdb"),
    ],
)
def test_a_table_is_in_one_place_however_its_address_is_written(url: str, other: str) -> None:
    assert place_of(url, "complaint") == place_of(other, "complaint")
    assert place_of(url, "complaint") != place_of(url, "arrest")


@pytest.mark.parametrize(
    ("url", "other"),
    [
        ("postgresql://db.example/cases", "postgresql://db.example/archive"),
        ("postgresql://db.example/cases", "postgresql://db2.example/cases"),
        ("postgresql://db.example/cases", "postgresql://db.example:5433/cases"),
        ("sqlite:////srv/cases.db", "sqlite:////srv/archive.db"),
        ("sqlite:////srv/cases.db", "duckdb:////srv/cases.db"),
    ],
)
def test_other_databases_are_other_places(url: str, other: str) -> None:
    assert place_of(url, "complaint") != place_of(other, "complaint")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_of_rows_is_one_place_by_its_folder_its_own_name_and_a_link(tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"complaint.{kind}"
    file.touch()
    link = tmp_path / f"other.{kind}"
    link.symlink_to(file)
    by_folder = place_of(f"{kind}:///{tmp_path}", "complaint")
    assert by_folder == place_of(f"{kind}:///{file}", "any_name") == place_of(f"{kind}:///{tmp_path}", "other")
    assert by_folder != place_of(f"{kind}:///{tmp_path}", "arrest")


def test_an_unsupported_scheme_has_no_places() -> None:
    with pytest.raises(InvalidInput, match="setting-invalid"):
        place_of("mysql://db.example/cases", "complaint")
