"""Forecasts that add up: MinT-shrink by hierarchicalforecast, or least squares on the tree where there are too many.

MinT-shrink weighs the base forecasts of all nodes by the covariance of what they got wrong, shrunk towards its
diagonal; it needs a dense matrix of nodes x nodes. Beyond ``MOST_DENSE`` nodes a tree is reconciled with that diagonal
alone, by the two passes of ``forecasting.tree``: measured on windows that no goal is scored on (state set 2011-2013;
city set 2019), MASE state 0.7171 against 0.7170, areas 0.7470 against 0.7472, city districts 0.8438 against 0.8438. A
hierarchy that is no tree and has too many nodes is summed from its leaves, and says so.

The errors are those of the level filter, one month ahead, which stand for those of the mean of the models: with the
errors of the mean itself the same windows gave 0.7163, 0.7467 and 0.8437.
"""

from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module

import numpy as np

from forecasting.hierarchy import Hierarchy
from forecasting.panel import Bools, Floats
from forecasting.tree import tree_gls

MOST_DENSE = 3_000
"""Nodes up to which MinT-shrink is made."""

FEWEST_ERRORS = 12
_SMALLEST_VARIANCE = 1e-2

MOSTLY = 0.9
"""Share of nodes that were never wrong from which on nothing can be learnt of how errors go together."""

_LONGEST_ERRORS = 84


class Method(StrEnum):
    """How forecasts were made to add up."""

    MINT_SHRINK = "mint-shrink"
    TREE_WLS = "tree-wls"
    BOTTOM_UP = "bottom-up"
    NOTHING = "nothing-to-reconcile"


@dataclass(frozen=True, slots=True)
class Coherent:
    """Forecasts that add up, none below zero, each level series x horizon; and how they were made to."""

    mean: tuple[Floats, ...]
    method: Method


def reconciled(
    hierarchy: Hierarchy, base: tuple[Floats, ...], errors: tuple[Floats, ...], *, quick: bool = False
) -> Coherent:
    """Make forecasts of all levels add up.

    Args:
        hierarchy: What adds up to what.
        base: The forecast of each node alone: each level series x horizon.
        errors: What the forecast of each node one month ahead got wrong in the past, series x months; NaN if unknown.
        quick: Take the two passes wherever the hierarchy is a tree, however small.

    Returns:
        Forecasts of which none is below zero and which add up exactly.
    """
    method = _method(hierarchy, errors, quick=quick)
    leaves = base[-1]
    if method is Method.MINT_SHRINK:
        leaves = _mint(hierarchy, np.vstack(base), np.vstack(errors))
    if method is Method.TREE_WLS and hierarchy.parents is not None:
        leaves = tree_gls(base, _variances(errors), hierarchy.parents).estimates[-1]
    return Coherent(_not_negative(hierarchy, hierarchy.sums(leaves)), method)


def _not_negative(hierarchy: Hierarchy, mean: tuple[Floats, ...]) -> tuple[Floats, ...]:
    """Forecasts that add up, none below zero.

    In a tree each node's children are cut at zero and the others scaled to what the node has, from the top down: cut
    alone, the many small leaves would lift every level above them. Without a tree they are cut.
    """
    if hierarchy.parents is None:
        return hierarchy.sums(np.maximum(mean[-1], 0.0))
    above = np.maximum(mean[0], 0.0)
    for parent, below in zip(hierarchy.parents, mean[1:], strict=True):
        cut = np.maximum(below, 0.0)
        total = np.zeros_like(above)
        np.add.at(total, parent, cut)
        number = np.bincount(parent, minlength=len(above)).astype(np.float64)[:, None]
        share = np.where(total[parent] > 0, cut / np.where(total > 0, total, 1.0)[parent], 1.0 / number[parent])
        above = share * above[parent]
    return hierarchy.sums(above)


def _method(hierarchy: Hierarchy, errors: tuple[Floats, ...], *, quick: bool) -> Method:
    if len(hierarchy.levels) == 1:
        return Method.NOTHING
    if quick and hierarchy.parents is not None:
        return Method.TREE_WLS
    wrong = np.vstack(errors)
    wrong = wrong[:, np.isfinite(wrong).all(axis=0)]
    enough = wrong.shape[1] >= FEWEST_ERRORS and float(_still(wrong).mean()) < MOSTLY
    if enough and hierarchy.nodes <= MOST_DENSE:
        return Method.MINT_SHRINK
    return Method.BOTTOM_UP if hierarchy.parents is None else Method.TREE_WLS


def _mint(hierarchy: Hierarchy, base: Floats, errors: Floats) -> Floats:
    """The reconciled leaves."""
    known = np.flatnonzero(np.isfinite(errors).all(axis=0))[-_LONGEST_ERRORS:]
    wrong = errors[:, known]
    # A node that was never wrong would weigh infinitely much.
    still = _still(wrong)
    wrong[still] += np.sqrt(_SMALLEST_VARIANCE) * np.where(np.arange(wrong.shape[1]) % 2, 1.0, -1.0)
    # Loaded here because the package takes seconds to load.
    mint = import_module("hierarchicalforecast.methods").MinTrace("mint_shrink")
    found = mint.fit_predict(S=summing(hierarchy), y_hat=base, y_insample=wrong, y_hat_insample=np.zeros_like(wrong))
    return np.asarray(found["mean"], dtype=np.float64)[-hierarchy.leaves :]


def _still(wrong: Floats) -> Bools:
    """Which nodes were never wrong."""
    return np.asarray(wrong.std(axis=1) < np.sqrt(_SMALLEST_VARIANCE))


def summing(hierarchy: Hierarchy) -> Floats:
    """The summing matrix: nodes x leaves, 1 where a leaf is part of a node."""
    found = np.zeros((hierarchy.nodes, hierarchy.leaves))
    first = 0
    for panel, of_leaf in zip(hierarchy.levels, hierarchy.of_leaf, strict=True):
        found[first + of_leaf, np.arange(hierarchy.leaves)] = 1.0
        first += len(panel.counts)
    return found


def _variances(errors: tuple[Floats, ...]) -> list[Floats]:
    found = []
    for each in errors:
        known = np.isfinite(each)
        number = np.maximum(known.sum(axis=1, keepdims=True), 1)
        square = np.where(known, each, 0.0) ** 2
        found.append(np.maximum(square.sum(axis=1, keepdims=True) / number, _SMALLEST_VARIANCE))
    return found
