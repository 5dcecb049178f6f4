"""Made-up rows for any contract: every bundled dataset gets rows that fit its contract, with nobody real in them."""

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # ships no types
import pytest

from connectors.compile import compile_query, run
from connectors.snapshot import Snapshot, refresh
from connectors.sources import open_source
from connectors.synthetic.figures import figures
from connectors.synthetic.generate import Extent, GeneratedInfo, generate_for
from connectors.synthetic.sketch import Kind, TableSketch, sketch_of
from connectors.synthetic.writing import Shape, write
from contracts.code_lists import derivation
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput
from contracts.grid import grid_of
from contracts.odcs import bundled_ids, bundled_text, canonical_document, read_contract
from contracts.periods import window_of
from contracts.query import Query

pytestmark = pytest.mark.integration

UNTIL = date(2026, 1, 20)
SECRET = b"a secret of the connector"
PLANTED = ("tpo_complaint", "crimes_case", "dop_case")
OTHERS = tuple(name for name in bundled_ids() if name not in PLANTED)
ROWS = 900
TYPES = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("ms"),
}


@cache
def contract_of(name: str) -> DatasetContract:
    return read_contract(bundled_text(name))


@cache
def sketch(name: str) -> TableSketch:
    return sketch_of(contract_of(name), canonical_document(bundled_text(name)))


def fill(name: str, url: str, *, seed: int = 3, rows: int = ROWS, months: int = 24) -> GeneratedInfo:
    per_year = figures()["fitting"]["per_year"].get(name, 400_000)
    extent = Extent(scale=rows / (per_year * months / 12), months=months, until=UNTIL, seed=seed)
    return generate_for(contract_of(name), canonical_document(bundled_text(name)), url, extent)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, pa.Table]:
    folder = tmp_path_factory.mktemp("agencies")
    for name in OTHERS:
        fill(name, f"parquet:///{folder}")
    return {name: pq.read_table(folder / f"{name}.parquet") for name in OTHERS}


@pytest.mark.parametrize("name", OTHERS)
def test_every_column_has_its_type_and_a_value_where_one_is_required(name: str, made: Mapping[str, pa.Table]) -> None:
    table = made[name]
    assert table.column_names == [each.name for each in sketch(name).columns]
    for each in sketch(name).columns:
        assert table.schema.field(each.name).type == TYPES[each.type], each.name
        assert table.schema.field(each.name).nullable is not each.required
        empty = table.column(each.name).null_count
        assert (empty == 0) if each.required else (0 < empty < table.num_rows), each.name


@pytest.mark.parametrize("name", OTHERS)
def test_rows_have_a_key_of_their_own_and_lie_in_the_months(name: str, made: Mapping[str, pa.Table]) -> None:
    table, contract = made[name], contract_of(name)
    keys = table.column(contract.row_key).to_pylist()
    assert len(set(keys)) == len(keys) == ROWS
    months = {f"{instant:%Y-%m}" for instant in table.column(contract.event_time).to_pylist()}
    assert max("2024-01", contract.first_month) <= min(months) <= max(months) == "2025-12"


@pytest.mark.parametrize("name", OTHERS)
def test_codes_are_of_the_public_lists_and_numbers_are_within_what_is_allowed(
    name: str, made: Mapping[str, pa.Table]
) -> None:
    contract, table = contract_of(name), made[name]
    for each in sketch(name).of(Kind.CODE, Kind.BAND, Kind.SCORE, Kind.YEAR):
        values = [value for value in table.column(each.name).to_pylist() if value is not None]
        elsewhere = {"NOT_IN_PILOT"} if contract.pilot and contract.pilot.column == each.name else set()
        if each.kind is Kind.CODE:
            assert {str(value) for value in values} - elsewhere <= set(each.codes)
        if each.span is not None:
            assert each.span[0] <= min(values) <= max(values) <= each.span[1]
    for dimension in (d for d in contract.dimensions if d.grain is None):
        derived = derivation(dimension)
        assert derived is not None
        labels = Counter(derived.code_of(value) for value in table.column(dimension.column).to_pylist())
        assert sum(labels[code] for code in dimension.values) > 0.75 * ROWS or not sketch_required(
            name, dimension.column
        )


def sketch_required(name: str, column: str) -> bool:
    return next(each.required for each in sketch(name).columns if each.name == column)


@pytest.mark.parametrize("name", [name for name in OTHERS if contract_of(name).unit.column])
def test_people_come_back_and_some_beyond_the_bound_but_none_of_them_can_live(
    name: str, made: Mapping[str, pa.Table]
) -> None:
    contract, table = contract_of(name), made[name]
    assert contract.unit.column is not None
    people = table.column(contract.unit.column).to_pylist()
    windows = [window_of(instant) for instant in table.column(contract.event_time).to_pylist()]
    most = Counter(zip(people, windows, strict=True)).most_common(1)[0][1]
    assert most > contract.unit.rows_per_window
    assert 0.5 * ROWS < len(set(people)) < ROWS
    for number in set(people):
        check = (11 - sum(int(digit) * (13 - place) for place, digit in enumerate(number[:12])) % 11) % 10
        assert len(number) == 13
        assert int(number[12]) != check


