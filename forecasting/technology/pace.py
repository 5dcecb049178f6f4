"""Average cases a day: from the daily counter where it was released, else from months over their days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from contracts.periods import next_month
from contracts.release import ReleaseBody
from forecasting.cells import ESTIMATE, SIGMA, CellTable
from privacy.counter import NodeFigure, runs_of
from privacy.plan import Z_95

COUNTER, MONTHS = "daily-counter", "months"


@dataclass(frozen=True, slots=True)
class Pace:
    """An average day.

    Attributes:
        since: The first day.
        until: The day after the last.
        days: Days counted; fewer than lie between the two where months are missing.
        average: Cases a day.
        error_95: Half-width of the 95 % interval.
        source: ``daily-counter`` or ``months``.
    """

    since: date
    until: date
    days: int
    average: float
    error_95: float
    source: str


def of_months(table: CellTable) -> Pace:
    """The average over all months of a table without other labels than ``month``; they may have gaps.

    Args:
        table: By ``month`` alone.
    """
    starts = [pd.Period(month, freq="M").start_time.date() for month in table.months]
    days = sum((next_month(start) - start).days for start in starts)
    total, variance = float(table.frame[ESTIMATE].sum()), float((table.frame[SIGMA] ** 2).sum())
    return Pace(starts[0], next_month(starts[-1]), days, total / days, Z_95 * variance**0.5 / days, MONTHS)


def of_counter(bodies: Sequence[ReleaseBody], dataset: str) -> Pace | None:
    """The average over the newest run of days of a dataset's daily counter; none without one.

    Of a node that two releases tell the newest counts.
    """
    counters = [
        body
        for body in sorted(bodies, key=lambda each: each.created)
        if body.query.counter and not body.query.where and dataset in {promise.contract.id for promise in body.promises}
    ]
    figures: dict[str, NodeFigure] = {}
    for body in counters:
        (axis,), (released,) = body.grid.axes, body.released
        for label, figure in zip(axis.values, released.cells, strict=True):
            figures[label] = NodeFigure(label, float(figure), released.sigma)
    runs = runs_of(list(figures.values())) if figures else ()
    if not runs:
        return None
    newest = max(runs, key=lambda run: run.since)
    days = len(newest.figures)
    total = newest.interval(0, days)
    until = newest.since + timedelta(days=days)
    return Pace(newest.since, until, days, total.figure / days, Z_95 * total.sigma / days, COUNTER)
