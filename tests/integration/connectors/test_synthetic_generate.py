"""Made-up agencies: the same rows in every engine, fit for their contracts, with nobody real in them."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pytest

from connectors.compile import compile_query, run
from connectors.snapshot import Snapshot, refresh
from connectors.sources import open_source
from connectors.synthetic.generate import generate
from contracts.errors import InvalidInput, Unavailable
from contracts.grid import grid_of
from contracts.odcs import bundled_text, read_contract
from contracts.query import Query
from tests import factories

pytestmark = pytest.mark.integration

UNTIL = date(2026, 1, 20)
SECRET = b"a secret of the connector"
COLUMNS = {
    "tpo_complaint": "case_ref victim_id reported_at occurred_at province station channel case_type platform "
    "victim_age victim_sex damage_thb linked stage crimes_ref",
    "crimes_case": "case_no person_id station province district offence occurred_at reported_at place victim_age "
    "victim_sex cleared stage",
    "dop_case": "case_id person_id type office province opened_at closed_at offence result reoffended_12m",
}


def _read(url: str, dataset: str, columns: Sequence[str]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for batch in open_source(url).batches(dataset, columns):
        rows += zip(*([_text(value) for value in batch.column(name).to_pylist()] for name in columns), strict=True)
    return sorted(rows)


def _text(value: object) -> str:
    """What the engines write differently: no instants, no booleans, no decimals of its own in SQLite."""
    if isinstance(value, bool):
        return str(int(value))
    if value is None or isinstance(value, str | int):
        return str(value)
    return str(value) if isinstance(value, datetime | date) else f"{float(str(value)):.2f}"


def _urls(folder: Path) -> dict[str, str]:
    return {
        "sqlite": f"sqlite:///{folder}/agency.db",
        "duckdb": f"duckdb:///{folder}/agency.duckdb",
        "parquet": f"parquet:///{folder}/tables",
    }


@pytest.mark.parametrize("dataset", list(COLUMNS))
def test_every_engine_gets_the_same_rows_and_a_second_time_too(dataset: str, tmp_path: Path) -> None:
    found = []
    for url in _urls(tmp_path).values():
        generate(dataset, url, 0.001, 14, UNTIL, 3)
        info = generate(dataset, url, 0.001, 14, UNTIL, 3)
        rows = _read(url, dataset, COLUMNS[dataset].split())
        assert len(rows) == info.rows > 100
        found.append(rows)
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("dataset", list(COLUMNS))
def test_postgresql_gets_the_same_rows_as_duckdb(dataset: str, tmp_path: Path, postgres_database: str) -> None:
    duckdb_url = _urls(tmp_path)["duckdb"]
    for url in (duckdb_url, postgres_database, postgres_database):
        generate(dataset, url, 0.001, 14, UNTIL, 3)
    columns = COLUMNS[dataset].split()
    assert _read(postgres_database, dataset, columns) == _read(duckdb_url, dataset, columns)


def test_a_postgresql_source_is_ranked_like_any_other_and_can_only_be_read(
    tmp_path: Path, postgres_database: str
) -> None:
    contract = read_contract(bundled_text("crimes_case"))
    duckdb_url = _urls(tmp_path)["duckdb"]
    for url in (duckdb_url, postgres_database):
        generate("crimes_case", url, 0.001, 14, UNTIL, 3)
        refresh(tmp_path / url.partition(":")[0], open_source(url), contract, SECRET, factories.NOW)
    one, other = (Snapshot(tmp_path / name).info("crimes_case") for name in ("duckdb", "postgresql+psycopg"))
    assert one == other
    engine = open_source(postgres_database)._engine()  # type: ignore[attr-defined]  # what guards the agency is inside
    with engine.connect() as connection, pytest.raises(Exception, match="read-only transaction"):
        connection.exec_driver_sql("DELETE FROM crimes_case")
    engine.dispose()


def test_a_postgresql_table_or_column_that_is_missing_is_named(postgres_database: str) -> None:
    generate("dop_case", postgres_database, 0.001, 1, UNTIL, 3)
    for table, column, where in (("nothing", "a", "nothing"), ("dop_case", "secret", "dop_case.secret")):
        with pytest.raises(InvalidInput) as caught:
            list(open_source(postgres_database).batches(table, [column]))
        assert (caught.value.code, caught.value.details["where"]) == ("source-mismatch", where)


def test_a_postgresql_database_that_is_gone_is_unreachable(postgres_database: str) -> None:
    url = re.sub(r"/t[0-9a-f]{12}\?", "/gone?", postgres_database)
    with pytest.raises(Unavailable, match="source-unreachable"):
        list(open_source(url).batches("dop_case", ["case_id"]))


@pytest.mark.parametrize("dataset", list(COLUMNS))
def test_the_rows_fit_the_agencys_own_contract(dataset: str, tmp_path: Path) -> None:
    contract = read_contract(bundled_text(dataset))
    url = _urls(tmp_path)["parquet"]
    info = generate(dataset, url, 0.005, 13, UNTIL, 3)
    snapshot = tmp_path / "snapshot.duckdb"
    held = refresh(snapshot, open_source(url), contract, SECRET, datetime(2026, 1, 20, tzinfo=UTC))
    assert held.rows == info.rows
    assert 0.8 * held.rows < held.kept_rows < held.rows
    assert 0.6 * held.rows < held.persons < held.rows
    names = [each.name for each in contract.dimensions]
    period = {"from": "2024-12-01", "until": "2026-01-01"}
    for name in names:
        query = Query.model_validate({"measures": ("count",), "dimensions": (name,), "period": period})
        grid = grid_of(query, contract)
        counted = sum(run(snapshot, compile_query(query, contract, grid), query, grid)["count"])
        # Only the stations of the safety zones are public codes; most cases are those of another station.
        everything = 0 < counted < held.kept_rows if name == "ssz_station" else counted == held.kept_rows
        assert everything, f"every value of {name} has a label"


def test_another_seed_gives_other_rows(tmp_path: Path) -> None:
    found = []
    for seed in (1, 2):
        generate("dop_case", f"parquet:///{tmp_path}/{seed}", 0.001, 2, UNTIL, seed)
        found.append(_read(f"parquet:///{tmp_path}/{seed}", "dop_case", ["person_id", "opened_at"]))
    assert found[0] != found[1]


def test_rows_are_keyed_lie_in_the_months_and_nothing_happens_after_its_report(tmp_path: Path) -> None:
    url = f"parquet:///{tmp_path}"
    generate("crimes_case", url, 0.01, 14, UNTIL, 3)
    rows = pa.concat_tables(open_source(url).batches("crimes_case", ["case_no", "reported_at", "occurred_at"]))
    keys, reported, occurred = (rows.column(name).to_numpy() for name in rows.column_names)
    assert len(np.unique(keys)) == len(keys)
    assert np.datetime64("2024-11-01") <= reported.min() <= reported.max() < np.datetime64("2026-01-01")
    assert (occurred <= reported).all()


def test_the_state_is_the_victim_of_drug_cases(tmp_path: Path) -> None:
    url = f"parquet:///{tmp_path}"
    generate("crimes_case", url, 0.002, 12, UNTIL, 3)
    rows = pa.concat_tables(
        open_source(url).batches("crimes_case", ["offence", "victim_sex", "victim_age"])
    ).to_pylist()
    assert {row["victim_sex"] for row in rows if row["offence"] == "DRUG"} == {None}
    assert {row["victim_sex"] for row in rows if row["offence"] == "THEFT"} == {"F", "M"}


def test_damage_has_the_published_size(tmp_path: Path) -> None:
    url = f"parquet:///{tmp_path}"
    generate("tpo_complaint", url, 0.2, 3, UNTIL, 3)
    rows = pa.concat_tables(open_source(url).batches("tpo_complaint", ["case_type", "damage_thb"]))
    damage = rows.column("damage_thb").to_numpy()
    shop = damage[rows.column("case_type").to_numpy(zero_copy_only=False) == "SHOP"]
    assert np.median(shop) == pytest.approx(4_478 * 0.82, rel=0.1)
    assert 60_000 < damage.mean() < 160_000


@pytest.mark.parametrize(
    ("dataset", "url", "scale", "months"),
    [
        ("elsewhere", "parquet:///{}", 1.0, 1),
        ("dop_case", "mysql:///{}/dop", 0.001, 1),
        ("dop_case", "parquet:///{}", 0.0, 1),
        ("dop_case", "parquet:///{}", 1.0, 0),
    ],
)
def test_what_cannot_be_generated_is_refused(dataset: str, url: str, scale: float, months: int, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="setting-invalid"):
        generate(dataset, url.format(tmp_path), scale, months, UNTIL, 3)
