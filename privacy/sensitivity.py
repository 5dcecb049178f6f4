"""How far one person can move an answer in one fiscal year: from the contract and the question alone.

The ranked snapshot bounds a person's rows in a window: ``rows_per_window`` in all and, where the contract gives a
shape, ``shape.rows`` in one cell of ``shape.by``, in ``shape.cells`` cells. What a table's cell can hold of a person
follows: a cell of the table may pool many cells of the shape, and a coarser table pools more of them than a finer one.
"At most one row in a cell" of the finest table says nothing about the others; each table is charged with its own
distance.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from contracts.clamps import clamping_dimension, largest_amount
from contracts.code_lists import Lookup, derivation
from contracts.dataset import DatasetContract, Dimension, Grain
from contracts.errors import InvalidInput
from contracts.grid import key_set
from contracts.measures import PEOPLE, Kind, measure_of
from contracts.query import Query
from contracts.rollup import parent, rolls_up

MONTHS_IN_WINDOW = 12
MONTHS_IN_WEEK = 2
"""Seven days in a row lie in two months at most."""

COUNTER_LEVELS = 10
"""Levels of the binary tree over the 366 days of a fiscal year: 512 leaves, 256, ... 1."""


class Sensitivity(NamedTuple):
    """How far one person can move the vector of a table: the square of the Euclidean distance, and the L1 distance.

    In rows; in people for distinct people. A sum multiplies the cells by the clamp of their rows: see ``amounts``.
    """

    l2_squared: int
    l1: int


def sensitivity(query: Query, contract: DatasetContract, measure: str, by: Sequence[str]) -> Sensitivity:
    """How far one person can move a table, such that what is charged to each window covers the loss.

    In a window a person has at most ``rows`` counted rows, at most ``cell`` of them in one cell of the table. The
    farthest vector puts as many as it may into each of as few cells as it can: the square is convex, so its maximum
    lies in a corner. A person is counted at most once in a cell as one of the distinct people.

    Where each window has cells of its own, the losses of the windows add up, and the distance of one window is what
    counts. Where the same cells pool ``w`` windows, a person moves them by ``w`` times that distance, which costs ``w``
    squared times as much, while only ``w`` windows are charged: the square is then widened by ``w``. Distinct people
    need no widening: over ``w`` windows they move at most ``w`` times as many cells, each by one.

    Args:
        query: A question that fits the contract.
        contract: Its bounds.
        measure: A base measure of the question.
        by: The axes of the table: dimensions of the question, or coarser ones.

    Raises:
        InvalidInput: ``unknown-dimension``.
    """
    rows = contract.unit.most_rows
    cell = 1 if measure == PEOPLE else _rows_in_a_cell(query, contract, by)
    full, rest = divmod(rows, cell)
    squared, distance = full * cell * cell + rest * rest, rows
    if query.counter:
        # Each day lies in one node of every level of the tree.
        return Sensitivity(COUNTER_LEVELS * squared, COUNTER_LEVELS * distance)
    windows = 1 if measure == PEOPLE or _separates_windows(contract, by) else len(query.period.windows())
    return Sensitivity(squared * windows, root_rounded_up(distance * distance * windows))


def amounts(query: Query, contract: DatasetContract, measure: str, by: Sequence[str]) -> tuple[int, dict[str, int]]:
    """By how much one row moves a cell: the largest amount, and that of each code where cells are of one code each.

    A sum's noise may follow the clamp of each cell's own code, at no cost: a person who moves a cell of code ``k`` by
    ``n`` rows moves it by ``n`` clamps of ``k``, and the noise there is so many times that of a count.

    Raises:
        InvalidInput: ``unknown-measure``.
    """
    found = measure_of(measure)
    if found.kind is not Kind.SUM:
        return 1, {}
    measured = contract.measure_column(found.column)
    if measured is None:
        raise InvalidInput(
            "unknown-measure", contract=contract.id, measure=measure, choices=", ".join(contract.measures)
        )
    largest = largest_amount(contract, measured, query)
    dimension = clamping_dimension(contract, measured)
    if dimension is None or dimension.name not in query.dimensions or dimension.name not in by:
        return largest, {}
    clamps = {code: measured.clamps.get(code, measured.clamp) for code in dimension.values}
    return largest, {code: max(1, abs(low), abs(high)) for code, (low, high) in clamps.items()}


def clamped_along(query: Query, contract: DatasetContract, measure: str, by: Sequence[str]) -> str | None:
    """The axis of a table by whose codes the noise of a sum differs, if it does."""
    if not amounts(query, contract, measure, by)[1]:
        return None
    measured = contract.measure_column(measure_of(measure).column)
    dimension = None if measured is None else clamping_dimension(contract, measured)
    return None if dimension is None else dimension.name


def together(distances: Sequence[Sensitivity]) -> Sensitivity:
    """How far one person moves a sum of vectors who may stand in each: distances add up, not their squares."""
    if len(distances) == 1:
        return distances[0]
    cross = sum(
        root_rounded_up(4 * a.l2_squared * b.l2_squared) for n, a in enumerate(distances) for b in distances[n + 1 :]
    )
    return Sensitivity(sum(each.l2_squared for each in distances) + cross, sum(each.l1 for each in distances))


def root_rounded_up(square: int) -> int:
    """The smallest whole number whose square is not below ``square``."""
    root = math.isqrt(square)
    return root if root * root == square else root + 1


def _rows_in_a_cell(query: Query, contract: DatasetContract, by: Sequence[str]) -> int:
    """The most rows of one person and window that one cell of the table can hold."""
    rows, shape = contract.unit.most_rows, contract.unit.shape
    if shape is None or query.counter:
        return rows
    axes = [_dimension(contract, name) for name in by]
    pooled = math.prod(_pooled(query, contract, _dimension(contract, name), axes) for name in shape.by)
    return min(rows, shape.rows * min(pooled, shape.cells))


def _pooled(query: Query, contract: DatasetContract, bounded: Dimension, axes: Sequence[Dimension]) -> int:
    """How many labels of a dimension of the shape one cell of the table can pool in one window; at least 1.

    All that the question's filter leaves, or every label and the rows that have none; fewer along an axis that is the
    dimension itself or comes from the same column.
    """
    along = (_along(query, contract, axis, bounded) for axis in axes)
    return int(min((_labels(query, contract, bounded), *along)))


def _labels(query: Query, contract: DatasetContract, bounded: Dimension) -> int:
    if bounded.grain in (Grain.YEAR, Grain.MONTH) and bounded.column == contract.event_time:
        return 1 if bounded.grain is Grain.YEAR else MONTHS_IN_WINDOW
    asked = query.where.get(bounded.name)
    return len(key_set(bounded, query)) + 1 if asked is None else len(asked)


def _along(query: Query, contract: DatasetContract, axis: Dimension, bounded: Dimension) -> float:
    """How many labels of the dimension rows can have that fall under one label of an axis.

    The axis is counted by itself, or added up from the question's own dimension. The map between code lists alone does
    not tell: the snapshot labels each row from its column, and a value that one list knows may be unknown to the other.
    """
    asked = [_dimension(contract, name) for name in query.dimensions]
    counted = axis if axis in asked else next((each for each in asked if rolls_up(each, axis)), axis)
    if (axis.grain, bounded.grain) == (Grain.WEEK, Grain.MONTH) and axis.column == bounded.column:
        return MONTHS_IN_WEEK
    if axis.grain is not None or bounded.grain is not None:
        return 1 if axis.name == bounded.name or rolls_up(axis, bounded) else math.inf
    if counted.name == bounded.name == axis.name:
        return 1
    return _most_labels(counted, axis, bounded) if counted.column == bounded.column else math.inf


@lru_cache(maxsize=256)
def _most_labels(counted: Dimension, axis: Dimension, bounded: Dimension) -> float:
    """The most labels of ``bounded`` that values of the column have whose ``counted`` label belongs to one of ``axis``.

    A value that is in no list stands for all of these. Without a bound for columns of numbers.
    """
    one, other = derivation(counted), derivation(bounded)
    if not (isinstance(one, Lookup) and isinstance(other, Lookup)):
        return math.inf
    found: dict[str, set[str | None]] = {}
    values = {*one.mapping, *other.mapping}
    codes = [(one.code_of(value), other.code_of(value)) for value in sorted(values)]
    for label, belongs in (*codes, (one.otherwise, other.otherwise)):
        if label is not None:
            under = label if counted.name == axis.name else parent(counted, axis, label)
            found.setdefault(under, set()).add(belongs)
    return max((len(each) for each in found.values()), default=1)


def _separates_windows(contract: DatasetContract, by: Sequence[str]) -> bool:
    """Whether no cell holds rows of two windows: it is of one month or one fiscal year of the event time.

    A week may lie in two.
    """
    grouped = [_dimension(contract, name) for name in by]
    return any(d.grain in (Grain.YEAR, Grain.MONTH) and d.column == contract.event_time for d in grouped)


def _dimension(contract: DatasetContract, name: str) -> Dimension:
    found = contract.dimension(name)
    if found is None:
        choices = ", ".join(each.name for each in contract.dimensions)
        raise InvalidInput("unknown-dimension", contract=contract.id, dimension=name, choices=choices)
    return found
