"""Whole numbers that are not negative and add up, close to the estimates.

Top down: the whole is rounded; then one axis after another is refined, from all to groups to leaves, and each number
is split among its parts. A split is the Euclidean projection of the parts' estimates onto {x >= 0, sum = the number}
(Held, Wolfe, Crowder 1974; Duchi et al. 2008, "Efficient projections onto the l1-ball for learning in high
dimensions"), then largest remainders, ties to the first.

These numbers are biased upwards where little is counted; the unbiased estimates are kept beside them.
"""

from collections.abc import Sequence

import numpy as np

from privacy.families.axes import Axis, Floats, Ints, Level, Table, roll_up_floats

LARGEST_TOTAL = 2**52
"""The whole is no larger: up to there floats tell all whole numbers apart, and no sum of parts wraps."""


def whole_numbers(axes: Sequence[Axis], leaves: Floats, whole: float) -> Ints:
    """The leaves as whole numbers; every table of the family is their sums.

    Args:
        axes: The axes of the family.
        leaves: What the leaves should be near to, one array axis for each axis.
        whole: The estimate of all in one: the nearest whole number, or 0, is what the leaves add up to.

    Raises:
        ValueError: An estimate that is no finite number.
    """
    if not np.isfinite(leaves).all() or not np.isfinite(whole):
        raise ValueError("an estimate is not a finite number")
    at = [Level.ALL for _ in axes]
    numbers = np.full((1,) * len(axes), round(min(max(whole, 0), LARGEST_TOTAL)), dtype=np.int64)
    for along, level in refinements(axes):
        at[along] = level
        numbers = _refined(axes[along], along, level, numbers, roll_up_floats(axes, tuple(at), leaves))
    return numbers


def refinements(axes: Sequence[Axis]) -> tuple[tuple[int, Level], ...]:
    """The chain of tables from the whole to the leaves: which axis is refined next, and to what level.

    Axes of few leaves go first, so that numbers are split among few parts while they are large.
    """
    order = sorted(range(len(axes)), key=lambda along: axes[along].cells(Level.LEAF))
    steps: list[tuple[int, Level]] = []
    for along in order:
        levels = (Level.GROUP, Level.LEAF) if axes[along].grouped else (Level.LEAF,)
        steps += [(along, level) for level in levels]
    return tuple(steps)


def chain(axes: Sequence[Axis]) -> tuple[Table, ...]:
    """The tables of that chain, from the whole to the leaves."""
    at = [Level.ALL for _ in axes]
    tables = [tuple(at)]
    for along, level in refinements(axes):
        at[along] = level
        tables.append(tuple(at))
    return tuple(tables)


def _refined(axis: Axis, along: int, level: Level, numbers: Ints, estimates: Floats) -> Ints:
    """The numbers, one level coarser along one axis, split by the estimates."""
    wanted = np.moveaxis(estimates, along, -1)
    parents = np.moveaxis(numbers, along, -1)
    split = np.zeros(wanted.shape, dtype=np.int64)
    for parent, children in _families(axis, level):
        split[..., children] = _split(wanted[..., children], parents[..., parent])
    return np.moveaxis(split, -1, along)


def _families(axis: Axis, level: Level) -> list[tuple[Ints, Ints]]:
    """Parents with the same number of children: their numbers, and one row of children's numbers for each."""
    if level is Level.GROUP or not axis.grouped:
        return [(np.zeros(1, dtype=np.int64), np.arange(axis.cells(level), dtype=np.int64)[None, :])]
    in_groups = np.argsort(axis.group_of_leaf, kind="stable")
    starts = np.cumsum(axis.sizes) - axis.sizes
    families = []
    for size in np.unique(axis.sizes):
        parents = np.flatnonzero(axis.sizes == size)
        families.append((parents, in_groups[starts[parents][:, None] + np.arange(size)]))
    return families


def _split(estimates: Floats, totals: Ints) -> Ints:
    """Whole numbers near the estimates that are not negative and add up, along the last axis, to the totals."""
    exact = _onto_simplex(estimates, totals[..., None].astype(np.float64))
    whole = np.floor(exact).astype(np.int64)
    missing = totals - whole.sum(axis=-1)
    # Above about 2^50 floats are too coarse for the parts to add up to within one each: the largest part takes that.
    beyond = missing - np.clip(missing, 0, whole.shape[-1])
    largest = np.argmax(whole, axis=-1)[..., None]
    np.put_along_axis(whole, largest, np.take_along_axis(whole, largest, axis=-1) + beyond[..., None], axis=-1)
    order = np.argsort(np.floor(exact) - exact, axis=-1, kind="stable")
    ranks = np.argsort(order, axis=-1, kind="stable")
    return np.asarray(whole + (ranks < (missing - beyond)[..., None]), dtype=np.int64)


def _onto_simplex(estimates: Floats, totals: Floats) -> Floats:
    """The nearest point of {x >= 0, sum = total}, along the last axis."""
    # Only differences matter, and what is further below the largest than the total gets nothing: so no precision is
    # lost to estimates that are far larger than the total.
    below = np.maximum(estimates - estimates.max(axis=-1, keepdims=True), -totals)
    falling = -np.sort(-below, axis=-1)
    counts = np.arange(1, falling.shape[-1] + 1)
    excess = (np.cumsum(falling, axis=-1) - totals) / counts
    taken = np.maximum((falling > excess).sum(axis=-1, keepdims=True), 1)
    return np.asarray(np.maximum(below - np.take_along_axis(excess, taken - 1, axis=-1), 0.0))
