"""A family of tables from its noisy measurements: estimates that agree, their errors, and whole numbers if asked."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from privacy.families.axes import Axis, Floats, Ints, Table, cells_of, roll_up_floats, roll_up_integers, shape_of
from privacy.families.gls import Design, cell_variances, leaf_estimates
from privacy.families.integers import whole_numbers
from privacy.families.nonnegative import nonnegative


@dataclass(frozen=True, slots=True, eq=False)
class ConsistentTable:
    """One table; its cells are flat, row-major in the order of the axes.

    Attributes:
        estimates: Unbiased figures; sums of cells of one table are the cells of every coarser one.
        sigmas: The standard deviation of each.
        integers: Whole numbers that are not negative and add up in the same way, biased where little is counted;
            None unless asked for.
    """

    estimates: Floats
    sigmas: Floats
    integers: Ints | None


@dataclass(frozen=True, slots=True)
class ExpectedSigma:
    """The standard deviations of a table's cells: the largest, and the root of the mean of the squares."""

    worst: float
    root_mean: float


def consistent(
    axes: Sequence[Axis],
    tables: Sequence[Table],
    noisy: Sequence[Floats],
    sigmas: Sequence[float | Floats],
    *,
    integers: bool,
) -> list[ConsistentTable]:
    """All tables, in their order, made to agree.

    This reads only what is protected already, so it costs nothing.

    Args:
        axes: The axes of the family.
        tables: Its tables, that of all leaves among them.
        noisy: The measured cells of each, flat, row-major in the order of the axes.
        sigmas: The standard deviation of each table's noise; see ``Design.of`` for noise that differs along an axis.
        integers: Whether whole numbers are wanted too.

    Raises:
        ValueError: The tables do not fit the axes, their cells or their noise.
    """
    design = Design.of(axes, tables, sigmas)
    leaves = leaf_estimates(design, _measured(axes, tables, noisy))
    whole = whole_numbers(axes, nonnegative(design, leaves), float(leaves.sum())) if integers else None
    return [
        ConsistentTable(
            estimates=roll_up_floats(axes, table, leaves).ravel(),
            sigmas=np.sqrt(variances).ravel(),
            integers=None if whole is None else roll_up_integers(axes, table, whole).ravel(),
        )
        for table, variances in zip(tables, cell_variances(design), strict=True)
    ]


def expected_sigmas(
    axes: Sequence[Axis], tables: Sequence[Table], sigmas: Sequence[float | Floats]
) -> list[ExpectedSigma]:
    """The errors that ``consistent`` will have, before anything is measured; arguments and errors as there."""
    variances = cell_variances(Design.of(axes, tables, sigmas))
    return [ExpectedSigma(float(np.sqrt(each.max())), float(np.sqrt(each.mean()))) for each in variances]


def _measured(axes: Sequence[Axis], tables: Sequence[Table], noisy: Sequence[Floats]) -> list[Floats]:
    if [np.size(cells) for cells in noisy] != [cells_of(axes, table) for table in tables]:
        raise ValueError("every table has one figure for each of its cells")
    shaped = [
        np.asarray(cells, dtype=np.float64).reshape(shape_of(axes, table))
        for table, cells in zip(tables, noisy, strict=True)
    ]
    if not all(np.isfinite(cells).all() for cells in shaped):
        raise ValueError("a measured figure is not a finite number")
    return shaped
