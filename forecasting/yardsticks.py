"""What the engine is measured against: classical models on one side, the floor that nothing can beat on the other.

SeasonalNaive and AutoETS say what their authors say: normal intervals by their own formula, cut off at zero. The floor
knows what nobody can know: the rate around each month, from the months before and after it. If counts were independent
cases at that rate, the best forecast would still err by chance; its scores are computed in closed form, not simulated.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, xlogy
from scipy.stats import poisson

from forecasting.evaluation import LevelScore
from forecasting.hierarchy import Hierarchy
from forecasting.models.ets import AutoETS
from forecasting.panel import Floats, Panel
from forecasting.predictive import ClippedNormal, Predictive
from forecasting.scores import DECILES, seasonal_scale
from forecasting.seasons import YEAR, seasonal_factors

FLOOR = "poisson-oracle"
AROUND = 7
"""Periods that the oracle averages: three before, the one itself, three after."""

LARGEST_SUMMED = 60.0
"""Above this rate the mean deviance of a Poisson count is taken as 1 + 1 / (6 rate), within a thousandth."""

SMALLEST_RATE = 1e-6


@dataclass(frozen=True, slots=True)
class NaiveYardstick:
    """The same period of the last season again, with the errors that this made in the series' own past.

    Interval: Hyndman, Athanasopoulos, Forecasting: Principles and Practice, section 5.5; a season further ahead has
    the variance of one more step.
    """

    season: int = YEAR
    name: str = "seasonal-naive"

    def rolling(self, hierarchy: Hierarchy, horizon: int, origins: Sequence[int]) -> list[list[Predictive]]:
        """See ``forecasting.evaluation.Forecaster``."""
        return [[self._predict(panel.figures[:, :origin], horizon) for panel in hierarchy.levels] for origin in origins]

    def _predict(self, past: Floats, horizon: int) -> Predictive:
        ahead = np.arange(horizon)
        centre = past[:, -self.season :][:, ahead % self.season]
        deviation = np.sqrt(((past[:, self.season :] - past[:, : -self.season]) ** 2).mean(axis=1))
        return ClippedNormal(centre, deviation[:, None] * np.sqrt(ahead // self.season + 1.0))


@dataclass(frozen=True, slots=True)
class EtsYardstick:
    """``forecasting.models.ets`` on every series of every level, each on its own; monthly figures only."""

    name: str = "autoets"

    def rolling(self, hierarchy: Hierarchy, horizon: int, origins: Sequence[int]) -> list[list[Predictive]]:
        """See ``forecasting.evaluation.Forecaster``."""
        return [[_ets(panel.until(origin), horizon) for panel in hierarchy.levels] for origin in origins]


def _ets(panel: Panel, horizon: int) -> Predictive:
    said = AutoETS().predict(panel, horizon)
    variance = said.mean if said.native is None else said.native - panel.noise
    return ClippedNormal(said.mean, np.sqrt(np.maximum(variance, said.mean)))


def hindsight_rates(panel: Panel, season: int = YEAR) -> Floats:
    """The rate of each period, by the seven periods around it, in the shape of the year: series x periods.

    Args:
        panel: Exact counts.
        season: 12 for months, whose pooled season is taken out and put back; any other is left in.
    """
    factors = np.ones(panel.figures.shape)
    if season == YEAR:
        factors = np.maximum(seasonal_factors(panel)[:, panel.month_of_year], 0.05)
    half = AROUND // 2
    padded = np.pad(panel.figures / factors, ((0, 0), (half, half)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, AROUND, axis=1)
    return np.asarray(windows.mean(axis=-1) * factors, dtype=np.float64)


def floor(
    truth: Hierarchy, names: Sequence[str], horizon: int, origins: Sequence[int], season: int = YEAR
) -> tuple[LevelScore, ...]:
    """The scores that the oracle expects on each level of exact counts; its coverage is right by construction."""
    return tuple(
        _floor(panel, name, hindsight_rates(panel, season), (horizon, origins, season))
        for panel, name in zip(truth.levels, names, strict=True)
    )


def _floor(panel: Panel, name: str, rates: Floats, window: tuple[int, Sequence[int], int]) -> LevelScore:
    horizon, origins, season = window
    rate = np.concatenate([rates[:, origin : origin + horizon] for origin in origins])
    scale = np.concatenate([seasonal_scale(panel.figures[:, :origin], season) for origin in origins])
    total = float(rate.sum())
    errors = expected_error(rate, poisson.median(np.maximum(rate, SMALLEST_RATE)))
    moving = scale > 0
    return LevelScore(
        model=FLOOR,
        level=name,
        series=len(panel.figures),
        mase=float((errors.mean(axis=1)[moving] / scale[moving]).mean()) if moving.any() else None,
        wape=float(errors.sum()) / total if total > 0 else None,
        scaled_crps=expected_crps(rate) / total if total > 0 else None,
        coverage80=None,
        coverage95=None,
        deviance=expected_deviance(rate),
    )


def expected_error(rate: Floats, guess: Floats) -> Floats:
    """E|X - g| of a Poisson count X of that rate and a whole number g.

    E|X - g| = rate - g + 2 E(g - X)+, and E(g - X)+ = g P(X <= g) - rate P(X <= g - 1).
    """
    return np.asarray(rate - guess + 2.0 * _shortfall(rate, guess), dtype=np.float64)


def expected_crps(rate: Floats) -> float:
    """The expected sum of twice the mean pinball loss over the deciles, for Poisson counts of known rates."""
    total = 0.0
    for level in DECILES:
        guess = np.asarray(poisson.ppf(level, np.maximum(rate, SMALLEST_RATE)), dtype=np.float64)
        total += 2.0 * float((level * (rate - guess) + _shortfall(rate, guess)).sum()) / len(DECILES)
    return total


def expected_deviance(rate: Floats) -> float:
    """The mean of the expected Poisson deviance 2 E(X ln(X / rate)) of counts of known rates."""
    flat = np.maximum(rate.ravel(), SMALLEST_RATE)
    small = flat[flat <= LARGEST_SUMMED]
    found = np.zeros(len(small))
    for count in range(1, int(LARGEST_SUMMED + 12 * np.sqrt(LARGEST_SUMMED))):
        chance = np.exp(xlogy(count, small) - small - gammaln(count + 1.0))
        found += chance * 2.0 * count * (np.log(count) - np.log(small))
    large = 1.0 + 1.0 / (6.0 * flat[flat > LARGEST_SUMMED])
    return float((found.sum() + large.sum()) / len(flat))


def _shortfall(rate: Floats, guess: Floats) -> Floats:
    known = np.maximum(rate, SMALLEST_RATE)
    return np.asarray(guess * poisson.cdf(guess, known) - rate * poisson.cdf(guess - 1.0, known), dtype=np.float64)
