"""How good a forecast was, in figures that others can compare.

Gneiting, Raftery 2007, "Strictly Proper Scoring Rules, Prediction, and Estimation", for the CRPS and the deviance;
Czado, Gneiting, Held 2009, "Predictive Model Assessment for Count Data", for the probability integral transform of
counts; Hyndman, Koehler 2006, "Another look at measures of forecast accuracy", for the MASE.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import xlogy

from forecasting.panel import Floats
from forecasting.seasons import YEAR

DECILES = tuple(number / 10 for number in range(1, 10))
"""Levels of the nine quantiles whose twice mean pinball loss stands for the CRPS everywhere in this project."""

SMALLEST_RATE = 1e-3
"""A rate of zero would make one case infinitely surprising."""


def wape(actual: Floats, mean: Floats) -> float | None:
    """Sum of the absolute errors over the sum of the counts; none when nothing was counted."""
    total = float(actual.sum())
    return float(np.abs(actual - mean).sum()) / total if total > 0 else None


def seasonal_scale(past: Floats, season: int = YEAR) -> Floats:
    """What the seasonal naive erred on average in the past of each series: one figure a series, in cases.

    Args:
        past: The counts that the model saw: series x periods, more than one season.
        season: Periods of a season.
    """
    return np.asarray(np.abs(past[:, season:] - past[:, :-season]).mean(axis=1), dtype=np.float64)


def scaled_errors(actual: Floats, mean: Floats, scale: Floats) -> Floats:
    """The mean absolute error of each series in units of its scale; NaN for a series that never moved."""
    errors = np.abs(actual - mean).mean(axis=1)
    found = np.full(len(errors), np.nan)
    np.divide(errors, scale, out=found, where=scale > 0)
    return found


def mase(actual: Floats, mean: Floats, past: Floats, season: int = YEAR) -> float | None:
    """Mean over the series of the mean absolute error, in units of what the seasonal naive erred in the past.

    Args:
        actual: The counts that came: series x horizon.
        mean: Their forecast.
        past: The counts that the model saw: series x periods, more than one season.
        season: Periods of a season.

    Returns:
        Below 1 is better than the seasonal naive on its own past. None when no series ever changed.
    """
    errors = scaled_errors(actual, mean, seasonal_scale(past, season))
    known = errors[~np.isnan(errors)]
    return float(known.mean()) if len(known) else None


def coverage(actual: Floats, low: Floats, high: Floats) -> float:
    """Share of the counts inside their intervals, 0 to 1."""
    return float(((actual >= low) & (actual <= high)).mean())


def crps_sum(actual: Floats, quantiles: Floats, levels: Sequence[float]) -> float:
    """The continuous ranked probability score, from quantiles, summed over all figures; in cases.

    The CRPS is twice the pinball loss averaged over all levels between 0 and 1; here over the levels given.

    Args:
        actual: What came, of any shape.
        quantiles: That shape x levels.
        levels: Between 0 and 1, evenly spaced and symmetric, at least nine.
    """
    error = actual[..., None] - quantiles
    weights = np.asarray(levels, dtype=np.float64)
    return 2.0 * float(np.maximum(weights * error, (weights - 1.0) * error).mean(axis=-1).sum())


def pit_coverage(before: Floats, upto: Floats, level: float) -> Floats:
    """The chance that the randomised probability integral transform of each count lies in the central interval.

    A count's transform is uniform between P(X < y) and P(X <= y), so that a right forecast's is uniform between 0 and 1
    although counts are whole. A closed interval of whole numbers always holds more than it says: small counts would
    look over-covered. This is the mean over the randomisation; nothing is drawn.

    Args:
        before: P(X < y) of each count by its forecast.
        upto: P(X <= y).
        level: Of the interval, between 0 and 1.
    """
    low, high = 0.5 - level / 2, 0.5 + level / 2
    inside = np.clip(np.minimum(upto, high) - np.maximum(before, low), 0.0, None)
    width = upto - before
    point = ((upto >= low) & (upto <= high)).astype(np.float64)
    return np.asarray(np.divide(inside, width, out=point, where=width > 0), dtype=np.float64)


def poisson_deviance(actual: Floats, mean: Floats) -> float:
    """Mean of 2 (y ln(y / m) - y + m), for counts that are mostly zero, whose absolute errors mislead.

    Args:
        actual: Exact counts, none below 0.
        mean: Their forecast; lifted to a thousandth of a case.
    """
    rate = np.maximum(mean, SMALLEST_RATE)
    return float((2.0 * (xlogy(actual, actual / rate) - actual + rate)).mean())


def coherence_error(levels: Sequence[Floats], sums: Sequence[Floats]) -> float:
    """The largest difference between a figure of any level and the sum of the leaves below it, in cases.

    Args:
        levels: The figures of each level, the leaves last.
        sums: What the leaves add up to on each level: ``Hierarchy.sums``.
    """
    return max(float(np.abs(level - total).max()) for level, total in zip(levels, sums, strict=True))
