"""How a family's budget is shared among its tables, and the closed form that says how good any sharing could be.

Precision is bought: a table whose cells a person moves by l2 in all costs rho = l2^2 / (2 sigma^2). In units of the
whole budget its share is s, its precision s / l2^2 times a constant. The sum of mean variances of the estimates is
convex in the shares, so the best shares are found to a stated gap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Self

import numpy as np

from privacy.families.axes import Axis, Floats, Level, Table, cells_of, check_family
from privacy.families.modes import kronecker, symmetric_frame

LEAF_IMPORTANCE = 9.75
"""How much the mean variance of the leaf table counts beside another's: the root mean variance of all stays within
3.5 % of the best there is, and the leaf table's error at half of naive equal splitting."""

LARGEST_GAP = 1e-4
MOST_ROUNDS = 4000
SMALLEST_SHARE = 1e-6
"""Of a table that is not worth measuring; as a whole weight it becomes 1."""

WEIGHTS_IN_ALL = 1000


@dataclass(frozen=True, slots=True, eq=False)
class _Blocks:
    """The blocks of one size of all tables' matrices: ``grams[b, t]`` occurs ``copies[b]`` times in table t's A'A."""

    copies: Floats
    grams: Floats

    def whitened(self, precisions: Floats) -> Floats:
        """Each table's blocks between L^-1 and its transpose, where L L' is the block of all that is measured."""
        factors = np.linalg.cholesky(np.tensordot(self.grams, precisions, axes=(1, 0)))[:, None]
        halves = np.linalg.solve(factors, self.grams)
        return np.asarray(np.linalg.solve(factors, halves.swapaxes(-1, -2)))


@dataclass(frozen=True, slots=True, eq=False)
class Criterion:
    """The mean variance of the estimates of each table, as a function of the tables' precisions."""

    cells: Floats
    blocks: tuple[_Blocks, ...]

    @classmethod
    def of(cls, axes: Sequence[Axis], tables: Sequence[Table]) -> Self:
        """The criterion of a family.

        Raises:
            ValueError: The tables do not fit the axes.
        """
        check_family(axes, tables)
        by_size: dict[int, list[tuple[int, Floats]]] = {}
        for modes in product(*(symmetric_frame(axis).modes for axis in axes)):
            factors = [[mode.grams[level] for mode, level in zip(modes, table, strict=True)] for table in tables]
            grams = np.stack([kronecker(each) for each in factors])
            by_size.setdefault(grams.shape[1], []).append((prod(mode.copies for mode in modes), grams))
        blocks = tuple(
            _Blocks(np.array([float(copies) for copies, _ in each]), np.stack([grams for _, grams in each]))
            for each in by_size.values()
        )
        return cls(np.array([float(cells_of(axes, table)) for table in tables]), blocks)

    def mean_variances(self, precisions: Floats) -> Floats:
        """The mean over the cells of the variance of the estimate, one for each table.

        Args:
            precisions: One over the variance of each table's noise.
        """
        traces = [np.einsum("b,btii->t", each.copies, each.whitened(precisions)) for each in self.blocks]
        return np.asarray(np.sum(traces, axis=0) / self.cells)

    def gains(self, precisions: Floats, importance: Floats) -> Floats:
        """How fast the sum of the mean variances, each times its importance, falls in each table's precision."""
        worth, gains = importance / self.cells, np.zeros(len(self.cells))
        for each in self.blocks:
            whitened = each.whitened(precisions)
            wanted = np.tensordot(whitened, worth, axes=(1, 0))
            gains += np.einsum("b,btij,bij->t", each.copies, whitened, wanted)
        return gains


def default_importance(tables: Sequence[Table]) -> tuple[float, ...]:
    """One for each table, and ``LEAF_IMPORTANCE`` for the table of all leaves."""
    return tuple(LEAF_IMPORTANCE if set(table) == {Level.LEAF} else 1.0 for table in tables)


def optimal_shares(
    axes: Sequence[Axis],
    tables: Sequence[Table],
    importance: Sequence[float] | None = None,
    l2: Sequence[float] | None = None,
) -> tuple[float, ...]:
    """The shares of the budget under which the sum of mean variances, each times its importance, is smallest.

    The multiplicative algorithm for A-optimal designs (Yu 2010, "Monotonic convergence of a general algorithm for
    computing optimal designs", Annals of Statistics 38): a share grows with the root of what it gains. The sum is
    convex, and gains weighted by the shares add up to it, so the largest gain bounds how far it is from the smallest
    possible; the rounds end when that is ``LARGEST_GAP`` of it.

    Args:
        axes: The axes of the family.
        tables: Its tables, that of all leaves among them.
        importance: How much the mean variance of each counts; ``default_importance`` unless told.
        l2: How far one person moves each table, Euclidean, in any one unit; alike unless told.

    Returns:
        Shares that add up to 1, in the order of the tables.

    Raises:
        ValueError: The tables do not fit the axes, or an importance or distance is not a positive number.
    """
    criterion = Criterion.of(axes, tables)
    counted = _positive(default_importance(tables) if importance is None else importance, len(tables))
    per_share = 1 / _positive([1.0] * len(tables) if l2 is None else l2, len(tables)) ** 2
    shares = np.full(len(tables), 1 / len(tables))
    for _ in range(MOST_ROUNDS):
        gains = criterion.gains(shares * per_share, counted) * per_share
        if gains.max() <= (shares @ gains) * (1 + LARGEST_GAP):
            break
        shares = np.maximum(shares * np.sqrt(gains), SMALLEST_SHARE)
        shares /= shares.sum()
    return tuple(float(share) for share in shares)


