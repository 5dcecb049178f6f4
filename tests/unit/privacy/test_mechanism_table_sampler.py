"""The table sampler: its probabilities, its bound and where each uniform number falls, without drawing a sample."""

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from contracts.errors import InvalidInput
from privacy.table_sampler import BLOCK_CELLS, Piece, Table, distance, draw, look_up, pieces, table

pytestmark = pytest.mark.unit

ONE = 2**128
PRECISE = Context(prec=100)
TOLERANCE = Decimal(2) ** -100
SMALLEST_TABLES = 16
SIGMAS = [0.02, 0.3, 1.0, math.sqrt(2), 9.486833572387695]
SUMS = [16.5, 40.0, 70.25]


@pytest.fixture(autouse=True)
def hundred_digits() -> Iterator[None]:
    """Sums of probabilities must not be rounded where the test looks."""
    with localcontext(PRECISE):
        yield


def thresholds(law: Table) -> list[int]:
    """The cumulative probabilities in multiples of 2^-128."""
    return [int(high) << 64 | int(low) for high, low in zip(law.high, law.low, strict=True)]


def drawn_law(law: Table) -> dict[int, Decimal]:
    """With what probability a uniform number of 128 bits belongs to each value."""
    edges = [0, *thresholds(law), ONE]
    return {place - law.reach: Decimal(above - below) / ONE for place, (below, above) in enumerate(pairwise(edges))}


def true_law(variance: Fraction, reach: int) -> dict[int, Decimal]:
    """The discrete Gaussian by its definition, in 100 digits, over values beyond which less than 2^-400 is left."""
    doubled = Decimal(2 * variance.numerator) / variance.denominator
    half = [(-x * x / doubled).exp() for x in range(reach + 1)]
    total = half[0] + 2 * sum(half[1:])
    return {x: half[abs(x)] / total for x in range(-reach, reach + 1)}


def summed(parts: tuple[Piece, ...]) -> dict[int, Decimal]:
    """The law of the sum of independent pieces, worked out in whole multiples of powers of 2^-128."""
    law, reach = np.array([1], dtype=object), 0
    for part in parts:
        made = table(part.variance)
        edges = [0, *thresholds(made), ONE]
        spread = np.zeros(2 * made.reach * part.factor + 1, dtype=object)
        spread[:: part.factor] = [above - below for below, above in pairwise(edges)]
        law, reach = np.convolve(law, spread), reach + made.reach * part.factor
    return {place - reach: Decimal(weight) / ONE ** len(parts) for place, weight in enumerate(law)}


@pytest.mark.parametrize("sigma", SIGMAS)
def test_the_table_holds_the_discrete_gaussian_to_the_last_of_128_bits(sigma: float) -> None:
    variance = Fraction(sigma) ** 2
    made, true = drawn_law(table(variance)), true_law(variance, math.ceil(24 * sigma) + 1)

    assert sum(made.values()) == 1
    assert max(abs(made.get(x, Decimal(0)) - p) for x, p in true.items()) < Decimal(2) ** -127


@pytest.mark.parametrize("sigma", [*SIGMAS, 200.0])
def test_the_distance_from_the_law_is_below_the_bound_that_is_charged(sigma: float) -> None:
    variance = Fraction(sigma) ** 2
    made, true = drawn_law(table(variance)), true_law(variance, math.ceil(24 * sigma) + 1)
    total = sum(abs(made.get(x, Decimal(0)) - p) for x, p in true.items()) / 2

    assert total < Decimal(distance(sigma))
    assert distance(sigma) < 2.0**-100


@pytest.mark.parametrize("sigma", SUMS)
def test_wide_noise_is_a_sum_whose_law_and_distance_hold_too(sigma: float) -> None:
    """With the smallest tables that are allowed, so that sums of two and three pieces are short enough to work out."""
    parts = pieces(sigma, SMALLEST_TABLES)
    made, true = summed(parts), true_law(Fraction(sigma) ** 2, math.ceil(20 * sigma))
    gaps = [abs(made.get(x, Decimal(0)) - p) for x, p in true.items()]

    assert len(parts) > 1
    assert max(gaps) < TOLERANCE
    assert sum(gaps) / 2 < Decimal(distance(sigma, SMALLEST_TABLES))


@pytest.mark.parametrize("widest", [SMALLEST_TABLES, 1024])
@pytest.mark.parametrize("sigma", [1e-9, 16.0, 16.01, 31.9, 1024.0, 1024.01, 77_777.7, 1e7, 2.0**40 + 1, 2.0**56])
def test_the_pieces_add_up_to_the_variance_and_meet_the_conditions_of_the_bound(sigma: float, widest: int) -> None:
    parts = pieces(sigma, widest)
    *fine, last = parts

    assert sum(part.factor**2 * part.variance for part in parts) == Fraction(sigma) ** 2
    assert all(0 < part.variance <= widest**2 for part in parts)
    assert parts[0].factor == 1
    for part, coarser in zip(fine, parts[1:], strict=True):
        stride = coarser.factor // part.factor
        assert coarser.factor == stride * part.factor
        assert part.variance == (4 * stride) ** 2
    assert not fine or last.variance >= 16


def test_a_uniform_number_falls_where_the_cumulative_probabilities_say() -> None:
    """Each threshold, the numbers on either side of it, and both ends: high words tie, low words decide."""
    law = table(Fraction(9, 4))
    edges = thresholds(law)
    numbers = [0, ONE - 1, *(edge + step for edge in edges for step in (-1, 0, 1) if 0 <= edge + step < ONE)]
    ties = {edge >> 64 for edge in edges}
    words = deque(n % 2**64 for n in numbers if n >> 64 in ties)
    first = [n >> 64 for n in numbers]

    def entropy(count: int) -> bytes:
        return np.array([words.popleft()] if count == 8 else first, dtype=np.uint64).tobytes()

    places = look_up(law, len(numbers), entropy)

    assert [int(place) + law.reach for place in places] == [bisect_right(edges, number) for number in numbers]
    assert not words


def test_every_cell_of_a_grid_of_several_blocks_gets_bytes_of_its_own() -> None:
    served: list[int] = []

    def entropy(count: int) -> bytes:
        served.append(count)
        return bytes([len(served)]) * count

    noise = draw(1.0, BLOCK_CELLS + 3, entropy)

    assert served == [8 * BLOCK_CELLS, 24]
    assert noise.shape == (BLOCK_CELLS + 3,)
    assert len(set(noise[:BLOCK_CELLS])) == 1


def test_a_source_that_runs_dry_gives_no_noise() -> None:
    with pytest.raises(ValueError, match="broadcast"):
        draw(1.0, 10, lambda count: b"\xc0" * (count - 8))


@pytest.mark.parametrize("sigma", [0.0, -0.0, -1.0, math.nan, math.inf, 2.0**57])
def test_a_scale_that_is_no_finite_number_above_zero_is_refused(sigma: float) -> None:
    with pytest.raises(InvalidInput, match="scale-out-of-range"):
        draw(sigma, 1)
    with pytest.raises(InvalidInput, match="scale-out-of-range"):
        distance(sigma)
