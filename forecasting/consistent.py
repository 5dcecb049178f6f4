"""Figures of all levels made to add up before anything is forecast, by what is known of the noise of each."""

import numpy as np
import pandas as pd

from contracts.errors import InvalidInput
from forecasting.hierarchy import Hierarchy
from forecasting.panel import Bools, Floats, Panel
from forecasting.reconcile import MOST_DENSE, summing
from forecasting.tree import tree_gls

ADDS_UP = 1e-6

FURTHEST = 7.0
"""Standard deviations of the noise between a figure and the sum of its leaves: beyond, they are not the same thing. By
chance one pair in 10^11 is.
"""

_EXACT = 1e-9


def consistent(hierarchy: Hierarchy) -> Hierarchy:
    """The hierarchy with its best unbiased figures, which add up, and the exact variance of each.

    Figures that add up already (exact counts, estimates of a family) are kept as they are. A tree takes two passes and
    may have any gap; another hierarchy of up to 3,000 nodes the dense estimator, month by month as they were told. A
    month that no level tells stays missing.

    Raises:
        InvalidInput: ``hierarchy-contradicts`` when a figure is further from the sum of its leaves than the noise
            explains (a region that changed its provinces), or when a hierarchy that is no tree is too large or
            lacks a figure of a month of which it has others.
    """
    told = np.any([np.isfinite(panel.figures).any(axis=0) for panel in hierarchy.levels], axis=0)
    if len(hierarchy.levels) == 1 or _check_sums(hierarchy, told):
        return hierarchy
    if hierarchy.parents is not None:
        figures = [panel.figures for panel in hierarchy.levels]
        found = tree_gls(figures, [panel.noise for panel in hierarchy.levels], hierarchy.parents)
        return _replaced(hierarchy, found.estimates, found.variances)
    return _dense(hierarchy, told)


def _check_sums(hierarchy: Hierarchy, told: Bools) -> bool:
    """Whether the figures of the months that were told are all there, and add up as they stand."""
    leaves = hierarchy.levels[-1]
    whole = True
    pairs = zip(hierarchy.levels, hierarchy.sums(leaves.figures), hierarchy.sums(leaves.noise), strict=True)
    for panel, total, noise in pairs:
        gap = np.abs(np.where(np.isfinite(total) & np.isfinite(panel.figures), panel.figures - total, 0.0))
        rounding = ADDS_UP * np.maximum(np.where(np.isfinite(total), np.abs(total), 0.0), 1.0)
        beyond = gap > np.maximum(FURTHEST * np.sqrt(panel.noise + noise), rounding)
        if bool(beyond.any()):
            row, month = (int(each) for each in np.argwhere(beyond)[0])
            raise InvalidInput(
                "hierarchy-contradicts", why=f"{_name(panel, row)} is not the sum of its parts in {panel.months[month]}"
            )
        whole = whole and bool(np.isfinite(panel.figures[:, told]).all()) and bool((gap <= rounding).all())
    return whole


def _name(panel: Panel, row: int) -> str:
    return " ".join(panel.labels()[row].values())


def _dense(hierarchy: Hierarchy, told: Bools) -> Hierarchy:
    if hierarchy.nodes > MOST_DENSE:
        raise InvalidInput("hierarchy-contradicts", why=f"its {hierarchy.nodes:,} series are no tree, and too many")
    _refuse_gaps(hierarchy, told)
    figures = np.vstack([panel.figures for panel in hierarchy.levels])
    matrix = summing(hierarchy)
    weight = 1.0 / np.maximum(np.vstack([panel.noise for panel in hierarchy.levels]), _EXACT)
    spread = np.linalg.inv(matrix.T @ (weight * matrix))
    estimates = np.full_like(figures, np.nan)
    estimates[:, told] = matrix @ (spread @ (matrix.T @ (weight * figures[:, told])))
    variances = np.einsum("ij,jk,ik->i", matrix, spread, matrix)[:, None]
    ends = np.cumsum([len(panel.counts) for panel in hierarchy.levels])[:-1]
    return _replaced(hierarchy, tuple(np.split(estimates, ends)), tuple(np.split(variances, ends)))


def _refuse_gaps(hierarchy: Hierarchy, told: Bools) -> None:
    """Without a tree a figure cannot be told from those around it: its month is told whole, or not at all."""
    for panel in hierarchy.levels:
        lacking = ~np.isfinite(panel.figures) & told
        if bool(lacking.any()):
            row, month = (int(each) for each in np.argwhere(lacking)[0])
            why = f"its levels are no tree, and {_name(panel, row)} lacks {panel.months[month]}, which others have"
            raise InvalidInput("hierarchy-contradicts", why=why)


def _replaced(hierarchy: Hierarchy, estimates: tuple[Floats, ...], variances: tuple[Floats, ...]) -> Hierarchy:
    panels = [
        _panel(panel, estimate, variance)
        for panel, estimate, variance in zip(hierarchy.levels, estimates, variances, strict=True)
    ]
    return Hierarchy(tuple(panels), hierarchy.of_leaf)


def _panel(panel: Panel, estimates: Floats, variances: Floats) -> Panel:
    # A month whose figure is known from its sums alone is noisier; of a series' months the mean variance is kept.
    known = np.isfinite(variances)
    mean = np.where(known, variances, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    counts = pd.DataFrame(estimates, index=panel.counts.index, columns=panel.counts.columns)
    return Panel(counts, float(mean.max()), tuple(mean.tolist()))
