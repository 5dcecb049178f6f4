"""Whatever the sensitivity and the price, the scale keeps the loss within the price, by exact arithmetic."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.mechanisms import gaussian_cost, gaussian_scale, laplace_price, laplace_scale, sampler_delta, scaled_sigma
from privacy.table_sampler import distance, pieces

pytestmark = pytest.mark.property

NANO = 10**9
PRICES = st.integers(min_value=1, max_value=10**14)
FEW = settings(max_examples=60, deadline=None)
STEP = 1 + 2.0**-22


@FEW
@given(l2_squared=st.integers(min_value=1, max_value=2**80), nano_rho=PRICES)
def test_the_gaussian_s_loss_is_within_its_price_and_no_scale_is_wasted(l2_squared: int, nano_rho: int) -> None:
    sigma = gaussian_scale(l2_squared, nano_rho)

    assert Fraction(l2_squared) / (2 * Fraction(sigma) ** 2) * NANO <= gaussian_cost(l2_squared, sigma) <= nano_rho
    assert sigma <= math.sqrt(l2_squared * NANO / (2 * nano_rho)) * STEP


@FEW
@given(l1=st.integers(min_value=1, max_value=2**40), nano_rho=PRICES)
def test_the_laplace_s_loss_is_within_its_price_and_no_scale_is_wasted(l1: int, nano_rho: int) -> None:
    scale = laplace_scale(l1, nano_rho)

    assert (Fraction(l1) / Fraction(scale)) ** 2 / 2 * NANO <= laplace_price(l1, scale) <= nano_rho
    assert scale <= l1 * math.sqrt(NANO / (2 * nano_rho)) * STEP


@FEW
@given(
    rows=st.lists(st.integers(min_value=0, max_value=9), min_size=1, max_size=6),
    amounts=st.lists(st.integers(min_value=1, max_value=10**12), min_size=6, max_size=6),
    nano_rho=PRICES,
)
def test_a_sum_whose_cells_have_clamps_of_their_own_costs_no_more_than_counting(
    rows: list[int], amounts: list[int], nano_rho: int
) -> None:
    """The loss of a vector is half the sum over cells of (movement / scale)^2; each cell's scale follows its clamp."""
    moved = max(1, sum(each * each for each in rows))
    sigma = gaussian_scale(moved, nano_rho)

    loss = sum(
        Fraction(count * amount) ** 2 / (2 * Fraction(scaled_sigma(sigma, amount)) ** 2)
        for count, amount in zip(rows, amounts[: len(rows)], strict=True)
    )

    assert loss * NANO <= nano_rho


@FEW
@given(sigma=st.floats(min_value=1e-6, max_value=2.0**56), cells=st.integers(min_value=200_001, max_value=10**8))
def test_noise_of_any_width_is_close_enough_to_the_law_for_any_contract(sigma: float, cells: int) -> None:
    assert sum(piece.factor**2 * piece.variance for piece in pieces(sigma)) == Fraction(sigma) ** 2
    assert distance(sigma) < 2.0**-108
    assert sampler_delta(sigma, cells, 10.0) < 1e-19
