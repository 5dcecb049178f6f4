"""PipelineDP on the job; runs in an environment of its own: ``python -m benchmarks.peers.pipelinedp ROWS.npz``.

Its bound is three cells of a person and one incident in each, its noise a Laplace of floats.
"""

import sys
import time
from pathlib import Path

import numpy as np
import pipeline_dp  # type: ignore[import-not-found]  # lives in its own environment

from benchmarks.peers.job import CELLS, EPSILON, ROWS_OF_A_PERSON, load, tell

PERSON, CELL = 0, 1


def main(path: str) -> None:
    """Ask once, and print the figures."""
    job = load(Path(path))
    rows = list(zip(job.person.tolist(), job.cell.tolist(), strict=True))
    begin = time.perf_counter()
    budget = pipeline_dp.NaiveBudgetAccountant(total_epsilon=EPSILON, total_delta=0)
    engine = pipeline_dp.DPEngine(budget, pipeline_dp.LocalBackend())
    terms = pipeline_dp.AggregateParams(
        noise_kind=pipeline_dp.NoiseKind.LAPLACE,
        metrics=[pipeline_dp.Metrics.COUNT],
        max_partitions_contributed=ROWS_OF_A_PERSON,
        max_contributions_per_partition=1,
    )
    extractors = pipeline_dp.DataExtractors(
        privacy_id_extractor=lambda row: row[PERSON],
        partition_extractor=lambda row: row[CELL],
        value_extractor=lambda _: 0,
    )
    answer = engine.aggregate(rows, terms, extractors, public_partitions=range(CELLS))
    budget.compute_budgets()
    counts = dict(answer)
    seconds = time.perf_counter() - begin
    noisy = np.array([counts[cell].count for cell in range(CELLS)])
    tell(noisy, job, len(counts), seconds)


if __name__ == "__main__":
    main(sys.argv[1])
