"""A release in the words of whoever asked: the same question in other words has the release of the first.

Its figures are then all there, but its axes may stand in another order, and a share that only the second asked for is
not computed yet. Both need nothing but the release.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from contracts.grid import Grid
from contracts.measures import COUNT, Kind, measure_of
from contracts.query import Query
from contracts.release import Derived, Release, ReleaseBody
from privacy.derived import share_of

Figure = TypeVar("Figure", int, float | None)


def in_words_of(asked: Query, release: Release) -> Release:
    """The release as the answer to a question that it answers (``contracts.question_form.is_answered_by``).

    Axes stand in the order in which the question names them, and its shares are there. For reading alone: digest,
    signature and receipt stay those of the release as it was signed.
    """
    body = release.body
    if asked.counter or sorted(asked.dimensions) != sorted(axis.name for axis in body.grid.axes):
        return release
    turned = _turned(body, asked.dimensions)
    missing = set(asked.measures) - {each.measure for each in body.derived}
    shares = _shares(turned, sorted(missing))
    return release.model_copy(update={"body": turned.model_copy(update={"derived": (*turned.derived, *shares)})})


def _shares(body: ReleaseBody, names: Sequence[str]) -> tuple[Derived, ...]:
    counts = [each for each in body.released if each.measure == COUNT]
    axes = {axis.name for axis in body.grid.axes}
    wanted = [found.column for found in map(measure_of, names) if found.kind is Kind.SHARE]
    return tuple(share_of(count, body.grid, name) for count in counts for name in wanted if name in axes)


def _turned(body: ReleaseBody, order: Sequence[str]) -> ReleaseBody:
    places = [[axis.name for axis in body.grid.axes].index(name) for name in order]
    grid = Grid(axes=tuple(body.grid.axes[place] for place in places))
    released = (e.model_copy(update={"cells": _in_order(e.cells, body.grid, places)}) for e in body.released)
    derived = (
        e.model_copy(
            update={
                "cells": _in_order(e.cells, body.grid, places),
                "errors_95": _in_order(e.errors_95, body.grid, places),
            }
        )
        for e in body.derived
    )
    return body.model_copy(update={"grid": grid, "released": tuple(released), "derived": tuple(derived)})


def _in_order(figures: Sequence[Figure], grid: Grid, places: Sequence[int]) -> tuple[Figure, ...]:
    """Figures with their axes in another order; the bins of a histogram still run fastest."""
    bins = len(figures) // grid.size
    found = np.arange(len(figures)).reshape([*(len(axis.values) for axis in grid.axes), bins])
    turned: list[int] = found.transpose([*places, len(places)]).ravel().tolist()
    return tuple(figures[place] for place in turned)