def test_amounts_are_log_normal_and_a_few_of_them_are_beyond_the_clamp_of_their_own_code(
    made: Mapping[str, pa.Table],
) -> None:
    measured = contract_of("tpo_hold").measure_column("requested_thb")
    assert measured is not None
    assert measured.clamps
    rows = made["tpo_hold"].select(["case_type", "requested_thb", "frozen_thb"]).to_pylist()
    beyond = sum(row["requested_thb"] > measured.clamps.get(row["case_type"], measured.clamp)[1] for row in rows)
    assert 0 < beyond < 0.08 * ROWS
    assert all(0 <= row["frozen_thb"] <= row["requested_thb"] for row in rows)


def test_what_follows_comes_after_what_was_before(made: Mapping[str, pa.Table]) -> None:
    names = ["found_at", "sent_to_mdes_at", "court_order_at", "blocked_at"]
    for row in made["tpo_url"].select(names).to_pylist():
        known = [row[name] for name in names if row[name] is not None]
        assert known == sorted(known)
        assert known[-1] < date(2026, 1, 1)


def test_years_are_those_of_the_event_and_months_begin_on_their_first_day(made: Mapping[str, pa.Table]) -> None:
    for row in made["doc_release_cohort"].select(["released_at", "release_fy"]).to_pylist():
        assert f"FY{row['release_fy']}" == window_of(row["released_at"])
    assert {day.day for day in made["people_poll"].column("month").to_pylist()} == {1}


@pytest.mark.parametrize("name", ["people_poll", "tpo_hold", "dop_test"])
def test_a_snapshot_of_them_answers_questions(name: str, tmp_path: Path) -> None:
    contract, path = contract_of(name), tmp_path / "snapshot.duckdb"
    fill(name, f"duckdb:///{tmp_path}/agency.duckdb")
    source = open_source(f"duckdb:///{tmp_path}/agency.duckdb")
    info = refresh(path, source, contract, SECRET, datetime(2026, 1, 20, tzinfo=UTC))
    outside = Snapshot(path).outside(name)
    assert (info.rows, info.kept_rows < ROWS) == (ROWS, True)
    assert bool(outside) is (contract.pilot is not None)
    assert all(each.code is None for each in outside), "a station of no list is counted with the others, not named"
    period = {"from": "2024-10-01", "until": "2026-01-01"}
    query = Query.model_validate({"measures": contract.measures, "dimensions": ("month",), "period": period})
    grid = grid_of(query, contract)
    cells = run(path, compile_query(query, contract, grid), query, grid)
    assert all(each > 0 for each in cells["count"])


def test_the_same_seed_gives_the_same_rows_in_every_engine_and_another_seed_others(
    tmp_path: Path, postgres_database: str
) -> None:
    urls = [f"{kind}:///{tmp_path}/{kind}.db" for kind in ("sqlite", "duckdb")]
    urls += [f"{kind}:///{tmp_path}/{kind}" for kind in ("parquet", "csv")]
    found = [_rows(url, "tpo_hold") for url in (*urls, postgres_database)]
    assert all(each == found[0] for each in found[1:])
    assert _rows(f"csv:///{tmp_path}/again", "tpo_hold", seed=4) != found[0]


def _rows(url: str, name: str, *, seed: int = 3) -> list[tuple[str, ...]]:
    fill(name, url, seed=seed, rows=60)
    names = [each.name for each in sketch(name).columns]
    rows: list[tuple[str, ...]] = []
    for batch in open_source(url).batches(name, names):
        rows += zip(*([_text(value) for value in batch.column(each).to_pylist()] for each in names), strict=True)
    return sorted(rows)


def _text(value: object) -> str:
    text = "" if value is None else str(value)
    try:
        return f"{float(text):.2f}"
    except ValueError:
        return text


def test_databases_hold_columns_of_the_contracts_types_that_cannot_be_empty(tmp_path: Path) -> None:
    fill("tpo_hold", f"duckdb:///{tmp_path}/agency.duckdb", rows=50)
    fill("tpo_hold", f"sqlite:///{tmp_path}/agency.db", rows=50)
    with duckdb.connect(str(tmp_path / "agency.duckdb"), read_only=True) as connection:
        found = {name: (kind, empty) for name, kind, empty, *_ in connection.execute("DESCRIBE tpo_hold").fetchall()}
    assert found["requested_thb"] == ("DOUBLE", "NO")
    assert found["requested_at"] == ("TIMESTAMP", "NO")
    assert found["acted_minutes"] == ("BIGINT", "YES")
    connection_to_sqlite = sqlite3.connect(tmp_path / "agency.db")
    (made_by,) = connection_to_sqlite.execute("SELECT sql FROM sqlite_master WHERE name = 'tpo_hold'").fetchone()
    connection_to_sqlite.close()
    assert '"hold_id" TEXT NOT NULL PRIMARY KEY' in made_by


