"""Generalised least squares: the best linear unbiased estimates of all tables, and their exact variances.

With the leaves x, table t measured as A_t x plus independent noise of variance v_t in each cell, and
J = sum over t of A_t' A_t / v_t, the estimate of the leaves is J^-1 times the sum of A_t' y_t / v_t, and any linear
figure a'x has the variance a' J^-1 a (Gauss-Markov; for hierarchies of counts: Hay et al. 2010, "Boosting the accuracy
of differentially private histograms through consistency"). Variances need no data: they are known before anything is
measured. J is factored in the invariant subspaces of ``privacy.families.modes``, block by block, as L L' (Cholesky),
and J^-1 applied as two triangular matrices, which loses fewer digits than J^-1 itself would.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import Self

import numpy as np
from scipy.linalg import solve_triangular

from privacy.families.axes import Axis, Floats, Level, Table, check_family, expand, roll_up_floats, shape_of
from privacy.families.modes import Frame, Mode, kronecker, plain_frame, symmetric_frame


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """What is measured and how precisely.

    Attributes:
        axes: The axes of the family.
        tables: Its tables, that of all leaves among them.
        precisions: One over the variance of each table's noise, with as many array axes as the family: of length 1,
            except along an axis where the noise differs from cell to cell.
        frames: The axes in their invariant subspaces.
        whiteners: The inverse of the lower Cholesky factor of each block of J, by the number of the mode on each axis.
    """

    axes: tuple[Axis, ...]
    tables: tuple[Table, ...]
    precisions: tuple[Floats, ...]
    frames: tuple[Frame, ...]
    whiteners: Mapping[tuple[int, ...], Floats]

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
        if sum(uneven) > 1:
            raise ValueError("the noise of a family's tables differs along one axis at most")
        frames = tuple(
            plain_frame(axis) if differs else symmetric_frame(axis) for axis, differs in zip(axes, uneven, strict=True)
        )
        return cls(tuple(axes), tuple(tables), precisions, frames, _whiteners(frames, tables, precisions))

    @property
    def of_leaves(self) -> int:
        """Which table is that of all leaves."""
        return self.tables.index(tuple(Level.LEAF for _ in self.axes))

    def solved(self, leaves: Floats) -> Floats:
        """J^-1 times an array of leaves."""
        return self._solved(leaves, ())

    @property
    def diagonal(self) -> Floats:
        """The diagonal of J: the precisions of all that a leaf is measured in, as many array axes as the family."""
        total = np.zeros((1,) * len(self.axes))
        for table, precision in zip(self.tables, self.precisions, strict=True):
            here = precision
            for along, (axis, level) in enumerate(zip(self.axes, table, strict=True)):
                here = axis.spread(here, along, level) if precision.shape[along] > 1 else here
            total = np.asarray(total + here)
        return total

    def with_firmer_leaves(self, firmness: Floats) -> Self:
        """The same design, the leaf table measured more precisely by ``firmness``, in the shape of ``diagonal``."""
        precisions = tuple(
            np.asarray(each + firmness) if number == self.of_leaves else each
            for number, each in enumerate(self.precisions)
        )
        whiteners = _whiteners(self.frames, self.tables, precisions)
        return type(self)(self.axes, self.tables, precisions, self.frames, whiteners)

    def _solved(self, array: Floats, chosen: tuple[int, ...]) -> Floats:
        """From the first axis on that no mode is chosen for yet."""
        along = len(chosen)
        if along == len(self.axes):
            spans = [frame.modes[number].spans for frame, number in zip(self.frames, chosen, strict=True)]
            return _block_solved(self.whiteners[chosen], array, spans)
        parts = (
            mode.synthesise(self._solved(mode.analyse(array, along), (*chosen, number)), along)
            for number, mode in enumerate(self.frames[along].modes)
        )
        return np.asarray(reduce(np.add, parts))


def leaf_estimates(design: Design, noisy: Sequence[Floats]) -> Floats:
    """The estimates of all leaves, one array axis for each axis; every other table's are their sums.

    The measured leaves are corrected by what the differences to the other tables say: so figures that agree already
    come back as they are, and rounding is relative to the noise, not to the figures.

    Args:
        design: What was measured.
        noisy: The measured tables, in the shape of each.
    """
    leaves = noisy[design.of_leaves]
    pulls = np.zeros(leaves.shape)
    for table, cells, precision in zip(design.tables, noisy, design.precisions, strict=True):
        difference = cells - roll_up_floats(design.axes, table, leaves)
        pulls += expand(design.axes, table, precision * difference)
    return np.asarray(leaves + design.solved(pulls))


def cell_variances(design: Design) -> list[Floats]:
    """The variance of the estimate of every cell of every table, in the shape of each; no data are needed."""
    by_kind: list[Floats] = [np.zeros(1) for _ in design.tables]
    for chosen, whitener in design.whiteners.items():
        modes = [frame.modes[number] for frame, number in zip(design.frames, chosen, strict=True)]
        for number, table in enumerate(design.tables):
            loads = kronecker([mode.loads[level] for mode, level in zip(modes, table, strict=True)])
            by_kind[number] = np.asarray(by_kind[number] + ((whitener @ loads.T) ** 2).sum(axis=0))
    return [_of_cells(design, table, flat) for table, flat in zip(design.tables, by_kind, strict=True)]


def _precision(sigma: float | Floats, shape: tuple[int, ...]) -> Floats:
    given = np.asarray(sigma, dtype=np.float64)
    if not np.isfinite(given).all() or (given <= 0).any():
        raise ValueError("the standard deviation of a table's noise is a positive number")
    if given.ndim == 0:
        given = given.reshape((1,) * len(shape))
    if given.ndim != len(shape) or any(own not in (1, cells) for own, cells in zip(given.shape, shape, strict=True)):
        raise ValueError("a table's noise is one number, or has as many array axes as the family")
    return np.asarray(1 / given**2)


def _whiteners(
    frames: Sequence[Frame], tables: Sequence[Table], precisions: Sequence[Floats]
) -> dict[tuple[int, ...], Floats]:
    """The inverse Cholesky factor of J's block in every product of modes."""
    whiteners = {}
    for chosen in product(*(range(len(frame.modes)) for frame in frames)):
        modes = [frame.modes[number] for frame, number in zip(frames, chosen, strict=True)]
        blocks = [_measured(modes, table, precision) for table, precision in zip(tables, precisions, strict=True)]
        factor = np.linalg.cholesky(np.sum(blocks, axis=0))
        whiteners[chosen] = np.asarray(solve_triangular(factor, np.eye(len(factor)), lower=True))
    return whiteners


