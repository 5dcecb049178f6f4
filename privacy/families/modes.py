"""Where least squares falls apart into small pieces: the common invariant subspaces of an axis.

Adding up and spreading out again acts on the leaves of an axis as a matrix A'A, one for each level: the identity for
leaves, the blocks of ones of the groups, and a full block of ones for all. With N leaves in K groups, n_g of them in
group g, and m_c groups of the c-th of D distinct sizes, leaf space is the orthogonal sum of

* within: what adds up to zero inside every group, dimension N - K. There the matrices are 1, 0 and 0.
* between, for each size: constant inside groups of that size, adding up to zero over them, dimension m_c - 1. There
  they are 1, n_c and 0.
* sizes: what is the same in all leaves of groups of one size, dimension D. In the orthonormal basis of the unit
  vectors of each size they are the identity, diag(n_c) and r r' with r_c = sqrt(n_c m_c).

So the matrix of a whole family, a sum of Kronecker products over the axes, is block diagonal, and the blocks are no
larger than the product of the axes' D: 5 for 77 provinces in 10 police commands. As D distinct sizes take D (D + 1) / 2
leaves, D < sqrt(2 N): a family of three axes and 300,000 leaves has no block above 1,550, however uneven its groups.

The split is the residual planner's (Xiao et al. 2023, "An Optimal and Scalable Matrix Mechanism for Noisy Marginals
under Convex Loss Functions", arXiv 2305.08175) refined until it is invariant for groups of different size as well.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce

import numpy as np

from privacy.families.axes import Axis, Floats, Ints, Level

Map = Callable[[Floats, int], Floats]
"""An array and the number of one of its axes; that axis comes back in other coordinates."""


@dataclass(frozen=True, slots=True, eq=False)
class Mode:
    """One invariant subspace of an axis.

    Attributes:
        copies: Its dimension over that of ``grams``: how many times the same block occurs.
        spans: True if ``analyse`` gives the coordinates that ``grams`` are written in; False if the block is a single
            number and ``analyse`` gives an array of any length on which it acts.
        analyse: From leaves to coordinates.
        synthesise: From coordinates to leaves; its composition with ``analyse`` is the orthogonal projection.
        grams: The matrix A'A of each level, in coordinates.
        loads: The coordinates of the cells of each level, one row for each kind of cell (see ``Frame``). For a
            subspace of several copies: the length of the projection.
    """

    copies: int
    spans: bool
    analyse: Map
    synthesise: Map
    grams: Mapping[Level, Floats]
    loads: Mapping[Level, Floats]

    def weighted_gram(self, level: Level, precisions: Floats) -> Floats:
        """A' diag(precisions) A: only where every cell is its own kind."""
        return np.asarray((self.loads[level].T * precisions) @ self.loads[level])


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """An axis in its invariant subspaces; ``kinds`` has the kind of each cell: cells of one kind have one variance."""

    modes: tuple[Mode, ...]
    kinds: Mapping[Level, Ints]


def symmetric_frame(axis: Axis) -> Frame:
    """The frame of an axis whose cells all have the same noise."""
    sizes = axis.sizes
    distinct, kind, many = np.unique(sizes, return_inverse=True, return_counts=True)
    modes = [_sizes_mode(axis, distinct, kind, many)]
    modes += [_between_mode(axis, number, distinct, many, kind) for number in range(len(distinct)) if many[number] > 1]
    if sizes.max() > 1:
        modes.append(_within_mode(axis, distinct))
    kinds = {Level.ALL: np.zeros(1, dtype=np.int64), Level.GROUP: kind, Level.LEAF: kind[axis.group_of_leaf]}
    return Frame(tuple(modes), kinds)


def plain_frame(axis: Axis) -> Frame:
    """The frame of an axis along which the noise differs: one block, as large as the axis."""
    one = np.eye(axis.cells(Level.LEAF))
    loads = {level: np.asarray(axis.summed(one, 0, level), dtype=np.float64) for level in Level}
    grams = {level: np.asarray(load.T @ load) for level, load in loads.items()}
    kinds = {level: np.arange(axis.cells(level), dtype=np.int64) for level in Level}
    mode = Mode(copies=1, spans=True, analyse=_same, synthesise=_same, grams=grams, loads=loads)
    return Frame((mode,), kinds)


def kronecker(factors: Sequence[Floats]) -> Floats:
    """The Kronecker product of matrices, in their order."""
    return reduce(_kronecker_of_two, factors)


