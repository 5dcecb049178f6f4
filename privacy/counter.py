"""The best estimates that a daily counter's nodes give: days, running totals, any span of days, each with its error.

Every node of the tree (``contracts.counter_nodes``) was released with independent noise, some in later releases of the
series. The days are the parameters of a linear model whose observations are the nodes; the generalised least squares
estimate is the best linear unbiased one (Gauss, Markov; for trees Honaker 2015, "Efficient use of differentially
private binary trees", gives the same by recursion). A fiscal year has at most 733 nodes and 366 days, so the normal
equations are solved as they stand, and their inverse has the variance of every span of days. The error of a running
total grows with the logarithm of the days, not with their root: about ``sigma * sqrt(log2(days) / 2)`` and less.

It is post-processing of released figures and costs nothing. A row that arrives after its month was released counts only
in the longer nodes that are released later, so that late rows make the nodes of a tree differ by more than their noise.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import pinvh

from contracts.counter_nodes import Node, first_day_of_window, node_of
from contracts.periods import window_of
from contracts.values import Value
from privacy.plan import Z_95

Floats = npt.NDArray[np.float64]
ONE_DAY = timedelta(days=1)


class NodeFigure(NamedTuple):
    """A released node: its label, its noisy figure and the standard deviation of its noise."""

    label: str
    figure: float
    sigma: float


class Estimate(NamedTuple):
    """An unbiased estimate and its standard deviation."""

    figure: float
    sigma: float


class CountedDay(Value):
    """One day: its count, and the running total from the first day of its run, each with its 95 % half-width."""

    day: date
    count: float
    count_error_95: float
    total: float
    total_error_95: float


class CountedRun(Value):
    """Days that follow each other inside one fiscal year, all released.

    ``since`` is the first of them, ``until`` the day after the last; ``average`` is the mean of a day over the run.
    """

    window: str
    since: date
    until: date
    average: float
    average_error_95: float
    days: tuple[CountedDay, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """Estimates of days that follow each other, with the covariance of each two."""

    since: date
    figures: Floats
    covariance: Floats

    def interval(self, first: int, until: int) -> Estimate:
        """The sum of the days from number ``first`` on and before number ``until``, counted from 0."""
        span = slice(first, until)
        return Estimate(float(self.figures[span].sum()), math.sqrt(float(self.covariance[span, span].sum())))

    def counted(self) -> CountedRun:
        """Every day with its running total."""
        # The variance of a running total is the sum of a leading square of the covariance.
        variances = np.diag(np.cumsum(np.cumsum(self.covariance, axis=0), axis=1))
        totals, spread = np.cumsum(self.figures), np.sqrt(np.diag(self.covariance))
        days = len(self.figures)
        return CountedRun(
            window=window_of(self.since),
            since=self.since,
            until=self.since + days * ONE_DAY,
            average=float(totals[-1]) / days,
            average_error_95=Z_95 * math.sqrt(float(variances[-1])) / days,
            days=tuple(
                CountedDay(
                    day=self.since + place * ONE_DAY,
                    count=float(self.figures[place]),
                    count_error_95=Z_95 * float(spread[place]),
                    total=float(totals[place]),
                    total_error_95=Z_95 * math.sqrt(float(variances[place])),
                )
                for place in range(days)
            ),
        )


def runs_of(figures: Sequence[NodeFigure]) -> tuple[Run, ...]:
    """The estimates of every day whose own node was released, in runs of days that follow each other.

    Args:
        figures: The nodes of one series, each once, from one or several releases, in any order.

    Raises:
        ValueError: A label is none of a node, or a node stands there twice.
    """
    by_window: dict[date, list[tuple[Node, NodeFigure]]] = {}
    for each in figures:
        node = node_of(each.label)
        by_window.setdefault(first_day_of_window(node.start), []).append((node, each))
    if len({each.label for each in figures}) != len(figures):
        raise ValueError("a node was released twice")
    return tuple(run for start in sorted(by_window) for run in _runs(start, by_window[start]))


def _runs(start: date, released: Sequence[tuple[Node, NodeFigure]]) -> Iterator[Run]:
    days = max((node.until - start).days for node, _ in released)
    normal, observed = np.zeros((days, days)), np.zeros(days)
    for node, each in released:
        span, weight = slice((node.start - start).days, (node.until - start).days), each.sigma**-2
        normal[span, span] += weight
        observed[span] += weight * each.figure
    # Days that were never asked are no estimable parameters: the pseudo-inverse leaves the others' estimates best.
    covariance: Floats = pinvh(normal).astype(np.float64)
    estimates = covariance @ observed
    known = sorted((node.start - start).days for node, _ in released if node.length == 1)
    for first, last in _consecutive(known):
        span = slice(first, last + 1)
        yield Run(start + first * ONE_DAY, estimates[span], covariance[span, span])


def _consecutive(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The first and last of each maximal run of numbers that follow each other."""
    first = 0
    for place, number in enumerate(numbers):
        if place + 1 == len(numbers) or numbers[place + 1] != number + 1:
            yield numbers[first], number
            first = place + 1
