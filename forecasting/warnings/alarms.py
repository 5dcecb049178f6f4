"""From control charts to alarms: since when, how long, how strong.

An alarm begins in the month in which a window first exceeds its limit. It is told to have begun with the month from
which on the most surprising such window was unusual, and lasts while some window exceeds its limit, short pauses
included. What lasts beyond the longest window becomes part of what is expected and ends the alarm.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.panel import Ints
from forecasting.warnings.chart import Marks, Windows
from forecasting.warnings.limits import Watch, limit_of

TAIL = 0.025
QUIET = 3
"""Months without an alarm after which the next one is a new one; a shorter pause belongs to the one before."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One series above expectation; months are columns of its panel.

    Attributes:
        row: The series.
        since: The first month that was unusual.
        raised: The month with which it was noticed.
        last: The last month in which it still stood.
        window: How many months the figures are of, those until ``last``.
        figure: Released cases of that window.
        noise: Standard deviation of the noise in ``figure``.
        expected: What was forecast of that window before it began.
        low: A usual window's figure, noise and all, lies between this
        high: and this 95 times in 100.
        chance: How likely a figure this high is in one look if nothing changed.
    """

    row: int
    since: int
    raised: int
    last: int
    window: int
    figure: float
    noise: float
    expected: float
    low: float
    high: float
    chance: float


def above_floor(charts: Sequence[Windows], watch: Watch) -> tuple[Marks, ...]:
    """For each chart the windows in which enough is expected: series x months."""
    return tuple(
        (chart.expected >= watch.expected_floor) & (chart.expected >= watch.noise_floor * np.sqrt(chart.noise))
        for chart in charts
    )


def alarms(charts: Sequence[Windows], judged: Sequence[Marks], chance: float, first: int) -> tuple[Alarm, ...]:
    """Every alarm that stands in or after a month, oldest first.

    Args:
        charts: The windows of each length.
        judged: For each chart the windows that may raise an alarm: series x months.
        chance: How likely one look may be to raise a false alarm.
        first: The column of the first month that is looked at.
    """
    chances = np.stack([np.where(may, chart.chance, np.nan) for chart, may in zip(charts, judged, strict=True)])
    filled = np.where(np.isfinite(chances), chances, 1.0)
    loud: Marks = np.asarray((filled < chance).any(axis=0), dtype=np.bool_)
    strongest = filled.argmin(axis=0)
    found = [alarm for row in np.flatnonzero(loud.sum(axis=1)) for alarm in _of_row(int(row), loud, strongest, charts)]
    return tuple(sorted((each for each in found if each.last >= first), key=lambda each: (each.raised, each.row)))


def _of_row(row: int, loud: Marks, strongest: Ints, charts: Sequence[Windows]) -> list[Alarm]:
    edges = np.diff(np.concatenate([[0], loud[row].astype(np.int64), [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    apart = starts[1:] - ends[:-1] > QUIET
    spans = zip(starts[np.r_[True, apart]], ends[np.r_[apart, True]], strict=True)
    return [_alarm(row, int(raised), int(last), strongest[row], charts) for raised, last in spans]


def _alarm(row: int, raised: int, last: int, strongest: Ints, charts: Sequence[Windows]) -> Alarm:
    first, chart = charts[int(strongest[raised])], charts[int(strongest[last])]
    usual = (chart.expected[row, last], chart.variance[row, last], chart.third[row, last])
    return Alarm(
        row=row,
        since=_since(row, raised, first.length, charts),
        raised=raised,
        last=last,
        window=chart.length,
        figure=float(chart.figure[row, last]),
        noise=float(np.sqrt(chart.noise[row, last])),
        expected=float(chart.expected[row, last]),
        low=float(limit_of(1.0 - TAIL, *usual)),
        high=float(limit_of(TAIL, *usual)),
        chance=float(chart.chance[row, last]),
    )


def _since(row: int, raised: int, length: int, charts: Sequence[Windows]) -> int:
    """The month from which on the months of the window that raised an alarm were most unusual together."""
    alone = next((chart for chart in charts if chart.length == 1), None)
    if alone is None or length == 1:
        return raised - length + 1
    span = slice(raised - length + 1, raised + 1)
    scores = (alone.figure[row, span] - alone.expected[row, span]) / np.sqrt(alone.variance[row, span])
    together = [scores[start:].sum() / np.sqrt(length - start) for start in range(length)]
    return raised - length + 1 + int(np.nanargmax(together))
