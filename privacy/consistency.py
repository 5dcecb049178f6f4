"""The tables of a family made to agree: from the noisy tables to the best unbiased estimates, and to whole numbers.

The mathematics stands in ``privacy.families``; here a question's dimensions and tables become its axes and levels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from contracts.dataset import DatasetContract
from contracts.grid import Grid, grid_of
from contracts.measures import Kind, measure_of
from contracts.query import Query
from contracts.release import ReleasedTable
from privacy.families.axes import Axis, Floats, Ints, Level, Table, roll_up_floats, shape_of
from privacy.families.family import ConsistentTable, consistent, expected_sigmas
from privacy.layout import bins_of, coarser_axes, groups_of, layout_of, levels
from privacy.plan import Plan, PlannedVector, tables_of

FINENESS = 4
"""Figures are rounded to so many digits below the size of the noise in a leaf: then rounding adds nothing to it."""

MOST_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class FamilyShape:
    """A family in the terms of ``privacy.families``: its axes, and each table's level on each of them."""

    axes: tuple[Axis, ...]
    tables: tuple[Table, ...]


def family_shape(query: Query, contract: DatasetContract, grid: Grid) -> FamilyShape:
    """The axes and levels of a question's family.

    Raises:
        InvalidInput: ``family-axis-unknown``; see ``privacy.layout.coarser_axes``.
    """
    coarse = coarser_axes(query, contract)
    axes = [
        Axis.of(groups_of(query, contract, axis, group)) if group else Axis.flat(len(axis.values))
        for axis, group in zip(grid.axes, coarse, strict=True)
    ]
    if not axes:
        # A question without dimensions has one cell, which is its own leaf.
        return FamilyShape((Axis.flat(1),), ((Level.LEAF,),))
    chosen = [levels(query, contract, table.by) for table in tables_of(query)]
    return FamilyShape(tuple(axes), tuple(_levels(of_table, grid) for of_table in chosen))


def consistent_tables(
    noisy: Mapping[tuple[str, tuple[str, ...]], Sequence[int]],
    terms: Plan,
    query: Query,
    contract: DatasetContract,
    grid: Grid,
) -> tuple[ReleasedTable, ...]:
    """Every table of a family, made consistent.

    Args:
        noisy: The noisy figures of each vector of the plan.
        terms: The plan.
        query: A question with a family.
        contract: Names its axes.
        grid: The question's own grid.
    """
    shape = family_shape(query, contract, grid)
    tables = []
    for measure in query.base_measures:
        vectors = [terms.vector(measure, table.by) for table in tables_of(query)]
        figures = [noisy[measure, vector.by] for vector in vectors]
        tables.extend(_tables(vectors, figures, shape, query, contract, grid))
    return tuple(tables)


def expected_table_sigmas(
    query: Query, contract: DatasetContract, terms: Plan
) -> dict[tuple[str, tuple[str, ...]], float]:
    """The largest standard deviation that a cell of each vector's table will have once the family is consistent."""
    grid = grid_of(query, contract)
    shape = family_shape(query, contract, grid)
    found: dict[tuple[str, tuple[str, ...]], float] = {}
    for measure in query.base_measures:
        vectors = [terms.vector(measure, table.by) for table in tables_of(query)]
        expected = _expected(shape, [_sigmas_of(vector, grid) for vector in vectors])
        found |= {(measure, vector.by): sigma for vector, sigma in zip(vectors, expected, strict=True)}
    return found


def _expected(shape: FamilyShape, sigmas: Sequence[float | Floats]) -> list[float]:
    return [each.worst for each in expected_sigmas(shape.axes, shape.tables, sigmas)]


def _tables(
    vectors: Sequence[PlannedVector],
    figures: Sequence[Sequence[int]],
    shape: FamilyShape,
    query: Query,
    contract: DatasetContract,
    grid: Grid,
) -> list[ReleasedTable]:
    bins = len(bins_of(vectors[0].measure, contract)) + 1
    sigmas = [_sigmas_of(vector, grid) for vector in vectors]
    integers = query.family is not None and query.family.integers and _is_never_negative(vectors[0].measure, contract)
    # The bins of a histogram run fastest: each is a family of its own.
    apart = [
        consistent(
            shape.axes,
            shape.tables,
            [np.asarray(f, dtype=np.float64)[b::bins] for f in figures],
            sigmas,
            integers=integers,
        )
        for b in range(bins)
    ]
    decimals = _decimals(apart[0][_leaves_of(shape)].sigmas)
    estimates = [_agreeing(shape, each, decimals) for each in apart]
    return [
        ReleasedTable(
            measure=vector.measure,
            unit=vector.unit,
            by=vector.by,
            grid=layout_of(query, contract, grid, vector.by).grid,
            measured=tuple(measured),
            sigma=vector.sigma,
            estimates=_interleaved([each[number] for each in estimates]),
            sigmas=_interleaved([each[number].sigmas.round(decimals) for each in apart]),
            integers=_whole([each[number].integers for each in apart]),
        )
        for number, (vector, measured) in enumerate(zip(vectors, figures, strict=True))
    ]


def _sigmas_of(vector: PlannedVector, grid: Grid) -> float | Floats:
    """The noise of a table: a number, or one for each code along the axis by which it differs."""
    if vector.along is None:
        return vector.sigma
    place = next(number for number, axis in enumerate(grid.axes) if axis.name == vector.along)
    shape = [1] * len(grid.axes)
    shape[place] = len(grid.axes[place].values)
    return np.asarray([vector.sigmas[label] for label in grid.axes[place].values]).reshape(shape)


def _is_never_negative(measure: str, contract: DatasetContract) -> bool:
    """Whether no exact figure of a measure can be below nothing; a sum may be, by its column's clamps."""
    found = measure_of(measure)
    column = contract.measure_column(found.column)
    if found.kind is not Kind.SUM or column is None:
        return True
    return all(low >= 0 for low, _ in (column.clamp, *column.clamps.values()))


def _whole(of_bins: Sequence[Ints | None]) -> tuple[int, ...]:
    found = [each for each in of_bins if each is not None]
    return tuple(int(each) for each in np.stack(found, axis=-1).ravel()) if found else ()


def _interleaved(of_bins: Sequence[Floats]) -> tuple[float, ...]:
    return tuple(np.stack([np.ravel(each) for each in of_bins], axis=-1).ravel().tolist())


def _leaves_of(shape: FamilyShape) -> int:
    """Which table of a family is that of all its leaves."""
    return shape.tables.index(tuple(Level.LEAF for _ in shape.axes))


def _decimals(sigmas: Floats) -> int:
    return int(np.clip(FINENESS - np.floor(np.log10(sigmas.min())), 0, MOST_DECIMALS))


def _agreeing(shape: FamilyShape, made: Sequence[ConsistentTable], decimals: int) -> list[Floats]:
    """The estimates of every table as sums of rounded leaves, so that they add up as they are written."""
    table = shape.tables[_leaves_of(shape)]
    leaves = made[_leaves_of(shape)].estimates.round(decimals).reshape(shape_of(shape.axes, table))
    # Adding 0.0 leaves no negative zero to be written.
    return [roll_up_floats(shape.axes, each, leaves).round(decimals).ravel() + 0.0 for each in shape.tables]


def _levels(of_table: Sequence[str], grid: Grid) -> Table:
    return tuple(
        Level.LEAF if level == axis.name else Level.GROUP if level else Level.ALL
        for level, axis in zip(of_table, grid.axes, strict=True)
    )
