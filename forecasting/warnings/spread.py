"""How far released figures stray from what was forecast of them, learnt from all areas of one group together.

    variance = known noise + chance x mean + dispersion x mean squared

Known noise is that of the released figure and of the months that the forecast came from. ``chance`` is 1 for
independent cases and more where the forecast's own level is uncertain; ``dispersion`` is what makes counts negative
binomial. Both are fitted to squared errors by weighted least squares that does not go below (1, 0).
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from forecasting.panel import Floats

ROUNDS = 4
FAR = 4.0
"""Errors beyond so many standard deviations are real changes, not the spread of usual months; they are left out."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How the figures of one group stray; see the module."""

    chance: float
    dispersion: float

    def variance(self, mean: Floats, noise: Floats) -> Floats:
        """Of a released figure around its forecast, in cases squared."""
        return np.asarray(noise + self.chance * mean + self.dispersion * mean**2, dtype=np.float64)

    def third_moment(self, mean: Floats) -> Floats:
        """The third central moment of a negative binomial count; noise is symmetric and adds nothing."""
        return np.asarray(mean + 3.0 * self.dispersion * mean**2 + 2.0 * self.dispersion**2 * mean**3, dtype=np.float64)


def spread_of(errors: Floats, means: Floats, noise: Floats) -> Spread:
    """Fit the spread of one group.

    Args:
        errors: Released figures minus their forecasts; any shape. NaN is left out.
        means: Their forecasts, not below 0.
        noise: The variance of the known noise in each error.

    Returns:
        Chance 1 and no dispersion where there is nothing to learn from.
    """
    seen = np.isfinite(errors)
    error, mean, known = errors[seen], np.maximum(means[seen], 0.0), noise[seen]
    found = Spread(1.0, 0.0)
    for _ in range(ROUNDS):
        variance = found.variance(np.maximum(mean, 1e-3), known)
        usual = error**2 < FAR**2 * variance
        if usual.sum() <= 1:
            return found
        beyond = (error**2 - known - mean)[usual]
        weight = 1.0 / variance[usual]
        terms = np.stack([mean[usual], mean[usual] ** 2], axis=1) * weight[:, None]
        (extra, dispersion), _ = nnls(terms, beyond * weight)
        found = Spread(1.0 + float(extra), float(dispersion))
    return found
