"""Stock and flow: what is open now, what will still be open of it, and what will have come in by then.

    open at a day = sum over months of entry of entries x share still open at that age

Entries that are open now leave as older cohorts left at that age. Coming entries are forecast. Everything is linear in
the counts, so they stay signed and unbiased; only the result is kept from lying below zero. The interval is that of
draws of all that is unsure: the noise in what is open, the curve, each entry's chance, and the coming entries, whose
error beyond chance is taken to be shared by all coming months: a level that is wrong stays wrong.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.flow.cohorts import Snapshot
from forecasting.flow.completion import Curve, usual_entries
from forecasting.flow.ratios import Count
from forecasting.panel import Floats

DRAWS = 1000

SAME_DAY = 0.5
"""Months within which snapshots count as made together."""


@dataclass(frozen=True, eq=False)
class Stock:
    """The cohorts that are known, each by its newest snapshot: arrays of one length.

    Attributes:
        months: Of entry, as numbers.
        ages: In months, on the day of the snapshot.
        open: Entries still open on that day, signed and noisy.
        open_variance: Of the noise in each.
        closed: Entries that were not.
        closed_variance: Of the noise in each.
        entries: About how many entered in each (``completion.usual_entries``).
    """

    months: Floats
    ages: Floats
    open: Floats
    open_variance: Floats
    closed: Floats
    closed_variance: Floats
    entries: Floats

    @property
    def counted(self) -> Count:
        """All that were open, each cohort on the day of its newest snapshot: the released figures added up."""
        return Count(float(self.open.sum()), float(self.open_variance.sum()))

    def is_of_one_day(self, as_of: float) -> bool:
        """Whether all cohorts were told at about that instant, so that ``counted`` was open then."""
        return bool((np.abs(as_of - (self.months + 0.5) - self.ages) < SAME_DAY).all())


@dataclass(frozen=True, eq=False)
class Inflow:
    """Months of entry whose state nobody has told yet: those to come, and those released as totals alone.

    Attributes:
        months: As numbers, ascending.
        mean: Expected entries, not below zero.
        variance: Of the entries around it: chance, dispersion and noise.
    """

    months: Floats
    mean: Floats
    variance: Floats


@dataclass(frozen=True, slots=True)
class Level:
    """How many are open at one instant: a figure and its interval, in entries. ``signed`` may lie below zero."""

    instant: float
    mean: float
    low: float
    high: float
    signed: float


def stock_of(snapshots: Sequence[Snapshot]) -> Stock:
    """Each cohort as the newest snapshot that has it tells it."""
    newest: dict[float, Floats] = {}
    for each in sorted(snapshots, key=lambda snapshot: snapshot.as_of):
        told = (np.maximum(each.ages, 0.0), each.open, each.open_variance, each.closed, each.closed_variance)
        newest.update(zip(each.months.tolist(), np.stack(told, axis=1), strict=True))
    months, usual = sorted(newest), usual_entries(snapshots)
    told_of = np.stack([newest[month] for month in months], axis=1)
    ages, still, still_noise, done, done_noise = told_of
    entries = np.maximum([usual[month] for month in months], 0.0)
    return Stock(np.array(months, dtype=np.float64), ages, still, still_noise, done, done_noise, entries)


def levels(
    stock: Stock, curve: Curve, inflow: Inflow, instants: Sequence[float], level: int, rng: np.random.Generator
) -> tuple[Level, ...]:
    """How many entries are open at each instant.

    Args:
        stock: What is known.
        curve: How long entries stay open.
        inflow: The months of entry that follow.
        instants: In months since the year 0, none before the newest snapshot.
        level: Of the intervals, in per cent.
        rng: Where the draws come from.
    """
    entries = _entries(inflow, rng)
    found = []
    for now in instants:
        left = _left(stock, curve, now)
        ages = np.maximum(now - (inflow.months + 0.5), 0.0)
        still = np.where(ages > 0, curve.open_at(ages), 0.0)
        slope = left.slope + (inflow.mean * (ages > 0)) @ curve.slopes(np.zeros_like(ages), ages)
        spread = math.sqrt(left.variance + float(slope @ curve.covariance @ slope))
        signed = left.mean + float((inflow.mean * still).sum())
        drawn = left.mean + spread * rng.standard_normal(DRAWS) + rng.poisson(entries * still).sum(axis=1)
        low, high = np.quantile(drawn, [0.5 - level / 200, 0.5 + level / 200])
        mean = max(signed, 0.0)
        found.append(Level(now, mean, min(max(float(low), 0.0), mean), max(float(high), mean), signed))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Left:
    """What is left of all known cohorts: its mean, its variance for a given curve, and its slope in the log rates."""

    mean: float
    variance: float
    slope: Floats


def _left(stock: Stock, curve: Curve, now: float) -> _Left:
    """What will be left of the cohorts known.

    A cohort's own open count tells how it differs from the curve, and its noise how far that may be believed: where
    the noise is larger than cohorts differ, the curve speaks (best linear prediction, Henderson 1975).
    """
    start, ages = np.zeros_like(stock.ages), np.maximum(now - (stock.months + 0.5), stock.ages)
    before, after, kept = curve.open_at(stock.ages), curve.open_at(ages), curve.kept(stock.ages, ages)
    total, inside = stock.open + stock.closed, before * (1.0 - before)
    differs = inside * (stock.entries + curve.beyond * stock.entries**2)
    noise = stock.open_variance * (1.0 - before) ** 2 + stock.closed_variance * before**2
    believed = np.divide(differs, differs + noise, out=np.ones_like(differs), where=differs + noise > 0)
    surplus = believed * (stock.open - before * total)
    of_open, of_closed = after + believed * (1.0 - before) * kept, after - believed * before * kept
    variance = of_open**2 * stock.open_variance + of_closed**2 * stock.closed_variance
    variance += (1.0 - believed) ** 2 * kept**2 * differs + stock.entries * before * kept * (1.0 - kept)
    slope = total @ curve.slopes(start, ages) + surplus @ curve.slopes(stock.ages, ages)
    slope -= (believed * kept * total) @ curve.slopes(start, stock.ages)
    return _Left(float((after * total + kept * surplus).sum()), float(variance.sum()), slope)


def _entries(inflow: Inflow, rng: np.random.Generator) -> Floats:
    """Expected entries by draw: a gamma factor of what is unsure beyond chance, one for all months of a draw."""
    beyond = np.maximum(inflow.variance - inflow.mean, 0.0)
    size = inflow.mean**2 / np.maximum(beyond, 1e-9)
    # One position in the distribution for all months of a draw; each month has its own width.
    place = rng.standard_normal((DRAWS, 1))
    relative = 1.0 / np.sqrt(np.maximum(size, 1e-9))
    # Wilson, Hilferty 1931: the cube root of a gamma variable is nearly normal.
    ninth = relative**2 / 9.0
    return np.asarray(inflow.mean * np.maximum(1.0 - ninth + place * np.sqrt(ninth), 0.0) ** 3, dtype=np.float64)
