"""The error of each released figure: where the noise of a sum follows each code's own clamp, cells differ.

A figure is never shown with the error of another: the tables, the pages and the forecasts all ask here.
"""

from collections.abc import Iterator
from itertools import chain, pairwise, repeat
from math import prod

from contracts.grid import Grid
from contracts.release import Released


def cell_sigmas(released: Released, grid: Grid) -> tuple[float, ...]:
    """The standard deviation of the noise of each figure, in the order of the figures, in the measure's unit.

    Args:
        released: A base measure of a release.
        grid: The release's cells.
    """
    return tuple(_along(released, grid))


def cell_errors_95(released: Released, grid: Grid) -> tuple[float, ...]:
    """The half-width of the interval that holds the exact figure 95 times in 100, for each figure.

    It is as many standard deviations everywhere: noises that differ by their scale alone have one law.
    """
    factor = released.expected_error_95 / released.sigma
    return tuple(sigma * factor for sigma in _along(released, grid))


def bin_labels(edges: tuple[int, ...]) -> tuple[str, ...]:
    """The names of a histogram's bins, whole units: ``<1000``, ``1000-4999``, ``5000``, ``>=5001``."""
    inner = (f"{low}" if high == low + 1 else f"{low}-{high - 1}" for low, high in pairwise(edges))
    return (f"<{edges[0]}", *inner, f">={edges[-1]}")


def _along(released: Released, grid: Grid) -> Iterator[float]:
    if released.along is None:
        return repeat(released.sigma, len(released.cells))
    sizes = [len(axis.values) for axis in grid.axes]
    place = next(number for number, axis in enumerate(grid.axes) if axis.name == released.along)
    after, before = prod(sizes[place + 1 :]), prod(sizes[:place])
    once = [sigma for label in grid.axes[place].values for sigma in repeat(released.sigmas[label], after)]
    return chain.from_iterable(repeat(once, before))
