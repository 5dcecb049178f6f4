"""Parting one budget among questions: the shares that make their errors, weighed by importance, smallest together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from contracts.errors import InvalidInput

FINE: Final = 10**12
"""Parts that shares are counted in before they become whole nano-rho."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one question wants of the budget.

    Attributes:
        name: Whose claim it is.
        difficulty: The root of the price at which its error is its target, in nano-rho. Above 0.
        importance: Its weight beside the others'. Above 0.
        times: How often it is charged.
    """

    name: str
    difficulty: float
    importance: int = 1
    times: int = 1


def allocate(claims: Sequence[Claim], budget: int) -> dict[str, int]:
    """The price of each question, each time that it is charged.

    Gaussian noise at price r has a standard deviation of c / sqrt(r), so question i has its error at d_i / sqrt(r_i)
    times its target, with d_i its difficulty. We minimise

        sum of w_i d_i^2 / r_i    subject to    sum of n_i r_i <= B

    over w importance, n times and the budget B. The sum falls in every r_i, so all of B is used. With a multiplier m,
    the derivative of sum w_i d_i^2 / r_i + m (sum n_i r_i - B) is zero where w_i d_i^2 / r_i^2 = m n_i:

        r_i = d_i sqrt(w_i / n_i) / sqrt(m),   hence   r_i = B s_i / sum of n_j s_j   with   s_i = d_i sqrt(w_i / n_i).

    The sum is convex, so this is its minimum. Shares are counted in whole numbers and rounded down: what all questions
    cost together is never more than the budget.

    Args:
        claims: The questions, each name once.
        budget: In nano-rho, at least 0.

    Returns:
        The price of each question by name, in nano-rho, at least 0.

    Raises:
        InvalidInput: ``price-not-positive``, for a difficulty that is not a positive number.
    """
    if any(not (math.isfinite(each.difficulty) and each.difficulty > 0) for each in claims):
        raise InvalidInput("price-not-positive")
    roots = [each.difficulty * math.sqrt(each.importance / each.times) for each in claims]
    largest = max(roots, default=1.0)
    parts = [max(1, int(root / largest * FINE)) for root in roots]
    whole = sum(each.times * part for each, part in zip(claims, parts, strict=True))
    return {each.name: budget * part // whole for each, part in zip(claims, parts, strict=True)}
