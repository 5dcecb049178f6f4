"""What follows from released figures at no further cost: means, ratios, shares, quantiles, each with its error.

Everything here is post-processing of noisy figures (Dwork, Roth 2014, proposition 2.1): it reads no exact figure. An
error is the distance from the figure to the farther end of a 95 % interval, which need not lie evenly around it. The
95 times in 100 are counted over all releases; where the exact divisor itself is hardly larger than its noise, those few
releases that show a figure at all are wrong more often.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from contracts.cell_errors import cell_sigmas
from contracts.dataset import DatasetContract
from contracts.grid import Grid
from contracts.measures import HISTOGRAM, Kind, Measure, measure_of
from contracts.query import Query
from contracts.release import Derived, Released
from privacy.plan import SHARE_UNIT, Z_95, unit_of

DECIMALS: Final = 4
"""Of ratios and shares; of everything else it is two."""

STANDS_OUT: Final = 2.5
"""A divisor of fewer standard deviations is noise: no ratio to it means anything. It lies above every law's width of
95 %, so that the interval of a ratio has two ends."""

BLOCK: Final = 10_000

Floats = npt.NDArray[np.float64]


class Figures(NamedTuple):
    """A figure and its 95 % half-width for each cell; not a number where it has no meaning."""

    cells: Floats
    errors: Floats


def derived_of(
    released: Sequence[Released], grid: Grid, query: Query, contract: DatasetContract
) -> tuple[Derived, ...]:
    """Everything that the contract offers and the released figures give, and the shares that were asked for.

    Not only what was asked: the same figures asked for in other words are the same release.
    """
    by_name = {each.measure: each for each in released}
    names = [*contract.measures, *(name for name in query.measures if measure_of(name).kind is Kind.SHARE)]
    others = [measure_of(name) for name in dict.fromkeys(names) if name not in by_name]
    found = [_derived(each, by_name, grid, contract) for each in others if by_name.keys() >= set(each.base)]
    return tuple(each for each in found if each is not None)


def share_of(count: Released, grid: Grid, dimension: str) -> Derived:
    """Each cell's part of the count over one axis of its grid."""
    figures = _share(count, grid, dimension)
    return Derived(
        measure=f"{dimension}:{Kind.SHARE}",
        unit=SHARE_UNIT,
        cells=_rounded(figures.cells, DECIMALS),
        errors_95=_rounded(figures.errors, DECIMALS),
    )


def _derived(
    measure: Measure, released: Mapping[str, Released], grid: Grid, contract: DatasetContract
) -> Derived | None:
    match measure.kind:
        case Kind.MEAN | Kind.RATIO:
            over, under = _sum_and_divisor(measure)
            figures = _ratio(released[over], released[under], grid)
        case Kind.SHARE:
            (count,) = measure.base
            is_axis = measure.column in [axis.name for axis in grid.axes]
            return share_of(released[count], grid, measure.column) if is_axis else None
        case _:
            figures = _quantile(measure, released[f"{measure.column}:{HISTOGRAM}"], contract)
    decimals = DECIMALS if measure.kind is Kind.RATIO else 2
    return Derived(
        measure=measure.name,
        unit=unit_of(measure.name, contract),
        cells=_rounded(figures.cells, decimals),
        errors_95=_rounded(figures.errors, decimals),
    )


def _rounded(figures: Floats, decimals: int) -> tuple[float | None, ...]:
    return tuple(None if figure != figure else round(figure, decimals) for figure in figures.tolist())  # noqa: PLR0124  # not a number differs from itself


def _sum_and_divisor(measure: Measure) -> tuple[str, str]:
    if measure.kind is Kind.MEAN:
        count, total = measure.base
        return total, count
    over, under = measure.base
    return over, under


def _width(released: Released) -> float:
    """How many standard deviations hold a figure 95 times in 100: more for a single Laplace than for a Gaussian."""
    return max(Z_95, released.expected_error_95 / released.sigma)


class _Spread(NamedTuple):
    """Variance of the figure above and of the one below, their covariance, and how many deviations make 95 %."""

    above: Floats
    below: Floats
    both: Floats
    width: float


def _quotient(above: Floats, below: Floats, spread: _Spread) -> Figures:
    """A quotient of noisy figures with the interval of Fieller (1954), and nothing where the divisor is noise.

    The exact quotient r makes ``above - r * below`` pure noise, of variance ``v_a - 2 r v_ab + r^2 v_b``. The interval
    is every r for which that lies within ``width`` standard deviations. Far from noise it is that of the delta method,
    which near it is too narrow: it would claim more than it holds.
    """
    squared = spread.width**2
    meant = below > STANDS_OUT * np.sqrt(spread.below)
    top, bottom = np.where(meant, above, np.nan), np.where(meant, below, np.nan)
    ratio = top / bottom
    leading = bottom**2 - squared * spread.below
    # The quadratic's discriminant and its centre's distance from the ratio, written without differences of squares.
    root = squared * (
        bottom**2 * spread.above
        - 2 * top * bottom * spread.both
        + top**2 * spread.below
        - squared * (spread.above * spread.below - spread.both**2)
    )
    shift = squared * (top * spread.below - bottom * spread.both) / (leading * bottom)
    return Figures(ratio, np.abs(shift) + np.sqrt(np.maximum(root, 0.0)) / leading)


