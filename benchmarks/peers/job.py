"""The job that every side of ``./run bench privacy`` does, on the same rows; needs numpy alone.

Count incidents by province x month x offence, all cells, at a pure epsilon of 1 where the side can; at most three
incidents of a person count.
"""

import json
import math
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

PROVINCES, MONTHS, OFFENCES = 77, 60, 20
CELLS = PROVINCES * MONTHS * OFFENCES
ROWS_OF_A_PERSON = 3
EPSILON = 1.0
DELTA = 1e-6
NAMES = ("person", "province", "month", "offence")

Codes = npt.NDArray[np.int64]


class Job(NamedTuple):
    """One entry a row: a person's number, and the numbers of a province, a month and an offence, from 0."""

    person: Codes
    province: Codes
    month: Codes
    offence: Codes

    @property
    def cell(self) -> Codes:
        """The cell of each row."""
        return (self.province * MONTHS + self.month) * OFFENCES + self.offence


def made(rows: int) -> Job:
    """So many incidents of people who have one, two or three each; provinces and offences differ much in size."""
    draw = np.random.Generator(np.random.PCG64(4))
    person = np.repeat(np.arange(rows), draw.integers(1, ROWS_OF_A_PERSON + 1, rows))[:rows]
    sizes = (draw.lognormal(0, 0.7, number) for number in (PROVINCES, MONTHS, OFFENCES))
    axes = (draw.choice(weights.size, rows, p=weights / weights.sum()) for weights in sizes)
    order = draw.permutation(rows)
    return Job(person[order], *axes)


def save(job: Job, path: Path) -> None:
    """Write the rows where a peer can read them."""
    np.savez(path, **job._asdict())


def load(path: Path) -> Job:
    """The rows that ``save`` wrote."""
    with np.load(path) as saved:
        return Job(*(saved[name] for name in NAMES))


def truth(job: Job) -> Codes:
    """The exact count of every cell."""
    return np.bincount(job.cell, minlength=CELLS)


def error(noisy: npt.NDArray[np.float64], job: Job) -> float:
    """Root mean square error over all cells."""
    return math.sqrt(float(np.mean((noisy - truth(job)) ** 2)))


def tell(noisy: npt.NDArray[np.float64], job: Job, released: int, seconds: float) -> None:
    """Print a peer's figures as one JSON object.

    Args:
        noisy: Its answer for every cell, 0 where it released none.
        job: The rows.
        released: In how many cells it did.
        seconds: How long its own query took, without start-up and without loading the rows.
    """
    figures = {"query_seconds": seconds, "rmse": error(noisy, job), "cells_released": released}
    sys.stdout.write(json.dumps(figures) + "\n")