def _measured(modes: Sequence[Mode], table: Table, precision: Floats) -> Floats:
    """What one table adds to a block of J."""
    if precision.size == 1:
        return kronecker([mode.grams[level] for mode, level in zip(modes, table, strict=True)]) * precision.item()
    return kronecker(
        [
            mode.weighted_gram(level, precision.ravel()) if precision.shape[along] > 1 else mode.grams[level]
            for along, (mode, level) in enumerate(zip(modes, table, strict=True))
        ]
    )


def _block_solved(whitener: Floats, array: Floats, spans: Sequence[bool]) -> Floats:
    """The block's inverse times the coordinates; along axes that it does not span it acts on every entry alike."""
    inside = [along for along, spanned in enumerate(spans) if spanned]
    front = list(range(len(inside)))
    moved = np.moveaxis(array, inside, front)
    solved = whitener.T @ (whitener @ moved.reshape(len(whitener), -1))
    return np.moveaxis(solved.reshape(moved.shape), front, inside)


def _of_cells(design: Design, table: Table, by_kind: Floats) -> Floats:
    """From one variance for each combination of kinds of cells to one for each cell."""
    kinds = [frame.kinds[level] for frame, level in zip(design.frames, table, strict=True)]
    many = [len(frame.modes[0].loads[level]) for frame, level in zip(design.frames, table, strict=True)]
    return np.asarray(by_kind.reshape(many)[np.ix_(*kinds)])
