"""What a window would have held if nothing had been done: a pooled-seasonal level, forecast for many areas at once.

The level of each area is an exponential average of its seasonally adjusted months. The season and the weight of the
newest month are shared by all areas, so that what moves all of them alike cancels when treated areas are compared with
untreated ones. Everything is computed for many runs in one go: a simulation is one call.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.panel import Floats
from forecasting.seasons import HIGHEST, LOWEST, SHORTEST, YEAR

Ints = NDArray[np.int64]

WEIGHTS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7)
"""Weights of the newest month that are tried; the one with the smallest errors one month ahead is used."""

LONGEST = 60
"""Months before a start that are used: what lies further back says little about the level."""

FLOOR = 1e-3
_STEEPEST = 1.0


@dataclass(frozen=True, slots=True)
class Expected:
    """Each array runs x areas.

    Attributes:
        total: Cases that the window was expected to hold. May be below 0 where an area has nothing but noise.
        variance: Of ``total``, from chance and from the noise in the months that it was made from, in cases squared.
        growth: Logarithm of the last year's cases over those of the year before, -1 to 1: an area that was chosen after
            a bad year has a high one, and what such years are usually followed by is learnt from the untreated.
        weight: Of the newest month: one for each run.
    """

    total: Floats
    variance: Floats
    growth: Floats
    weight: Floats


def expected(past: Floats, noise: Floats, calendar: int, window: int) -> Expected:
    """Forecast the window after a past.

    Args:
        past: Signed counts, runs x areas x months; 24 months or more, of which the newest 60 are used.
        noise: Variance of the noise in a month of each area, in cases squared; 0 for exact counts.
        calendar: The month of the year of the window's first month, 0 for January to 11 for December.
        window: Months that the window has.

    Raises:
        ValueError: For fewer than 24 months.
    """
    if past.shape[2] < SHORTEST:
        raise ValueError("a counterfactual needs 24 months")
    seen = past[:, :, -LONGEST:]
    months = (calendar - seen.shape[2] + np.arange(seen.shape[2])) % YEAR
    factors = _factors(seen.sum(axis=1), months)
    adjusted = seen / factors[:, months][:, None, :]
    level, weight = _levels(adjusted, noise)
    ahead = factors[:, (calendar + np.arange(window)) % YEAR].sum(axis=1)
    kept = (weight / (2.0 - weight) * ahead**2)[:, None]
    year, before = adjusted[:, :, -YEAR:].sum(axis=2), adjusted[:, :, -2 * YEAR : -YEAR].sum(axis=2)
    # A whole case at least, and no less than the noise of a year's sum: below that a ratio means nothing.
    least = np.maximum(1.0, np.sqrt(YEAR * noise))
    growth = np.log(np.maximum(year, least) / np.maximum(before, least))
    return Expected(
        total=level * ahead[:, None],
        variance=kept * (np.maximum(level, FLOOR) + noise),
        growth=np.clip(growth, -_STEEPEST, _STEEPEST),
        weight=weight,
    )


def _factors(total: Floats, months: Ints) -> Floats:
    """Factors of January to December, runs x 12, averaging 1: ratios of all areas' sum to its centred yearly mean."""
    sums = np.cumsum(np.pad(total, ((0, 0), (1, 0))), axis=1)
    yearly = (sums[:, YEAR:] - sums[:, :-YEAR]) / YEAR
    around = (yearly[:, 1:] + yearly[:, :-1]) / 2.0
    half = YEAR // 2
    ratios = total[:, half : half + around.shape[1]] / np.maximum(around, 1.0)
    shown = months[half : half + around.shape[1]]
    factors = np.stack([ratios[:, shown == month].mean(axis=1) for month in range(YEAR)], axis=1)
    bounded = np.clip(factors / np.maximum(factors.mean(axis=1, keepdims=True), LOWEST), LOWEST, HIGHEST)
    scaled: Floats = bounded / bounded.mean(axis=1, keepdims=True)
    return scaled


def _levels(adjusted: Floats, noise: Floats) -> tuple[Floats, Floats]:
    """The last level of each area, runs x areas, and the weight of the newest month that each run has chosen."""
    start = adjusted[:, :, :YEAR].mean(axis=2)
    precision = 1.0 / (np.maximum(adjusted.mean(axis=2), 1.0) + noise)
    runs = len(adjusted)
    least, chosen, best = np.full(runs, np.inf), np.zeros(start.shape), np.zeros(runs)
    for weight in WEIGHTS:
        level, loss = start, np.zeros(runs)
        for month in range(YEAR, adjusted.shape[2]):
            error = adjusted[:, :, month] - level
            loss = loss + (error**2 * precision).sum(axis=1)
            level = level + weight * error
        better = loss < least
        least, best = np.where(better, loss, least), np.where(better, weight, best)
        chosen = np.where(better[:, None], level, chosen)
    return chosen, best