def _kronecker_of_two(one: Floats, other: Floats) -> Floats:
    rows, columns = one.shape[0] * other.shape[0], one.shape[1] * other.shape[1]
    return np.asarray((one[:, None, :, None] * other[None, :, None, :]).reshape(rows, columns))


def _sizes_mode(axis: Axis, distinct: Ints, kind: Ints, many: Ints) -> Mode:
    basis = np.zeros((len(kind), len(distinct)))
    basis[np.arange(len(kind)), kind] = 1 / np.sqrt(many[kind])
    root = np.sqrt(distinct * many)
    return Mode(
        copies=1,
        spans=True,
        analyse=lambda leaves, along: _apply(basis.T, _group_means(axis, leaves, along), along),
        synthesise=lambda sizes, along: _back(axis, _apply(basis, sizes, along), along),
        grams={
            Level.ALL: np.outer(root, root),
            Level.GROUP: np.diag(distinct.astype(np.float64)),
            Level.LEAF: np.eye(len(distinct)),
        },
        loads={
            Level.ALL: root[None, :],
            Level.GROUP: np.diag(np.sqrt(distinct / many)),
            Level.LEAF: np.diag(1 / root),
        },
    )


def _between_mode(axis: Axis, number: int, distinct: Ints, many: Ints, kind: Ints) -> Mode:
    size, share = float(distinct[number]), 1 - 1 / float(many[number])
    here = np.zeros((len(distinct), 1))
    here[number] = 1
    return Mode(
        copies=int(many[number]) - 1,
        spans=False,
        analyse=partial(_contrasts, axis, np.flatnonzero(kind == number)),
        synthesise=partial(_from_contrasts, axis, np.flatnonzero(kind == number)),
        grams=_numbers(0.0, size, 1.0),
        loads={
            Level.ALL: np.zeros((1, 1)),
            Level.GROUP: here * np.sqrt(size * share),
            Level.LEAF: here * np.sqrt(share / size),
        },
    )


def _within_mode(axis: Axis, distinct: Ints) -> Mode:
    return Mode(
        copies=axis.cells(Level.LEAF) - axis.cells(Level.GROUP),
        spans=False,
        analyse=lambda leaves, along: leaves - _back(axis, _group_means(axis, leaves, along), along),
        synthesise=_same,
        grams=_numbers(0.0, 0.0, 1.0),
        loads={
            Level.ALL: np.zeros((1, 1)),
            Level.GROUP: np.zeros((len(distinct), 1)),
            Level.LEAF: np.sqrt(1 - 1 / distinct)[:, None],
        },
    )


def _numbers(of_all: float, of_group: float, of_leaf: float) -> dict[Level, Floats]:
    numbers = {Level.ALL: of_all, Level.GROUP: of_group, Level.LEAF: of_leaf}
    return {level: np.full((1, 1), number) for level, number in numbers.items()}


def _same(array: Floats, _along: int) -> Floats:
    return array


def _apply(matrix: Floats, array: Floats, along: int) -> Floats:
    """The matrix times the array along one of its axes."""
    return np.moveaxis(np.tensordot(matrix, array, axes=(1, along)), 0, along)


def _scale(axis: Axis, ndim: int, along: int) -> Floats:
    """The square roots of the sizes of the groups, to divide an array of ``ndim`` axes by."""
    return np.asarray(np.sqrt(axis.sizes).reshape([-1 if each == along else 1 for each in range(ndim)]))


def _group_means(axis: Axis, leaves: Floats, along: int) -> Floats:
    """Coordinates in the groups' unit vectors: sums over the square root of the size."""
    sums = axis.summed(leaves, along, Level.GROUP)
    return np.asarray(sums / _scale(axis, leaves.ndim, along))


def _back(axis: Axis, groups: Floats, along: int) -> Floats:
    """The transpose of ``_group_means``."""
    return axis.spread(groups / _scale(axis, groups.ndim, along), along, Level.GROUP)


def _contrasts(axis: Axis, members: Ints, leaves: Floats, along: int) -> Floats:
    groups = np.take(_group_means(axis, leaves, along), members, axis=along)
    return np.asarray(groups - groups.mean(axis=along, keepdims=True))


def _from_contrasts(axis: Axis, members: Ints, contrasts: Floats, along: int) -> Floats:
    shape = list(contrasts.shape)
    shape[along] = len(axis.sizes)
    groups = np.zeros(shape)
    groups[(slice(None),) * along + (members,)] = contrasts
    return _back(axis, groups, along)
