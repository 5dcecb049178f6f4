"""From control charts to alarms: since when, how long, how strong.

An alarm begins in the month in which a window first exceeds its limit, is told to have begun with the first month of the
most surprising such window, and lasts while some window exceeds its limit. What lasts beyond the longest window becomes
part of what is expected and ends the alarm.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.panel import Floats
from forecasting.warnings.chart import Marks, Windows
from forecasting.warnings.limits import Watch


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
        deviation: Standard deviation of ``figure`` around ``expected``, noise and all.
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
    deviation: float
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
    loud = (filled < chance).any(axis=0)
    strongest = filled.argmin(axis=0)
    found = [alarm for row in np.flatnonzero(loud.any(axis=1)) for alarm in _of_row(int(row), loud, strongest, charts)]
    return tuple(sorted((each for each in found if each.last >= first), key=lambda each: (each.raised, each.row)))


def _of_row(row: int, loud: Marks, strongest: Floats, charts: Sequence[Windows]) -> list[Alarm]:
    edges = np.diff(np.concatenate([[0], loud[row].astype(np.int64), [0]]))
    spans = zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1, strict=True)
    return [_alarm(row, int(raised), int(last), strongest[row], charts) for raised, last in spans]


def _alarm(row: int, raised: int, last: int, strongest: Floats, charts: Sequence[Windows]) -> Alarm:
    first, chart = charts[int(strongest[raised])], charts[int(strongest[last])]
    return Alarm(
        row=row,
        since=raised - first.length + 1,
        raised=raised,
        last=last,
        window=chart.length,
        figure=float(chart.figure[row, last]),
        noise=float(np.sqrt(chart.noise[row, last])),
        expected=float(chart.expected[row, last]),
        deviation=float(np.sqrt(chart.variance[row, last])),
        chance=float(chart.chance[row, last]),
    )
