"""Intervals for the coming counts.

The figure that is forecast is the count itself, not the noisy figure that will be released of it. Three things move it
away from the forecast: chance (a count of independent cases varies by its mean), the way crime itself moves, and the
noise in the months that the forecast was computed from. The second is learnt from the errors of the backtest, as
dispersion: error squared = mean + dispersion x mean squared + known noise. Known noise, in the months compared with
and in the forecast, is taken off before the dispersion is learnt, and only the forecast's own is put back: counted as
crime's variation it would be counted twice.

Measured at level 90 on the real series named in ``forecasting.models.ets``, five ends of history: these intervals held
86 to 94 of 100, ETS's native ones 82 to 88 once the noise was taken off. Native ones serve where there is no backtest.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import nbinom, norm

from forecasting.models.prediction import Prediction
from forecasting.panel import Floats

SMALLEST_MEAN = 0.05
"""A mean of zero cases would promise that no case will ever come."""

SMALLEST_DISPERSION = 1e-4


@dataclass(frozen=True, slots=True)
class Errors:
    """What a model got wrong in months that it had not seen: three arrays of the same length, one entry a month.

    Attributes:
        error: Released figure minus forecast.
        mean: The forecast.
        noise: Variance of the known noise in ``error``: in the released figure and in the forecast.
    """

    error: Floats
    mean: Floats
    noise: Floats


def dispersion_of(errors: Errors) -> float:
    """How much more than by chance the counts strayed: (standard deviation / mean) squared beyond chance and noise."""
    mean = np.maximum(errors.mean, SMALLEST_MEAN)
    beyond = float((errors.error**2 - mean - errors.noise).sum())
    return max(beyond / float((mean**2).sum()), SMALLEST_DISPERSION)


def variance_of(prediction: Prediction, dispersion: Floats | None, noise_variance: float | Floats) -> Floats:
    """Variance of the coming count around its forecast, in cases squared.

    Args:
        prediction: The forecast.
        dispersion: One figure for each series; without it the model's own formula serves.
        noise_variance: Variance of the noise in a released month; series x 1 where series differ.
    """
    mean = np.maximum(prediction.mean, SMALLEST_MEAN)
    by_chance = mean + prediction.noise
    if dispersion is not None:
        return np.asarray(by_chance + dispersion[:, None] * mean**2, dtype=np.float64)
    if prediction.native is None:
        return by_chance
    return np.maximum(prediction.native - noise_variance, by_chance)


def count_interval(mean: Floats, variance: Floats, level: int) -> tuple[Floats, Floats]:
    """Low and high that should hold the coming count ``level`` times in 100; never below zero.

    Negative binomial of that mean and variance, so small counts get whole, lopsided intervals.
    """
    centre = np.maximum(mean, SMALLEST_MEAN)
    wide = np.maximum(variance, centre * (1.0 + SMALLEST_DISPERSION))
    tail = 0.5 - level / 200
    size, chance = centre**2 / (wide - centre), centre / wide
    low, high = nbinom.ppf(tail, size, chance), nbinom.ppf(1.0 - tail, size, chance)
    return np.minimum(low, mean), np.maximum(high, mean)


def released_interval(mean: Floats, variance: Floats, level: int) -> tuple[Floats, Floats]:
    """Low and high for the coming *released* figure, whose noise is part of ``variance``; it may be negative."""
    half = norm.ppf(0.5 + level / 200) * np.sqrt(variance)
    return mean - half, mean + half
