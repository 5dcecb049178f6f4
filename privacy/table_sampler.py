"""Discrete Gaussian noise for very large grids: inverse distribution functions in tables, and bytes of the system.

No proven library draws millions of discrete Gaussians in seconds. This sampler does, and pays for it with a distance
from the true law that is proven here, is far below any delta of a contract, and is charged to delta by
``privacy.mechanisms.sampler_delta``. Total variation of one cell, for the pieces that ``pieces`` names:

1. *Table.* The law is cut at plus and minus L, and each of the 2L cumulative probabilities inside is rounded to a
   multiple of 2^-128, with an error below 2^-128 (the 60 digits behind it are off by less than 2^-150). Each of the
   2L + 1 probabilities is a difference of two of them, so the sum of all their errors is below 2 (2L + 1) 2^-128, and
   the distance, which is half of it, below (2L + 1) 2^-128.
2. *Tail.* P(|X| > L) <= 2 exp(-L^2 / (2 sigma^2)): Canonne, Kamath, Steinke 2020, "The Discrete Gaussian for
   Differential Privacy", proposition 25. L = ceil(13.5 sigma) makes it less than 2^-130.
3. *Wide scales* are sums, so that no table is long: X = k Y + Z with Y of variance a, Z of variance b = (4 k)^2 and
   k^2 a + b = sigma^2. Completing the square, P(X = x) is exp(-x^2 / (2 sigma^2)) times the sum over all integers y of
   exp(-(y - c)^2 / (2 v)), where c depends on x and 1/v = 1/a + k^2/b. By Poisson's summation formula that sum is
   sqrt(2 pi v) times 1 + e(x), where |e(x)| <= w = 2 sum over m >= 1 of exp(-2 pi^2 v m^2). P(X = x) is thus within a
   factor (1 + w) / (1 - w) of the discrete Gaussian of variance sigma^2, and the distance at most w / (1 - w). As a
   >= 16 and b = 16 k^2, v is at least 8, and the distance below 2^-225. (Micciancio, Walter 2017, "Gaussian Sampling
   over the Integers", use the same convolution.) The distances of Y and Z add to it.

The randomness is read from the operating system for every call and dropped after it. No state of a generator lives in
this process, so there is none that a forked worker could inherit: two processes never draw from the same bytes.
"""

import math
import os
from collections.abc import Callable
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from contracts.errors import InvalidInput

Entropy = Callable[[int], bytes]
"""So many bytes, each uniform and independent of all others, from a source fit for cryptography."""

Integers = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

WORD_BITS = 64
UNIFORM_BITS = 2 * WORD_BITS
WORD_BYTES = WORD_BITS // 8
BLOCK_CELLS = 2**18
"""Cells that are drawn at once: 2 MB of entropy, and tables stay in the processor's cache."""

WIDEST_TABLE = 1024
"""The largest scale that has a table of its own; wider noise is a sum."""

WIDEST_SIGMA = 2.0**56
"""Beyond this a draw could leave 64 bits."""

REACH = 13.5
SMOOTHING = 4
_PRECISE = Context(prec=60)


class Table(NamedTuple):
    """Cumulative probabilities in multiples of 2^-128, as two words each, of -reach, ..., reach - 1.

    A uniform number of 128 bits belongs to the value ``place - reach``, where ``place`` is how many of them it reaches.
    """

    reach: int
    high: Words
    low: Words


class Piece(NamedTuple):
    """``factor`` times a discrete Gaussian of that variance."""

    factor: int
    variance: Fraction


def draw(sigma: float, cells: int, entropy: Entropy = os.urandom) -> Integers:
    """Independent discrete Gaussian noise, up to ``distance(sigma)`` for each cell.

    Args:
        sigma: The scale, above 0, at most 2^56.
        cells: How many.
        entropy: Where the bytes come from; only tests pass another.

    Raises:
        InvalidInput: ``scale-out-of-range``.
    """
    parts = [(piece.factor, table(piece.variance)) for piece in pieces(sigma)]
    noise = np.zeros(cells, dtype=np.int64)
    for start in range(0, cells, BLOCK_CELLS):
        block = noise[start : start + BLOCK_CELLS]
        for factor, law in parts:
            block += factor * look_up(law, block.size, entropy)
    return noise


