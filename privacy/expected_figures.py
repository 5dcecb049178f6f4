"""What the figures of an answer are expected to be, from how large a dataset is thought to be: no data are touched.

The share of rows in a cell is the product of the shares of its labels: how dimensions go together is not known. A
dimension whose shares are not known is taken as even, and ``assumed_even`` says so.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.clamps import clamping_dimension
from contracts.code_lists import code_list
from contracts.dataset import DatasetContract, Dimension, Grain
from contracts.errors import InvalidInput
from contracts.grid import Grid, key_set
from contracts.measures import PEOPLE, Kind, measure_of
from contracts.query import Query
from contracts.rollup import parent, rolls_up
from contracts.standing_questions import ALL, SIZES, ExpectedSize, Lognormal
from privacy.layout import bins_of

Floats = npt.NDArray[np.float64]

DAYS: Final = 365
CALENDAR: Final = frozenset({Grain.YEAR, Grain.MONTH, Grain.WEEK})
"""Grains whose labels are about as long as each other: even by the calendar, and not by assumption."""


def expected_figures(query: Query, contract: DatasetContract, size: ExpectedSize, grid: Grid, measure: str) -> Floats:
    """The expected figure of every cell of a base measure, in the order of the cells; one day's for a daily counter.

    Args:
        query: A question that fits the contract, about one fiscal year.
        contract: Names dimensions, clamps and bins.
        size: How large the dataset is expected to be in that year.
        grid: The question's own grid; one without axes for a counter.
        measure: A base measure; a histogram's bins run fastest, and rows are even over them if nobody knows better.

    Raises:
        InvalidInput: ``questions-invalid``, when no mean is known for the column of a sum.
    """
    rows = np.asarray([size.rows * _filtered(query, contract, size)])
    for axis in grid.axes:
        shares = _shares(query, contract, size, axis.name)
        rows = np.multiply.outer(rows, np.asarray([shares.get(label, 0.0) for label in axis.values]))
    figures = rows.reshape([len(axis.values) for axis in grid.axes])
    if query.counter:
        figures = figures / DAYS
    found = measure_of(measure)
    if found.kind is Kind.SUM:
        figures = figures * _means(query, contract, size, grid, found.column)
    if measure == PEOPLE and size.people:
        figures = figures * min(1.0, size.people / size.rows)
    bins = _bin_shares(size.lognormal.get(found.column), bins_of(measure, contract))
    return np.asarray(np.multiply.outer(figures.ravel(), bins)).ravel()


def _bin_shares(spread: Lognormal | None, edges: Sequence[int]) -> Floats:
    """The share of rows in each bin: below the first edge, between the edges, above the last; all without edges."""
    if spread is None or not edges:
        return np.full(len(edges) + 1, 1 / (len(edges) + 1))
    logarithms = [math.log(edge) if edge > 0 else -math.inf for edge in edges]
    below = [0.5 * (1 + math.erf((each - spread.mu) / (spread.sigma * math.sqrt(2)))) for each in logarithms]
    return np.diff([0.0, *below, 1.0]) * spread.share


def assumed_even(contract: DatasetContract, size: ExpectedSize, by: Sequence[str]) -> tuple[str, ...]:
    """The axes over which rows are taken as even because nobody knows better; months are even by the calendar."""
    found = [contract.dimension(name) for name in by]
    return tuple(
        d.name for d in found if d is not None and d.grain not in CALENDAR and _known(contract, size, d) is None
    )


def _filtered(query: Query, contract: DatasetContract, size: ExpectedSize) -> float:
    """The share of rows that the filters on other dimensions than the axes keep."""
    others = (name for name in query.where if name not in query.dimensions)
    tables = ((query.where[name], _shares(query, contract, size, name)) for name in others)
    return math.prod(sum(shares.get(code, 0.0) for code in codes) for codes, shares in tables)


def _shares(query: Query, contract: DatasetContract, size: ExpectedSize, name: str) -> Mapping[str, float]:
    """The share of rows under each label of a dimension; what has no label is missing from their sum."""
    dimension = contract.dimension(name)
    if dimension is None:
        return {}
    known = _known(contract, size, dimension)
    if known is not None:
        return known
    labels = key_set(dimension, query)
    return dict.fromkeys(labels, size.covered.get(name, 1.0) / len(labels))


def _known(contract: DatasetContract, size: ExpectedSize, dimension: Dimension) -> Mapping[str, float] | None:
    """The shares that are written down for a dimension, or for a finer one that adds up to it; else None."""
    if dimension.name in size.shares:
        return size.shares[dimension.name]
    if dimension.name in size.by_fact and dimension.code_list is not None:
        weights = _weights(contract, dimension, size.by_fact[dimension.name])
        covered = size.covered.get(dimension.name, 1.0) / sum(weights.values())
        return {code: weight * covered for code, weight in weights.items()}
    for finer in contract.dimensions:
        of_finer = _known(contract, size, finer) if rolls_up(finer, dimension) else None
        if of_finer is not None:
            return _added_up(of_finer, finer, dimension)
    return None


def _weights(contract: DatasetContract, dimension: Dimension, fact: str) -> Mapping[str, float]:
    """A fact of every code of a dimension, such as its population.

    Raises:
        InvalidInput: ``questions-invalid``, when the code list has no such figures.
    """
    of_code = code_list(dimension.code_list or "").facts.get(fact, {})
    try:
        return {code: float(of_code[code]) for code in dimension.values}
    except (KeyError, ValueError) as error:
        where = f"{contract.id}.by_fact.{dimension.name}"
        raise InvalidInput("questions-invalid", file=SIZES, where=where) from error


def _added_up(shares: Mapping[str, float], finer: Dimension, dimension: Dimension) -> Mapping[str, float]:
    found = dict.fromkeys(dimension.values, 0.0)
    for label, share in shares.items():
        found[parent(finer, dimension, label)] += share
    return found


def _means(query: Query, contract: DatasetContract, size: ExpectedSize, grid: Grid, column: str) -> Floats:
    """What a row adds to the sum of a column, in the shape of the grid: by the code that clamps it where that is known.

    Raises:
        InvalidInput: ``questions-invalid``, when nobody has written it down.
    """
    means = size.means.get(column, {})
    if ALL in means:
        return np.asarray(means[ALL])
    measured = contract.measure_column(column)
    clamping = None if measured is None else clamping_dimension(contract, measured)
    if clamping is None or not means:
        raise InvalidInput("questions-invalid", file=SIZES, where=f"{contract.id}.means.{column}")
    place = next((number for number, axis in enumerate(grid.axes) if axis.name == clamping.name), None)
    if place is None:
        shares = _shares(query, contract, size, clamping.name)
        asked = query.where.get(clamping.name, tuple(shares))
        rows = sum(shares.get(code, 0.0) for code in asked) or 1.0
        return np.asarray(sum(shares.get(code, 0.0) * means.get(code, 0.0) for code in asked) / rows)
    shape = [1] * len(grid.axes)
    shape[place] = len(grid.axes[place].values)
    return np.asarray([means.get(label, 0.0) for label in grid.axes[place].values]).reshape(shape)
