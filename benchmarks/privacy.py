"""Bounded counting and its noise, and how good the answer is: ``./run bench privacy [--json] [--peers] [--rows N]``.

A million incidents of half a million people, at most three of each, by province x month x offence: 92,400 cells. The
connector's own compiler counts them on the ranked snapshot, bounded to three rows of a person in each fiscal year;
then every cell gets discrete Laplace noise at a pure epsilon of 1 (L1 = 3) and, beside it, discrete Gaussian noise at
epsilon 1 and delta 1e-6 (L2 = 3: all three may fall into one cell). Errors are against the true counts of all rows.

``--peers`` also lets other libraries do the job, on the same rows, each in an environment of its own.
"""

import argparse
import math
import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types

from benchmarks.peers import job as the_job
from benchmarks.peers.environments import PEERS, run_peer
from benchmarks.report import print_report
from connectors.compile import compile_query, run
from connectors.snapshot import SnapshotInfo, refresh
from contracts.dataset import DatasetContract
from contracts.grid import grid_of
from contracts.odcs import read_contract
from contracts.query import Query
from privacy.mechanisms import (
    NANO,
    draw_gaussian,
    draw_laplace,
    epsilon_of,
    gaussian_scale,
    laplace_epsilon,
    laplace_scale,
    laplace_sigma,
)

ROWS = 1_000_000
REPEATS = 5
BATCH_ROWS = 250_000
SECONDS_OF_A_DAY = 86_400
CONTRACT = Path(__file__).with_name("privacy_cases.odcs.yaml")
FIRST_MONTH = np.datetime64("2020-10", "M")
QUESTION = {
    "measures": ("count",),
    "dimensions": ("province", "month", "offence"),
    "period": {"from": "2020-10-01", "until": "2025-10-01"},
}
PURE_NANO_RHO = NANO // 2
"""Pure epsilon 1 in zCDP: half of its square."""


class Noisy(NamedTuple):
    """The best of several runs: seconds of the counting and of the noise, and the error of the last answer."""

    count_seconds: float
    noise_seconds: float
    rmse: float


@dataclass(frozen=True, slots=True)
class Cases:
    """The job's rows as a source; each incident falls somewhere into its month."""

    job: the_job.Job
    contract: DatasetContract

    def batches(self, table: str, columns: Sequence[str], batch_rows: int = BATCH_ROWS) -> Iterator[pa.Table]:  # noqa: ARG002  # the shape of a source
        """See ``connectors.sources.Source``."""
        days = np.random.Generator(np.random.PCG64(5)).integers(0, 28 * SECONDS_OF_A_DAY, self.job.person.size)
        made = {
            "incident": np.arange(self.job.person.size),
            "person": self.job.person,
            "occurred_at": (FIRST_MONTH + self.job.month).astype("datetime64[s]") + days,
            "province": np.array(_labels(self.contract, "province"))[self.job.province],
            "offence": np.array(_labels(self.contract, "offence"))[self.job.offence],
        }
        for start in range(0, self.job.person.size, BATCH_ROWS):
            yield pa.table({name: pa.array(made[name][start : start + BATCH_ROWS]) for name in columns})


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--peers", action="store_true", help="let other libraries do the job too: minutes")
    parser.add_argument("--rows", type=int, default=ROWS)
    arguments = parser.parse_args()
    job = the_job.made(arguments.rows)
    with tempfile.TemporaryDirectory() as folder:
        figures, ratios = _measure(Path(folder), job)
        if arguments.peers:
            the_job.save(job, Path(folder, "rows.npz"))
            for peer in PEERS:
                figures |= run_peer(peer, Path(folder, "rows.npz"))
                ratios[f"{peer}_seconds_vs_ours"] = figures[f"{peer}_query_seconds"] / figures["seconds"]
    print_report("privacy", figures, ratios, as_json=arguments.json)


def _measure(folder: Path, job: the_job.Job) -> tuple[dict[str, float], dict[str, float]]:
    contract = read_contract(CONTRACT.read_text(encoding="utf-8"))
    rows = contract.unit.rows_per_window
    begin = time.perf_counter()
    info = refresh(
        folder / "snapshot", Cases(job, contract), contract, b"benchmarks have no secrets", datetime.now(UTC)
    )
    refreshed = time.perf_counter() - begin
    scale, sigma = laplace_scale(rows, PURE_NANO_RHO), gaussian_scale(rows**2, _nano_rho_of_epsilon_one())
    laplace = _answered(folder / "snapshot", contract, job, lambda cells: draw_laplace(cells, scale))
    gaussian = _answered(folder / "snapshot", contract, job, lambda cells: draw_gaussian(cells, sigma))
    limit = math.sqrt(2) * rows / the_job.EPSILON
    figures = {
        **_sizes(info),
        "refresh_seconds": refreshed,
        "aggregate_seconds": laplace.count_seconds,
        "noise_seconds": laplace.noise_seconds,
        "seconds": laplace.count_seconds + laplace.noise_seconds,
        "epsilon": laplace_epsilon(rows, scale),
        "rmse": laplace.rmse,
        "rmse_limit": limit,
        "rmse_in_theory": laplace_sigma(scale),
        "gaussian_seconds": gaussian.count_seconds + gaussian.noise_seconds,
        "gaussian_epsilon": epsilon_of(_nano_rho_of_epsilon_one(), str(the_job.DELTA)),
        "gaussian_rmse": gaussian.rmse,
        "gaussian_rmse_in_theory": sigma,
    }
    ratios = {
        "rmse_vs_limit": laplace.rmse / limit,
        "rmse_vs_theory": laplace.rmse / laplace_sigma(scale),
        "gaussian_rmse_vs_theory": gaussian.rmse / sigma,
    }
    return figures, ratios


def _sizes(info: SnapshotInfo) -> dict[str, float]:
    return {
        "rows": info.rows,
        "people": info.persons,
        "rows_within_bound": info.kept_rows,
        "cells": the_job.CELLS,
    }


def _nano_rho_of_epsilon_one() -> int:
    """The largest zCDP loss that is no more than epsilon 1 at the job's delta."""

    def is_too_much(nano_rho: int) -> bool:
        return epsilon_of(nano_rho, str(the_job.DELTA)) > the_job.EPSILON

    prices = range(PURE_NANO_RHO)
    return bisect_left(prices, x=True, key=is_too_much) - 1


def _answered(
    snapshot: Path, contract: DatasetContract, job: the_job.Job, noise: Callable[[Sequence[int]], list[int]]
) -> Noisy:
    """Answer the question several times, each time as an agency would: from opening its snapshot on."""
    query = Query.model_validate(QUESTION)
    grid = grid_of(query, contract)
    counting, drawing, error = [], [], math.nan
    for _ in range(REPEATS):
        begin = time.perf_counter()
        exact = run(snapshot, compile_query(query, contract, grid), query, grid)["count"]
        counted = time.perf_counter()
        noisy = noise(exact)
        drawing.append(time.perf_counter() - counted)
        counting.append(counted - begin)
        error = the_job.error(np.array(noisy, dtype=np.float64), job)
    return Noisy(min(counting), min(drawing), error)


def _labels(contract: DatasetContract, name: str) -> tuple[str, ...]:
    return next(each.values for each in contract.dimensions if each.name == name)


if __name__ == "__main__":
    main()
