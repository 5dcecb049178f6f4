"""How far the coming counts stray from their forecast: learnt by pool from forecasts of the past.

Two things move a count away from its forecast: chance (its variance is its mean), and everything that the forecast does
not know: the noise that it was made through, and how crime moves until then. The level filter has an account of the
second (``Filtered.spread``); what came of earlier forecasts says by what factor that account is to be believed in each
pool: error squared = mean + factor x spread + noise of the released figure that the forecast was compared with. That
noise is known and taken off; left in, intervals of small series would hold nearly everything.

The account matters. One dispersion for a pool, whatever the size of the series and the month ahead, held 81 of 100
counts in the first month and 74 in the sixth of what should be 80, and 76 in small series (state set 2011-2013).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from forecasting.intervals import SMALLEST_DISPERSION, SMALLEST_MEAN
from forecasting.panel import Floats, Ints, Panel

BELIEVED = 10.0
"""Forecasts of one series that a pool's own factor must rest on to weigh as much as that of all pools together."""

LEAST, MOST = 0.1, 10.0
"""Bounds of a factor."""

_ROUNDS = 5
_SMALLEST_SPREAD = 1e-6


@dataclass(frozen=True, slots=True)
class Past:
    """A forecast of the past, made when ``origin`` months were known: its mean and spread, series x horizon."""

    origin: int
    mean: Floats
    spread: Floats


@dataclass(frozen=True, slots=True)
class Dispersions:
    """The factor of each pool; ``pools`` tells each series' pool."""

    pools: Ints
    by_pool: Floats

    def of(self, mean: Floats, spread: Floats) -> Floats:
        """Variance beyond chance of coming counts as a share of their mean squared: series x horizon.

        A mean below ``SMALLEST_MEAN`` counts as that.
        """
        square = np.maximum(mean, SMALLEST_MEAN) ** 2
        return np.asarray(np.maximum(self.by_pool[self.pools][:, None] * spread / square, SMALLEST_DISPERSION))


@dataclass(frozen=True, slots=True)
class _Errors:
    """What forecasts of the past got wrong: five arrays of one length, one entry for each known month."""

    pool: Ints
    square: Floats
    mean: Floats
    spread: Floats
    noise: Floats


def centre_of(mean: Floats, spread: Floats) -> Floats:
    """The mean of a count whose expectation is only known as ``mean`` give or take the root of ``spread``.

    It is that of the normal distribution cut at zero: a series in its noise whose forecast is nothing still has cases.
    """
    deviation = np.sqrt(np.maximum(spread, _SMALLEST_SPREAD))
    ratio = mean / deviation
    density = np.exp(-0.5 * ratio**2) / math.sqrt(2.0 * math.pi)
    return np.asarray(np.maximum(mean * ndtr(ratio) + deviation * density, SMALLEST_MEAN), dtype=np.float64)


def learnt(panel: Panel, past: Sequence[Past]) -> Dispersions:
    """The factor of each pool of a panel; 1, the filter's own account, where there was no forecast.

    Args:
        panel: What has been released by today.
        past: Forecasts of the past for the same series; their months of which nothing is known yet are not used.
    """
    number = int(panel.pools.max()) + 1
    if not past:
        return Dispersions(panel.pools, np.ones(number))
    errors = _errors(panel, past)
    together = float(_factors(errors, np.zeros_like(errors.pool), 1)[0])
    own = _factors(errors, errors.pool, number)
    rests_on = np.bincount(errors.pool, minlength=number) / past[0].mean.shape[1]
    weight = rests_on / (rests_on + BELIEVED)
    return Dispersions(panel.pools, weight * own + (1.0 - weight) * together)


def _errors(panel: Panel, past: Sequence[Past]) -> _Errors:
    found = []
    for each in past:
        came = panel.figures[:, each.origin : each.origin + each.mean.shape[1]]
        known = np.isfinite(came)
        mean, spread = (array[:, : came.shape[1]] for array in (each.mean, each.spread))
        centre = centre_of(mean, spread)
        square = (came - centre) ** 2
        pool, noise = np.broadcast_to(panel.pools[:, None], came.shape), np.broadcast_to(panel.noise, came.shape)
        found.append(_Errors(pool[known], square[known], centre[known], spread[known], noise[known]))
    names = ("pool", "square", "mean", "spread", "noise")
    return _Errors(*(np.concatenate([getattr(each, name) for each in found]) for name in names))


def _factors(errors: _Errors, pool: Ints, number: int) -> Floats:
    """Weighted least squares of the squared errors beyond chance and noise on the spread, reweighted to settle."""
    factor = np.ones(number)
    for _ in range(_ROUNDS):
        weight = errors.spread / (errors.mean + factor[pool] * errors.spread + errors.noise) ** 2
        beyond = np.bincount(pool, weight * (errors.square - errors.mean - errors.noise), number)
        believed = np.bincount(pool, weight * errors.spread, number)
        factor = np.clip(np.where(believed > 0, beyond / np.where(believed > 0, believed, 1.0), 1.0), LEAST, MOST)
    return factor
