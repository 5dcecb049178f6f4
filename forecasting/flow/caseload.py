"""Probation in the coming twelve months: cases opened by type, open cases, devices fitted and worn, holiday peaks.

Months count what began: cases opened, devices fitted. How many are under care at one time cannot be asked; it is told
by entries and the share of them still open, where a release gives entries by month and result. Where none does, the
report says that it cannot be told.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy.stats import nbinom

from contracts.code_lists import code_list
from contracts.errors import InvalidInput
from contracts.release import ReleaseBody
from forecasting.cells import ESTIMATE, SIGMA, cell_table
from forecasting.flow.cohorts import COUNT, MONTHS, snapshots
from forecasting.flow.inflow import Entries, entries_of, numbers_of
from forecasting.flow.outlook import Outlook, Part, month_ends, outlook
from forecasting.flow.ratios import Count, Ratio, ratio
from forecasting.flow.stages import stages

CASES, DEVICES = "dop_case", "dop_em"
AXES = {CASES: ("type", "probation_case_types"), DEVICES: ("basis", "em_bases")}
ALERTS = ("tamper", "zone_exit", "zone_enter", "curfew", "low_batt", "no_signal")
COUNTS_AFTER_END = "counts-after-end"
FEWEST_YEARS = 2

HOLIDAYS = {"new-year": (1, (-2, 1)), "songkran": (4, (-1, 1))}
"""A holiday's month of the year, and the quiet months beside it that it is compared with.

