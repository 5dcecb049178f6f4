"""A value is read alike whatever stands beside it: nobody's row moves the labels, keys or people of others."""

import sqlite3
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import duckdb
import psycopg
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pytest

from connectors.compile import compile_query, run
from connectors.snapshot import refresh
from connectors.sources import open_source
from contracts.dataset import Grain
from contracts.grid import grid_of
from tests import factories

pytestmark = pytest.mark.integration

SECRET = b"a secret of the connector"
NUMBERS = (1, 2.5, 1e16, 1e-7, float("inf"), -0.0, 2**63 - 1, b"\x00a'\"\\\xff", "1", "x")


def texts(table: pa.Table) -> list[str | None]:
    """The values as labels, row keys and people's keys are made of them."""
    with duckdb.connect() as connection:
        connection.register("batch", table)
        return [text for (text,) in connection.execute("SELECT CAST(value AS VARCHAR) FROM batch").fetchall()]


def from_sqlite(folder: Path, values: Sequence[object]) -> list[str | None]:
    path = folder / "rows.db"
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (value)")
        connection.executemany("INSERT INTO t VALUES (?)", [(each,) for each in values])
    connection.close()
    (batch,) = open_source(f"sqlite:///{path}").batches("t", ["value"])
    return texts(batch)


@pytest.mark.parametrize("value", NUMBERS, ids=repr)
@pytest.mark.parametrize("beside", [7, 7.25, "seven", b"\x07", None], ids=repr)
def test_sqlite_s_mixed_columns_are_read_value_by_value(tmp_path: Path, value: object, beside: object) -> None:
    (alone,) = from_sqlite(tmp_path, [value])
    assert from_sqlite(tmp_path, [value, beside])[0] == alone


@pytest.mark.parametrize("beside", ["7", "1.50", "NaN", "Infinity", "0.1234567890123456789012345678901234567890"])
def test_postgresql_s_numerics_are_read_value_by_value(postgres_database: str, beside: str) -> None:
    with psycopg.connect(postgres_database.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE t (value numeric)")
        connection.execute("INSERT INTO t VALUES (1), (%s)", (Decimal(beside),))
    (batch,) = open_source(postgres_database).batches("t", ["value"])
    assert texts(batch) == ["1", beside]


def test_decimals_of_one_scale_stay_decimals(postgres_database: str) -> None:
    with psycopg.connect(postgres_database.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE t (value numeric(10, 2))")
        connection.execute("INSERT INTO t VALUES (1), (2.5), (NULL)")
    (batch,) = open_source(postgres_database).batches("t", ["value"])
    assert pa.types.is_decimal(batch.schema.field("value").type)


class Told:
    """A source of one complaint, whose time is a text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def batches(self, table: str, columns: Sequence[str], batch_rows: int = 50_000) -> Iterator[pa.Table]:
        row = {"complaint_id": "c", "victim_key": "p", "event_time": self._text, "province": "10"}
        yield pa.table({name: pa.array([row.get(name)], pa.string()) for name in columns})


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2025-10-01 05:30:00", "05"),
        ("2025-10-01", "00"),
        ("2025-09-30T22:30:00Z", "05"),
        ("2025-09-30 22:30:00 UTC", "05"),
        ("2025-09-30 22:30:00 GMT", "05"),
        ("2025-09-30 22:30:00 +00:00", "05"),
        ("2025-09-30 22:30:00.25+0000 ", "05"),
        ("2025-10-01 06:00+07:30", "05"),
        ("2025-10-01 05:30:00 +07:00", "05"),
    ],
)
def test_every_way_to_write_an_instant_means_the_same(tmp_path: Path, text: str, hour: str) -> None:
    dimensions = (factories.dimension("hour", grain=Grain.HOUR),)
    contract = factories.contract(dimensions=dimensions, measure_columns=())
    query = factories.query(dimensions=("hour",), period=factories.period())
    grid, snapshot = grid_of(query, contract), tmp_path / "snapshot.duckdb"

    refresh(snapshot, Told(text), contract, SECRET, factories.NOW)

    cells = run(snapshot, compile_query(query, contract, grid), query, grid)["count"]
    assert [label for (label,), count in zip(grid.keys(), cells, strict=True) if count] == [hour]
