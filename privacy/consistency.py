"""The tables of a family made to agree: from the noisy tables to the best unbiased estimates, and to whole numbers.

The mathematics stands in ``privacy.families``; here a question's dimensions and tables become its axes and levels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput
from contracts.grid import Grid, grid_of
from contracts.query import Query
from contracts.release import ReleasedTable
from privacy.families.axes import Axis, Floats, Ints, Level, Table
from privacy.families.family import consistent, expected_sigmas
from privacy.layout import bins_of, groups_of, layout_of, levels
from privacy.plan import Plan, PlannedVector, tables_of

DECIMALS = 2


@dataclass(frozen=True, slots=True)
class FamilyShape:
    """A family in the terms of ``privacy.families``: its axes, and each table's level on each of them."""

    axes: tuple[Axis, ...]
    tables: tuple[Table, ...]


def family_shape(query: Query, contract: DatasetContract, grid: Grid) -> FamilyShape:
    """The axes and levels of a question's family.

    Raises:
        InvalidInput: ``family-axis-unknown``, also when a dimension has two coarser ones in the family.
    """
    chosen = [levels(query, contract, table.by) for table in tables_of(query)]
    axes = []
    for place, axis in enumerate(grid.axes):
        coarse = sorted({of_table[place] for of_table in chosen} - {"", axis.name})
        if len(coarse) > 1:
            raise InvalidInput(
                "family-axis-unknown", contract=contract.id, dimension=", ".join(coarse), choices=coarse[0]
            )
        size = len(axis.values)
        axes.append(Axis.of(groups_of(query, contract, axis, coarse[0])) if coarse else Axis.flat(size))
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
    shape = family_shape(query, contract, grid_of(query, contract))
    found: dict[tuple[str, tuple[str, ...]], float] = {}
    for measure in query.base_measures:
        vectors = [terms.vector(measure, table.by) for table in tables_of(query)]
        expected = _expected(shape, tuple(vector.sigma for vector in vectors))
        found |= {(measure, vector.by): sigma for vector, sigma in zip(vectors, expected, strict=True)}
    return found


def _expected(shape: FamilyShape, sigmas: tuple[float, ...]) -> list[float]:
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
    sigmas = [vector.sigma for vector in vectors]
    integers = query.family is not None and query.family.integers
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
    return [
        ReleasedTable(
            measure=vector.measure,
            unit=vector.unit,
            by=vector.by,
            grid=layout_of(query, contract, grid, vector.by).grid,
            measured=tuple(measured),
            sigma=vector.sigma,
            estimates=_interleaved([each[number].estimates for each in apart]),
            sigmas=_interleaved([each[number].sigmas for each in apart]),
            integers=_whole([each[number].integers for each in apart]),
        )
        for number, (vector, measured) in enumerate(zip(vectors, figures, strict=True))
    ]


def _whole(of_bins: Sequence[Ints | None]) -> tuple[int, ...]:
    found = [each for each in of_bins if each is not None]
    return tuple(int(each) for each in np.stack(found, axis=-1).ravel()) if found else ()


def _interleaved(of_bins: Sequence[Floats]) -> tuple[float, ...]:
    return tuple(round(float(each), DECIMALS) for each in np.stack([np.ravel(b) for b in of_bins], axis=-1).ravel())


def _levels(of_table: Sequence[str], grid: Grid) -> Table:
    return tuple(
        Level.LEAF if level == axis.name else Level.GROUP if level else Level.ALL
        for level, axis in zip(of_table, grid.axes, strict=True)
    )
