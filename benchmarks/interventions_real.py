"""The monthly offences of a state's police-station areas, as runs of an evaluation."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from benchmarks.interventions_trial import WINDOW, Counts
from forecasting.interventions.counterfactual import Ints
from forecasting.noise_trials import nano_rho_of, sigma_of
from forecasting.seasons import YEAR

STATE = "state"
FILE = Path("state_monthly") / "counts.parquet"
LEVELS = 4
SEEN = 48


@dataclass(frozen=True, slots=True)
class RealAreas:
    """Counts of all offences together, areas x months; ``first`` is the first month's place in the year, 0 to 11."""

    counts: Ints
    first: int
    offences: int

    @classmethod
    def read(cls, data: Path) -> Self:
        """The areas of the folder."""
        raw = pd.read_parquet(data / FILE, columns=["area", "offence", "ds", "y"])
        wide = raw.pivot_table(index="area", columns="ds", values="y", aggfunc="sum", fill_value=0).sort_index(axis=1)
        first = pd.Timestamp(wide.columns[0]).month - 1
        return cls(np.asarray(wide.to_numpy().round(), dtype=np.int64), first, int(raw["offence"].nunique()))

    @property
    def noise(self) -> float:
        """Of the sum of the offences at epsilon 1, the price split equally over the levels."""
        return float(sigma_of(nano_rho_of(1.0), LEVELS) * np.sqrt(self.offences))

    def batches(self, generator: np.random.Generator, runs: int) -> Iterator[Counts]:
        """Starts drawn from all years, those of one month of the year together."""
        starts = generator.integers(SEEN, self.counts.shape[1] - WINDOW + 1, size=runs)
        for month in range(YEAR):
            chosen = starts[(self.first + starts) % YEAR == month]
            if len(chosen):
                past = np.stack([self.counts[:, start - SEEN : start] for start in chosen])
                after = np.stack([self.counts[:, start : start + WINDOW].sum(axis=1) for start in chosen])
                yield Counts(past, after, month)
