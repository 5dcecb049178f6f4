"""The average cases a day: the days that a daily counter released, put together, over the newest twelve months."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import hypot

from contracts.release import Release
from gateway.web.counts import is_valid
from gateway.web.estimates import Estimate
from privacy.counter import NodeFigure, Run, runs_of
from privacy.plan import Z_95

CRIMES_DAILY = "crimes-daily"
FRAUDS_DAILY = "tpo-daily"
YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Daily:
    """The average of the ``days`` released days from ``since`` to ``last``, both inside."""

    since: date
    last: date
    days: int
    average: Estimate


def daily_average(releases: Sequence[Release], activity: str) -> Daily | None:
    """The average cases a day over the newest year of a daily counter; None where none is released.

    Days that are missing are left out of both the sum and its days. Each fiscal year has noise of its own.
    """
    figures: dict[str, NodeFigure] = {}
    counted = (each for each in releases if each.is_public and is_valid(each) and each.body.activity == activity)
    for release in sorted((each for each in counted if each.body.query.counter), key=_revision):
        figures.update(_nodes(release))
    runs = runs_of(tuple(figures.values()))
    if not runs:
        return None
    last = max(_until(run) for run in runs) - timedelta(days=1)
    spans = [(run, max(run.since, last - YEAR + timedelta(days=1))) for run in runs]
    return _average([(run, since) for run, since in spans if since < _until(run)], last)


def _average(spans: Sequence[tuple[Run, date]], last: date) -> Daily:
    sums = [run.interval((since - run.since).days, len(run.figures)) for run, since in spans]
    days = sum((_until(run) - since).days for run, since in spans)
    error = Z_95 * hypot(*(each.sigma for each in sums))
    average = Estimate(sum(each.figure for each in sums) / days, error / days)
    return Daily(min(since for _, since in spans), last, days, average)


def _nodes(release: Release) -> dict[str, NodeFigure]:
    (axis,), (released,) = release.body.grid.axes, release.body.released
    cells = zip(axis.values, released.cells, strict=True)
    return {label: NodeFigure(label, float(cell), released.sigma) for label, cell in cells}


def _revision(release: Release) -> tuple[int, date]:
    query = release.body.query
    return (query.series.revision if query.series else 0, query.period.until)


def _until(run: Run) -> date:
    return run.since + timedelta(days=len(run.figures))
