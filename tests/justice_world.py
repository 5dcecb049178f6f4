"""A made-up world of justice stages with known truths, and releases of it, for tests of flow and reoffending."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from contracts.grid import grid_of
from contracts.query import Query
from contracts.release import ReleaseBody
from forecasting.flow.cohorts import instant, month_of, number_of
from forecasting.flow.stages import stages
from forecasting.panel import Floats
from tests import factories
from tests.made_releases import bundled, made_release

FIRM = 10**15
"""A price at which the noise is far below one entry."""

USUAL = 100_000_000


@dataclass(frozen=True, eq=False)
class Lives:
    """Entries with the moment of entry and of end, in months since the year 0, and the code that they end under."""

    entered: Floats
    ended: Floats
    ending: Sequence[str]

    def open_at(self, now: float) -> int:
        """How many are open at an instant."""
        return int(((self.entered <= now) & (self.ended > now)).sum())


def lives(
    rng: np.random.Generator,
    first: str,
    months: int,
    a_month: float | Sequence[float],
    stay: float,
    ends: Mapping[str, float],
) -> Lives:
    """Entries of a number of months, which stay for an exponential time.

    Args:
        rng: Where they come from.
        first: The first month.
        months: How many months.
        a_month: Expected entries of each month.
        stay: The mean stay in months.
        ends: The codes under which entries end, with their shares.
    """
    rates = np.broadcast_to(np.asarray(a_month, dtype=np.float64), (months,))
    counts = rng.poisson(rates)
    start = np.repeat(np.arange(months) + number_of(first), counts) + rng.random(int(counts.sum()))
    codes = rng.choice(list(ends), size=len(start), p=list(ends.values()))
    return Lives(start, start + rng.exponential(stay, len(start)), codes.tolist())


def at(day: str) -> datetime:
    """Noon in Bangkok."""
    given = date.fromisoformat(day)
    return datetime(given.year, given.month, given.day, 5, tzinfo=UTC)


def release_of(
    dataset: str,
    asked: Mapping[str, object],
    counts: Callable[[Mapping[str, str]], int],
    day: str,
    nano_rho: int = USUAL,
) -> ReleaseBody:
    """The release of the counts that a function gives for the labels of each cell, made on a day."""
    query = Query.model_validate({"measures": ("count",), **asked})
    contract = bundled(dataset)
    grid = grid_of(query, contract)
    names = [axis.name for axis in grid.axes]
    cells = [counts(dict(zip(names, key, strict=True))) for key in grid.keys()]  # noqa: SIM118  # a grid is no mapping
    return made_release(contract, query, {"count": cells}, nano_rho, at(day))


def by_state(dataset: str, world: Lives, span: tuple[str, str], day: str, nano_rho: int = USUAL) -> ReleaseBody:
    """The release of a stage's entries by month and by the state that they had reached on a day."""
    stage = stages()[dataset]
    now = instant(date.fromisoformat(day))
    counted: Counter[tuple[str, str]] = Counter()
    inside = np.flatnonzero((world.entered >= number_of(span[0][:7])) & (world.entered < number_of(span[1][:7])))
    for place in inside.tolist():
        state = stage.open[0] if world.ended[place] > now else world.ending[place]
        counted[month_of(int(world.entered[place])), state] += 1
    asked = {"dimensions": ("month", stage.axis), "period": factories.period(*span)}
    return release_of(dataset, asked, lambda cell: counted[cell["month"], cell[stage.axis]], day, nano_rho)


def with_cells(body: ReleaseBody, cells: Sequence[int]) -> ReleaseBody:
    """The release as if the noise had left just these figures."""
    return body.model_copy(update={"released": (body.released[0].model_copy(update={"cells": tuple(cells)}),)})
