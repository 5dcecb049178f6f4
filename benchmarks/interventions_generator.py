"""Made-up areas with what makes evaluations fail: one dominant area, trends that differ, more variation than chance."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.interventions_trial import WINDOW, Counts
from forecasting.interventions.counterfactual import Ints
from forecasting.noise_trials import nano_rho_of, sigma_of
from forecasting.panel import Floats
from forecasting.seasons import YEAR

MONTHS_BEFORE = 36
LEVELS = 4
"""Levels that share the price of a month: nation, region, province, station."""


@dataclass(frozen=True, slots=True)
class Generator:
    """Parameters of the generator; docs/explanation/interventions.md has the same list.

    Attributes:
        areas: How many.
        median: Cases of a month in the median area.
        unevenness: Standard deviation of the logarithm of the areas' sizes.
        dominant: Share of all cases that the first area has.
        dominant_trend: Its trend, in log points a year.
        trends: Standard deviation of the other areas' trends, in log points a year.
        walk: Standard deviation of the monthly step of each area's level, in log points.
        season: Height of the year's wave, in log points.
        shocks: Standard deviation of what moves a month of all areas alike, in log points.
        dispersion: Variance = mean + dispersion x mean squared, of a month's count.
        groups: Offence groups that an area's count is the sum of: each has noise of its own.
        batch: Runs that are drawn at a time.
    """

    areas: int = 500
    median: float = 60.0
    unevenness: float = 0.8
    dominant: float = 0.10
    dominant_trend: float = 0.15
    trends: float = 0.05
    walk: float = 0.025
    season: float = 0.10
    shocks: float = 0.03
    dispersion: float = 0.03
    groups: int = 4
    batch: int = 50

    @property
    def noise(self) -> float:
        """Of the sum of the groups at epsilon 1, the price split equally over the levels."""
        return float(sigma_of(nano_rho_of(1.0), LEVELS) * np.sqrt(self.groups))

    def batches(self, generator: np.random.Generator, runs: int) -> Iterator[Counts]:
        """Draw so many runs; each has new areas."""
        for done in range(0, runs, self.batch):
            calendar = int(generator.integers(YEAR))
            counts = self._counts(generator, min(self.batch, runs - done), calendar)
            yield Counts(counts[..., :MONTHS_BEFORE], counts[..., MONTHS_BEFORE:].sum(axis=2), calendar)

    def _counts(self, generator: np.random.Generator, runs: int, calendar: int) -> Ints:
        months = MONTHS_BEFORE + WINDOW
        size = np.log(self.median) + self.unevenness * generator.standard_normal((runs, self.areas))
        trend = self.trends * generator.standard_normal((runs, self.areas))
        rest = np.exp(size[:, 1:]).sum(axis=1)
        size[:, 0], trend[:, 0] = np.log(rest * self.dominant / (1.0 - self.dominant)), self.dominant_trend
        years = (np.arange(months) - MONTHS_BEFORE) / YEAR
        wave = self.season * np.sin(2.0 * np.pi * (calendar - MONTHS_BEFORE + np.arange(months)) / YEAR)
        common: Floats = wave + self.shocks * generator.standard_normal((runs, 1, months))
        steps = self.walk * generator.standard_normal((runs, self.areas, months))
        rate = np.exp(size[..., None] + trend[..., None] * years + np.cumsum(steps, axis=2) + common)
        drawn = generator.poisson(rate * generator.gamma(1.0 / self.dispersion, self.dispersion, rate.shape))
        return np.asarray(drawn, dtype=np.int64)
