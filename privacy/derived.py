"""What follows from released figures at no further cost: means, ratios, shares, quantiles, each with its error.

Everything here is post-processing of noisy figures (Dwork, Roth 2014, proposition 2.1): it reads no exact figure.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.dataset import DatasetContract
from contracts.grid import Grid
from contracts.measures import HISTOGRAM, Kind, Measure, measure_of
from contracts.query import Query
from contracts.release import Derived, Released
from privacy.plan import Z_95, unit_of

DECIMALS: Final = 4
"""Of ratios and shares; of everything else it is two."""

STANDS_OUT: Final = 2.0
"""A divisor of fewer standard deviations is noise: no ratio to it means anything."""

Floats = npt.NDArray[np.float64]
Figures = tuple[list[float | None], list[float | None]]
"""A figure and its 95 % half-width for each cell; none where it has no meaning."""


def derived_of(
    released: Sequence[Released], grid: Grid, query: Query, contract: DatasetContract
) -> tuple[Derived, ...]:
    """Everything that the contract offers and the released figures give, and the shares that were asked for.

    Not only what was asked: the same figures asked for in other words are the same release.
    """
    by_name = {each.measure: each for each in released}
    names = [*contract.measures, *(name for name in query.measures if measure_of(name).kind is Kind.SHARE)]
    wanted = [measure_of(name) for name in dict.fromkeys(names) if set(measure_of(name).base) <= set(by_name)]
    found = [_derived(each, by_name, grid, contract) for each in wanted if each.name not in by_name]
    return tuple(each for each in found if each is not None)


def cell_sigmas(released: Released, grid: Grid) -> Floats:
    """The standard deviation of the noise of each figure."""
    if released.along is None:
        return np.full(len(released.cells), released.sigma)
    place = next(number for number, axis in enumerate(grid.axes) if axis.name == released.along)
    sizes = [len(axis.values) for axis in grid.axes]
    of_label = np.asarray([released.sigmas[label] for label in grid.axes[place].values])
    shape = [1] * len(sizes)
    shape[place] = sizes[place]
    return np.broadcast_to(of_label.reshape(shape), sizes).ravel()


def _derived(
    measure: Measure, released: Mapping[str, Released], grid: Grid, contract: DatasetContract
) -> Derived | None:
    match measure.kind:
        case Kind.MEAN | Kind.RATIO:
            over, under = _sum_and_divisor(measure)
            cells, errors = _ratio(released[over], released[under], grid, _decimals(measure))
        case Kind.SHARE:
            (count,) = measure.base
            if measure.column not in [axis.name for axis in grid.axes]:
                return None
            cells, errors = _share(released[count], grid, measure.column)
        case _:
            cells, errors = _quantile(measure, released[f"{measure.column}:{HISTOGRAM}"], contract)
    return Derived(
        measure=measure.name, unit=unit_of(measure.name, contract), cells=tuple(cells), errors_95=tuple(errors)
    )


def _sum_and_divisor(measure: Measure) -> tuple[str, str]:
    if measure.kind is Kind.MEAN:
        count, total = measure.base
        return total, count
    over, under = measure.base
    return over, under


def _decimals(measure: Measure) -> int:
    return DECIMALS if measure.kind is Kind.RATIO else 2


def _ratio(over: Released, under: Released, grid: Grid, decimals: int) -> Figures:
    """A quotient and its error by the delta method (Casella, Berger 2002, section 5.5.4)."""
    cells: list[float | None] = []
    errors: list[float | None] = []
    sigmas = zip(cell_sigmas(over, grid), cell_sigmas(under, grid), strict=True)
    for top, bottom, (top_sigma, bottom_sigma) in zip(over.cells, under.cells, sigmas, strict=True):
        if bottom <= STANDS_OUT * bottom_sigma:
            cells.append(None)
            errors.append(None)
            continue
        ratio = top / bottom
        cells.append(round(ratio, decimals))
        errors.append(round(float(Z_95 * math.hypot(top_sigma, ratio * bottom_sigma) / bottom), decimals))
    return cells, errors


def _share(count: Released, grid: Grid, dimension: str) -> Figures:
    """Each cell's part of the total over one axis; the cell's own noise is in both.

    With the share s, the total T and L labels the variance is sigma^2 ((1 - s)^2 + (L - 1) s^2) / T^2.
    """
    place = next(number for number, axis in enumerate(grid.axes) if axis.name == dimension)
    figures = np.asarray(count.cells, dtype=np.float64).reshape([len(axis.values) for axis in grid.axes])
    labels = figures.shape[place]
    total = np.broadcast_to(figures.sum(axis=place, keepdims=True), figures.shape).ravel()
    cells: list[float | None] = []
    errors: list[float | None] = []
    for figure, whole in zip(figures.ravel(), total, strict=True):
        if whole <= STANDS_OUT * count.sigma * math.sqrt(labels):
            cells.append(None)
            errors.append(None)
            continue
        share = figure / whole
        sigma = count.sigma * math.hypot(1 - share, math.sqrt(labels - 1) * share) / whole
        cells.append(round(float(share), DECIMALS))
        errors.append(round(float(Z_95 * sigma), DECIMALS))
    return cells, errors


def _quantile(measure: Measure, histogram: Released, contract: DatasetContract) -> Figures:
    column = contract.measure_column(measure.column)
    low, high = column.clamp if column else (histogram.bins[0], histogram.bins[-1])
    edges = np.asarray([min(low, histogram.bins[0]), *histogram.bins, max(high, histogram.bins[-1])], dtype=np.float64)
    counts = np.asarray(histogram.cells, dtype=np.float64).reshape(-1, len(edges) - 1)
    found = [_quantile_of(row, edges, measure.quantile, histogram.sigma) for row in counts]
    return [value for value, _ in found], [error for _, error in found]


def _quantile_of(counts: Floats, edges: Floats, quantile: float, sigma: float) -> tuple[float | None, float | None]:
    """A quantile by linear interpolation in its bin, and the farther end of its interval.

    The interval holds every value whose cumulated count lies within 1.96 standard deviations of the target, and reaches
    to the edges of the bins at its ends: how rows lie inside a bin is not known. The difference of the cumulated count
    of j of B bins and of the target has the variance sigma^2 (j (1 - q)^2 + (B - j) q^2).
    """
    bins, total = len(counts), counts.sum()
    if total <= STANDS_OUT * sigma * math.sqrt(bins):
        return None, None
    below = np.concatenate([[0.0], np.cumsum(counts)])
    # Noise makes a cumulated count fall here and there: the mean of the rising curves above and below it.
    rising = (np.maximum.accumulate(below) + np.minimum.accumulate(below[::-1])[::-1]) / 2
    target = quantile * total
    reached = int(np.clip(np.searchsorted(rising, target, side="left"), 1, bins))
    step = rising[reached] - rising[reached - 1]
    inside = 0.5 if step <= 0 else float(np.clip((target - rising[reached - 1]) / step, 0.0, 1.0))
    value = edges[reached - 1] + inside * (edges[reached] - edges[reached - 1])
    numbers = np.arange(bins + 1)
    slack = Z_95 * sigma * np.sqrt(numbers * (1 - quantile) ** 2 + (bins - numbers) * quantile**2)
    possible = np.flatnonzero((rising + slack >= target) & (rising - slack <= target))
    first = int(min(possible.min() if len(possible) else reached, reached)) - 1
    last = int(max(possible.max() if len(possible) else reached, reached - 1)) + 1
    low, high = edges[max(first, 0)], edges[min(last, bins)]
    return round(float(value), 2), round(float(max(value - low, high - value)), 2)
