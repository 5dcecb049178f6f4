"""Entries of the coming months, by the forecasting engine, from no month before a break.

A code of an axis that a law began is learnt from its first whole month; one that a law ended is not forecast at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contracts.errors import InvalidInput
from contracts.release import ReleaseBody
from forecasting.dispersion import quantile_function
from forecasting.engine import forecast
from forecasting.feed import missing_months, series_panel
from forecasting.flow.breaks import Break, BreakKind, break_of
from forecasting.flow.cohorts import number_of
from forecasting.flow.ratios import BELOW_NOISE
from forecasting.hierarchy import single_level
from forecasting.panel import Floats, Panel, months_after
from forecasting.seasons import SHORTEST

HISTORY_TOO_SHORT = "history-too-short"
MONTH_MISSING = "month-missing"
SERIES_ENDED = "series-ended"
LEARNT_SINCE = "learnt-since-break"


@dataclass(frozen=True, eq=False)
class Ahead:
    """Entries of the coming months: arrays of one length.

    Attributes:
        months: ``YYYY-MM``.
        mean: Expected entries, not below zero.
        variance: Of the entries around it: chance, and how far earlier forecasts strayed.
        low: The lower end of each interval.
        high: Its upper end.
    """

    months: tuple[str, ...]
    mean: Floats
    variance: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class Entries:
    """What entered month by month as released, and what is expected to.

    Attributes:
        months: The months released that are learnt from, ``YYYY-MM``.
        figures: Their entries, signed and noisy; not a number where no release tells the month.
        noise: The variance of the noise in each.
        ahead: The coming months; None if there is no forecast, and ``flags`` say why.
        flags: Codes of what a reader must know.
        parted: The break that the series has, if any.
    """

    months: tuple[str, ...]
    figures: Floats
    noise: float
    ahead: Ahead | None
    flags: tuple[str, ...]
    parted: Break | None

    @property
    def has_ended(self) -> bool:
        """Whether a law ended the series: nothing enters any more."""
        return self.parted is not None and self.parted.kind is BreakKind.ENDED


def numbers_of(months: Sequence[str]) -> Floats:
    """Months as numbers."""
    return np.array([number_of(month) for month in months], dtype=np.float64)


def panel_by(bodies: Sequence[ReleaseBody], dataset: str, axis: str) -> Panel | None:
    """Entries by month and by the codes of one axis, or by month alone for ``""``; None if no release tells them.

    A month that no release tells is not a number.
    """
    try:
        return series_panel(bodies, dataset, (axis,) if axis else ())
    except InvalidInput:
        return None


def entries_ahead(panel: Panel, code: str, dataset: str, axis: str, horizon: int, level: int) -> Entries:
    """One series of a panel and its coming months.

    Args:
        panel: Entries by month; its index is the axis.
        code: The row.
        dataset: The dataset, for its breaks.
        axis: The axis, ``""`` for the whole.
        horizon: Months ahead, 1 or more.
        level: Of the intervals, in per cent.
    """
    row = [next(iter(labels.values())) for labels in panel.labels()].index(code)
    parted = break_of(dataset, axis, code if axis else "")
    first = str(panel.months[0])
    begins = parted is not None and parted.kind is not BreakKind.ENDED and parted.first_month > first
    seen = _since(panel, row, parted.first_month if parted and begins else first)
    flags = (LEARNT_SINCE,) if begins else ()
    if parted is not None and parted.kind is BreakKind.ENDED:
        return _told(seen, None, (SERIES_ENDED,), parted)
    if missing_months(seen):
        flags = (*flags, MONTH_MISSING)
    if int(np.isfinite(seen.figures).sum()) < SHORTEST:
        return _told(seen, None, (HISTORY_TOO_SHORT, *flags), parted)
    outcome = forecast(single_level(seen), horizon)
    mean, dispersion = outcome.mean[0], outcome.dispersion[0]
    ends = quantile_function(mean, dispersion, [0.5 - level / 200, 0.5 + level / 200])[0]
    ahead = Ahead(
        months=tuple(str(month) for month in months_after(seen.months, horizon)),
        mean=mean[0],
        variance=mean[0] + dispersion[0] * mean[0] ** 2,
        low=np.minimum(ends[:, 0], mean[0]),
        high=np.maximum(ends[:, 1], mean[0]),
    )
    return _told(seen, ahead, (*flags, BELOW_NOISE) if outcome.filter_only[0][0] else flags, parted)


def _since(panel: Panel, row: int, month: str) -> Panel:
    """One row from a month on; the newest month stays, whatever the break."""
    kept = max(sum(str(each) >= month for each in panel.months), 1)
    return Panel(panel.counts.iloc[[row], -kept:], float(panel.noise[row, 0]))


def _told(seen: Panel, ahead: Ahead | None, flags: tuple[str, ...], parted: Break | None) -> Entries:
    months = tuple(str(month) for month in seen.months)
    return Entries(months, seen.figures[0], float(seen.noise[0, 0]), ahead, flags, parted)
