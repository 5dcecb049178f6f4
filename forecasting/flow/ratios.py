"""Ratios of noisy counts, with intervals that know that the divisor is noisy, too.

Fieller, E. C., 1954, "Some problems in interval estimation", J. Royal Statistical Society B 16: the interval
holds every ratio r at which numerator - r x divisor lies within z standard deviations of zero. It is lopsided where the
divisor is unsure and has no end where the divisor might be zero; such a ratio is not given at all.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

SUREST = 2.0
"""A divisor of fewer of its own standard deviations divides by noise."""

DIVISOR_BELOW_NOISE = "divisor-below-noise"
BELOW_NOISE = "below-noise"


@dataclass(frozen=True, slots=True)
class Count:
    """A count with its noise: signed and unbiased, and its variance."""

    estimate: float
    variance: float

    @property
    def sigma(self) -> float:
        """The standard deviation of the noise."""
        return math.sqrt(self.variance)

    @property
    def is_below_noise(self) -> bool:
        """Whether it is less than two standard deviations of its noise."""
        return self.estimate < SUREST * self.sigma

    def __add__(self, other: "Count") -> "Count":
        """The sum with a count of other entries."""
        return Count(self.estimate + other.estimate, self.variance + other.variance)


NONE = Count(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio and its interval; all three are None where the divisor is noise. ``flags`` say what to know about it."""

    value: float | None
    low: float | None
    high: float | None
    flags: tuple[str, ...] = ()


def half_widths(level: int) -> float:
    """How many standard deviations a central interval reaches to each side that holds ``level`` of 100."""
    return NormalDist().inv_cdf(0.5 + level / 200)


def share_of(part: Count, rest: Count, level: int) -> Ratio:
    """The share of ``part`` in ``part + rest``, two counts of different entries, between 0 and 1."""
    total = part + rest
    found = ratio(part, total, part.variance, level)
    if found.value is None or found.low is None or found.high is None:
        return found
    return Ratio(_bounded(found.value), _bounded(found.low), _bounded(found.high), found.flags)


def ratio(part: Count, divisor: Count, covariance: float, level: int) -> Ratio:
    """``part / divisor`` with Fieller's interval.

    Args:
        part: The numerator.
        divisor: The divisor.
        covariance: Of their noises: the variance of ``part`` if it is a part of the divisor, 0 if they are apart.
        level: Of the interval, in per cent.
    """
    if divisor.estimate <= 0 or divisor.is_below_noise:
        return Ratio(None, None, None, (DIVISOR_BELOW_NOISE,))
    flags = (BELOW_NOISE,) if part.is_below_noise else ()
    z2 = half_widths(level) ** 2
    square = divisor.estimate**2 - z2 * divisor.variance
    if square <= 0:
        return Ratio(None, None, None, (DIVISOR_BELOW_NOISE,))
    middle = part.estimate * divisor.estimate - z2 * covariance
    rest = part.estimate**2 - z2 * part.variance
    spread = math.sqrt(max(middle**2 - square * rest, 0.0))
    return Ratio(part.estimate / divisor.estimate, (middle - spread) / square, (middle + spread) / square, flags)


def _bounded(value: float) -> float:
    return min(max(value, 0.0), 1.0)
