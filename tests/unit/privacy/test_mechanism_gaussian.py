"""The discrete Gaussian: its scale, its price and what happens to figures at the edges."""

import math
from fractions import Fraction

import pytest

from contracts.errors import InvalidInput
from privacy.mechanisms import (
    LARGEST_CELL,
    LARGEST_EXACT,
    draw_gaussian,
    epsilon_of,
    gaussian_cost,
    gaussian_scale,
    sampler_delta,
    scaled_sigma,
)

pytestmark = pytest.mark.unit

NANO = 10**9
STEP = 1 + 2.0**-22


def three_quarters(count: int) -> bytes:
    """A source whose every number is a little more than three quarters of the way up."""
    return b"\xc0" * count


def unread(count: int) -> bytes:
    """A source that nobody may read."""
    raise AssertionError(count)


@pytest.mark.parametrize("l2_squared", [1, 2, 3, 9, 27, 10**12 + 1, (3 * 10**9) ** 2])
@pytest.mark.parametrize("nano_rho", [1, 7, 50_000_000, 999_999_999, 10**10])
def test_the_scale_is_the_smallest_whose_price_fits(l2_squared: int, nano_rho: int) -> None:
    sigma = gaussian_scale(l2_squared, nano_rho)

    assert gaussian_cost(l2_squared, sigma) <= nano_rho
    assert Fraction(l2_squared) / (2 * Fraction(sigma) ** 2) * NANO <= nano_rho
    assert sigma <= math.sqrt(l2_squared / (2 * nano_rho / NANO)) * STEP


