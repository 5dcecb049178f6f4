"""The report on the holidays: from releases to figures, checks and words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from contracts.analysis import AnalysisKind, Figure, Report, Statement, Table
from contracts.errors import InvalidInput
from contracts.forecast import ModelCard
from contracts.release import ReleaseBody
from forecasting.cells import ESTIMATE, SIGMA, CellTable, cell_table
from forecasting.enforcement import TOLD_BY_VICTIMS
from forecasting.interventions.areas import COUNT, Counted
from forecasting.interventions.holiday_checks import HolidayChecked, check_holiday
from forecasting.interventions.holidays import FIRST_DAYS, HolidayEffect, Timeline, holiday_effect, month_effects
from forecasting.interventions.report import (
    UNITS,
    area_title,
    break_statements,
    change,
    check_flags,
    column,
    percent,
    say,
    signed,
    sources,
)
from forecasting.interventions.simulation import RUNS
from forecasting.panel import MONTH, Floats
from forecasting.words import MONTHS_EN, MONTHS_TH

WEEK = "week"
MODEL = "random-effects-holiday-ratio"
MONTHLY = "holiday-not-season"
GRAINS = {"month": "months", "week": "weeks"}


@dataclass(frozen=True, slots=True)
class _Found:
    line: Timeline
    effects: tuple[HolidayEffect, ...]
    checks: tuple[HolidayChecked, ...]
    releases: tuple[str, ...]
    counted: Counted


def evaluate_holidays(
    bodies: Sequence[ReleaseBody],
    generator: np.random.Generator,
    counted: Counted | None = None,
    area: str = "province",
    runs: int = RUNS,
) -> Report:
    """The report on New Year and Songkran, by weeks where the releases have them by area, else by months.

    Args:
        bodies: Releases with the count by area and month (or week), over three times of each holiday or more.
        generator: Source of the simulation's draws.
        counted: Which cases. Of a dataset that counts what agencies did, the report says so.
        area: The dimension of the areas.
        runs: Of the simulation.

    Raises:
        InvalidInput: ``release-not-a-series``, ``plan-unusable`` for fewer than three times, ``treated-too-small``;
            ``enforcement-is-not-risk`` for reported crime with arrests among it.
    """
    which = counted or Counted()
    if which.dataset in TOLD_BY_VICTIMS:
        which.checked("holidays")
    line, releases = timeline_of(bodies, which, area)
    effects = tuple(holiday_effect(line, name) for name in FIRST_DAYS)
    checks = tuple(check_holiday(line, name, generator, runs) for name in FIRST_DAYS)
    return _report(_Found(line, effects, checks, releases, which))


def timeline_of(bodies: Sequence[ReleaseBody], counted: Counted, area: str) -> tuple[Timeline, tuple[str, ...]]:
    """The series of each area, by week if the releases have that, and the releases that they came from.

    The first and the last week are left out: they may be cut.

    Raises:
        InvalidInput: ``release-not-a-series``, also for a period that is missing.
    """
    table, grain = _finest(bodies, counted, area)
    figures, sigmas = _wide(table, area, grain, ESTIMATE), _wide(table, area, grain, SIGMA)
    if grain == WEEK:
        figures, sigmas = figures.iloc[:, 1:-1], sigmas.iloc[:, 1:-1]
    starts = tuple(_first_day(str(name)) for name in figures.columns)
    days = np.array([7.0 if grain == WEEK else pd.Period(start, freq="M").days_in_month for start in starts])
    ends = [start + timedelta(days=int(length)) for start, length in zip(starts, days, strict=True)]
    if list(starts[1:]) != ends[:-1]:
        raise InvalidInput("release-not-a-series", why=f"a {grain} is missing")
    areas = tuple(str(each) for each in figures.index)
    noise: Floats = (sigmas.to_numpy(dtype=np.float64) ** 2).mean(axis=1)
    line = Timeline(areas, figures.to_numpy(dtype=np.float64), noise, starts, days, grain)
    return line, table.releases


def _finest(bodies: Sequence[ReleaseBody], counted: Counted, area: str) -> tuple[CellTable, str]:
    try:
        return cell_table(bodies, counted.dataset, COUNT, (area, WEEK), counted.where), WEEK
    except InvalidInput:
        return cell_table(bodies, counted.dataset, COUNT, (area, MONTH), counted.where), MONTH


def _wide(table: CellTable, area: str, grain: str, figure: str) -> pd.DataFrame:
    wide = table.frame.set_index([area, grain])[figure].unstack(grain)  # noqa: PD010  # pivot() takes no series
    if bool(wide.isna().to_numpy().any()):
        raise InvalidInput("release-not-a-series", why="a cell is missing")
    return wide.sort_index(axis=1)


def _first_day(name: str) -> date:
    if "W" in name:
        year, week = name.split("-W")
        return date.fromisocalendar(int(year), int(week), 1)
    return date.fromisoformat(f"{name}-01")


def _report(found: _Found) -> Report:
    monthly = found.line.grain == MONTH
    enforcement = () if found.counted.dataset in TOLD_BY_VICTIMS else ("enforcement",)
    pairs = list(zip(found.effects, found.checks, strict=True))
    season = (Statement(text=say("holiday_season"), flags=(MONTHLY,)),) if monthly else ()
    broken = break_statements(found.counted, [f"{start:%Y-%m}" for start in found.line.starts])
    return Report(
        kind=AnalysisKind.HOLIDAYS,
        title=say("title_holidays"),
        statements=(
            *(each for pair in pairs for each in _about(*pair, found.line.grain, enforcement)),
            *season,
            *broken,
        ),
        tables=(
            _holidays(found),
            _checks(found),
            *((_months(found.line),) if monthly else ()),
            _places(found.effects),
            sources(found.releases),
        ),
        card=ModelCard(
            data=say("data", dataset=found.counted.dataset, releases=len(found.releases)),
            method=say("holiday_method"),
            limits=say("holiday_limits"),
            first=f"{found.line.starts[0]:%Y-%m}",
            last=f"{found.line.starts[-1]:%Y-%m}",
            models=(MODEL,),
        ),
    )


def _about(
    effect: HolidayEffect, checked: HolidayChecked, grain: str, enforcement: tuple[str, ...]
) -> tuple[Statement, ...]:
    name, periods, estimate = say(effect.name), say(GRAINS[grain]), effect.effect
    text = say(
        "holiday",
        name=name,
        periods=periods,
        change=change(estimate.share, say("base_around", periods=periods)),
        low=signed(estimate.low),
        high=signed(estimate.high),
        years=len(effect.times),
        verdict=say("holiday_told", periods=periods) if estimate.told else say("open"),
    )
    flags = (*enforcement, *check_flags(checked.effect))
    if not checked.runs:
        return (Statement(text=text, flags=flags),)
    null, small, large = checked.effect
    told = say(
        "holiday_checked",
        name=name,
        periods=periods,
        runs=f"{checked.runs:,}",
        null=f"{100 * null.noticed:.1f}",
        error=f"{100 * null.error:.1f}",
        coverage=f"{100 * min(each.covered for each in checked.effect):.1f}",
        power5=f"{100 * small.noticed:.0f}",
        power15=f"{100 * large.noticed:.0f}",
    )
    return Statement(text=text, flags=flags), Statement(text=told)


def _holidays(found: _Found) -> Table:
    rows = [
        (
            each.name,
            found.line.grain,
            *(percent(share) for share in (each.effect.share, each.effect.low, each.effect.high)),
            len(each.times),
            each.effect.areas,
        )
        for each in found.effects
    ]
    return _table("holidays", ("holiday", "period", "effect", "low", "high", "years", "areas"), rows)


def _checks(found: _Found) -> Table:
    rows: list[tuple[Figure, ...]] = []
    for effect, checked in zip(found.effects, found.checks, strict=True):
        for on, checks in (("all-areas", checked.effect), ("single-area", checked.place)):
            for each in checks:
                told = (percent(each.covered), percent(each.noticed), percent(each.error), percent(each.bias))
                rows.append((effect.name, on, percent(each.effect), *told, each.runs))
    return _table("checks", ("holiday", "on", "put_in", "coverage", "noticed", "error", "bias", "runs"), rows)


def _months(line: Timeline) -> Table:
    rows = []
    for month, each in month_effects(line):
        shares = map(percent, (each.share, each.low, each.high))
        rows.append((f"{MONTHS_TH[month - 1]} {MONTHS_EN[month - 1]}", *shares, each.areas))
    return _table("months", ("month", "effect", "low", "high", "areas"), rows)


def _places(effects: Sequence[HolidayEffect]) -> Table:
    rows = [
        (
            effect.name,
            each.area,
            area_title(each.area).th,
            *map(percent, (each.share, each.versus, each.low, each.high)),
        )
        for effect in effects
        for each in effect.places
    ]
    return _table("places", ("holiday", "area", "name", "effect", "versus", "low", "high"), rows)


def _table(name: str, heads: Sequence[str], rows: Sequence[tuple[Figure, ...]]) -> Table:
    columns = tuple(column(each, "%" if each == "versus" else UNITS.get(each, "")) for each in heads)
    return Table(name=name, title=say(f"table_{name}"), columns=columns, rows=tuple(rows))
