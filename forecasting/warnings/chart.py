"""The control chart: what every window held, and what had been forecast of it before it began.

Nothing of a window is known when it is forecast, and how far figures usually stray is learnt from windows that had
ended before it began. So the chart of a month is the same whether it is drawn then or years later.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contracts.errors import Unavailable
from forecasting.models.prediction import Model, Prediction
from forecasting.panel import Floats, Ints, Panel
from forecasting.seasons import SHORTEST
from forecasting.warnings.limits import Watch, calibrated, chance_of
from forecasting.warnings.spread import Spread, spread_of

LONGEST_BREAK = 2
"""Months in a row that are replaced by their forecast where the recording broke."""

LEARNT_FROM = 12
"""Windows that must have ended before one can be judged: they teach how far figures usually stray."""

Marks = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Windows:
    """All windows of one length, by the month in which each ends: arrays series x months, NaN where there is none.

    Attributes:
        length: In months.
        figure: Released cases in the window.
        expected: Their forecast, made when the month before the window was the newest.
        variance: Of the figure around the forecast, in cases squared; NaN before it could be learnt.
        third: Its third central moment.
        chance: How likely each figure or a higher one is if nothing changed.
        noise: The variance of the known noise in the figure.
    """

    length: int
    figure: Floats
    expected: Floats
    variance: Floats
    third: Floats
    chance: Floats
    noise: Floats


def control_chart(panel: Panel, model: Model, watch: Watch, broken: Marks) -> tuple[Windows, ...]:
    """Every window of every series, those of each length together.

    Args:
        panel: Signed noisy counts by month.
        model: Forecasts from any number of months of 24 or more.
        watch: Which windows.
        broken: Series x months: months whose recording broke. They are replaced by their forecast before later months
            are forecast, teach nothing, and no window with one is judged.

    Raises:
        Unavailable: ``not-enough-history``, when no window at all can be judged.
    """
    needed = SHORTEST + LEARNT_FROM + 1
    if len(panel.months) < needed:
        raise Unavailable("not-enough-history", needed=needed, given=len(panel.months))
    ahead = _forecasts(panel, model, max(watch.windows), broken)
    return tuple(_windows(panel, ahead, length, broken) for length in watch.windows)


def _forecasts(panel: Panel, model: Model, horizon: int, broken: Marks) -> dict[int, Prediction]:
    """The forecast from each origin: the number of months that were known."""
    figures = panel.figures.copy()
    found = {}
    for origin in range(SHORTEST, len(panel.months)):
        known = pd.DataFrame(figures[:, :origin], index=panel.counts.index, columns=panel.months[:origin])
        seen = Panel(known, panel.noise_variance, panel.variances)
        found[origin] = model.predict(seen, horizon)
        # What stays changed is no break of a month or two but the new level: the forecast may follow it.
        lost = broken[:, origin] & ~broken[:, max(origin - LONGEST_BREAK, 0) : origin].all(axis=1)
        figures[lost, origin] = found[origin].mean[lost, 0]
    return found


def _windows(panel: Panel, ahead: dict[int, Prediction], length: int, broken: Marks) -> Windows:
    shape = panel.figures.shape
    figure, expected = np.full(shape, np.nan), np.full(shape, np.nan)
    for origin, forecast in ahead.items():
        end = origin + length - 1
        if end < shape[1]:
            span = slice(origin, end + 1)
            whole = ~broken[:, span].any(axis=1)
            figure[whole, end] = panel.figures[whole, span].sum(axis=1)
            expected[:, end] = forecast.mean[:, :length].sum(axis=1)
    noise = np.asarray(np.broadcast_to(length * panel.noise, shape))
    past = _Past(figure - expected, expected, noise, panel.pools, length)
    spreads = [_learnt(past, end - length) for end in range(shape[1])]
    variance, third = np.full(shape, np.nan), np.full(shape, np.nan)
    for end, known in enumerate(spreads):
        for members, spread in known:
            mean = expected[members, end : end + 1]
            variance[members, end : end + 1] = spread.variance(mean, noise[members, end : end + 1])
            third[members, end : end + 1] = spread.third_moment(mean)
    told = chance_of(figure, expected, variance, third)
    chance = np.stack(
        [calibrated(told[:, : max(end + 1 - length, 0)], told[:, end]) for end in range(shape[1])], axis=1
    )
    return Windows(length, figure, expected, variance, third, chance, noise)


@dataclass(frozen=True, eq=False)
class _Past:
    """What windows of one length strayed from their forecasts, series x months, and the pool of each series."""

    errors: Floats
    means: Floats
    noise: Floats
    pools: Ints
    length: int


def _learnt(past: _Past, last: int) -> Sequence[tuple[Ints, Spread]]:
    """How far the figures of each pool strayed in windows that had ended by month ``last``."""
    known = slice(0, max(last + 1, 0))
    if np.isfinite(past.errors[:, known]).any(axis=0).sum() < LEARNT_FROM:
        return []
    found = []
    for pool in np.unique(past.pools):
        members = np.flatnonzero(past.pools == pool)
        seen = tuple(each[members, known] for each in (past.errors, past.means, past.noise))
        found.append((members, spread_of(seen[0], seen[1], seen[2], past.length)))
    return found
