"""How far released figures stray from what was forecast of them, learnt from all areas of one group together.

    variance = (1 + carried) x known noise + chance x mean + dispersion x mean squared

Known noise is that of the released figure; ``carried`` is how much of it the forecast has from the months that it was
made from. ``chance`` is 1 for independent cases and more where the forecast's own level is uncertain; ``dispersion`` is
what makes counts negative binomial. All are fitted to squared errors by weighted least squares that does not go below
(0, 1, 0).
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import nnls

from forecasting.panel import Floats

ROUNDS = 6
SMALLEST = 1e-3
FAR = 4.0
"""Errors beyond so many standard deviations are real changes, not the spread of usual months; they are left out."""

OWN = 20
"""How many windows of a series' own its spread must be learnt from to count as much as that of the whole group."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How the figures of one group stray; see the module.

    Attributes:
        chance: See the module; 1 or more.
        dispersion: See the module; 0 or more.
        carried: See the module; 0 or more.
        own: For each series a factor of chance and dispersion, 1 or more: some areas stray further than their group.
    """

    chance: float
    dispersion: float
    carried: float = 0.0
    own: Floats | float = 1.0

    def variance(self, mean: Floats, noise: Floats) -> Floats:
        """Of a released figure around its forecast, in cases squared."""
        by_count = self.own * (self.chance * mean + self.dispersion * mean**2)
        return np.asarray((1.0 + self.carried) * noise + by_count, dtype=np.float64)

    def third_moment(self, mean: Floats) -> Floats:
        """The third central moment of a figure around its forecast; noise is symmetric and adds nothing.

        That of a negative binomial count, and once more the square of the counts' variance over the mean: a forecast
        is off by a factor, and where it was too low the count strays by more than the forecast tells. Without it the
        simulation counts twice the stated false alarms where levels drift by 3 % a month and counts are large.
        """
        size = np.maximum(mean, SMALLEST)
        beyond = self.chance * size + self.dispersion * size**2
        binomial = size + 3.0 * self.dispersion * size**2 + 2.0 * self.dispersion**2 * size**3
        return np.asarray(self.own**1.5 * (binomial + beyond**2 / size), dtype=np.float64)


WIDEST = Spread(1.0, 1.0, 1.0)
"""Where the fit begins: so wide that at first nothing but the wildest figures is left out."""


def spread_of(errors: Floats, means: Floats, noise: Floats, length: int = 1) -> Spread:
    """Fit the spread of one group.

    Args:
        errors: Released figures minus their forecasts: series x windows. NaN is left out.
        means: Their forecasts, not below 0.
        noise: The variance of the known noise in each figure.
        length: Of the windows, in months; windows that overlap tell less.

    Returns:
        Chance 1 and no dispersion where there is nothing to learn from.
    """
    seen = np.isfinite(errors)
    error, mean, known = errors[seen], np.maximum(means[seen], 0.0), noise[seen]
    if not len(error):
        return Spread(1.0, 0.0)
    found = WIDEST
    for _ in range(ROUNDS):
        variance = found.variance(np.maximum(mean, SMALLEST), known)
        usual = error**2 < FAR**2 * variance
        beyond = (error**2 - known - mean)[usual]
        weight = 1.0 / variance[usual]
        terms = np.stack([mean[usual], mean[usual] ** 2, known[usual]], axis=1) * weight[:, None]
        (extra, dispersion, carried), _ = nnls(terms, beyond * weight)
        found = Spread(1.0 + float(extra), float(dispersion), float(carried))
    return replace(found, own=_own(found, errors, means, noise, length))


def _own(spread: Spread, errors: Floats, means: Floats, noise: Floats, length: int) -> Floats:
    """How much further each series strays than its group: its mean squared error over the group's, shrunk to 1."""
    variance = spread.variance(np.maximum(means, SMALLEST), noise)
    squares = np.minimum(errors**2 / variance, FAR**2)
    windows = np.isfinite(squares).sum(axis=-1, keepdims=True) / length
    total = np.nansum(squares, axis=-1, keepdims=True) / length
    return np.asarray(np.maximum((OWN + total) / (OWN + windows), 1.0), dtype=np.float64)
