"""Exact figures in, protected figures out: the same code at the connector and at the gateway."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from contracts.dataset import DatasetContract
from contracts.grid import Grid, grid_of
from contracts.query import Mechanism, Query
from contracts.release import Derived, Released, ReleasedTable
from contracts.task import Part, PartMeasure
from privacy.consistency import consistent_tables
from privacy.derived import derived_of
from privacy.layout import bins_of, layout_of
from privacy.mechanisms import clamped, draw_gaussian, draw_laplace, within
from privacy.plan import Noise, Plan, PlannedVector, plan

Cells = Sequence[int]


class Assembled(NamedTuple):
    """The protected answer: noisy base measures, the tables of a family, and what follows from them at no cost."""

    released: tuple[Released, ...]
    derived: tuple[Derived, ...]
    tables: tuple[ReleasedTable, ...]


def protect(
    exact: Mapping[str, Cells], contract: DatasetContract, query: Query, nano_rho: int
) -> tuple[PartMeasure, ...]:
    """Add one agency's own noise to its exact cells, inside the agency.

    Args:
        exact: The cells of each base measure of the query, over the question's own grid.
        contract: The agency's contract.
        query: The question.
        nano_rho: The price in each window; the planned share of it protects each vector.

    Returns:
        Every vector of the plan: each base measure, over each table of a family.
    """
    grid = grid_of(query, contract)
    terms = plan(query, [contract], nano_rho)
    return tuple(_protected(exact[each.measure], contract, query, grid, each) for each in terms.vectors)


def exact_part(exact: Mapping[str, Cells], query: Query) -> tuple[PartMeasure, ...]:
    """An agency's exact cells, for a contract that trusts the centre to add the noise."""
    return tuple(PartMeasure(measure=name, cells=tuple(exact[name])) for name in query.base_measures)


def assemble(parts: Sequence[Part], contracts: Sequence[DatasetContract], query: Query, nano_rho: int) -> Assembled:
    """Add the parts up, add the noise that is still owed, make the tables of a family agree, and derive the rest.

    Args:
        parts: One answered part of each contract, cells in the order of the grid.
        contracts: The question's contracts.
        query: The question.
        nano_rho: The price in each window.
    """
    contract, terms = contracts[0], plan(query, contracts, nano_rho)
    grid = grid_of(query, contract)
    noisy = {(each.measure, each.by): _assembled(each, parts, contract, query, grid) for each in terms.vectors}
    leaf = tuple(sorted(query.dimensions)) if query.family else query.dimensions
    released = tuple(
        released_vector(terms.vector(name, leaf), noisy[name, leaf], contract) for name in query.base_measures
    )
    return Assembled(
        released=released,
        derived=derived_of(released, grid, query, contract),
        tables=consistent_tables(noisy, terms, query, contract, grid) if query.family else (),
    )


def planned_sigmas(terms: Plan) -> dict[tuple[str, tuple[str, ...]], float]:
    """The largest noise that each vector of an answer will carry."""
    return {(each.measure, each.by): each.sigma for each in terms.vectors}


def with_noise(cells: Cells, noise: Noise, of_cell: npt.NDArray[np.int64] | None) -> list[int]:
    """Add a draw of noise to every cell, empty ones too.

    Args:
        cells: Whole units.
        noise: Which.
        of_cell: For each cell by how much one of its rows moves it, where cells differ; else the noise's one amount.
    """
    if of_cell is None:
        return _drawn(cells, noise, noise.amount)
    figures, found = np.asarray(cells, dtype=np.int64), np.zeros(len(cells), dtype=np.int64)
    for amount in np.unique(of_cell):
        alike = of_cell == amount
        found[alike] = _drawn([int(cell) for cell in figures[alike]], noise, int(amount))
    return [int(cell) for cell in found]


def _drawn(cells: Cells, noise: Noise, amount: int) -> list[int]:
    scale = noise.scale_for(amount)
    return draw_gaussian(cells, scale) if noise.mechanism is Mechanism.GAUSSIAN else draw_laplace(cells, scale)


def _amounts_of_cells(
    planned: PlannedVector, noise: Noise, contract: DatasetContract, query: Query, grid: Grid
) -> npt.NDArray[np.int64] | None:
    if planned.along is None:
        return None
    table = grid if query.family is None else layout_of(query, contract, grid, planned.by).grid
    place = next(number for number, axis in enumerate(table.axes) if axis.name == planned.along)
    sizes = [len(axis.values) for axis in table.axes]
    amounts = np.asarray([noise.amounts[label] for label in table.axes[place].values], dtype=np.int64)
    shape = [1] * len(sizes)
    shape[place] = sizes[place]
    return np.broadcast_to(amounts.reshape(shape), sizes).ravel()


def _protected(
    cells: Cells, contract: DatasetContract, query: Query, grid: Grid, planned: PlannedVector
) -> PartMeasure:
    (noise,) = planned.noises
    table = _of_table(cells, planned, contract, query, grid)
    return PartMeasure(
        measure=planned.measure,
        cells=tuple(with_noise(table, noise, _amounts_of_cells(planned, noise, contract, query, grid))),
        sigma=planned.sigma,
        by=planned.by if query.family else None,
        sigmas=planned.sigmas,
    )


def _of_table(leaves: Cells, planned: PlannedVector, contract: DatasetContract, query: Query, grid: Grid) -> list[int]:
    """The exact figures of the vector's table, from those of the leaves."""
    figures = within(leaves)
    if query.family is None:
        return figures
    layout = layout_of(query, contract, grid, planned.by)
    bins = len(bins_of(planned.measure, contract)) + 1
    if bins == 1:
        return layout.added_up(figures)
    # The bins of a histogram run fastest: each is a table of its own.
    apart = [layout.added_up(figures[number::bins]) for number in range(bins)]
    return [figure for cell in zip(*apart, strict=True) for figure in cell]


def _assembled(
    planned: PlannedVector, parts: Sequence[Part], contract: DatasetContract, query: Query, grid: Grid
) -> list[int]:
    vectors = [_figures(part, planned, contract, query, grid) for part in parts]
    total = [clamped(sum(cells)) for cells in zip(*vectors, strict=True)]
    if planned.central is None:
        return total
    return with_noise(total, planned.central, _amounts_of_cells(planned, planned.central, contract, query, grid))


def _figures(part: Part, planned: PlannedVector, contract: DatasetContract, query: Query, grid: Grid) -> Cells:
    """One part's figures of a vector: as they came with their noise, or added up from the exact leaves."""
    of_measure = [each for each in part.measures if each.measure == planned.measure]
    found = next((each for each in of_measure if each.by == planned.by), None)
    if found is not None:
        return found.cells
    (leaves,) = of_measure
    # No cell of a part is larger than ``LARGEST_CELL``.
    return leaves.cells if query.family is None else _of_table(leaves.cells, planned, contract, query, grid)


def released_vector(planned: PlannedVector, cells: Cells, contract: DatasetContract) -> Released:
    """The noisy figures of a vector of the plan, with the errors that were planned."""
    return Released(
        measure=planned.measure,
        unit=planned.unit,
        cells=tuple(cells),
        sigma=planned.sigma,
        expected_error_95=planned.error_95,
        along=planned.along,
        sigmas=planned.sigmas,
        bins=bins_of(planned.measure, contract),
    )
