"""The public key set of a question: every cell of the answer, known before any data is touched.

Cells stand in row-major order: the last axis runs fastest. All of them are answered, empty ones too, so that the shape
of an answer says nothing about the data.
"""

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Final

from contracts import counter_nodes
from contracts.dataset import DatasetContract, Dimension, Grain
from contracts.errors import InvalidInput
from contracts.identifiers import Code, Name
from contracts.query import Query
from contracts.remembered import Memory
from contracts.values import Value

MAX_CELLS = 1_000_000
HOURS = tuple(f"{hour:02d}" for hour in range(24))
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Axis(Value):
    """One dimension of an answer and its labels, in order."""

    name: Name
    values: tuple[Code, ...]


class Grid(Value):
    """The cells of an answer."""

    axes: tuple[Axis, ...]

    @property
    def size(self) -> int:
        """The number of cells, 1 without axes."""
        return prod(len(axis.values) for axis in self.axes)

    def keys(self) -> Iterator[tuple[str, ...]]:
        """The labels of each cell, in the order of the cells."""
        return product(*(axis.values for axis in self.axes))


_grids: Final = Memory[Grid](256)


def grid_of(query: Query, contract: DatasetContract) -> Grid:
    """The cells that a checked query asks for; those of a daily counter are the nodes that its period completes.

    Raises:
        InvalidInput: ``too-many-cells``.
    """
    return _grids.of((query, contract), None, lambda: _grid(query, contract))


def _grid(query: Query, contract: DatasetContract) -> Grid:
    axes = tuple(_axis(query, contract, name) for name in query.dimensions)
    if query.counter:
        axes = (Axis(name=counter_nodes.AXIS, values=tuple(node.label for node in counter_nodes.nodes(query.period))),)
    grid = Grid(axes=axes)
    if grid.size > MAX_CELLS:
        raise InvalidInput("too-many-cells", cells=grid.size, limit=MAX_CELLS)
    return grid


def key_set(dimension: Dimension, query: Query) -> tuple[str, ...]:
    """The public labels of a dimension; those of months and weeks are the ones of the period."""
    match dimension.grain:
        case Grain.YEAR:
            return query.period.windows()
        case Grain.MONTH:
            return query.period.months()
        case Grain.WEEK:
            return query.period.weeks()
        case Grain.HOUR:
            return HOURS
        case Grain.WEEKDAY:
            return WEEKDAYS
        case None:
            return dimension.values


def _axis(query: Query, contract: DatasetContract, name: str) -> Axis:
    dimension = contract.dimension(name)
    if dimension is None:
        choices = ", ".join(each.name for each in contract.dimensions)
        raise InvalidInput("unknown-dimension", contract=contract.id, dimension=name, choices=choices)
    wanted = query.where.get(name)
    labels = key_set(dimension, query)
    return Axis(name=name, values=tuple(v for v in labels if wanted is None or v in wanted))
