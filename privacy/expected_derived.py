"""How good a mean, ratio, share or quantile would be, before it is asked: from a past release, never from the data.

The error of such a figure depends on the figures that it is computed from. What a past release lets expect of them is
put through the engine's own ``privacy.derived`` with the noise that is planned, as if it had come out exactly so.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from contracts.dataset import DatasetContract
from contracts.grid import grid_of
from contracts.measures import BASE_KINDS, measure_of
from contracts.query import Query
from contracts.release import Derived, ReleaseBody
from privacy.derived import derived_of
from privacy.plan import Plan
from privacy.release import released_vector
from privacy.usefulness import HALF, expected_cells

Floats = npt.NDArray[np.float64]


class TypicalError(NamedTuple):
    """The median 95 % half-width over the cells in which rows are expected, in the measure's unit.

    None where noise would hide every figure. ``noisy_share`` is the share of those cells whose figure would have no
    meaning, or an error of more than half of it.
    """

    error_95: float | None
    noisy_share: float


def derived_measures(query: Query) -> tuple[str, ...]:
    """The asked measures that follow from others."""
    return tuple(name for name in query.measures if measure_of(name).kind not in BASE_KINDS)


def typical_errors(query: Query, contract: DatasetContract, terms: Plan, past: ReleaseBody) -> dict[str, TypicalError]:
    """The error of each derived measure that is asked; without those whose figures nobody knows how to expect.

    Args:
        query: A question that fits its contracts.
        contract: One of them.
        terms: What is planned for the question at its price.
        past: A release of the past on the same datasets.
    """
    grid = grid_of(query, contract)
    # Of a family, as in its release: from the measured table of all dimensions.
    leaf = tuple(sorted(query.dimensions)) if query.family else query.dimensions
    known: dict[str, Floats] = {}
    for name in query.base_measures:
        sizes = expected_cells(query, contract, name, query.dimensions, past)
        if sizes is not None:
            known[name] = sizes
    released = [released_vector(terms.vector(name, leaf), _whole(known[name]), contract) for name in known]
    found = {each.measure: each for each in derived_of(released, grid, query, contract)}
    asked = [name for name in derived_measures(query) if name in found]
    present = {name: known[measure_of(name).base[0]].reshape(grid.size, -1).sum(axis=1) > 0 for name in asked}
    return {name: _typical(found[name], present[name]) for name in asked}


def _whole(figures: Floats) -> list[int]:
    return [round(each) for each in figures.tolist()]


def _typical(derived: Derived, present: npt.NDArray[np.bool_]) -> TypicalError:
    cells, errors = _numbers(derived.cells)[present], _numbers(derived.errors_95)[present]
    meant = np.isfinite(cells) & np.isfinite(errors)
    if not meant.any():
        return TypicalError(None, 1.0)
    clear = meant & (errors <= HALF * np.abs(cells))
    return TypicalError(float(np.median(errors[meant])), float(1 - np.mean(clear)))


def _numbers(figures: Iterable[float | None]) -> Floats:
    return np.asarray([np.nan if each is None else each for each in figures], dtype=np.float64)
