"""How good a forecast was, in figures that others can compare."""

import numpy as np

from forecasting.panel import Floats
from forecasting.seasons import YEAR


def wape(actual: Floats, mean: Floats) -> float | None:
    """Sum of the absolute errors over the sum of the counts; none when nothing was counted."""
    total = float(actual.sum())
    return float(np.abs(actual - mean).sum()) / total if total > 0 else None


def mase(actual: Floats, mean: Floats, past: Floats) -> float | None:
    """Mean over the series of the mean absolute error, in units of what the seasonal naive erred in the past.

    Args:
        actual: The counts that came: series x horizon.
        mean: Their forecast.
        past: The counts that the model saw: series x months, more than twelve.

    Returns:
        Below 1 is better than the seasonal naive on its own past. None when no series ever changed.
    """
    scale = np.abs(past[:, YEAR:] - past[:, :-YEAR]).mean(axis=1)
    moving = scale > 0
    if not moving.any():
        return None
    return float((np.abs(actual - mean).mean(axis=1)[moving] / scale[moving]).mean())


def coverage(actual: Floats, low: Floats, high: Floats) -> float:
    """Share of the counts inside their intervals, 0 to 1."""
    return float(((actual >= low) & (actual <= high)).mean())
