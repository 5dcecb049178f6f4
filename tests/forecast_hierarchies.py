"""Hierarchies with a planted truth: a nation, two regions, provinces; several kinds of offence."""

import numpy as np
import pandas as pd

from forecasting.hierarchy import Hierarchy, tree
from forecasting.panel import Floats, Panel
from tests.forecast_panels import season

PROVINCES, KINDS = 8, 3


def made_hierarchy(  # a builder for tests
    leaves: Floats, sigma: float = 0.0, seed: int = 1, start: str = "2016-01", freq: str = "M", kinds: int = KINDS
) -> Hierarchy:
    """Nation, regions and provinces x kinds from exact leaves (provinces x kinds, months), each with its noise."""
    draw = np.random.default_rng(seed)
    provinces = len(leaves) // kinds
    leaf_names = [(f"P{place}", f"K{kind}") for place in range(provinces) for kind in range(kinds)]
    regions = [(f"R{place}", f"K{kind}") for place in range(2) for kind in range(kinds)]
    nation = [("N", f"K{kind}") for kind in range(kinds)]
    of_region = np.array([(row // kinds) % 2 * kinds + row % kinds for row in range(len(leaves))])
    of_nation = np.array([row % kinds for row in range(2 * kinds)])
    middle, top = np.zeros((2 * kinds, leaves.shape[1])), np.zeros((kinds, leaves.shape[1]))
    np.add.at(middle, of_region, leaves)
    np.add.at(top, of_nation, middle)
    months = pd.period_range(start, periods=leaves.shape[1], freq=freq)
    panels = [
        Panel(
            pd.DataFrame(
                rows + np.rint(draw.normal(0.0, sigma, rows.shape)) if sigma else rows,
                index=pd.MultiIndex.from_tuples(names, names=["area", "offence"]),
                columns=months,
            ),
            sigma**2,
        )
        for rows, names in ((top, nation), (middle, regions), (leaves, leaf_names))
    ]
    return tree(panels, [of_nation, of_region])


def made_counts(months: int = 60, mean: float = 40.0, seed: int = 3, provinces: int = PROVINCES) -> Floats:
    """Poisson counts of provinces x kinds around a seasonal mean."""
    draw = np.random.default_rng(seed)
    size = draw.uniform(0.5, 1.5, (provinces * KINDS, 1)) * mean
    return draw.poisson(size * season(months)[None, :]).astype(np.float64)
