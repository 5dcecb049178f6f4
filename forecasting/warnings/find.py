"""From releases to warnings, in one straight line.

    releases -> provinces and police regions by group -> control charts -> alarms -> those of areas above the floor

Groups that count arrests are refused, areas below the floor are listed and never judged, and months whose recording
broke raise nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from contracts.code_lists import code_list, crosswalk
from contracts.errors import InvalidInput
from contracts.release import ReleaseBody
from forecasting.breaks import Declared, declared
from forecasting.cells import cell_table
from forecasting.enforcement import VICTIMISATION, refuse_enforcement
from forecasting.feed import COUNT, missing_months, series_panel
from forecasting.models.prediction import Model
from forecasting.panel import MONTH, Panel
from forecasting.warnings.alarms import Alarm, above_floor, alarms
from forecasting.warnings.breaks import (
    GROUP,
    MOST_LOOKS,
    PROVINCE,
    REGION,
    Break,
    break_marks,
    declared_breaks,
    found_breaks,
)
from forecasting.warnings.chart import Marks, Windows, control_chart
from forecasting.warnings.limits import Watch

CRIMES = "crimes_case"
BELOW_FLOOR = "below-area-floor"
BROKEN = "recording-break"


@dataclass(frozen=True, slots=True)
class Warned:
    """One area and group above expectation.

    Attributes:
        kind: ``province`` or ``police_region``.
        area: Its code.
        group: The offence group.
        since: The first unusual month, ``YYYY-MM``.
        raised: The month with which it was noticed.
        last: The last month in which it stood; the newest month if it still stands.
        alarm: The figures.
    """

    kind: str
    area: str
    group: str
    since: str
    raised: str
    last: str
    alarm: Alarm


@dataclass(frozen=True, slots=True)
class Unjudged:
    """An area and group that is not judged in the newest month, and why: a flag."""

    kind: str
    area: str
    group: str
    flag: str


@dataclass(frozen=True, eq=False)
class Watched:
    """What was found.

    Attributes:
        watch: How strictly.
        months: The months that were read, oldest first.
        series: How many areas and groups were watched.
        chance: How likely one look was to raise a false alarm.
        now: The warnings that stand in the newest month, the most surprising first.
        past: Those of the months looked back on that ended, the newest first.
        unjudged: What was not judged.
        breaks: The months whose recording broke: those that were told and those that were found.
        missing: Months between the first and the last that no release tells.
        releases: The identifiers of the releases that were read.
        model: The name of the model that forecast.
    """

    watch: Watch
    months: tuple[str, ...]
    series: int
    chance: float
    now: tuple[Warned, ...]
    past: tuple[Warned, ...]
    unjudged: tuple[Unjudged, ...]
    breaks: tuple[Break, ...]
    missing: tuple[str, ...]
    releases: tuple[str, ...]
    model: str


@dataclass(frozen=True, eq=False)
class _Level:
    """The areas of one kind: their panel, their charts, and the rows that are large enough to be named."""

    kind: str
    panel: Panel
    broken: Marks
    charts: tuple[Windows, ...]
    populous: Marks


def watch_areas(
    bodies: Sequence[ReleaseBody],
    model: Model,
    watch: Watch,
    groups: Sequence[str] = VICTIMISATION,
    breaks: Sequence[Break] = (),
    changes: Sequence[Declared] | None = None,
) -> Watched:
    """Look for areas above expectation in releases by month, province and offence group.

    Args:
        bodies: Valid releases.
        model: Forecasts the areas' months.
        watch: How strictly.
        groups: The offence groups that are watched.
        breaks: Months whose recording is known to have broken; those in which areas moved together are found.
        changes: Known changes of what is counted; those of ``forecasting.breaks.declared`` if not given, which the
            forecast does not learn across either.

    Raises:
        InvalidInput: ``enforcement-is-not-risk``; ``release-not-a-series`` when no release tells it.
        Unavailable: ``not-enough-history``.
    """
    refuse_enforcement("warnings", CRIMES, {GROUP: tuple(groups)})
    provinces = _of_groups(series_panel(bodies, CRIMES, (PROVINCE, GROUP)), groups)
    told = declared_breaks([str(month) for month in provinces.months], declared() if changes is None else changes)
    level, known = _without_breaks(provinces, model, watch, (*told, *breaks))
    levels = [level, _level(REGION, _regions(bodies, provinces, groups), model, watch, known)]
    series = sum(int(level.populous.sum()) for level in levels)
    chance = watch.chance(series)
    first = max(len(provinces.months) - watch.months_back, 0)
    found = [each for level in levels for each in _warned(level, watch, chance, first)]
    newest = str(provinces.months[-1])
    return Watched(
        watch=watch,
        months=tuple(str(month) for month in provinces.months),
        series=series,
        chance=chance,
        now=tuple(sorted((each for each in found if each.last == newest), key=lambda each: each.alarm.chance)),
        past=tuple(sorted((each for each in found if each.last != newest), key=lambda each: each.last, reverse=True)),
        unjudged=tuple(each for level in levels for each in _unjudged(level, watch)),
        breaks=known,
        missing=missing_months(provinces),
        releases=cell_table(bodies, CRIMES, COUNT, (MONTH, PROVINCE, GROUP)).releases,
        model=model.name,
    )


def _regions(bodies: Sequence[ReleaseBody], provinces: Panel, groups: Sequence[str]) -> Panel:
    """Police regions; one that was not released apart is the sum of its provinces."""
    try:
        regions = _of_groups(series_panel(bodies, CRIMES, (REGION, GROUP)), groups)
    except InvalidInput:
        return _regions_of(provinces)
    return regions if regions.months.equals(provinces.months) else _regions_of(provinces)


def _of_groups(panel: Panel, groups: Sequence[str]) -> Panel:
    wanted = panel.counts.index.get_level_values(GROUP).isin(list(groups))
    if not wanted.any():
        raise InvalidInput("release-not-a-series", why=f"it has none of the groups {', '.join(groups)}")
    kept = panel.counts[wanted]
    return Panel(kept, panel.noise_variance, tuple(panel.noise[wanted, 0].tolist()))


def _regions_of(provinces: Panel) -> Panel:
    parents = crosswalk("provinces", "police_commands")
    index = provinces.counts.index
    by = [index.get_level_values(PROVINCE).map(parents).rename(REGION), index.get_level_values(GROUP)]
    summed = provinces.counts.groupby(by, sort=False).sum()
    # A month that is not told of a province is not nought in its region.
    counts = summed.mask(provinces.counts.isna().groupby(by, sort=False).any())
    noise = pd.Series(provinces.noise[:, 0], index=index).groupby(by, sort=False).sum()
    return Panel(counts, float(noise.max()), tuple(noise.tolist()))


def _without_breaks(
    provinces: Panel, model: Model, watch: Watch, breaks: Sequence[Break]
) -> tuple[_Level, tuple[Break, ...]]:
    """The provinces' charts once every break was taken out, and the breaks: those told and those found."""
    known = tuple(breaks)
    level = _level(PROVINCE, provinces, model, watch, known)
    for _ in range(MOST_LOOKS):
        shortest = next((chart for chart in level.charts if chart.length == 1), None)
        more = found_breaks(provinces, shortest) if shortest is not None else ()
        if not more:
            break
        known = (*known, *more)
        level = _level(PROVINCE, provinces, model, watch, known)
    return level, known