def distance(sigma: float, widest: int = WIDEST_TABLE) -> float:
    """Total variation between one cell's noise and the discrete Gaussian of that scale, never understated.

    Raises:
        InvalidInput: ``scale-out-of-range``.
    """
    parts = pieces(sigma, widest)
    tables = sum((2 * _reach(piece.variance) + 1) * 2.0**-UNIFORM_BITS + 2.0**-130 for piece in parts)
    return (tables + (len(parts) - 1) * 2.0**-225) * (1 + 2.0**-20)


def pieces(sigma: float, widest: int = WIDEST_TABLE) -> tuple[Piece, ...]:
    """What adds up to noise of that scale.

    Args:
        sigma: The scale, above 0, at most 2^56.
        widest: The largest scale of a table, at least 16: then the remainder that a stride leaves, ``a`` above, is at
            least (widest / 2)^2 - 16, which is 48.

    Raises:
        InvalidInput: ``scale-out-of-range``.
    """
    if not 0 < sigma <= WIDEST_SIGMA:
        raise InvalidInput("scale-out-of-range")
    found, factor, variance = [], 1, Fraction(sigma) ** 2
    while variance > widest * widest:
        stride = min(widest // SMOOTHING, math.isqrt(math.floor(variance / (widest * widest))) + 1)
        fine = (SMOOTHING * stride) ** 2
        found.append(Piece(factor, Fraction(fine)))
        variance = (variance - fine) / stride**2
        factor *= stride
    return (*found, Piece(factor, variance))


def _reach(variance: Fraction) -> int:
    return math.ceil(REACH * math.sqrt(variance) * (1 + 2.0**-40))


@lru_cache(maxsize=64)
def table(variance: Fraction) -> Table:
    """The table of the discrete Gaussian of that variance; it holds no secret and no randomness.

    exp(-(x+1)^2 / 2v) is exp(-x^2 / 2v) times a ratio that itself shrinks by a constant ratio, so three exponentials
    of 60 digits are enough; 14,000 steps, whose errors multiply up, leave 50 digits right.
    """
    reach = _reach(variance)
    exponent = _PRECISE.divide(Decimal(-variance.denominator), Decimal(2 * variance.numerator))
    ratio = _PRECISE.exp(exponent)
    shrink = _PRECISE.multiply(ratio, ratio)
    weights = [Decimal(1)]
    for _ in range(reach):
        weights.append(_PRECISE.multiply(weights[-1], ratio))
        ratio = _PRECISE.multiply(ratio, shrink)
    return _cumulated([*reversed(weights[1:]), *weights], reach)


def _cumulated(weights: list[Decimal], reach: int) -> Table:
    total = Decimal(0)
    sums = []
    for weight in weights:
        total = _PRECISE.add(total, weight)
        sums.append(total)
    unit = _PRECISE.divide(Decimal(2**UNIFORM_BITS), total)
    thresholds = [min(int(_PRECISE.multiply(each, unit)), 2**UNIFORM_BITS - 1) for each in sums[:-1]]
    mask = 2**WORD_BITS - 1
    high = np.array([each >> WORD_BITS for each in thresholds], dtype=np.uint64)
    low = np.array([each & mask for each in thresholds], dtype=np.uint64)
    return Table(reach, high, low)


def look_up(law: Table, cells: int, entropy: Entropy) -> Integers:
    """Where uniform numbers of 128 bits fall in a table; the low word is read only where the high one ties."""
    high = np.frombuffer(entropy(WORD_BYTES * cells), dtype=np.uint64)
    places = np.searchsorted(law.high, high, side="left").astype(np.int64)
    reached = law.high[np.minimum(places, law.high.size - 1)]
    for cell in np.flatnonzero(reached == high):
        last = int(np.searchsorted(law.high, high[cell], side="right"))
        low = np.frombuffer(entropy(WORD_BYTES), dtype=np.uint64)[0]
        places[cell] += int(np.searchsorted(law.low[places[cell] : last], low, side="right"))
    return places - law.reach
