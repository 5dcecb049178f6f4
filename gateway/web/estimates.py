"""A figure with its error, and the sums that keep the error honest."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import hypot


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and the half-width of its 95 % interval, both in the figure's unit."""

    value: float
    error: float

    def times(self, factor: float) -> "Estimate":
        """The figure in another unit; ``factor`` is exact."""
        return Estimate(self.value * factor, self.error * abs(factor))


@dataclass(frozen=True, slots=True)
class Interval:
    """What is expected and the interval that is meant to hold what comes, in cases."""

    mean: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """The wider side of the interval, so that one ``±`` never promises too much."""
        return max(self.high - self.mean, self.mean - self.low)

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies inside, so that a difference from it may be chance."""
        return self.low <= value <= self.high


def total(parts: Iterable[Estimate]) -> Estimate:
    """The sum. The noise of each cell was drawn on its own, so the errors add as squares."""
    listed = tuple(parts)
    return Estimate(sum(each.value for each in listed), hypot(*(each.error for each in listed)))


def total_interval(parts: Iterable[Interval]) -> Interval:
    """The sum of forecasts, each side's half-widths added as squares.

    That takes the series' errors as independent: it is the narrowest honest interval, and ``widest_interval`` the other
    end. The page shows both and says so.
    """
    listed = tuple(parts)
    mean = sum(each.mean for each in listed)
    below, above = hypot(*(each.mean - each.low for each in listed)), hypot(*(each.high - each.mean for each in listed))
    return Interval(mean, max(0.0, mean - below), mean + above)


def widest_interval(parts: Iterable[Interval]) -> Interval:
    """The sum of forecasts if all of them err in the same direction at once: half-widths added as they are."""
    listed = tuple(parts)
    return Interval(sum(p.mean for p in listed), sum(p.low for p in listed), sum(p.high for p in listed))


def change(now: Estimate, before: Estimate) -> Estimate | None:
    """How much ``now`` differs from ``before``, in percent (delta method); None where no figure stands out of noise."""
    if now.value <= 0 or before.value <= before.error:
        return None
    ratio = now.value / before.value
    return Estimate(100 * (ratio - 1), 100 * ratio * hypot(now.error / now.value, before.error / before.value))


def pace(seconds: float, cases: Estimate) -> Estimate | None:
    """Seconds from one case to the next over ``seconds`` (delta method); None where the count drowns in noise."""
    if cases.value <= cases.error:
        return None
    each = seconds / cases.value
    return Estimate(each, each * cases.error / cases.value)
