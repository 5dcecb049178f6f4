"""How long entries stay open: the share of a cohort that is still open at each age, from noisy snapshots.

Each cohort of each snapshot is one look: at its age, so many of its entries were open. The looks are joined to one
curve that starts at 1 and never rises: entries leave at a rate a month that is constant between ages ``EDGES``
(piecewise exponential survival, Friedman 1982). The logarithms of neighbouring rates are held together by a random
walk, as far as noisy looks leave them open; without it the rate at ages where noise is larger than what is left would
be anything. Beyond the oldest cohort the last rate goes on.

A look is worth what its errors leave: the known noise of both counts, the chance of each entry, and how much cohorts
differ beyond that, which is learnt from how far the looks lie from the curve. How sure the curve is, is the normal
approximation at its best rates (Laplace), and the delta method from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.flow.cohorts import MONTHS, Snapshot
from forecasting.panel import Floats

FEWEST = 12
"""Ages in whole months that must have been seen: states asked soon after each month alone say nothing of old cases."""

TAIL_OPEN = 0.05
"""A share still open at the oldest age above which what lies beyond decides."""

EDGES = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0, 96.0)
"""Ages in months between which the rate is constant."""

_STEP = 1.0
"""Standard deviation of the logarithm of one rate given the one before: neighbours differ by a factor of 1.6."""

_FIRST, _FIRST_SPREAD = np.log(0.1), 3.0
"""The first rate before anything is seen: 10 % a month, give or take a factor of 20."""

_ROUNDS = 60
_PASSES = 5
_CLOSE = 1e-8
_SMALLEST = 1e-9


@dataclass(frozen=True, slots=True)
class Looks:
    """Cohorts as they were seen: arrays of one length. A cohort that two snapshots saw stands twice.

    Attributes:
        ages: In months since the middle of the month of entry, above 0.
        open: Entries still open, signed and noisy.
        open_variance: Of the noise in each.
        closed: Entries that were not.
        closed_variance: Of the noise in each.
        entries: About how many entered: the mean over neighbouring months, whose noise has nothing to do with one look.
    """

    ages: Floats
    open: Floats
    open_variance: Floats
    closed: Floats
    closed_variance: Floats
    entries: Floats

    @property
    def seen(self) -> int:
        """How many different ages, in whole months."""
        return len(np.unique(np.floor(self.ages)))


@dataclass(frozen=True, slots=True)
class Curve:
    """The share still open by age, and how sure it is.

    Attributes:
        log_rates: Logarithms of the rates a month at which entries leave, between ``EDGES``; the last has no end.
        covariance: Of these.
        beyond: Variance of a cohort's share beyond noise and chance, over p (1 - p): how much cohorts differ.
        oldest: The oldest age seen, in months.
    """

    log_rates: Floats
    covariance: Floats
    beyond: float
    oldest: float

    def open_at(self, ages: Floats) -> Floats:
        """The shares still open at any ages of 0 or more, in months."""
        return self.kept(np.zeros_like(ages), ages)

    def kept(self, before: Floats, after: Floats) -> Floats:
        """Of what is open at the ages ``before``, the share that still is at the ages ``after``."""
        return np.asarray(np.exp(-self._passed(before, after) @ np.exp(self.log_rates)), dtype=np.float64)

    def slopes(self, before: Floats, after: Floats) -> Floats:
        """How ``kept`` changes with each log rate: ages x rates."""
        passed = self._passed(before, after)
        return np.asarray(-passed * np.exp(self.log_rates) * self.kept(before, after)[:, None], dtype=np.float64)

    def open_sigma(self, ages: Floats) -> Floats:
        """The standard deviation of each share still open (delta method)."""
        slopes = self.slopes(np.zeros_like(ages), ages)
        return np.asarray(np.sqrt(np.einsum("ai,ij,aj->a", slopes, self.covariance, slopes)), dtype=np.float64)

    def _passed(self, before: Floats, after: Floats) -> Floats:
        pieces = len(self.log_rates)
        return _exposure(after, pieces) - _exposure(before, pieces)


def looks_of(snapshots: Sequence[Snapshot]) -> Looks:
    """Every cohort of every snapshot that had begun, where the entries of a year together are more than their noise."""
    usual = usual_entries(snapshots)
    entries = np.concatenate([[usual[month] for month in each.months.tolist()] for each in snapshots])
    ages = np.concatenate([each.ages for each in snapshots])
    still = np.concatenate([each.open for each in snapshots])
    done = np.concatenate([each.closed for each in snapshots])
    still_noise = np.concatenate([each.open_variance for each in snapshots])
    done_noise = np.concatenate([each.closed_variance for each in snapshots])
    sure = (ages > 0) & (entries > np.sqrt(still_noise + done_noise) / np.sqrt(MONTHS))
    told = (ages, still, still_noise, done, done_noise, entries)
    return Looks(*(each[sure] for each in told))


def usual_entries(snapshots: Sequence[Snapshot]) -> dict[float, float]:
    """For each month of entry the mean over half a year before and after, as far as any snapshot reaches.

    A cohort's own noisy total would weigh it by its noise: months whose noise is high would count more, and all shares
    open would come out too high.
    """
    told: dict[float, list[float]] = {}
    for each in snapshots:
        for month, total in zip(each.months.tolist(), (each.open + each.closed).tolist(), strict=True):
            told.setdefault(month, []).append(total)
    months = np.array(sorted(told))
    totals = np.array([np.mean(told[month]) for month in months.tolist()])
    near = np.abs(months[:, None] - months[None, :]) <= MONTHS // 2
    return dict(zip(months.tolist(), ((near @ totals) / near.sum(axis=1)).tolist(), strict=True))


def fitted(looks: Looks) -> Curve:
    """The curve: first by noise and chance alone, then with what cohorts differ beyond both.

    Args:
        looks: Of at least ``FEWEST`` ages.
    """
    pieces = max(int(np.searchsorted(EDGES, looks.ages.max())), 1)
    design, beyond = _exposure(looks.ages, pieces), 0.0
    start, covariance = np.full(pieces, _FIRST), np.eye(pieces)
    for _ in range(_PASSES):
        share = np.exp(-design @ np.exp(start))
        seen = _seen(looks, share, beyond)
        start, covariance = _best(seen, design, start)
        beyond = _beyond(looks, np.exp(-design @ np.exp(start)))
    return Curve(start, covariance, beyond, float(looks.ages.max()))


@dataclass(frozen=True, slots=True)
class _Seen:
    """Shares to be fitted and the variance of each."""

    shares: Floats
    variance: Floats


def _seen(looks: Looks, share: Floats, beyond: float) -> _Seen:
    """Each look as a share of the usual entries: its own number of entries differs from that, and is accounted for."""
    surplus = looks.open + looks.closed - looks.entries
    noise = looks.open_variance * (1.0 - share) ** 2 + looks.closed_variance * share**2
    variance = noise / looks.entries**2 + share * (1.0 - share) * (1.0 / looks.entries + beyond) + _SMALLEST
    return _Seen((looks.open - share * surplus) / looks.entries, variance)


def _exposure(ages: Floats, pieces: int) -> Floats:
    """How many months of each piece lie before each age: ages x pieces; the last piece has no end."""
    lows = np.array(EDGES[:pieces])
    highs = np.append(lows[1:], np.inf)
    return np.asarray(np.clip(ages[:, None], lows, highs) - lows, dtype=np.float64)


def _beyond(looks: Looks, share: Floats) -> float:
    """How much cohorts differ: squared distances beyond what noise and chance explain, over p (1 - p), not below 0."""
    inside, seen = share * (1.0 - share), _seen(looks, share, 0.0)
    excess = (seen.shares - share) ** 2 - seen.variance
    return max(float((excess * inside).sum()) / max(float((inside**2).sum()), _SMALLEST), 0.0)


def _penalty(pieces: int) -> Floats:
    """The inverse covariance of the random walk."""
    steps = np.eye(pieces) - np.eye(pieces, k=-1)
    scale = np.full(pieces, 1.0 / _STEP**2)
    scale[0] = 1.0 / _FIRST_SPREAD**2
    return np.asarray(steps.T @ (scale[:, None] * steps), dtype=np.float64)


def _best(seen: _Seen, design: Floats, start: Floats) -> tuple[Floats, Floats]:
    """The best log rates and their covariance: damped Gauss-Newton (Levenberg, Marquardt)."""
    penalty, centre, now = _penalty(len(start)), np.full(len(start), _FIRST), start
    damping, loss = 1.0, _loss(seen, design, now)
    for _ in range(_ROUNDS):
        slope, curvature = _slope(seen, design, now)
        gradient = slope - penalty @ (now - centre)
        step = np.linalg.solve(curvature + penalty + damping * np.eye(len(now)), gradient)
        tried = now + np.clip(step, -2.0, 2.0)
        reached = _loss(seen, design, tried)
        if reached > loss:
            damping *= 4.0
            continue
        gained, now, loss, damping = loss - reached, tried, reached, damping / 4.0
        if gained < _CLOSE * max(loss, 1.0):
            break
    curvature = _slope(seen, design, now)[1] + penalty
    return now, np.asarray(np.linalg.inv(curvature), dtype=np.float64)


def _loss(seen: _Seen, design: Floats, log_rates: Floats) -> float:
    share = np.exp(-design @ np.exp(log_rates))
    away = log_rates - _FIRST
    return float(((seen.shares - share) ** 2 / seen.variance).sum() + away @ _penalty(len(away)) @ away)


def _slope(seen: _Seen, design: Floats, log_rates: Floats) -> tuple[Floats, Floats]:
    """Half the negative gradient of the squared distances, and their Gauss-Newton curvature."""
    rates = np.exp(log_rates)
    share = np.exp(-design @ rates)
    jacobian = -design * rates * share[:, None]
    weighted = jacobian.T / seen.variance
    return weighted @ (seen.shares - share), weighted @ jacobian
