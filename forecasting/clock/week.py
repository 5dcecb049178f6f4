"""The clock of the country and of each police region, by group: from releases by hour to relative risk and pace.

    releases -> cells by region, group, weekday and hour -> the nation's clock -> the regions', drawn towards it

Where no release tells weekdays, the clock has 24 hours; where none tells regions, it is the nation's alone. Groups that
count arrests have no clock: they show when the police work.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from contracts.errors import InvalidInput
from contracts.grid import WEEKDAYS
from contracts.periods import next_month
from contracts.release import ReleaseBody
from forecasting.cells import ESTIMATE, SIGMA, CellTable, cell_table
from forecasting.clock.day import HALF_WIDTHS_95, HOUR, SECONDS_A_DAY, Pace, pace_of
from forecasting.clock.risk import Cells, Risk, Shape, crossed_shape, flat_shape, relative_risk
from forecasting.enforcement import VICTIMISATION, refuse_enforcement
from forecasting.panel import Floats

CRIMES = "crimes_case"
COUNT, GROUP, REGION, WEEKDAY = "count", "offence_group", "police_region", "weekday"
EVERYWHERE = "all"
SECONDS_AN_HOUR = 3600


@dataclass(frozen=True, eq=False)
class Clock:
    """One clock.

    Attributes:
        region: The police region, or ``all``.
        group: The offence group.
        cells: The weekday (``all`` without weekdays) and hour of each figure of ``risk``.
        risk: Relative risk: 1 is the average hour.
        cases: Cases of the period, noise and all.
        error_95: Half-width of their 95 % interval.
        pace: One case in how many seconds; none when noise hides every case.
    """

    region: str
    group: str
    cells: tuple[tuple[str, str], ...]
    risk: Risk
    cases: float
    error_95: float
    pace: Pace | None


@dataclass(frozen=True, eq=False)
class Clocks:
    """What releases tell of hours.

    Attributes:
        nation: One clock for each group.
        regions: One for each region and group; empty where no release tells regions.
        together: How often a case of any of the groups comes in the whole country.
        months: The months covered, oldest first.
        releases: The identifiers of the releases that were read.
    """

    nation: tuple[Clock, ...]
    regions: tuple[Clock, ...]
    together: Pace | None
    months: tuple[str, ...]
    releases: tuple[str, ...]


def clocks_of(bodies: Sequence[ReleaseBody], groups: Sequence[str] = VICTIMISATION) -> Clocks:
    """The clocks that releases tell.

    Args:
        bodies: Valid releases of cases by hour of the event and offence group.
        groups: The groups wanted.

    Raises:
        InvalidInput: ``enforcement-is-not-risk``; ``release-not-a-series`` when none tells hours by group.
    """
    refuse_enforcement("the crime clock", CRIMES, {GROUP: tuple(groups)})
    nation = _told(bodies, (), groups)
    hours = _hours(nation)
    found = tuple(_nation(nation, group, hours) for group in groups)
    try:
        regional = _told(bodies, (REGION,), groups)
    except InvalidInput:
        regions: tuple[Clock, ...] = ()
    else:
        regions = _regions(regional, found, _hours(regional))
    return Clocks(
        nation=found,
        regions=regions,
        together=_together(found, nation),
        months=nation.months,
        releases=nation.releases,
    )


def _told(bodies: Sequence[ReleaseBody], more: tuple[str, ...], groups: Sequence[str]) -> CellTable:
    """The cells by weekday and hour, or by hour alone where no release tells weekdays."""
    try:
        return cell_table(bodies, CRIMES, COUNT, (*more, GROUP, WEEKDAY, HOUR), {GROUP: tuple(groups)})
    except InvalidInput:
        return cell_table(bodies, CRIMES, COUNT, (*more, GROUP, HOUR), {GROUP: tuple(groups)})


def _hours(table: CellTable) -> Mapping[str, float]:
    """How many times each weekday comes in the months of a table; under ``all`` the days."""
    days = _days(table.months)
    return {WEEKDAYS[number]: float((days == number).sum()) for number in range(len(WEEKDAYS))} | {
        EVERYWHERE: float(len(days))
    }


def _days(months: Sequence[str]) -> Floats:
    """The weekday, 0 for Monday, of every day of some months."""
    found: list[int] = []
    for month in months:
        first = date.fromisoformat(f"{month}-01")
        length = (next_month(first) - first).days
        found += [(first + timedelta(days=day)).weekday() for day in range(length)]
    return np.asarray(found)


def _nation(table: CellTable, group: str, hours: Mapping[str, float]) -> Clock:
    labels, cells = _cells(table, {GROUP: group}, hours)
    has_weekdays = WEEKDAY in table.by
    told = float(cells.counts.sum()) > 0 and has_weekdays
    coarser = crossed_shape(cells, len(WEEKDAYS)) if told else flat_shape(cells.hours)
    return _clock(EVERYWHERE, group, labels, cells, coarser)


def _regions(table: CellTable, nation: Sequence[Clock], hours: Mapping[str, float]) -> tuple[Clock, ...]:
    found = []
    for region in dict.fromkeys(table.frame[REGION]):
        for national in nation:
            labels, cells = _cells(table, {REGION: region, GROUP: national.group}, hours)
            coarser = _over(national, labels, cells)
            found.append(_clock(str(region), national.group, labels, cells, coarser))
    return tuple(found)


def _over(national: Clock, labels: tuple[tuple[str, str], ...], cells: Cells) -> Shape:
    """The nation's clock over a region's cells; a region told by hour alone gets the sum over the weekdays."""
    if national.cells == labels:
        return national.risk.shape
    hours = np.array([hour for _, hour in national.cells])
    wanted = [hours == hour for _, hour in labels]
    shape = national.risk.shape
    shares = np.array([shape.shares[each].sum() for each in wanted])
    variance = np.array([shape.variance[each].sum() for each in wanted])
    return Shape(shares, variance) if shares.sum() > 0 else flat_shape(cells.hours)


def _cells(
    table: CellTable, wanted: Mapping[str, str], hours: Mapping[str, float]
) -> tuple[tuple[tuple[str, str], ...], Cells]:
    frame = table.frame
    for name, label in wanted.items():
        frame = frame[frame[name] == label]
    days = frame[WEEKDAY] if WEEKDAY in frame else pd.Series(EVERYWHERE, index=frame.index)
    order = np.argsort([f"{_place(day)}{hour}" for day, hour in zip(days, frame[HOUR], strict=True)])
    labels = tuple((str(days.iloc[place]), str(frame[HOUR].iloc[place])) for place in order)
    return labels, Cells(
        counts=frame[ESTIMATE].to_numpy(np.float64)[order],
        noise=frame[SIGMA].to_numpy(np.float64)[order] ** 2,
        hours=np.array([hours[day] for day, _ in labels]),
    )


def _place(day: str) -> int:
    return WEEKDAYS.index(day) if day in WEEKDAYS else 0


def _clock(region: str, group: str, labels: tuple[tuple[str, str], ...], cells: Cells, coarser: Shape) -> Clock:
    risk = relative_risk(cells, coarser)
    total, error = float(cells.counts.sum()), HALF_WIDTHS_95 * float(np.sqrt(cells.noise.sum()))
    pace = pace_of(total, error, SECONDS_AN_HOUR * float(cells.hours.sum())) if total > 0 else None
    return Clock(region, group, labels, risk, total, error, pace)


def _together(nation: Sequence[Clock], table: CellTable) -> Pace | None:
    total = sum(each.cases for each in nation)
    error = float(np.sqrt(sum(each.error_95**2 for each in nation)))
    return pace_of(total, error, SECONDS_A_DAY * float(len(_days(table.months)))) if total > 0 else None
