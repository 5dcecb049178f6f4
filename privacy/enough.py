"""The price at which a line of an answer is as good as it needs to be: budget beyond it buys little."""

import math
from typing import Final

from contracts.budget_plan import PlannedLine
from contracts.errors import InvalidInput
from contracts.measures import Kind, measure_of
from privacy.expected_errors import Asked, expected_lines

SLACK: Final = 1.1
"""A quantile's error has a floor, the width of its bins: within a tenth of the best there is no more to be had."""

CLOSE: Final = 1.05
"""The search ends at a price that is so much above one that is not enough."""


def enough_prices(asked: Asked, whole: int, best: tuple[PlannedLine, ...]) -> dict[int, float]:
    """For every line that the whole budget makes tell something, the price at which it meets its target; by number.

    Errors fall with the root of the price, so the price for a target follows from one error. A quantile's falls in
    steps and not below the width of its bins: its price is searched for, and where the target is out of reach it is the
    price at which the error is about as good as the whole budget makes it.

    Args:
        asked: The question.
        whole: The price that ``best`` was found at.
        best: Its lines at that price.
    """
    found = {}
    for number, line in enumerate(best):
        if line.relative_error is None or not line.verdict.fits:
            continue
        if measure_of(line.measure).kind is Kind.QUANTILE:
            found[number] = _searched(asked, number, whole, max(asked.target, SLACK * line.relative_error))
        else:
            found[number] = whole * (line.relative_error / asked.target) ** 2
    return found


def _searched(asked: Asked, number: int, whole: int, goal: float) -> float:
    """The lowest price, about, at which the line's error is no more than ``goal``, which it is at ``whole``."""
    low, high = 1.0, float(whole)
    while high > CLOSE * low:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if _error(asked, number, int(middle)) <= goal else (middle, high)
    return high


def _error(asked: Asked, number: int, nano_rho: int) -> float:
    try:
        error = expected_lines(asked, nano_rho)[number].relative_error
    except InvalidInput:
        return math.inf
    return math.inf if error is None else error
