"""The axes of a family: leaves in groups in the whole, and the tables that add them up.

A table has one level on each axis: each leaf (a province), each group (a police region), or all in one. Its cells are
in row-major order of the axes; an axis at level "all" has one cell. Every table is sums of the table of all leaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import prod
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Level(IntEnum):
    """How coarse a table is on one axis."""

    ALL = 0
    GROUP = 1
    LEAF = 2


Table = tuple[Level, ...]
"""A table of a family: its level on each axis."""


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """Leaves, each in one group; groups may be of any size from one leaf up.

    Args:
        group_of_leaf: The group of each leaf, from 0; every group up to the last has a leaf. Leaves of a group need
            not stand together.
        grouped: False if the groups mean nothing, so that no table may ask for them.
    """

    group_of_leaf: Ints
    grouped: bool

    @classmethod
    def of(cls, group_of_leaf: ArrayLike) -> Self:
        """An axis of three levels.

        Raises:
            ValueError: No leaves, or a group number without a leaf.
        """
        numbers = np.asarray(group_of_leaf)
        if numbers.ndim != 1 or not numbers.size or not np.issubdtype(numbers.dtype, np.integer):
            raise ValueError("an axis needs the number of the group of each of its leaves")
        seen = np.unique(numbers)
        if seen[0] != 0 or seen[-1] != len(seen) - 1:
            raise ValueError("groups are numbered from 0, and every one has a leaf")
        return cls(numbers.astype(np.int64), grouped=True)

    @classmethod
    def flat(cls, leaves: int) -> Self:
        """An axis of leaves and all, without groups.

        Raises:
            ValueError: No leaves.
        """
        if leaves < 1:
            raise ValueError("an axis needs a leaf")
        return cls(np.zeros(leaves, dtype=np.int64), grouped=False)

    @property
    def sizes(self) -> Ints:
        """The number of leaves of each group; all of them if there are no groups."""
        return np.asarray(np.bincount(self.group_of_leaf), dtype=np.int64)

    def cells(self, level: Level) -> int:
        """The number of cells of a table at this level."""
        return {Level.ALL: 1, Level.GROUP: len(self.sizes), Level.LEAF: len(self.group_of_leaf)}[level]

    def summed(self, leaves: Floats | Ints, along: int, level: Level) -> Floats | Ints:
        """Leaves along one axis of an array, added up to ``level``; whole numbers stay whole."""
        if level is Level.LEAF:
            return leaves
        if level is Level.ALL:
            return np.asarray(leaves.sum(axis=along, keepdims=True))
        in_groups = np.take(leaves, np.argsort(self.group_of_leaf, kind="stable"), axis=along)
        starts = np.cumsum(self.sizes) - self.sizes
        return np.asarray(np.add.reduceat(in_groups, starts, axis=along))

    def spread(self, cells: Floats, along: int, level: Level) -> Floats:
        """The transpose of ``summed``: each leaf gets the figure of the cell that it is in."""
        if level is Level.LEAF:
            return cells
        if level is Level.ALL:
            return np.repeat(cells, len(self.group_of_leaf), axis=along)
        return np.asarray(np.take(cells, self.group_of_leaf, axis=along))


def check_family(axes: Sequence[Axis], tables: Sequence[Table]) -> None:
    """See that the tables fit the axes and include the table of all leaves.

    Without that table the leaves could not be estimated: nothing else tells leaves of one group apart.

    Raises:
        ValueError: They do not.
    """
    if not axes or any(len(table) != len(axes) for table in tables):
        raise ValueError("every table has one level on each axis, and there is at least one axis")
    if len(set(tables)) != len(tables):
        raise ValueError("a table stands twice in the family")
    if tuple(Level.LEAF for _ in axes) not in tables:
        raise ValueError("a family includes the table of all leaves")
    for axis, levels in zip(axes, zip(*tables, strict=True), strict=True):
        if Level.GROUP in levels and not axis.grouped:
            raise ValueError("a table asks for the groups of an axis that has none")


def shape_of(axes: Sequence[Axis], table: Table) -> tuple[int, ...]:
    """The number of cells of a table along each axis."""
    return tuple(axis.cells(level) for axis, level in zip(axes, table, strict=True))


def cells_of(axes: Sequence[Axis], table: Table) -> int:
    """The number of cells of a table."""
    return prod(shape_of(axes, table))


def roll_up_floats(axes: Sequence[Axis], table: Table, leaves: Floats) -> Floats:
    """The table's figures from the leaves'; the leaves have one array axis each."""
    return np.asarray(_roll_up(axes, table, leaves), dtype=np.float64)


def roll_up_integers(axes: Sequence[Axis], table: Table, leaves: Ints) -> Ints:
    """The same for whole numbers, exactly."""
    return np.asarray(_roll_up(axes, table, leaves), dtype=np.int64)


def _roll_up(axes: Sequence[Axis], table: Table, leaves: Floats | Ints) -> Floats | Ints:
    for along, (axis, level) in enumerate(zip(axes, table, strict=True)):
        leaves = axis.summed(leaves, along, level)
    return leaves


def expand(axes: Sequence[Axis], table: Table, cells: Floats) -> Floats:
    """The transpose of ``roll_up_floats``: each leaf gets the figure of the table's cell that it is in."""
    for along, (axis, level) in enumerate(zip(axes, table, strict=True)):
        cells = axis.spread(cells, along, level)
    return cells
