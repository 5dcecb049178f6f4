"""Runs of an evaluation whose truth is known: draw counts, treat areas, take cases out, protect, evaluate, compare."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from forecasting.interventions.counterfactual import Ints
from forecasting.interventions.design import Roles, compared, rows, too_small
from forecasting.interventions.effects import TREATED, bounds
from forecasting.interventions.regression import Truths, fit
from forecasting.panel import Floats
from forecasting.seasons import YEAR

WINDOW = 12
HALF_WIDTHS_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Counts:
    """True counts of some runs: ``past`` is runs x areas x months, ``after`` the twelve months' sum, runs x areas.

    ``calendar`` is the month of the year of the start, 0 for January.
    """

    past: Ints
    after: Ints
    calendar: int


class World(Protocol):
    """Where counts come from."""

    @property
    def noise(self) -> float:
        """The standard deviation of the noise in a month of an area at epsilon 1, in cases."""
        ...

    def batches(self, generator: np.random.Generator, runs: int) -> Iterator[Counts]:
        """So many runs, in parts that fit into memory."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """How often the interval held the truth, and left out that nothing had changed; the mean error on the log scale.

    ``error`` is the Monte-Carlo error of ``noticed``: the half-width of its 95 % interval. ``spread`` is the standard
    deviation that was found between areas, on the log scale.
    """

    covered: float
    noticed: float
    bias: float
    error: float
    spread: float


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried.

    Attributes:
        effects: On the treated areas, as shares of their cases: 0, or below 0. All are tried on the same draws.
        runs: How many.
        treated: Areas that are treated, drawn with probability proportional to last year's volume.
        noise: Standard deviation of the noise in a month of an area, in cases; 0 for exact counts.
    """

    effects: tuple[float, ...]
    runs: int
    treated: int
    noise: float


def tried(world: World, trial: Trial, generator: np.random.Generator) -> tuple[Outcome, ...]:
    """Evaluate every run of a trial: one outcome for each effect."""
    found = [_evaluated(counts, trial, generator) for counts in world.batches(generator, trial.runs)]
    every = np.concatenate(found, axis=2)
    return tuple(_outcome(figures, effect) for figures, effect in zip(every, trial.effects, strict=True))


def _outcome(figures: Floats, effect: float) -> Outcome:
    middle, half, spread = figures
    error, noticed = middle - math.log1p(effect), float((np.abs(middle) > half).mean())
    return Outcome(
        covered=float((np.abs(error) <= half).mean()),
        noticed=noticed,
        bias=float(error.mean()),
        error=HALF_WIDTHS_95 * math.sqrt(noticed * (1.0 - noticed) / len(error)),
        spread=float(spread.mean()),
    )


def _evaluated(counts: Counts, trial: Trial, generator: np.random.Generator) -> Floats:
    """Estimate, half-width and spread of every run: effects x 3 x runs."""
    chosen = _chosen(counts.past, trial.treated, generator)
    past = counts.past + np.round(trial.noise * generator.standard_normal(counts.past.shape))
    blur = np.round(trial.noise * math.sqrt(WINDOW) * generator.standard_normal(counts.after.shape))
    variance = np.full(counts.after.shape[1], trial.noise**2)
    known = compared(past, counts.after + blur, variance, counts.calendar, WINDOW)
    used = ~too_small(past, variance, WINDOW)[..., None]
    parts = Roles(chosen[..., None] & used, None, used)
    found = []
    for effect in trial.effects:
        lost = np.where(chosen, generator.binomial(counts.after, -effect), 0)
        fits = fit(rows(replace(known, observed=known.observed - lost[..., None]).seen, parts))
        interval = bounds(fits, TREATED, trial.treated)
        found.append(np.stack([interval.middle, interval.half, np.sqrt(fits.between)]))
    return np.stack(found)


def _chosen(past: Ints, treated: int, generator: np.random.Generator) -> Truths:
    """Draw the treated areas, runs x areas: without replacement, by volume (largest logarithms plus Gumbel)."""
    volume = past[:, :, -YEAR:].sum(axis=2) + 1.0
    keys = np.log(volume) + generator.gumbel(size=volume.shape)
    chosen = np.zeros(volume.shape, dtype=bool)
    np.put_along_axis(chosen, np.argpartition(-keys, treated - 1, axis=1)[:, :treated], values=True, axis=1)
    return chosen
