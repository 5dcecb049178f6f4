"""Predictive distributions of coming counts: quantiles, and how likely a count is not to be exceeded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import nbinom, poisson

from forecasting.intervals import SMALLEST_DISPERSION, SMALLEST_MEAN
from forecasting.panel import Bools, Floats

_POINTS = 40


class Predictive(Protocol):
    """What a model says of the coming counts of a level: arrays of series x horizon."""

    @property
    def mean(self) -> Floats:
        """The point forecast, in cases, not below zero."""
        ...

    def quantiles(self, levels: Sequence[float]) -> Floats:
        """The quantiles at levels between 0 and 1: series x horizon x levels."""
        ...

    def upto(self, counts: Floats) -> Floats:
        """P(X <= count)."""
        ...

    def before(self, counts: Floats) -> Floats:
        """P(X < count)."""
        ...


@dataclass(frozen=True, slots=True)
class NegativeBinomial:
    """Counts of a mean and a larger variance: what the engine says.

    ``centre`` is the mean of the distribution where that is not the point forecast (``forecasting.dispersion``).
    """

    mean: Floats
    variance: Floats
    centre: Floats | None = None

    def quantiles(self, levels: Sequence[float]) -> Floats:
        """See ``Predictive``."""
        size, chance = self._parameters()
        return np.stack([nbinom.ppf(level, size, chance) for level in levels], axis=-1)

    def upto(self, counts: Floats) -> Floats:
        """See ``Predictive``."""
        return np.asarray(nbinom.cdf(counts, *self._parameters()), dtype=np.float64)

    def before(self, counts: Floats) -> Floats:
        """See ``Predictive``."""
        return self.upto(counts - 1.0)

    def rows(self, kept: Bools) -> Self:
        """Some of the series."""
        return type(self)(self.mean[kept], self.variance[kept], None if self.centre is None else self.centre[kept])

    def _parameters(self) -> tuple[Floats, Floats]:
        centre = np.maximum(self.mean if self.centre is None else self.centre, SMALLEST_MEAN)
        wide = np.maximum(self.variance, centre * (1.0 + SMALLEST_DISPERSION))
        return centre**2 / (wide - centre), centre / wide


@dataclass(frozen=True, slots=True)
class ClippedNormal:
    """A normal distribution whose part below zero is put on zero: the native intervals of the classical models.

    ``point`` is the point forecast where that is not ``centre``.
    """

    centre: Floats
    deviation: Floats
    point: Floats | None = None

    @property
    def mean(self) -> Floats:
        """The point forecast, the centre if none is told, as those models give it; but not below zero."""
        return np.maximum(self.centre if self.point is None else self.point, 0.0)

    def quantiles(self, levels: Sequence[float]) -> Floats:
        """See ``Predictive``."""
        return np.maximum(self.centre[..., None] + self.deviation[..., None] * ndtri(np.asarray(levels)), 0.0)

    def upto(self, counts: Floats) -> Floats:
        """See ``Predictive``. Counts are whole, so the normal is read half a case above."""
        return np.where(counts < 0, 0.0, self._below(counts + 0.5))

    def before(self, counts: Floats) -> Floats:
        """See ``Predictive``."""
        return np.where(counts <= 0, 0.0, self._below(counts - 0.5))

    def _below(self, values: Floats) -> Floats:
        return np.asarray(ndtr((values - self.centre) / np.maximum(self.deviation, SMALLEST_DISPERSION)))


@dataclass(frozen=True, slots=True)
class Poisson:
    """Independent cases of known rates; nothing can forecast better than the true ones."""

    rate: Floats

    @property
    def mean(self) -> Floats:
        """The rate."""
        return self.rate

    def quantiles(self, levels: Sequence[float]) -> Floats:
        """See ``Predictive``."""
        return np.stack([poisson.ppf(level, self._rate()) for level in levels], axis=-1)

    def upto(self, counts: Floats) -> Floats:
        """See ``Predictive``."""
        return np.asarray(poisson.cdf(counts, self._rate()), dtype=np.float64)

    def before(self, counts: Floats) -> Floats:
        """See ``Predictive``."""
        return self.upto(counts - 1.0)

    def _rate(self) -> Floats:
        return np.maximum(self.rate, 1e-6)


@dataclass(frozen=True, slots=True)
class Released:
    """The released figure of a count: the count and Gaussian noise of known standard deviation on top.

    The noise is continuous here, so the figure may be anything; both sides of P(X <= y) agree.
    """

    count: Predictive
    sigma: Floats
    """Series x 1, above 0."""

    @property
    def mean(self) -> Floats:
        """The noise has no mean."""
        return self.count.mean

    def quantiles(self, levels: Sequence[float]) -> Floats:
        """The count's quantiles, each moved away from its median so that the distances add up as variances do."""
        counts, median = self.count.quantiles(levels), self.count.quantiles([0.5])
        steps = ndtri(np.asarray(levels)) * self.sigma[..., None]
        return np.asarray(median + np.sign(steps) * np.hypot(counts - median, steps), dtype=np.float64)

    def upto(self, figures: Floats) -> Floats:
        """P(X <= figure): the mean over the count's own quantiles of P(noise <= figure - quantile)."""
        points = self.count.quantiles([(number + 0.5) / _POINTS for number in range(_POINTS)])
        return np.asarray(ndtr((figures[..., None] - points) / self.sigma[..., None]).mean(axis=-1))

    def before(self, figures: Floats) -> Floats:
        """P(X < figure)."""
        return self.upto(figures)
