"""Bounded counting beside plain counting, and the noise: ``./run bench aggregate [--json] [--rows N]``.

One table of N cases is made. Side one asks the snapshot for month x province through the connector's own compiler: at
most so many rows of each person count, amounts are clamped, every cell of the grid is answered. Side two is a plain
GROUP BY in DuckDB over the same rows and the same columns, without any bound. Both run in turns and the fastest run of
each counts.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types

from benchmarks.report import print_report
from connectors.compile import compile_query, run
from connectors.snapshot import refresh
from contracts.code_lists import code_list
from contracts.dataset import DatasetContract
from contracts.grid import grid_of
from contracts.odcs import bundled_text, read_contract
from contracts.query import Query
from privacy.mechanisms import draw_gaussian, gaussian_scale

ROWS = 10_000_000
PEOPLE_PER_ROW = 1 / 3
REPEATS = 7
NOISE_CELLS = 92_400
NOISE_REPEATS = 3
NOISE_L2 = 3
NOISE_NANO_RHO = 50_000_000
BATCH_ROWS = 500_000
SECONDS_OF_FIVE_YEARS = 5 * 365 * 86_400
QUESTION = {
    "measures": ("count", "damage_thb:sum"),
    "dimensions": ("month", "province"),
    "period": {"from": "2020-10-01", "until": "2025-10-01"},
}
PLAIN = "SELECT d_month, d_province, count(*), sum(m_damage_thb) FROM plain GROUP BY ALL"


@dataclass(frozen=True, slots=True)
class Cases:
    """A source of so many random complaints; a third as many people, of whom some have far more than others."""

    rows: int

    def batches(self, table: str, columns: Sequence[str], batch_rows: int = BATCH_ROWS) -> Iterator[pa.Table]:  # noqa: ARG002  # the shape of a source
        """See ``connectors.sources.Source``; columns that the question does not need are constant."""
        draw = np.random.Generator(np.random.PCG64(1))
        provinces = np.array(code_list("provinces").values)
        begin = np.datetime64("2020-10-01T00:00:00")
        for start in range(0, self.rows, BATCH_ROWS):
            size = min(BATCH_ROWS, self.rows - start)
            made = {
                "case_ref": np.arange(start, start + size),
                "victim_id": (draw.random(size) ** 3 * self.rows * PEOPLE_PER_ROW).astype(np.int64),
                "reported_at": begin + draw.integers(0, SECONDS_OF_FIVE_YEARS, size).astype("timedelta64[s]"),
                "province": provinces[draw.integers(0, len(provinces), size)],
                "damage_thb": draw.lognormal(9, 1.5, size),
            }
            yield pa.table({name: pa.array(made[name] if name in made else np.zeros(size)) for name in columns})


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rows", type=int, default=ROWS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = _measure(Path(folder), arguments.rows)
    figures["noise_seconds"] = _noise_seconds()
    ratios = {"bounded_vs_plain": figures["bounded_seconds"] / figures["plain_seconds"]}
    print_report("aggregate", figures, ratios, as_json=arguments.json)


def _measure(folder: Path, rows: int) -> dict[str, float]:
    contract = read_contract(bundled_text("tpo_complaint"))
    snapshot = folder / "snapshot.duckdb"
    begin = time.perf_counter()
    info = refresh(snapshot, Cases(rows), contract, b"benchmarks have no secrets", datetime.now(UTC))
    refreshed = time.perf_counter() - begin
    _make_plain(folder / "plain.duckdb", contract, rows)
    bounded, plain = _in_turns(snapshot, folder / "plain.duckdb", contract)
    return {
        "rows": info.rows,
        "people": info.persons,
        "rows_within_bound": info.kept_rows,
        "refresh_seconds": refreshed,
        "bounded_seconds": bounded,
        "plain_seconds": plain,
    }


def _make_plain(path: Path, contract: DatasetContract, rows: int) -> None:
    """All rows, unbounded, in a file of their own: the columns of the question, in the snapshot's own types."""
    with duckdb.connect(str(path)) as connection:
        for number, batch in enumerate(Cases(rows).batches("", ("reported_at", "province", "damage_thb"))):
            connection.register("batch", batch)
            chosen = connection.table("batch").project(
                "strftime(reported_at, '%Y-%m') AS d_month, province AS d_province, "
                "CAST(round(damage_thb) AS BIGINT) AS m_damage_thb"
            )
            if number == 0:
                _make_table(connection, contract)
            chosen.insert_into("plain")
            connection.unregister("batch")


def _make_table(connection: duckdb.DuckDBPyConnection, contract: DatasetContract) -> None:
    grid = grid_of(Query.model_validate(QUESTION), contract)
    months, provinces = (", ".join(f"'{label}'" for label in axis.values) for axis in grid.axes)
    connection.execute(
        f"CREATE TABLE plain (d_month ENUM({months}), d_province ENUM({provinces}), m_damage_thb BIGINT)"
    )


def _in_turns(snapshot: Path, plain: Path, contract: DatasetContract) -> tuple[float, float]:
    """The fastest of several runs of each side, in seconds; each run opens its file as an answer does."""
    query = Query.model_validate(QUESTION)
    grid = grid_of(query, contract)
    bounded_seconds, plain_seconds = [], []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        run(snapshot, compile_query(query, contract, grid), query, grid)
        bounded_seconds.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        with duckdb.connect(str(plain), read_only=True) as connection:
            connection.execute(PLAIN).fetchall()
        plain_seconds.append(time.perf_counter() - begin)
    return min(bounded_seconds), min(plain_seconds)


def _noise_seconds() -> float:
    """The fastest of three draws of noise for a full grid."""
    seconds = []
    for _ in range(NOISE_REPEATS):
        begin = time.perf_counter()
        draw_gaussian([0] * NOISE_CELLS, gaussian_scale(NOISE_L2**2, NOISE_NANO_RHO))
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


if __name__ == "__main__":
    main()