def test_the_price_of_known_scales() -> None:
    assert gaussian_cost(9, 3.0) == NANO // 2
    assert gaussian_scale(1, NANO // 2) == 1.0


def test_the_root_of_a_distance_is_rounded_up() -> None:
    """2^53 + 1 has no float: its root must not be taken from the float below."""
    assert gaussian_cost(2**106 + 2**54 + 1, 2.0**53) > gaussian_cost(2**106, 2.0**53)


def test_a_scale_whose_rounded_price_is_too_high_is_raised() -> None:
    """The root of 2 has no float, so OpenDP's price of scale 1 is a hair above 1."""
    assert gaussian_cost(2, 1.0) > NANO
    assert 1.0 < gaussian_scale(2, NANO) < STEP


def test_a_scale_has_few_significant_bits() -> None:
    mantissa, _ = math.frexp(gaussian_scale(2, 333_333_333))

    assert (mantissa * 2**24).is_integer()


@pytest.mark.parametrize("amount", [1, 3, 99_999, 2**53 + 1])
def test_a_sum_costs_no_more_than_the_count_it_is_scaled_from(amount: int) -> None:
    sigma = gaussian_scale(3, 44_444_444)
    scaled = scaled_sigma(sigma, amount)

    assert Fraction(scaled) >= amount * Fraction(sigma)
    assert Fraction(scaled) <= amount * Fraction(sigma) * Fraction(STEP)
    assert gaussian_cost(3 * amount**2, scaled) <= 44_444_444


def test_small_grids_get_the_exact_law_and_pay_nothing() -> None:
    noisy = draw_gaussian([5] * 50, 2.0, entropy=unread)

    assert len(noisy) == 50
    assert sampler_delta(2.0, LARGEST_EXACT, 1.0) == 0


def test_larger_grids_get_the_table_s_noise_and_pay_for_its_distance() -> None:
    cells = [5] * (LARGEST_EXACT + 1)

    noisy = draw_gaussian(cells, 2.0, entropy=three_quarters)

    assert noisy == [5 + 1] * len(cells)
    assert 0 < sampler_delta(2.0, len(cells), 1.0) < 1e-28


def test_delta_grows_with_cells_and_with_epsilon_and_is_never_understated() -> None:
    one, more = sampler_delta(3.0, 10**6, 1.0), sampler_delta(3.0, 4 * 10**6, 1.0)

    assert more >= 4 * one >= 4 * 10**6 * (1 + math.e) * (2 * 41 + 1) * 2.0**-128
    assert sampler_delta(3.0, 10**6, 5.0) > one
    assert sampler_delta(3.0, 10**6, math.inf) == sampler_delta(3.0, 10**6, math.nan) == 1


@pytest.mark.parametrize("copies", [1, LARGEST_EXACT // 3 + 1])
def test_figures_beyond_the_edge_are_clamped_before_and_after_the_noise(copies: int) -> None:
    noisy = draw_gaussian([2**63 - 1, -(2**63), 10**30] * copies, 1000.0)

    assert -LARGEST_CELL <= min(noisy) <= max(noisy) <= LARGEST_CELL
    assert min(map(abs, noisy)) > LARGEST_CELL - 10**5
    assert [math.copysign(1, cell) for cell in noisy[:3]] == [1, -1, 1]


def test_noise_wider_than_a_figure_can_be_is_clamped() -> None:
    assert max(abs(cell) for cell in draw_gaussian([0] * 200, 2.0**55)) == LARGEST_CELL


def test_no_cells_need_no_noise() -> None:
    assert draw_gaussian([], 1.0) == []


@pytest.mark.parametrize("cell", [math.nan, math.inf, -math.inf, -0.0, 1.0, True, None, "1"])
def test_a_figure_that_is_no_whole_number_is_refused(cell: object) -> None:
    with pytest.raises(InvalidInput, match="cells-not-whole"):
        draw_gaussian([1, cell], 1.0)  # type: ignore[list-item]  # hostile on purpose


@pytest.mark.parametrize("sigma", [0.0, -0.0, -1.0, math.nan, math.inf, 2.0**57, 1, True])
def test_a_scale_that_is_no_finite_number_above_zero_is_refused(sigma: float) -> None:
    with pytest.raises(InvalidInput, match="scale-out-of-range"):
        draw_gaussian([1], sigma)
    with pytest.raises(InvalidInput, match="scale-out-of-range"):
        gaussian_cost(1, sigma)
    with pytest.raises(InvalidInput, match="scale-out-of-range"):
        scaled_sigma(sigma, 1)
    with pytest.raises(InvalidInput, match="scale-out-of-range"):
        sampler_delta(sigma, 1, 1.0)


@pytest.mark.parametrize("l2_squared", [0, -1, True, 1.0, math.nan, 2**124 + 1])
def test_a_sensitivity_that_is_no_whole_number_above_zero_is_refused(l2_squared: int) -> None:
    gaussian_scale(1, NANO)  # equal arguments of another type find nothing that was kept
    with pytest.raises(InvalidInput, match="sensitivity-not-positive"):
        gaussian_scale(l2_squared, NANO)
    with pytest.raises(InvalidInput, match="sensitivity-not-positive"):
        gaussian_cost(l2_squared, 1.0)
    with pytest.raises(InvalidInput, match="sensitivity-not-positive"):
        scaled_sigma(1.0, l2_squared)


@pytest.mark.parametrize("nano_rho", [0, -1, True, 1.0, math.nan])
def test_a_price_that_is_no_whole_number_above_zero_is_refused(nano_rho: int) -> None:
    gaussian_scale(1, 1)
    with pytest.raises(InvalidInput, match="price-not-positive"):
        gaussian_scale(1, nano_rho)


def test_a_price_beyond_all_floats_buys_the_least_noise() -> None:
    assert gaussian_scale(1, 10**400) == gaussian_scale(1, 10**30) > 0


def test_the_conversion_to_epsilon_agrees_with_published_values() -> None:
    """Canonne, Kamath, Steinke's conversion: rho 0.1 is epsilon 2.14 at delta 1e-6, and 2.88 at 1e-10."""
    assert epsilon_of(100_000_000, "1e-6") == pytest.approx(2.14, abs=0.005)
    assert epsilon_of(100_000_000, "1e-10") == pytest.approx(2.88, abs=0.005)
    assert epsilon_of(0, "1e-6") == 0


def test_an_epsilon_too_large_to_convert_is_never_understated() -> None:
    just_below, just_above = epsilon_of(200 * NANO, "1e-6"), epsilon_of(200 * NANO + 1, "1e-6")

    assert just_below <= just_above <= just_below * 1.05


@pytest.mark.parametrize("nano_rho", [-1, True, 1.0, math.nan])
def test_a_loss_that_is_no_whole_number_has_no_epsilon(nano_rho: int) -> None:
    epsilon_of(1, "1e-6")
    with pytest.raises(InvalidInput, match="price-not-positive"):
        epsilon_of(nano_rho, "1e-6")
