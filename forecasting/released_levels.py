"""All levels that releases of a series tell: every table by month (or by week) that adds up to another, as a hierarchy.

A family releases the nation, the police regions and the provinces each with noise of their own. What leads from a
province to its region, or from an offence to its group, is told by the public code lists alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from contracts.code_lists import NAMES, code_list
from contracts.errors import InvalidInput
from contracts.release import ReleaseBody
from forecasting.cells import ESTIMATE, SIGMA, cell_table
from forecasting.feed import COUNT, series_panel
from forecasting.hierarchy import Hierarchy
from forecasting.panel import MONTH, Ints, Panel, with_cell_noise

WEEK = "week"
ALL = "all"
BETWEEN = " x "


@dataclass(frozen=True, eq=False)
class Levels:
    """A hierarchy, and what its levels are called: their labels, or ``all``."""

    hierarchy: Hierarchy
    names: tuple[str, ...]


def released_levels(bodies: Sequence[ReleaseBody], *, weekly: bool = False) -> Levels:
    """The counts of one dataset on every level that its releases tell, the coarsest first.

    Args:
        bodies: Valid releases of one series, one or more.
        weekly: By ISO week instead of by month; weeks that the releases cover in part are left out.

    Raises:
        InvalidInput: ``release-not-a-series`` without a count by time, or with a gap.
    """
    time = WEEK if weekly else MONTH
    dataset = bodies[0].promises[0].contract.id
    tables = _tables(bodies[0], time)
    if not tables:
        raise InvalidInput("release-not-a-series", why=f"it has no count by {time}")
    panels = {by: _panel(bodies, dataset, by, weekly=weekly) for by in tables}
    finest = max(tables, key=lambda by: len(panels[by].counts))
    levels = [(by, panels[by], place) for by in tables if (place := _places(panels[finest], panels[by])) is not None]
    levels.sort(key=lambda each: (len(each[1].counts), each[0] == finest))
    return Levels(
        Hierarchy(tuple(panel for _, panel, _ in levels), tuple(place for _, _, place in levels)),
        tuple(BETWEEN.join(by) or ALL for by, _, _ in levels),
    )


def _tables(body: ReleaseBody, time: str) -> list[tuple[str, ...]]:
    """The labels beside the time of every table of counts by that time, and by what the question was narrowed to."""
    grids = [each.grid for each in body.tables if each.measure == COUNT]
    if not body.tables and any(each.measure == COUNT for each in body.released):
        grids = [body.grid]
    named = [tuple(axis.name for axis in grid.axes) for grid in grids]
    needed = {time, *body.query.where}
    return list(dict.fromkeys(tuple(name for name in names if name != time) for names in named if needed <= set(names)))


def _panel(bodies: Sequence[ReleaseBody], dataset: str, by: tuple[str, ...], *, weekly: bool) -> Panel:
    return _week_panel(bodies, dataset, by) if weekly else series_panel(bodies, dataset, by)


def _week_panel(bodies: Sequence[ReleaseBody], dataset: str, by: tuple[str, ...]) -> Panel:
    kept = _apart(bodies)
    cells = pd.concat([cell_table([body], dataset, COUNT, (WEEK, *by)).frame for body in kept], ignore_index=True)
    keys = [cells[name] for name in by] or [pd.Series([ALL] * len(cells), name="series")]
    figures = _by_week(cells, keys, ESTIMATE)
    whole = _whole_weeks(kept, pd.PeriodIndex(figures.columns))
    variances = _by_week(cells.assign(**{SIGMA: cells[SIGMA] ** 2}), keys, SIGMA).loc[:, whole]
    return with_cell_noise(Panel(figures.loc[:, whole], 0.0), np.sqrt(variances.to_numpy(dtype=np.float64)))


def _apart(bodies: Sequence[ReleaseBody]) -> list[ReleaseBody]:
    """Of releases whose days overlap the highest revision, then the newest; a week's parts in two are added up."""
    kept: list[ReleaseBody] = []
    for body in sorted(bodies, key=_rank, reverse=True):
        days = body.query.period
        if all(days.until <= each.query.period.start or each.query.period.until <= days.start for each in kept):
            kept.append(body)
    return kept


def _rank(body: ReleaseBody) -> tuple[int, datetime]:
    return (body.query.series.revision if body.query.series else 0, body.created)


def _by_week(cells: pd.DataFrame, keys: Sequence[pd.Series], figure: str) -> pd.DataFrame:
    weeks = pd.PeriodIndex([_week(str(label)) for label in cells[WEEK]])
    wide = cells[figure].groupby([*keys, weeks], sort=False).sum().unstack()  # noqa: PD010  # pivot() takes no series
    ordered = wide.sort_index(axis=1)
    if len(pd.period_range(ordered.columns[0], ordered.columns[-1])) != ordered.shape[1]:
        raise InvalidInput("release-not-a-series", why="a week is missing")
    if bool(ordered.isna().to_numpy().any()):
        raise InvalidInput("release-not-a-series", why="a cell is missing")
    return ordered


def _week(label: str) -> pd.Period:
    """The week of a label such as 2026-W05: Monday to Sunday."""
    year, week = label.split("-W")
    return pd.Period(pd.Timestamp.fromisocalendar(int(year), int(week), 1), freq="W-SUN")


def _whole_weeks(bodies: Sequence[ReleaseBody], weeks: pd.PeriodIndex) -> np.ndarray:
    first = pd.Timestamp(min(body.query.period.start for body in bodies))
    until = pd.Timestamp(max(body.query.period.until for body in bodies))
    return np.asarray((weeks.start_time >= first) & (weeks.end_time < until))


def _places(finest: Panel, panel: Panel) -> Ints | None:
    """The row of the panel that each series of the finest one is part of; None if its labels do not lead there."""
    fine = pd.DataFrame(finest.labels())
    coarse = pd.DataFrame(panel.labels())
    found = []
    for name in panel.dimensions:
        column = _led(fine, coarse, name)
        if column is None:
            return None
        found.append(column)
    rows = {key: number for number, key in enumerate(coarse.itertuples(index=False, name=None))}
    places = [rows.get(key) for key in zip(*found, strict=True)]
    if None in places or set(places) != set(range(len(coarse))):
        return None
    return np.asarray(places, dtype=np.int64)


def _led(fine: pd.DataFrame, coarse: pd.DataFrame, name: str) -> list[str] | None:
    """The label of the coarse dimension for each series of the finest panel."""
    if name not in coarse or len(coarse) == 1:
        return [str(coarse[name].iloc[0])] * len(fine)
    if name in fine:
        return [str(label) for label in fine[name]]
    wanted = {str(label) for label in coarse[name]}
    for column in fine:
        labels = [str(label) for label in fine[column]]
        mapping = _crosswalk(set(labels), wanted)
        if mapping is not None:
            return [mapping[label] for label in labels]
    return None


def _crosswalk(fine: set[str], coarse: set[str]) -> Mapping[str, str] | None:
    """The column of a code list that has all the fine labels and leads to the coarse ones."""
    for name in sorted(NAMES):
        facts = code_list(name).facts
        if fine <= set(code_list(name).titles):
            for target in sorted(NAMES & set(facts)):
                if {facts[target][label] for label in fine} == coarse:
                    return facts[target]
    return None