December has part of New Year, so November stands for it.
"""


@dataclass(frozen=True, eq=False)
class Series:
    """One type of case, or one basis of monitoring.

    Attributes:
        dataset: Its dataset.
        code: Its code; ``all`` for the whole.
        entries: Entries by month, released and forecast.
        last_year: Entries of the last twelve months released that are learnt from, or of fewer.
        next_year: Expected entries of the coming twelve months together.
        low: The lower end of their interval.
        high: Its upper end.
        flags: Codes of what a reader must know.
    """

    dataset: str
    code: str
    entries: Entries
    last_year: Count
    next_year: float | None
    low: float | None
    high: float | None
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Peak:
    """How far a holiday's month stands above the quiet months beside it, over all years learnt from.

    ``coming`` is the next such month that is forecast, with ``mean``, ``low`` and ``high``; None if there is none.
    """

    code: str
    holiday: str
    years: int
    uplift: Ratio
    coming: str | None
    mean: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class AlertRate:
    """Alerts of one kind for each device fitted on one basis."""

    basis: str
    kind: str
    rate: Ratio


@dataclass(frozen=True, eq=False)
class Caseload:
    """All that is known of probation."""

    series: tuple[Series, ...]
    open: tuple[Outlook, ...]
    peaks: tuple[Peak, ...]
    alerts: tuple[AlertRate, ...]


def caseload(
    bodies: Sequence[ReleaseBody], level: int, rng: np.random.Generator, data_as_of: date | None = None
) -> Caseload:
    """What releases tell of probation cases and electronic monitoring.

    Args:
        bodies: Valid releases of anything.
        level: Of the intervals, in per cent.
        rng: Where the draws of open cases come from.
        data_as_of: The day up to which the data reach, if known to lie before the releases.

    Raises:
        Refused: ``data-day-too-early``.
    """
    series: list[Series] = []
    open_now: list[Outlook] = []
    for dataset, (axis, codes) in AXES.items():
        stage = stages()[dataset]
        parts = [Part(stage), *(Part(stage, axis, code) for code in code_list(codes).values)]
        told = {part: seen for part in parts if (seen := snapshots(bodies, stage, part.where, data_as_of))}
        newest = max((seen[-1].as_of for seen in told.values()), default=None)
        instants = month_ends(newest) if newest is not None else ()
        until = instants[-1] if instants else None
        by_code, whole = (entries_of(bodies, dataset, each, until, level) for each in (axis, ""))
        series.extend(_series(dataset, code, each, level) for code, each in (by_code or whole).items())
        known = {**whole, **by_code}
        open_now.extend(
            outlook(part, seen, known.get(part.code or "all"), instants, level, rng) for part, seen in told.items()
        )
    peaks = [peak for each in series if each.dataset == CASES for peak in _peaks(each, level)]
    return Caseload(tuple(series), tuple(open_now), tuple(peaks), tuple(_alerts(bodies, level)))


def _series(dataset: str, code: str, entries: Entries, level: int) -> Series:
    recent = entries.figures[-MONTHS:][np.isfinite(entries.figures[-MONTHS:])]
    return Series(
        dataset,
        code,
        entries,
        Count(float(recent.sum()), entries.noise * len(recent)),
        *_next_year(entries, level),
        (*entries.flags, *_after_end(entries)),
    )


def _next_year(entries: Entries, level: int) -> tuple[float | None, float | None, float | None]:
    """All coming months together: what is unsure beyond chance is taken to be shared by them."""
    if entries.ahead is None:
        return None, None, None
    monthly, variance = entries.ahead.mean[:MONTHS], entries.ahead.variance[:MONTHS]
    mean = float(monthly.sum())
    beyond = float(np.sqrt(np.maximum(variance - monthly, 0.0)).sum()) ** 2
    centre = max(mean, 0.05)
    chance = centre / max(centre + beyond, centre * (1.0 + 1e-4))
    size = centre * chance / (1.0 - chance)
    low, high = (float(nbinom.ppf(each, size, chance)) for each in (0.5 - level / 200, 0.5 + level / 200))
    return mean, min(low, mean), max(high, mean)


def _after_end(entries: Entries) -> tuple[str, ...]:
    """Whether a series goes on that a law has ended: its codes then mean something else, or are wrong."""
    if not entries.has_ended or entries.parted is None:
        return ()
    later = np.array([month > entries.parted.first_month for month in entries.months])
    after = later & np.isfinite(entries.figures)
    found = Count(float(entries.figures[after].sum()), entries.noise * int(after.sum()))
    return (COUNTS_AFTER_END,) if after.any() and not found.is_below_noise else ()


def _peaks(series: Series, level: int) -> Iterable[Peak]:
    entries = series.entries
    if entries.ahead is None:
        return
    months = numbers_of(entries.months).astype(int).tolist()
    told = {month: each for month, each in zip(months, entries.figures.tolist(), strict=True) if np.isfinite(each)}
    beyond = float(np.median((entries.ahead.variance - entries.ahead.mean) / np.maximum(entries.ahead.mean, 0.05) ** 2))
    for holiday, (month_of_year, besides) in HOLIDAYS.items():
        same = [each for each in told if each % MONTHS == month_of_year - 1]
        whole = [each for each in same if all(each + step in told for step in besides)]
        if len(whole) < FEWEST_YEARS:
            continue
        at_holiday = _varying([told[each] for each in whole], entries.noise, beyond)
        beside = _varying([told[each + step] for each in whole for step in besides], entries.noise, beyond)
        quiet = Count(beside.estimate / len(besides), beside.variance / len(besides) ** 2)
        yield Peak(
            series.code, holiday, len(whole), ratio(at_holiday, quiet, 0.0, level), *_coming(entries, month_of_year)
        )


def _varying(figures: Sequence[float], noise: float, beyond: float) -> Count:
    """A sum of months, which vary by noise, by chance and beyond."""
    variance = sum(noise + max(each, 0.0) + beyond * each**2 for each in figures)
    return Count(sum(figures), variance)


def _coming(entries: Entries, month_of_year: int) -> tuple[str | None, float | None, float | None, float | None]:
    if entries.ahead is None:
        return None, None, None, None
    for place, month in enumerate(entries.ahead.months):
        if int(month[5:]) == month_of_year:
            ahead = entries.ahead
            return month, float(ahead.mean[place]), float(ahead.low[place]), float(ahead.high[place])
    return None, None, None, None


def _alerts(bodies: Sequence[ReleaseBody], level: int) -> Iterable[AlertRate]:
    """Alerts for each fitting, from releases that have both: the months of both are then the same."""
    for kind in ALERTS:
        measure = f"alerts_{kind}:sum"
        both = [body for body in bodies if {measure, COUNT} <= set(body.query.base_measures)]
        try:
            raised, fitted = (_by_basis(both, each) for each in (measure, COUNT))
        except InvalidInput:
            continue
        for basis, fittings in fitted.items():
            yield AlertRate(basis, kind, ratio(raised[basis], fittings, 0.0, level))


def _by_basis(bodies: Sequence[ReleaseBody], measure: str) -> dict[str, Count]:
    frame = cell_table(bodies, DEVICES, measure, ("basis",)).frame
    rows = zip(frame["basis"], frame[ESTIMATE], frame[SIGMA], strict=True)
    return {str(code): Count(float(estimate), float(sigma) ** 2) for code, estimate, sigma in rows}
