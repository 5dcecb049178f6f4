"""Where the figures of an answer stand: the cells of each table, and the cell of each table that a leaf falls into.

The leaves are the cells of the question's own grid. A table of a family has, for each dimension of the question, the
dimension itself, a coarser one of the same column, or nothing; its axes stand in the order of those dimensions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.dataset import DatasetContract, Dimension
from contracts.errors import InvalidInput
from contracts.grid import Axis, Grid, key_set
from contracts.measures import Kind, measure_of
from contracts.query import Query
from contracts.rollup import parent, rolls_up
from privacy.mechanisms import LARGEST_CELL

Indices = npt.NDArray[np.int64]

ALL: Final = ""
"""Stands for an axis that a table adds up."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One table: its grid, and for each leaf the place of its cell in it."""

    by: tuple[str, ...]
    grid: Grid
    places: Indices

    def added_up(self, leaves: Sequence[int]) -> list[int]:
        """The table's figures from those of the leaves; what outgrows ``LARGEST_CELL`` either way is cut there."""
        exact = np.zeros(self.grid.size, dtype=np.int64)
        rough = np.zeros(self.grid.size, dtype=np.float64)
        figures = np.asarray(leaves, dtype=np.int64)
        np.add.at(exact, self.places, figures)
        np.add.at(rough, self.places, figures.astype(np.float64))
        # Where the rough sum is out of range the exact one may have wrapped; in range they agree.
        exact = np.where(np.abs(rough) >= LARGEST_CELL, np.sign(rough) * LARGEST_CELL, exact).astype(np.int64)
        return [int(figure) for figure in exact]


def levels(query: Query, contract: DatasetContract, by: Sequence[str]) -> tuple[str, ...]:
    """For each dimension of the question the axis that stands for it in a table, or ``ALL``.

    Raises:
        InvalidInput: ``family-axis-unknown``, for an axis that is no dimension of the question nor coarser than one, or
            a second one of the same dimension.
    """
    found = tuple(_level(contract, name, by) for name in query.dimensions)
    if sorted(level for level in found if level) != sorted(by):
        unknown = sorted(set(by) - set(found)) or sorted(by)
        raise InvalidInput(
            "family-axis-unknown",
            contract=contract.id,
            dimension=", ".join(unknown),
            choices=", ".join(query.dimensions),
        )
    return found


def coarser_axes(query: Query, contract: DatasetContract) -> tuple[str, ...]:
    """For each dimension of a question the coarser axis that tables of its family have in its place, or ``ALL``.

    Raises:
        InvalidInput: As ``levels``, for any table; also when a dimension has two coarser ones in the family.
    """
    tables = () if query.family is None else query.family.tables
    chosen = [levels(query, contract, table.by) for table in tables]
    found = []
    for place, name in enumerate(query.dimensions):
        coarse = sorted({of_table[place] for of_table in chosen} - {ALL, name})
        if len(coarse) > 1:
            raise InvalidInput(
                "family-axis-unknown", contract=contract.id, dimension=", ".join(coarse), choices=coarse[0]
            )
        found.append(coarse[0] if coarse else ALL)
    return tuple(found)


def layout_of(query: Query, contract: DatasetContract, grid: Grid, by: Sequence[str]) -> Layout:
    """The layout of one table of a question, whose leaves are the cells of ``grid``.

    Raises:
        InvalidInput: As ``levels``.
    """
    chosen = levels(query, contract, by)
    axes: list[Axis] = []
    places = np.zeros(1, dtype=np.int64)
    for axis, level in zip(grid.axes, chosen, strict=True):
        labels, index = _axis(query, contract, axis, level)
        if level:
            axes.append(Axis(name=level, values=labels))
        places = (places[:, None] * len(labels) + index[None, :]).ravel()
    return Layout(by=tuple(by), grid=Grid(axes=tuple(axes)), places=places)


def groups_of(query: Query, contract: DatasetContract, axis: Axis, coarse: str) -> Indices:
    """For each label of an axis the place of its label on a coarser one."""
    return _axis(query, contract, axis, coarse)[1]


def bins_of(measure: str, contract: DatasetContract) -> tuple[int, ...]:
    """The edges of a histogram's bins; none for any other measure.

    Raises:
        InvalidInput: ``unknown-measure``.
    """
    found = measure_of(measure)
    if found.kind is not Kind.HISTOGRAM:
        return ()
    column = contract.measure_column(found.column)
    if column is None or not column.bins:
        raise InvalidInput(
            "unknown-measure", contract=contract.id, measure=measure, choices=", ".join(contract.measures)
        )
    return column.bins


def vector_size(grid: Grid, contract: DatasetContract, measure: str) -> int:
    """How many figures a base measure has over a grid: a histogram has one for each bin of each cell."""
    bins = bins_of(measure, contract)
    return grid.size * (len(bins) + 1 if bins else 1)


def _level(contract: DatasetContract, name: str, by: Sequence[str]) -> str:
    fine = _dimension(contract, name)
    return next((each for each in by if each == name or rolls_up(fine, _dimension(contract, each))), ALL)


def _axis(query: Query, contract: DatasetContract, axis: Axis, level: str) -> tuple[tuple[str, ...], Indices]:
    """The labels of an axis at a level, and the place among them of each of its own labels.

    Only coarse labels that a leaf of the question leads to stand on a coarser axis.
    """
    if level == axis.name:
        return axis.values, np.arange(len(axis.values), dtype=np.int64)
    if level == ALL:
        return ("all",), np.zeros(len(axis.values), dtype=np.int64)
    fine, coarse = _dimension(contract, axis.name), _dimension(contract, level)
    parents = [parent(fine, coarse, label) for label in axis.values]
    used = set(parents)
    labels = tuple(label for label in key_set(coarse, query) if label in used)
    place = {label: number for number, label in enumerate(labels)}
    return labels, np.asarray([place[label] for label in parents], dtype=np.int64)


def _dimension(contract: DatasetContract, name: str) -> Dimension:
    found = contract.dimension(name)
    if found is None:
        choices = ", ".join(each.name for each in contract.dimensions)
        raise InvalidInput("unknown-dimension", contract=contract.id, dimension=name, choices=choices)
    return found