@pytest.mark.parametrize("kind", ["sqlite", "duckdb", "parquet", "csv", "postgresql"])
def test_rows_of_somebody_else_are_never_replaced(kind: str, tmp_path: Path, postgres_database: str) -> None:
    theirs = pa.table({"hold_id": ["a real one"]})
    urls = {
        "sqlite": "sqlite:///{}/a.db",
        "duckdb": "duckdb:///{}/a.db",
        "parquet": "parquet:///{}",
        "csv": "csv:///{}",
    }
    url = urls.get(kind, postgres_database).format(tmp_path)
    write(url, Shape("tpo_hold", "hold_id"), iter([theirs]))
    _forget(kind, url, tmp_path)
    with pytest.raises(InvalidInput, match="table-not-generated"):
        fill("tpo_hold", url, rows=50)
    (batch,) = open_source(url).batches("tpo_hold", ["hold_id"])
    assert batch.column("hold_id").to_pylist() == ["a real one"]


def test_a_table_that_somebody_added_rows_to_is_somebody_elses(tmp_path: Path) -> None:
    fill("tpo_hold", f"sqlite:///{tmp_path}/a.db", rows=50)
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute("INSERT INTO tpo_hold SELECT 'real' || hold_id, " + _others() + " FROM tpo_hold LIMIT 1")  # noqa: S608  # names of the contract
    connection.commit()
    connection.close()
    fill("tpo_hold", f"csv:///{tmp_path}/files", rows=50)
    with (tmp_path / "files" / "tpo_hold.csv").open("a") as file:
        file.write("real\n")
    for url in (f"sqlite:///{tmp_path}/a.db", f"csv:///{tmp_path}/files"):
        with pytest.raises(InvalidInput, match="table-not-generated"):
            fill("tpo_hold", url, rows=50)


def _others() -> str:
    return ", ".join(f'"{each.name}"' for each in sketch("tpo_hold").columns[1:])


def _forget(kind: str, url: str, folder: Path) -> None:
    """Make a table look like one that an agency made."""
    match kind:
        case "parquet":
            path = folder / "tpo_hold.parquet"
            pq.write_table(pq.read_table(path).replace_schema_metadata(None), path)
        case "csv":
            (folder / "tpo_hold.csv.generated").unlink()
        case "sqlite":
            connection = sqlite3.connect(folder / "a.db")
            connection.execute("DELETE FROM saphan_generated")
            connection.commit()
            connection.close()
        case "duckdb":
            with duckdb.connect(str(folder / "a.db")) as connection_to_duckdb:
                connection_to_duckdb.execute("DELETE FROM saphan_generated")
        case _:
            import psycopg  # noqa: PLC0415  # only where the system has a server

            with psycopg.connect(url.replace("+psycopg", "", 1)) as connection_to_postgres:
                connection_to_postgres.execute("DELETE FROM saphan_generated")


def test_a_file_may_be_named_itself(tmp_path: Path) -> None:
    for kind in ("csv", "parquet"):
        fill("tpo_hold", f"{kind}:///{tmp_path}/new/rows.{kind}", rows=50)
        assert (tmp_path / "new" / f"rows.{kind}").is_file()


def test_rows_are_no_older_than_the_agency_keeps_them_and_lie_in_the_contracts_months(tmp_path: Path) -> None:
    fill("dop_test", f"parquet:///{tmp_path}", months=100)
    first = min(pq.read_table(tmp_path / "dop_test.parquet").column("tested_at").to_pylist())
    assert date(2021, 1, 20) < first < date(2021, 3, 1)
    with pytest.raises(InvalidInput, match="setting-invalid"):
        generate_for(
            contract_of("dop_test"),
            canonical_document(bundled_text("dop_test")),
            f"parquet:///{tmp_path}",
            Extent(1.0, 12, date(2015, 1, 1), 3),
        )


def test_a_contract_with_another_form_of_a_planted_dataset_gets_rows_that_fit_it(tmp_path: Path) -> None:
    document = json.loads(canonical_document(bundled_text("dop_case")))
    properties = document["schema"][0]["properties"]
    properties.append(
        {"name": "cell", "logicalType": "string", "required": True, "enum": [{"value": "A"}, {"value": "B"}]}
    )
    extent = Extent(scale=0.0005, months=12, until=UNTIL, seed=3)
    generate_for(contract_of("dop_case"), json.dumps(document).encode(), f"parquet:///{tmp_path}", extent)
    table = pq.read_table(tmp_path / "dop_case.parquet")
    assert set(table.column("cell").to_pylist()) == {"A", "B"}
    assert table.num_rows == 50


def test_numbers_can_be_keys(tmp_path: Path) -> None:
    document = json.loads(canonical_document(bundled_text("tpo_hold")))
    for each in document["schema"][0]["properties"]:
        if each["name"] in ("hold_id", "holder_id"):
            each["logicalType"] = "integer"
    extent = Extent(scale=0.001, months=3, until=UNTIL, seed=3)
    generate_for(contract_of("tpo_hold"), json.dumps(document).encode(), f"parquet:///{tmp_path}", extent)
    table = pq.read_table(tmp_path / "tpo_hold.parquet")
    assert table.column("hold_id").to_pylist() == list(range(1, table.num_rows + 1))
    assert table.schema.field("holder_id").type == pa.int64()