def _level(kind: str, panel: Panel, model: Model, watch: Watch, breaks: Sequence[Break]) -> _Level:
    broken = break_marks(panel, breaks)
    charts = control_chart(panel, model, watch, broken)
    populous = np.array([is_populous(kind, labels[kind], watch) for labels in panel.labels()], dtype=np.bool_)
    return _Level(kind, panel, broken, charts, populous)


def is_populous(kind: str, area: str, watch: Watch) -> bool:
    """Whether an area has as many registered people as the floor asks for; every police region has."""
    people = code_list("provinces").facts["pop_2566"]
    return kind != PROVINCE or int(people.get(area, "0")) >= watch.population_floor


def _warned(level: _Level, watch: Watch, chance: float, first: int) -> list[Warned]:
    judged = [may & level.populous[:, None] for may in above_floor(level.charts, watch)]
    months = [str(month) for month in level.panel.months]
    labels = level.panel.labels()
    return [
        Warned(
            kind=level.kind,
            area=labels[each.row][level.kind],
            group=labels[each.row][GROUP],
            since=months[each.since],
            raised=months[each.raised],
            last=months[each.last],
            alarm=each,
        )
        for each in alarms(level.charts, judged, chance, first)
    ]


def _unjudged(level: _Level, watch: Watch) -> list[Unjudged]:
    """The areas that no window of the newest month can judge."""
    enough = np.any([may[:, -1] for may in above_floor(level.charts, watch)], axis=0) & level.populous
    known = np.any([np.isfinite(chart.figure[:, -1]) for chart in level.charts], axis=0)
    found = []
    for row, labels in enumerate(level.panel.labels()):
        if not enough[row] or not known[row]:
            flag = BROKEN if level.broken[row, -1] else BELOW_FLOOR
            found.append(Unjudged(level.kind, labels[level.kind], labels[GROUP], flag))
    return found
