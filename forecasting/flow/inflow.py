"""Entries of the coming months, by the forecasting engine, from no month before a break.

A code of an axis that a law began is learnt from its first whole month; one that a law ended is not forecast at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from contracts.errors import InvalidInput
from contracts.release import ReleaseBody
from forecasting.engine import forecast
from forecasting.feed import missing_months, series_panel
from forecasting.flow.breaks import Break, BreakKind, break_of
from forecasting.flow.cohorts import MONTHS, number_of
from forecasting.flow.ratios import BELOW_NOISE
from forecasting.hierarchy import single_level
from forecasting.panel import Floats, Panel, months_after
from forecasting.seasons import SHORTEST

LONGEST = 3 * MONTHS
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


def entries_of(
    bodies: Sequence[ReleaseBody], dataset: str, axis: str, until: float | None, level: int
) -> Mapping[str, Entries]:
    """Entries by code of an axis, and their coming months.

    Args:
        bodies: Valid releases of anything.
        dataset: The dataset.
        axis: The axis; ``""`` for the whole, whose one code is ``all``.
        until: The instant until which entries are wanted, in months since the year 0; at least twelve months are
            forecast, and at most three years.
        level: Of the intervals, in per cent.

    Returns:
        By code, in the order of the code list; nothing if no release tells them.
    """
    try:
        panel = series_panel(bodies, dataset, (axis,) if axis else ())
    except InvalidInput:
        return {}
    codes = [next(iter(labels.values())) for labels in panel.labels()]
    last = panel.months[-1].year * MONTHS + panel.months[-1].month - 1
    horizon = min(max(int(np.ceil(until or 0.0)) - 1 - last, MONTHS), LONGEST)
    parts = {code: _part(panel, row, break_of(dataset, axis, code if axis else "")) for row, code in enumerate(codes)}
    ahead = _ahead(parts, horizon, level)
    return {code: _entries(part, ahead.get(code)) for code, part in parts.items()}


@dataclass(frozen=True, eq=False)
class _Part:
    """One series from its break on."""

    seen: Panel
    parted: Break | None
    flags: tuple[str, ...]
    can_forecast: bool


@dataclass(frozen=True, eq=False)
class _Forecast:
    ahead: Ahead
    in_noise: bool


def _part(panel: Panel, row: int, parted: Break | None) -> _Part:
    first = str(panel.months[0])
    begins = parted is not None and parted.kind is not BreakKind.ENDED and parted.first_month > first
    seen = _since(panel, row, parted.first_month if parted and begins else first)
    if parted is not None and parted.kind is BreakKind.ENDED:
        return _Part(seen, parted, (SERIES_ENDED,), can_forecast=False)
    flags = (LEARNT_SINCE,) if begins else ()
    if missing_months(seen):
        flags = (*flags, MONTH_MISSING)
    if int(np.isfinite(seen.figures).sum()) < SHORTEST:
        return _Part(seen, parted, (HISTORY_TOO_SHORT, *flags), can_forecast=False)
    return _Part(seen, parted, flags, can_forecast=True)


def _ahead(parts: Mapping[str, _Part], horizon: int, level: int) -> dict[str, _Forecast]:
    """The engine is run once for all series that begin together; each learns from itself alone, being its own pool."""
    found: dict[str, _Forecast] = {}
    able = {code: part for code, part in parts.items() if part.can_forecast}
    for first in dict.fromkeys(part.seen.months[0] for part in able.values()):
        group = {code: part for code, part in able.items() if part.seen.months[0] == first}
        together = Panel(
            pd.concat([part.seen.counts for part in group.values()]),
            max(part.seen.noise_variance for part in group.values()),
            tuple(part.seen.noise_variance for part in group.values()),
        )
        outcome = forecast(single_level(together), horizon)
        mean, said = outcome.mean[0], outcome.predictive(0)
        ends = said.quantiles([0.5 - level / 200, 0.5 + level / 200])
        months = tuple(str(month) for month in months_after(together.months, horizon))
        low, high = np.minimum(ends[..., 0], mean), np.maximum(ends[..., 1], mean)
        for row, code in enumerate(group):
            each = Ahead(months, mean[row], said.variance[row], low[row], high[row])
            found[code] = _Forecast(each, bool(outcome.filter_only[0][row]))
    return found


def _entries(part: _Part, forecasted: _Forecast | None) -> Entries:
    months = tuple(str(month) for month in part.seen.months)
    flags = (*part.flags, BELOW_NOISE) if forecasted is not None and forecasted.in_noise else part.flags
    ahead = forecasted.ahead if forecasted is not None else None
    return Entries(months, part.seen.figures[0], part.seen.noise_variance, ahead, flags, part.parted)


def _since(panel: Panel, row: int, month: str) -> Panel:
    """One row from a month on; the newest month stays, whatever the break."""
    kept = max(sum(str(each) >= month for each in panel.months), 1)
    return Panel(panel.counts.iloc[[row], -kept:], float(panel.noise[row, 0]))
