"""Generalised least squares: the best linear unbiased estimates of all tables, and their exact variances.

With the leaves x, table t measured as A_t x plus independent noise of variance v_t in each cell, and
J = sum over t of A_t' A_t / v_t, the estimate of the leaves is J^-1 times the sum of A_t' y_t / v_t, and any linear
figure a'x has the variance a' J^-1 a (Gauss-Markov; for hierarchies of counts: Hay et al. 2010, "Boosting the accuracy
of differentially private histograms through consistency"). Variances need no data: they are known before anything is
measured. J is inverted in the invariant subspaces of ``privacy.families.modes``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import Self

import numpy as np

from privacy.families.axes import (
    Axis,
    Floats,
    Level,
    Table,
    check_family,
    expand,
    roll_up_floats,
    shape_of,
)
from privacy.families.modes import Frame, Mode, plain_frame, symmetric_frame


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """What is measured and how precisely.

    Attributes:
        precisions: One over the variance of each table's noise, with as many array axes as the family: of length 1,
            except along an axis where the noise differs from cell to cell.
    """

    axes: tuple[Axis, ...]
    tables: tuple[Table, ...]
    precisions: tuple[Floats, ...]
    frames: tuple[Frame, ...]

    @classmethod
    def of(cls, axes: Sequence[Axis], tables: Sequence[Table], sigmas: Sequence[float | Floats]) -> Self:
        """A design from the standard deviation of each table's noise.

        Args:
            axes: The axes of the family.
            tables: What is measured, the table of all leaves among it.
            sigmas: For each table a number; or an array that has as many axes as the family, all of length 1 but one
                along which the noise differs, such as (1, 1, 20) where sums are clamped by the code of the third axis.

        Raises:
            ValueError: The tables do not fit the axes, or the standard deviations are not positive numbers of a shape
                that fits.
        """
        check_family(axes, tables)
        if len(sigmas) != len(tables):
            raise ValueError("every table has the standard deviation of its noise")
        pairs = zip(tables, sigmas, strict=True)
        precisions = tuple(_precision(sigma, shape_of(axes, table)) for table, sigma in pairs)
        uneven = [any(each.shape[along] > 1 for each in precisions) for along in range(len(axes))]
        frames = tuple(
            plain_frame(axis) if differs else symmetric_frame(axis) for axis, differs in zip(axes, uneven, strict=True)
        )
        return cls(tuple(axes), tuple(tables), precisions, frames)


def leaf_estimates(design: Design, noisy: Sequence[Floats]) -> Floats:
    """The estimates of all leaves, one array axis for each axis; every other table's are their sums.

    The measured leaves are corrected by what the estimates of the differences to the other tables say: so figures that
    agree already come back as they are, and rounding is relative to the noise, not to the figures.

    Args:
        design: What was measured.
        noisy: The measured tables, in the shape of each.
    """
    leaves = noisy[design.tables.index(tuple(Level.LEAF for _ in design.axes))]
    pulls = np.zeros(leaves.shape)
    for table, cells, precision in zip(design.tables, noisy, design.precisions, strict=True):
        difference = cells - roll_up_floats(design.axes, table, leaves)
        pulls += expand(design.axes, table, precision * difference)
    return np.asarray(leaves + _solved(design, pulls, ()))


def cell_variances(design: Design) -> list[Floats]:
    """The variance of the estimate of every cell of every table, in the shape of each; no data are needed."""
    by_kind = [np.zeros(()) for _ in design.tables]
    for modes in _blocks(design):
        inverse = np.linalg.inv(_information(design, modes))
        for number, table in enumerate(design.tables):
            loads = _kron([mode.loads[level] for mode, level in zip(modes, table, strict=True)])
            by_kind[number] = by_kind[number] + ((loads @ inverse) * loads).sum(axis=1)
    return [_of_cells(design, table, flat) for table, flat in zip(design.tables, by_kind, strict=True)]


def _precision(sigma: float | Floats, shape: tuple[int, ...]) -> Floats:
    given = np.asarray(sigma, dtype=np.float64)
    if not np.isfinite(given).all() or (given <= 0).any():
        raise ValueError("the standard deviation of a table's noise is a positive number")
    if given.ndim == 0:
        given = given.reshape((1,) * len(shape))
    fits = given.ndim == len(shape) and all(own in (1, cells) for own, cells in zip(given.shape, shape, strict=True))
    if not fits or sum(own > 1 for own in given.shape) > 1:
        raise ValueError("a table's noise is the same in all cells, or differs along one axis")
    return np.asarray(1 / given**2)


def _blocks(design: Design) -> Iterator[tuple[Mode, ...]]:
    """One mode of each axis, in all combinations."""
    return product(*(frame.modes for frame in design.frames))


def _information(design: Design, modes: Sequence[Mode]) -> Floats:
    """The block of J in the product of the modes."""
    return np.asarray(
        sum(
            _kron(
                [
                    _gram(mode, level, precision, along)
                    for along, (mode, level) in enumerate(zip(modes, table, strict=True))
                ]
            )
            * _scalar(precision)
            for table, precision in zip(design.tables, design.precisions, strict=True)
        )
    )


def _gram(mode: Mode, level: Level, precision: Floats, along: int) -> Floats:
    return mode.weighted_gram(level, precision.ravel()) if precision.shape[along] > 1 else mode.grams[level]


def _scalar(precision: Floats) -> float:
    """The precision of a table whose cells are alike; 1 where ``_gram`` has the precisions in it already."""
    return float(precision.item()) if precision.size == 1 else 1.0


def _solved(design: Design, array: Floats, modes: tuple[Mode, ...]) -> Floats:
    """J^-1 times the array, from the first axis that no mode is chosen for yet."""
    along = len(modes)
    if along == len(design.axes):
        return _block_solved(_information(design, modes), array, [mode.spans for mode in modes])
    parts = (
        mode.synthesise(_solved(design, mode.analyse(array, along), (*modes, mode)), along)
        for mode in design.frames[along].modes
    )
    return reduce(np.add, parts)


def _block_solved(block: Floats, array: Floats, spans: Sequence[bool]) -> Floats:
    """The block's inverse times the coordinates; along axes that the block does not span it acts on each entry alike."""
    inside = [along for along, spanned in enumerate(spans) if spanned]
    front = list(range(len(inside)))
    moved = np.moveaxis(array, inside, front)
    solved = np.linalg.solve(block, moved.reshape(len(block), -1))
    return np.moveaxis(solved.reshape(moved.shape), front, inside)


def _kron(factors: Sequence[Floats]) -> Floats:
    return reduce(np.kron, factors)


def _of_cells(design: Design, table: Table, by_kind: Floats) -> Floats:
    """From one variance for each combination of kinds of cells to one for each cell."""
    kinds = [frame.kinds[level] for frame, level in zip(design.frames, table, strict=True)]
    many = [len(frame.modes[0].loads[level]) for frame, level in zip(design.frames, table, strict=True)]
    return by_kind.reshape(many)[np.ix_(*kinds)]