def _positive(numbers: Sequence[float], tables: int) -> Floats:
    given = np.asarray(numbers, dtype=np.float64)
    if given.shape != (tables,) or not np.isfinite(given).all() or (given <= 0).any():
        raise ValueError("every table has one positive number")
    return given


def integer_weights(shares: Sequence[float]) -> tuple[int, ...]:
    """Shares as whole numbers from 1 to 1000: their thousandths by largest remainder, and 1 for what would be less.

    Raises:
        ValueError: Shares that are not positive numbers.
    """
    exact = _positive(shares, len(shares))
    exact = WEIGHTS_IN_ALL * exact / exact.sum()
    whole = np.floor(exact).astype(np.int64)
    missing = WEIGHTS_IN_ALL - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:missing]] += 1
    return tuple(int(each) for each in np.maximum(whole, 1))


def naive_variances(tables: Sequence[Table]) -> Floats:
    """Each table measured alone with an equal share, as if there were no others; L2 = 1, budget 1/2."""
    return np.full(len(tables), float(len(tables)))


def mean_variances(axes: Sequence[Axis], tables: Sequence[Table], shares: Sequence[float]) -> Floats:
    """The mean variance of each table's estimate for a person who moves every table by 1, and a rho of 1/2.

    So the root is in units of L2 / sqrt(2 rho).
    """
    return Criterion.of(axes, tables).mean_variances(np.asarray(shares, dtype=np.float64))


def oracle_variances(axes: Sequence[Axis], tables: Sequence[Table]) -> Floats:
    """The residual planner's closed form: the mean variance of each table when their sum is smallest, same units.

    Residual j, a choice of all, group or leaf on each axis, is what its cells say beyond the coarser ones. If it is
    measured to precision p_j, the sum of mean variances is the sum of c_j / p_j with c_j = sum over tables of
    tr(A P_j A') / cells, and the cost the sum of p_j dim_j / N; so p_j is proportional to sqrt(c_j N / dim_j). Source:
    Xiao et al. 2023, arXiv 2305.08175. On trees with groups of one size no Gaussian noise is better. On uneven trees it
    is a yardstick, not a limit: the cost is the average leaf's, not the dearest one's, and groups of different size are
    measured alike, so that tables can do better. ``least_variance`` is the limit.
    """
    check_family(axes, tables)
    residuals = list(product(Level, repeat=len(axes)))
    each_axis = [_residual_traces(axis) for axis in axes]
    traces = np.array(
        [
            [
                prod(of[level, part] for of, level, part in zip(each_axis, table, residual, strict=True))
                for residual in residuals
            ]
            for table in tables
        ]
    )
    dimensions = traces[tables.index(tuple(Level.LEAF for _ in axes))]
    traces, dimensions = traces[:, dimensions > 0], dimensions[dimensions > 0]
    per_cell = traces / np.array([[cells_of(axes, table)] for table in tables])
    price = dimensions / dimensions.sum()
    precisions = np.sqrt(per_cell.sum(axis=0) / price)
    precisions /= precisions @ price
    return np.asarray((per_cell / precisions).sum(axis=1))


def least_variance(axes: Sequence[Axis], tables: Sequence[Table]) -> float:
    """What no Gaussian noise of that price can be below: the mean over the tables of the mean variance, same units.

    The singular value bound of Li, Miklau 2013, "Optimal error of query sets under the differentially-private matrix
    mechanism": with W = sum of A'A / cells, the sum of mean variances is at least (tr sqrt W)^2 / N.
    """
    criterion = Criterion.of(axes, tables)
    root = 0.0
    for each in criterion.blocks:
        wanted = np.tensordot(each.grams, 1 / criterion.cells, axes=(1, 0))
        roots = np.sqrt(np.maximum(np.linalg.eigvalsh(wanted), 0))
        root += float(each.copies @ roots.sum(axis=1))
    return root**2 / float(criterion.cells.max()) / len(tables)


def _residual_traces(axis: Axis) -> Mapping[tuple[Level, Level], float]:
    """tr(A P A') by the level of the table and of the residual."""
    leaves, groups = float(axis.cells(Level.LEAF)), float(axis.cells(Level.GROUP))
    overlap = float((axis.sizes**2).sum()) / leaves
    traces = dict.fromkeys(product(Level, Level), 0.0)
    traces[Level.ALL, Level.ALL] = leaves
    traces[Level.GROUP, Level.ALL] = overlap
    traces[Level.GROUP, Level.GROUP] = leaves - overlap
    traces[Level.LEAF, Level.ALL] = 1.0
    traces[Level.LEAF, Level.GROUP] = groups - 1
    traces[Level.LEAF, Level.LEAF] = leaves - groups
    return traces