def _ratio(over: Released, under: Released, grid: Grid) -> Figures:
    """Two base measures, whose noises were drawn apart."""
    above, below = (np.asarray(each.cells, dtype=np.float64) for each in (over, under))
    of_above, of_below = (np.asarray(cell_sigmas(each, grid)) ** 2 for each in (over, under))
    return _quotient(above, below, _Spread(of_above, of_below, np.zeros(1), max(_width(over), _width(under))))


def _share(count: Released, grid: Grid, dimension: str) -> Figures:
    """Each cell's part of the total over one axis; the cell's own noise is in both."""
    place = next(number for number, axis in enumerate(grid.axes) if axis.name == dimension)
    figures = np.asarray(count.cells, dtype=np.float64).reshape([len(axis.values) for axis in grid.axes])
    total = np.broadcast_to(figures.sum(axis=place, keepdims=True), figures.shape)
    own = np.full(1, count.sigma**2)
    spread = _Spread(own, own * figures.shape[place], own, _width(count))
    return _quotient(figures.ravel(), total.ravel(), spread)


def _quantile(measure: Measure, histogram: Released, contract: DatasetContract) -> Figures:
    column = contract.measure_column(measure.column)
    low, high = column.clamp if column else (histogram.bins[0], histogram.bins[-1])
    edges = histogram.bins
    # Amounts are whole units: the bin [a, b) holds a, ..., b - 1.
    starts = np.asarray([min(low, edges[0] - 1), *edges], dtype=np.float64)
    ends = np.asarray([*(edge - 1 for edge in edges), max(high, edges[-1])], dtype=np.float64)
    counts = np.asarray(histogram.cells, dtype=np.float64).reshape(-1, len(starts))
    noise = _Noise(_width(histogram) * histogram.sigma, STANDS_OUT * histogram.sigma)
    # So many rows at a time that memory does not grow with the number of cells.
    blocks = [counts[first : first + BLOCK] for first in range(0, len(counts), BLOCK)]
    found = [_quantiles(block, (starts, ends), measure.quantile, noise) for block in blocks]
    return Figures(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


class _Noise(NamedTuple):
    """Of one count: what makes 95 %, and what a lone row's total must exceed to be no noise itself."""

    slack: float
    most: float


def _quantiles(counts: Floats, bins: tuple[Floats, Floats], quantile: float, noise: _Noise) -> Figures:
    """A quantile of each row of noisy counts, by linear interpolation in its bin, and the farther end of its interval.

    The quantile lies in the bin ``k`` if the rows below the bin are no more than the quantile's part of all, and those
    up to its end no fewer. The interval holds every bin of which neither can be excluded: each test fails the right bin
    once in 40 times, both together 5 times in 100 at most. It reaches to the ends of its bins, since how rows lie
    inside one is not known. The distance of the first j of B counts from the quantile's part of all has the variance
    ``sigma^2 (j (1 - q)^2 + (B - j) q^2)``.

    Args:
        counts: Rows by bins.
        bins: The least and the largest amount of each bin.
        quantile: The part of the rows that lies below.
        noise: Of one count; that of a total of B counts is so many times the square root of B.
    """
    starts, ends = bins
    rows, number = counts.shape
    below = np.concatenate([np.zeros((rows, 1)), np.cumsum(counts, axis=1)], axis=1)
    meant = below[:, -1] > noise.most * np.sqrt(number)
    target = quantile * below[:, -1:]
    value, reached = _interpolated(below, target, starts, ends)
    j = np.arange(number + 1)
    free = noise.slack * np.sqrt(j * (1 - quantile) ** 2 + (number - j) * quantile**2)
    from_below, up_to_end = below - target <= free, below - target >= -free
    # Nothing lies below the first bin and everything up to the end of the last: that much is known.
    from_below[:, 0] = up_to_end[:, -1] = True
    possible = from_below[:, :-1] & up_to_end[:, 1:]
    possible[np.arange(rows), reached] = True
    first, last = possible.argmax(axis=1), number - 1 - possible[:, ::-1].argmax(axis=1)
    error = np.maximum(value - starts[first], ends[last] - value)
    return Figures(np.where(meant, value, np.nan), np.where(meant, error, np.nan))


def _interpolated(below: Floats, target: Floats, starts: Floats, ends: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
    """The amount at which each row's rising count reaches its target, and the bin in which it does.

    Noise makes a cumulated count fall here and there: what rises is the mean of the curves just above and just below.
    """
    number = len(starts)
    above = np.maximum.accumulate(below, axis=1)
    under = np.minimum.accumulate(below[:, ::-1], axis=1)[:, ::-1]
    rising = (above + under) / 2
    reached = np.clip((rising < target).sum(axis=1) - 1, 0, number - 1)
    row = np.arange(len(below))
    before, after = rising[row, reached], rising[row, reached + 1]
    step = after - before
    part = np.divide(target[:, 0] - before, step, out=np.full(len(below), 0.5), where=step > 0)
    value = starts[reached] + np.clip(part, 0.0, 1.0) * (ends[reached] - starts[reached])
    return value, reached
