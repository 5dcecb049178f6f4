"""The share of an amount in another, both noisy, with Fieller's interval.

Fieller 1954, "Some problems in interval estimation": the ratios t for which the released amounts are no surprise,
(F - t R)^2 <= z^2 (s_F^2 + t^2 s_R^2). Unlike the delta method it holds what it says when the divisor is noisy too, and
has no end when the divisor cannot be told from nothing.
"""

import math
from dataclasses import dataclass

from privacy.plan import Z_95


@dataclass(frozen=True, slots=True)
class Share:
    """A share, 0 to 1, and its 95 % interval.

    ``value`` is none when the divisor is nothing or below. ``bounded`` says that the noise leaves an interval at all;
    else ``low`` and ``high`` are 0 and 1.
    """

    value: float | None
    low: float
    high: float
    bounded: bool


def share_of(part: tuple[float, float], whole: tuple[float, float]) -> Share:
    """The share of one released amount in another.

    Args:
        part: The amount and the standard deviation of its noise; of every row no more than the whole's.
        whole: The divisor and its noise, independent of the part's.
    """
    (over, part_sigma), (under, sigma) = part, whole
    square = under**2 - (Z_95 * sigma) ** 2
    if under <= 0 or square <= 0:
        return Share(value=_within(over / under) if under > 0 else None, low=0.0, high=1.0, bounded=False)
    # Not below 0: the ratio itself always satisfies the inequality.
    root = math.sqrt(max((over * under) ** 2 - square * (over**2 - (Z_95 * part_sigma) ** 2), 0.0))
    low, high = (over * under - root) / square, (over * under + root) / square
    return Share(value=_within(over / under), low=_within(low), high=_within(high), bounded=True)


def _within(share: float) -> float:
    return min(max(share, 0.0), 1.0)
