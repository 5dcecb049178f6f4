"""Hierarchies of exact counts, for trials and backtests: leaves by area and offence, added up over coarser areas."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from forecasting.hierarchy import Hierarchy, tree
from forecasting.panel import Panel

AREA, OFFENCE = "area", "offence"
EVERYWHERE = "all"


def exact_tree(leaves: pd.DataFrame, coarser: Sequence[Mapping[str, str]]) -> Hierarchy:
    """The tree over areas, beside each other for every offence.

    Args:
        leaves: Exact counts; the index is ``area`` and ``offence``, the columns are consecutive periods.
        coarser: For each level above the leaves, the coarsest first, the area of it that each leaf's area lies in.

    Returns:
        Panels without noise; every level is by area and offence.

    Raises:
        ValueError: If the areas of a level do not lie within one area of the level above.
    """
    areas = leaves.index.get_level_values(AREA)
    offences = leaves.index.get_level_values(OFFENCE)
    frames = []
    for parent in coarser:
        keys = pd.MultiIndex.from_arrays([[parent[str(area)] for area in areas], offences], names=[AREA, OFFENCE])
        frames.append(leaves.set_axis(keys).groupby(level=[AREA, OFFENCE], sort=True).sum())
    places = [
        frame.index.get_indexer(
            pd.MultiIndex.from_arrays([[parent[str(area)] for area in areas], offences], names=[AREA, OFFENCE])
        )
        for frame, parent in zip(frames, coarser, strict=True)
    ]
    of_leaf = [np.asarray(place, dtype=np.int64) for place in places] + [np.arange(len(leaves), dtype=np.int64)]
    found = Hierarchy(tuple(Panel(frame, 0.0) for frame in (*frames, leaves)), tuple(of_leaf))
    if found.parents is None:
        raise ValueError("the areas of a level lie within one area of the level above")
    return tree(found.levels, found.parents)
