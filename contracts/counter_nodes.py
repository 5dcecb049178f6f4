"""The daily counter's binary tree: which sums of days a period answers.

The days of a fiscal year, from 1 October, are the first of 512 leaves. A node of level ``k`` is the sum of ``2^k`` days
that begin at a multiple of ``2^k``; one that reaches beyond 30 September ends there, and one wholly beyond it is none.
A period answers the nodes that it completes: whose last day lies in it. So over disjoint periods each node is answered
once, by the period that knows all of its days, and each day lies in one node of each of the ten levels.
"""

from datetime import date, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from contracts.periods import FISCAL_YEAR_STARTS_IN, Period

AXIS: Final = "node"
"""The one axis of a counter's answer."""

LEVELS: Final = 10


class Node(NamedTuple):
    """A sum of days; ``length`` is its nominal one, ``until`` the day after its last day inside the fiscal year."""

    start: date
    length: int
    until: date

    @property
    def label(self) -> str:
        """Its label on the axis: first day and nominal length, as ``2025-10-01+4``."""
        return f"{self.start}+{self.length}"


def nodes(period: Period) -> tuple[Node, ...]:
    """The nodes that a period completes, by their last day, the shorter ones first."""
    found: list[Node] = []
    start = first_day_of_window(period.start)
    while start < period.until:
        end = _next_window(start)
        found += [node for node in _tree(start, end) if period.start < node.until <= period.until]
        start = end
    return tuple(sorted(found, key=lambda node: (node.until, node.length)))


def node_of(label: str) -> Node:
    """The node of a label.

    Raises:
        ValueError: It is none.
    """
    day, _, length = label.partition("+")
    start, days = date.fromisoformat(day), int(length)
    window = first_day_of_window(start)
    place = (start - window).days
    if days not in {1 << level for level in range(LEVELS)} or place % days:
        raise ValueError(f"{label} is no node of the tree")
    return Node(start, days, min(start + timedelta(days=days), _next_window(window)))


def first_day_of_window(day: date) -> date:
    """The first day of the fiscal year that a day lies in."""
    return date(day.year if day.month >= FISCAL_YEAR_STARTS_IN else day.year - 1, FISCAL_YEAR_STARTS_IN, 1)


def days_of(period: Period) -> tuple[date, ...]:
    """Every day that a node of the period can hold: from the first of its first fiscal year to its end."""
    start = first_day_of_window(period.start)
    return tuple(start + timedelta(days=number) for number in range((period.until - start).days))


@lru_cache(maxsize=64)
def _tree(start: date, end: date) -> tuple[Node, ...]:
    days = (end - start).days
    return tuple(
        Node(start + timedelta(days=first), 1 << level, min(start + timedelta(days=first + (1 << level)), end))
        for level in range(LEVELS)
        for first in range(0, days, 1 << level)
    )


def _next_window(start: date) -> date:
    return date(start.year + 1, FISCAL_YEAR_STARTS_IN, 1)
