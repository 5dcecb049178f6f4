"""Whether the forecast follows the police: forecast changes against changes of enforcement, area by area.

Even reported crime is partly made by who is there to take the report. If the areas where more is forecast are those
where more was arrested, a forecast used for patrols would send officers where officers were. A rank correlation says
how far that goes; it says nothing about why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import norm, spearmanr

FEWEST: Final = 20
"""Areas; below that any correlation may be chance."""

FLAGGED, WITHHELD = 0.2, 0.5
"""Correlations that are surely above these are flagged, and make an output that says where to act be withheld."""

ALPHA: Final = 0.05


@dataclass(frozen=True, slots=True)
class Loop:
    """The rank correlation of forecast and enforcement changes.

    Attributes:
        areas: How many areas both are known of.
        correlation: Spearman's, -1 to 1; none with too few areas.
        low: It lies above this 95 times in 100.
        high: And below this.
        standing: ``passed``, ``flagged``, ``withhold`` or ``unknown``.
    """

    areas: int
    correlation: float | None
    low: float
    high: float
    standing: str


def loop_of(forecast: Mapping[str, float], enforcement: Mapping[str, float]) -> Loop:
    """Compare changes by area; the interval is Fisher's with the variance of ranks (Bonett and Wright 2000).

    Args:
        forecast: How much more is forecast of an area than there was, as a ratio or a difference.
        enforcement: How much more was enforced in it, in the same way.
    """
    areas = sorted(set(forecast) & set(enforcement))
    one, other = (np.array([values[area] for area in areas]) for values in (forecast, enforcement))
    if len(areas) < FEWEST or np.ptp(one) == 0 or np.ptp(other) == 0:
        return Loop(len(areas), None, -1.0, 1.0, "unknown")
    found = float(spearmanr(one, other).statistic)
    half = float(norm.isf(ALPHA / 2.0)) * np.sqrt((1.0 + found**2 / 2.0) / (len(areas) - 3))
    centre = np.arctanh(np.clip(found, -0.999999, 0.999999))
    low, high = float(np.tanh(centre - half)), float(np.tanh(centre + half))
    standing = "withhold" if low > WITHHELD else "flagged" if low > FLAGGED else "passed"
    return Loop(len(areas), found, low, high, standing)
