"""Ranks of noisy figures, with the probability that each order is right under the noise.

Given a released figure and Gaussian noise of known standard deviation, and nothing else known, the exact figure is
normal around the released one. The probability that one exact figure is above another is then a normal probability of
their difference; that a figure has its rank is a Poisson-binomial probability, averaged over where the figure may lie.
Both are computed, not simulated. The noises of the figures are taken as independent, as those of the cells of one
table are. Between the figures of two labels the known size of each label's own noise counts: a sum's noise follows its
clamp.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from forecasting.panel import Floats

POINTS = 801
"""Places at which a figure may lie, at even steps of probability."""

SMALLEST_SIGMA = 1e-9


@dataclass(frozen=True, slots=True)
class Ranked:
    """One label in its place.

    Attributes:
        label: The label.
        rank: Its place by the released figures, from 1 for the largest.
        figure: The released figure, signed.
        sigma: The standard deviation of its noise.
        right: The probability that this is its place by the exact figures.
        above_next: The probability that its exact figure is above that of the label below; none for the last.
        best: The best place that it has with at least 95 in 100 between the two.
        worst: The worst.
    """

    label: str
    rank: int
    figure: float
    sigma: float
    right: float
    above_next: float | None
    best: int
    worst: int


def ranking(labels: Sequence[str], figures: Sequence[float], sigmas: Sequence[float]) -> tuple[Ranked, ...]:
    """The labels in the order of their figures, the largest first.

    Args:
        labels: At least one.
        figures: Released figures, signed.
        sigmas: The standard deviation of the noise of each; 0 for an exact one.
    """
    order = np.argsort(-np.asarray(figures, dtype=np.float64), kind="stable")
    middle = np.asarray(figures, dtype=np.float64)[order]
    spread = np.maximum(np.asarray(sigmas, dtype=np.float64)[order], SMALLEST_SIGMA)
    places = _places(middle, spread)
    above = ndtr((middle[:-1] - middle[1:]) / np.hypot(spread[:-1], spread[1:]))
    found = []
    for place, number in enumerate(order):
        best, worst = _between(places[place])
        found.append(
            Ranked(
                label=labels[number],
                rank=place + 1,
                figure=float(middle[place]),
                sigma=float(sigmas[number]),
                right=float(places[place, place]),
                above_next=float(above[place]) if place < len(above) else None,
                best=best,
                worst=worst,
            )
        )
    return tuple(found)


def _places(middle: Floats, spread: Floats) -> Floats:
    """The probability of each place (columns) for each figure (rows)."""
    steps = ndtri((np.arange(POINTS) + 0.5) / POINTS)
    found = np.zeros((len(middle), len(middle)))
    for number in range(len(middle)):
        at = middle[number] + spread[number] * steps
        others = np.delete(np.arange(len(middle)), number)
        larger = ndtr((middle[others][:, None] - at) / spread[others][:, None])
        found[number] = _how_many(larger).mean(axis=1)
    return found


def _how_many(chances: Floats) -> Floats:
    """The distribution of how many of independent events happen (Poisson binomial): (events + 1) x points.

    Args:
        chances: Events x points.
    """
    found = np.zeros((len(chances) + 1, chances.shape[1]))
    found[0] = 1.0
    for chance in chances:
        found[1:] = found[1:] * (1.0 - chance) + found[:-1] * chance
        found[0] *= 1.0 - chance
    return found


def _between(places: Floats) -> tuple[int, int]:
    """The places that leave at most 2.5 in 100 on either side."""
    upto = np.cumsum(places)
    best = int(np.searchsorted(upto, 0.025, side="right")) + 1
    worst = int(np.searchsorted(upto, 0.975, side="left")) + 1
    return min(best, len(places)), min(worst, len(places))
