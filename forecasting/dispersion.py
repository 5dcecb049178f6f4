"""How far the coming counts stray from their forecast: learnt by pool from forecasts of the past.

Three things move a count away from its forecast: chance (its variance is its mean), the way crime moves, and what the
forecast got wrong. The last two are learnt together, as dispersion: error squared = mean + dispersion x mean squared +
noise of the released figure that the forecast was compared with. That noise is known and taken off; left in, intervals
of small series would hold nearly everything.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import nbinom

from forecasting.intervals import SMALLEST_DISPERSION, SMALLEST_MEAN
from forecasting.panel import Floats, Ints, Panel

UNKNOWN = 0.25
"""Dispersion where no forecast of the past can tell: a count may well be half or one and a half of its forecast."""


@dataclass(frozen=True, slots=True)
class Past:
    """A forecast of the past: made when ``origin`` months were known, series x horizon."""

    origin: int
    mean: Floats


@dataclass(frozen=True, slots=True)
class Dispersions:
    """The dispersion of each pool; ``pools`` tells each series' pool."""

    pools: Ints
    by_pool: Floats

    def of(self, mean: Floats) -> Floats:
        """For forecasts of these series: series x horizon."""
        return np.broadcast_to(self.by_pool[self.pools][:, None], mean.shape).copy()


def learnt(panel: Panel, past: Sequence[Past]) -> Dispersions:
    """The dispersion of each pool of a panel.

    Args:
        panel: What has been released by today.
        past: Forecasts of the past for the same series; their months of which nothing is known yet are not used.
    """
    pools = panel.pools
    beyond, square = np.zeros(pools.max() + 1), np.zeros(pools.max() + 1)
    for each in past:
        came = panel.figures[:, each.origin : each.origin + each.mean.shape[1]]
        known = np.isfinite(came)
        mean = np.maximum(each.mean[:, : came.shape[1]], SMALLEST_MEAN)
        excess = np.where(known, (came - mean) ** 2 - mean - panel.noise, 0.0)
        np.add.at(beyond, pools, excess.sum(axis=1))
        np.add.at(square, pools, np.where(known, mean**2, 0.0).sum(axis=1))
    found = np.where(square > 0, np.maximum(beyond / np.where(square > 0, square, 1.0), SMALLEST_DISPERSION), UNKNOWN)
    return Dispersions(pools, found)


def quantile_function(mean: Floats, dispersion: Floats, levels: Sequence[float]) -> Floats:
    """Quantiles of negative-binomial counts of that mean and variance mean + dispersion x mean squared.

    Returns:
        Series x horizon x levels.
    """
    centre = np.maximum(mean, SMALLEST_MEAN)[..., None]
    size = 1.0 / np.maximum(dispersion, SMALLEST_DISPERSION)[..., None]
    return np.asarray(nbinom.ppf(np.asarray(levels), size, size / (size + centre)), dtype=np.float64)
