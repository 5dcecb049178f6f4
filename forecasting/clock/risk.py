"""Relative risk by the hour of the week: noisy cells, drawn together towards what a coarser clock says.

A region's cell by group, weekday and hour holds a handful of cases and as much noise. Alone it says little; drawn
towards the national clock of the group it says what can be known. How strongly it is drawn depends on how much the
cells really differ from the coarser clock, beyond chance and the known noise:

    cell = m (1 + d) + chance + noise,   d ~ N(0, tau^2),   m = the coarser clock's share of the total

For each tau the cell's estimate and variance are those of a normal mixture; tau itself is averaged over its posterior
with a flat prior (Gelman 2006, "Prior distributions for variance parameters in hierarchical models"). So an interval is
honest also where the data cannot tell tau from zero, which an estimate of tau put in its place would not be.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from forecasting.panel import Floats

LEVEL = 0.95
TAUS = np.concatenate([[0.0], np.geomspace(0.01, 2.0, 40)])
"""Standard deviations of the relative difference between a cell and the coarser clock that are tried."""

MOST_SHARED = 0.9
SMALLEST = 0.5
"""Cases: a coarser clock that expects less of a cell is taken to expect this, when variances are made of it."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one clock, in any order.

    Attributes:
        counts: Signed noisy counts.
        noise: The variance of the noise in each.
        hours: How many hours of the period each cell stands for; all above 0.
    """

    counts: Floats
    noise: Floats
    hours: Floats


@dataclass(frozen=True, slots=True)
class Shape:
    """Shares of the total, adding up to 1, and the variance of each."""

    shares: Floats
    variance: Floats


@dataclass(frozen=True, slots=True)
class Risk:
    """Relative risk of each cell: 1 is the average hour of the week.

    Attributes:
        risk: The estimates.
        low: The true risk of a cell lies above this,
        high: and below this 95 times in 100, counted over the cells of a clock.
        above: Whether a cell is above the average hour for sure: 95 times in 100 no cell of a clock is marked wrongly.
        shape: The same as shares.
    """

    risk: Floats
    low: Floats
    high: Floats
    above: NDArray[np.bool_]
    shape: Shape


def flat_shape(hours: Floats) -> Shape:
    """Every hour alike."""
    return Shape(hours / hours.sum(), np.zeros(len(hours)))


def crossed_shape(cells: Cells, weekdays: int) -> Shape:
    """The clock in which every weekday has the same day: the share of the weekday times the share of the hour.

    Args:
        cells: Ordered by weekday, then hour; their total is above 0.
        weekdays: How many weekdays; the number of cells is a multiple.
    """
    counts, noise = cells.counts.reshape(weekdays, -1), cells.noise.reshape(weekdays, -1)
    total = float(counts.sum())
    parts = []
    for axis in (1, 0):
        margin = np.maximum(counts.sum(axis=axis), SMALLEST)
        relative = (margin + noise.sum(axis=axis)) / margin**2
        parts.append((margin / total, relative))
    (day, day_error), (hour, hour_error) = parts
    shares = np.outer(day, hour).ravel()
    scaled = shares / shares.sum()
    relative = (day_error[:, None] + hour_error[None, :]).ravel()
    return Shape(scaled, scaled**2 * relative)


def relative_risk(cells: Cells, coarser: Shape) -> Risk:
    """The risk of each cell, drawn towards a coarser clock.

    Args:
        cells: Of one area and group.
        coarser: What to draw them towards, for the same cells.

    Returns:
        Where noise hides every case, the coarser clock with intervals that say nothing more.
    """
    total = float(cells.counts.sum())
    if total <= np.sqrt(float(cells.noise.sum())):
        return _told(cells, coarser.shares, coarser.variance, np.inf)
    mean = np.maximum(total * coarser.shares, SMALLEST)
    by_chance = mean + cells.noise
    # The coarser clock was made of these very cells: what is uncertain of it is missing from what they differ by.
    error = np.minimum(total**2 * coarser.variance, MOST_SHARED * by_chance)
    kept = TAUS[:, None] ** 2 * mean**2
    weights = _posterior(cells.counts - mean, (kept + by_chance) * (1.0 - error / by_chance))
    drawn = kept / (kept + by_chance)
    estimates = mean + drawn * (cells.counts - mean)
    estimate = weights @ estimates
    variance = weights @ (error + drawn * (by_chance - error) + (estimates - estimate) ** 2)
    shares = estimate / estimate.sum()
    # The total's own noise moves all shares alike.
    off = variance / total**2 + shares**2 * float(cells.noise.sum()) / total**2
    return _told(cells, shares, off, total)


def _posterior(residual: Floats, spread: Floats) -> Floats:
    """The posterior weight of each tau: the likelihood of all cells together times the width of its step.

    Args:
        residual: What the cells differ by from the coarser clock.
        spread: The variance of that by tau: taus x cells.
    """
    likelihood = -0.5 * (np.log(spread) + residual**2 / spread).sum(axis=1)
    widths = np.gradient(TAUS)
    weights = np.exp(likelihood - likelihood.max()) * widths
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _told(cells: Cells, shares: Floats, variance: Floats, total: float) -> Risk:
    scale = float(cells.hours.sum()) / cells.hours
    deviation = np.sqrt(variance) * scale
    risk = np.maximum(shares * scale, 0.0)
    if not np.isfinite(total):
        return Risk(risk, np.zeros(len(risk)), scale, np.zeros(len(risk), dtype=np.bool_), Shape(shares, variance))
    half = norm.ppf(0.5 + LEVEL / 2.0) * deviation
    # All cells together: Sidak's inequality holds for normal errors however they depend on each other.
    together = norm.ppf(LEVEL ** (1.0 / len(risk))) * deviation
    low, high = np.maximum(risk - half, 0.0), np.minimum(risk + half, scale)
    return Risk(risk, low, high, risk - together > 1.0, Shape(shares, variance))
