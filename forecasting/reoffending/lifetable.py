"""The reoffending curve: a life table over cohorts, each as far as it was followed.

    chance of return in a band, for those not returned before = returned in it / at risk when it began
    returned by its end = 1 - product of (1 - chance)

In each band only the cohorts count that were followed to its end, so "not yet" is never read as "not" (actuarial
method, Berkson and Gage 1950). The interval covers the noise in all counts, of the divisor too, by drawing them anew,
and chance among the people of the cohorts (Greenwood 1926). The curve is the nearest that never falls.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

from forecasting.flow.ratios import DIVISOR_BELOW_NOISE, SUREST, Count
from forecasting.panel import Floats
from forecasting.reoffending.followup import Cohort

DRAWS = 2000
COHORTS_DIFFER = "cohorts-differ"
COHORT_INCOMPLETE = "cohort-incomplete"
HORIZONS = (12, 24, 36)
_SMALLEST = 1e-12


@dataclass(frozen=True, slots=True)
class Point:
    """The share imprisoned again within ``months`` whole months of release.

    ``share``, ``low`` and ``high`` are between 0 and 1; None where it cannot be told, and ``flags`` say why.
    ``cohorts`` are those whose returns in the last band up to here are counted; ``released`` their people.
    """

    months: int
    share: float | None
    low: float | None
    high: float | None
    released: Count
    cohorts: tuple[str, ...]
    flags: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Table:
    """Counts of all cohorts: cohorts x bands, or draws x cohorts x bands; ``followed`` says which bands count."""

    returned: Floats
    released: Floats
    followed: Floats

    def chances(self) -> tuple[Floats, Floats]:
        """The chance of return in each band, and the people at risk: arrays of (draws x) bands."""
        before = np.cumsum(self.returned, axis=-1) - self.returned
        at_risk = ((self.released[..., None] - before) * self.followed).sum(axis=-2)
        events = (self.returned * self.followed).sum(axis=-2)
        return np.divide(events, at_risk, out=np.full_like(events, np.nan), where=at_risk > 0), at_risk


def curve(cohorts: Sequence[Cohort], level: int, rng: np.random.Generator) -> tuple[Point, ...]:
    """The curve of the cohorts together, at the end of every band.

    Args:
        cohorts: Of the same bands, at least one.
        level: Of the intervals, in per cent.
        rng: Where the draws come from.
    """
    table = _table(cohorts)
    chances, at_risk = table.chances()
    noisy, noisy_risk = _drawn(cohorts, table, rng).chances()
    risk_sigma = noisy_risk.std(axis=0)
    sure = (at_risk > 0) & (at_risk >= SUREST * risk_sigma)
    known = np.logical_and.accumulate(sure)
    shares = _returned(chances)
    spread = _returned(noisy) - shares
    # A draw whose divisor fell to zero says nothing but that this may happen: it is as far off as can be.
    spread = np.where(np.isfinite(spread), spread, 1.0)
    by_chance = (1.0 - shares) * np.sqrt(_greenwood(chances, at_risk))
    spread = spread + rng.standard_normal(spread.shape) * by_chance
    tails = np.quantile(spread, [0.5 - level / 200, 0.5 + level / 200], axis=0)
    rising = _rising(shares[known], (spread.std(axis=0) ** 2)[known])
    low = np.clip(_rising_bound(rising + tails[0][known]), 0.0, 1.0)
    high = np.clip(_rising_bound(rising + tails[1][known]), 0.0, 1.0)
    return tuple(_point(cohorts, place, known, (rising, low, high)) for place in range(len(cohorts[0].upto)))


def _point(cohorts: Sequence[Cohort], place: int, known: Floats, curves: tuple[Floats, Floats, Floats]) -> Point:
    counted = tuple(each for each in cohorts if each.complete > place)
    released = sum((each.released for each in counted), Count(0.0, 0.0))
    names, months = tuple(each.name for each in counted), cohorts[0].upto[place]
    if not counted:
        return Point(months, None, None, None, released, names, (COHORT_INCOMPLETE,))
    if not known[place]:
        return Point(months, None, None, None, released, names, (DIVISOR_BELOW_NOISE,))
    first = tuple(each for each in cohorts if each.complete > 0)
    flags = (COHORTS_DIFFER,) if len(counted) < len(first) else ()
    share, low, high = (float(each[place]) for each in curves)
    return Point(months, share, min(low, share), max(high, share), released, names, flags)


def _table(cohorts: Sequence[Cohort]) -> _Table:
    bands = len(cohorts[0].upto)
    return _Table(
        returned=np.stack([each.returned[:, 0] for each in cohorts]),
        released=np.array([each.released.estimate for each in cohorts]),
        followed=np.array([[float(each.complete > band) for band in range(bands)] for each in cohorts]),
    )


def _drawn(cohorts: Sequence[Cohort], table: _Table, rng: np.random.Generator) -> _Table:
    """The counts with their noise once more on top: how far they stray is how far they are from the truth."""
    shape = (DRAWS, *table.returned.shape)
    off = rng.standard_normal(shape) * np.sqrt(np.stack([each.returned[:, 1] for each in cohorts]))
    other = rng.standard_normal(shape[:2]) * np.array([each.other.sigma for each in cohorts])
    apart = np.array([0.0 if each.other_is_all else 1.0 for each in cohorts])
    released = table.released + other + apart * off.sum(axis=-1)
    return _Table(table.returned + off, released, table.followed)


def _returned(chances: Floats) -> Floats:
    """Shares returned by the end of each band."""
    return np.asarray(1.0 - np.cumprod(1.0 - chances, axis=-1), dtype=np.float64)


def _greenwood(chances: Floats, at_risk: Floats) -> Floats:
    """The variance by chance of the logarithm of the share not returned."""
    inside = np.clip(np.nan_to_num(chances), 0.0, 0.99)
    return np.cumsum(inside / ((1.0 - inside) * np.maximum(at_risk, 1.0)))


def _rising(shares: Floats, variance: Floats) -> Floats:
    """The nearest curve that never falls, between 0 and 1."""
    if not len(shares):
        return shares
    fitted = isotonic_regression(shares, weights=1.0 / np.maximum(variance, _SMALLEST)).x
    return np.asarray(np.clip(fitted, 0.0, 1.0), dtype=np.float64)


def _rising_bound(ends: Floats) -> Floats:
    return np.maximum.accumulate(ends) if len(ends) else ends
