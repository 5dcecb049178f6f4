"""Exact generalised least squares on a tree: the best unbiased figure of every node from noisy figures of all of them.

Every level was released with independent noise of known variance, so a province has its own figure, the sum of its
stations and its share of the region. One pass up combines each node's own figure with the sum of its children by
inverse variance; one pass down hands what a parent knows better to its children in proportion to their variances. The
result equals the dense estimator (S'V^-1 S)^-1 S'V^-1 y for independent noise and adds up exactly; it takes one
operation for each node. Hay et al., Boosting the Accuracy of Differentially Private Histograms Through Consistency,
2010, for equal variances and equal numbers of children; here both may differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.panel import Floats, Ints


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Figures that add up, and how well each is known.

    Attributes:
        estimates: For each level series x months. A figure that nothing determines is NaN.
        variances: For each level the exact variance of each estimate: series x months. Infinite where nothing is known.
    """

    estimates: tuple[Floats, ...]
    variances: tuple[Floats, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of the nodes of one level from below: figures, and their variances (infinite: nothing)."""

    figure: Floats
    variance: Floats


def tree_gls(noisy: Sequence[Floats], variances: Sequence[float | Floats], parents: Sequence[Ints]) -> Reconciled:
    """Estimate every node of a tree, or of several beside each other.

    Args:
        noisy: For each level, the coarsest first, series x months; NaN for a figure that is missing.
        variances: For each level the variance of the noise in each figure: one number, series x 1 or series x months.
            Zero for exact counts, infinite for a figure that says nothing.
        parents: For each level but the first, the row of the level above that each series is part of. A series that
            no series of the level below names has no children.

    Returns:
        Estimates of least variance among the unbiased ones. Exact figures are kept; two exact figures that contradict
        each other are averaged on the way up.

    Raises:
        ValueError: The levels do not fit each other, or a variance is negative.
    """
    measured = _measured(noisy, variances, parents)
    known = [measured[-1]]
    for own, parent in zip(reversed(measured[:-1]), reversed(parents), strict=True):
        known.insert(0, _combined(own, _summed(known[0], parent, len(own.figure))))
    final = [known[0]]
    for below, parent in zip(known[1:], parents, strict=True):
        final.append(_adjusted(below, parent, final[-1]))
    return Reconciled(
        tuple(np.where(np.isfinite(each.variance), each.figure, np.nan) for each in final),
        tuple(each.variance for each in final),
    )


def _measured(noisy: Sequence[Floats], variances: Sequence[float | Floats], parents: Sequence[Ints]) -> list[_Known]:
    if not noisy or len(variances) != len(noisy) or len(parents) != len(noisy) - 1:
        raise ValueError("each level has figures and variances, and each but the first parents")
    for above, below, parent in zip(noisy, noisy[1:], parents, strict=False):
        if parent.shape != (len(below),) or (len(parent) > 0 and not 0 <= parent.min() <= parent.max() < len(above)):
            raise ValueError("every series is part of one series of the level above")
    found = []
    for figures, variance in zip(noisy, variances, strict=True):
        spread = np.array(np.broadcast_to(np.asarray(variance, dtype=np.float64), figures.shape))
        if bool((spread < 0).any()) or bool(np.isnan(spread).any()):
            raise ValueError("a variance is a number of zero or more")
        missing = ~np.isfinite(figures) | np.isinf(spread)
        found.append(_Known(np.where(missing, 0.0, figures), np.where(missing, np.inf, spread)))
    return found


@dataclass(frozen=True, slots=True)
class _Children:
    """The children of each node of a level together; ``unknown`` counts those of which nothing is known."""

    figure: Floats
    variance: Floats
    unknown: Floats
    number: Floats


def _summed(below: _Known, parent: Ints, nodes: int) -> _Children:
    def total(values: Floats) -> Floats:
        found = np.zeros((nodes, values.shape[1]))
        np.add.at(found, parent, values)
        return found

    unknown = np.isinf(below.variance)
    return _Children(
        figure=total(below.figure),
        variance=total(np.where(unknown, 0.0, below.variance)),
        unknown=total(unknown.astype(np.float64)),
        number=np.broadcast_to(
            np.bincount(parent, minlength=nodes).astype(np.float64)[:, None], (nodes, below.figure.shape[1])
        ),
    )


def _combined(own: _Known, children: _Children) -> _Known:
    """A node's own figure and the sum of its children, by inverse variance."""
    complete = (children.unknown == 0) & (children.number > 0)
    summed = np.where(complete, children.variance, np.inf)
    both = np.isfinite(own.variance) & complete
    together = np.where(both, own.variance + summed, 1.0)
    # Two exact figures say the same, or none can be preferred.
    weight = np.where(together > 0, np.where(both, summed, 0.0) / np.where(together > 0, together, 1.0), 0.5)
    weight = np.where(both, weight, np.isfinite(own.variance).astype(np.float64))
    figure = weight * own.figure + (1.0 - weight) * np.where(complete, children.figure, 0.0)
    variance = np.where(both, weight * np.where(both, own.variance, 0.0), np.minimum(own.variance, summed))
    return _Known(figure, variance)


def _adjusted(below: _Known, parent: Ints, above: _Known) -> _Known:
    """Children given what their parents know: the difference is shared out in proportion to the variances.

    A child of which nothing is known gets the whole difference if it is the only one; of two or more, nothing can be
    said of either.
    """
    siblings = _summed(below, parent, len(above.figure))
    unknown = np.isinf(below.variance)
    told = np.isfinite(above.variance)[parent]
    lost, total = siblings.unknown[parent], siblings.variance[parent]
    alone = unknown & (lost == 1) & told
    proportional = ~unknown & (lost == 0) & told
    finite = np.where(unknown, 0.0, below.variance)
    equal = 1.0 / siblings.number[parent]
    share = np.where(total > 0, finite / np.where(total > 0, total, 1.0), equal)
    share = np.where(proportional, share, np.where(alone, 1.0, 0.0))
    gap = np.where(told, above.figure[parent] - siblings.figure[parent], 0.0)
    parent_variance = np.where(told, np.where(np.isfinite(above.variance), above.variance, 0.0)[parent], 0.0)
    own = np.where(proportional, finite * (1.0 - share), np.where(alone, total, finite))
    variance = np.where(unknown & ~alone, np.inf, own + share**2 * parent_variance)
    return _Known(below.figure + share * gap, variance)
