"""The discrete Laplace: its scale, its pure epsilon and its error, against the law written out."""

import math

import pytest

from contracts.errors import InvalidInput
from privacy.mechanisms import (
    LARGEST_CELL,
    draw_laplace,
    laplace_epsilon,
    laplace_error_95,
    laplace_price,
    laplace_scale,
    laplace_sigma,
)

pytestmark = pytest.mark.unit

NANO = 10**9
PURE_EPSILON_ONE = NANO // 2


def law(scale: float, reach: int) -> dict[int, float]:
    """P(x) = (1 - q) / (1 + q) q^|x| with q = exp(-1 / scale)."""
    q = math.exp(-1 / scale)
    return {x: (1 - q) / (1 + q) * q ** abs(x) for x in range(-reach, reach + 1)}


def test_pure_epsilon_one_over_three_rows() -> None:
    scale = laplace_scale(3, PURE_EPSILON_ONE)

    assert scale == 3.0
    assert laplace_epsilon(3, scale) == 1.0
    assert laplace_price(3, scale) == PURE_EPSILON_ONE


@pytest.mark.parametrize("l1", [1, 3, 10**6 + 1])
@pytest.mark.parametrize("nano_rho", [1, 50_000_000, 777_777_777])
def test_the_scale_is_the_smallest_whose_price_fits(l1: int, nano_rho: int) -> None:
    scale = laplace_scale(l1, nano_rho)

    assert laplace_price(l1, scale) <= nano_rho
    assert laplace_epsilon(l1, scale) >= l1 / scale
    assert scale <= l1 / math.sqrt(2 * nano_rho / NANO) * (1 + 2.0**-22)


def test_a_scale_whose_rounded_price_is_too_high_is_raised() -> None:
    """A tenth has no float, so OpenDP's price of scale 10 is a hair above 0.005."""
    assert laplace_price(1, 10.0) > 5_000_000
    assert 10.0 < laplace_scale(1, 5_000_000) < 10.0 * (1 + 2.0**-22)


@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0, 10.0])
def test_the_standard_deviation_is_the_law_s(scale: float) -> None:
    spread = math.sqrt(sum(p * x * x for x, p in law(scale, 1000).items()))

    assert laplace_sigma(scale) == pytest.approx(spread, rel=1e-9)


@pytest.mark.parametrize("scale", [0.05, 0.3, 1.0, 3.0, 9.7, 30.0])
def test_the_error_is_exceeded_by_one_in_twenty_at_most(scale: float) -> None:
    error = laplace_error_95(scale)
    weights = law(scale, 2000).items()

    assert sum(p for x, p in weights if abs(x) > error) <= 0.05
    assert error == 0 or sum(p for x, p in weights if abs(x) > error - 1) > 0.05


def test_a_vanishing_scale_has_no_spread() -> None:
    assert laplace_sigma(1e-5) == 0
    assert laplace_error_95(1e-5) == 0
    assert draw_laplace([1, 2, 3], 1e-5) == [1, 2, 3]


def test_figures_beyond_the_edge_are_clamped_before_and_after_the_noise() -> None:
    noisy = draw_laplace([2**63 - 1, -(2**63)] * 20, 1000.0)

    assert all(-LARGEST_CELL <= cell <= LARGEST_CELL for cell in noisy)
    assert noisy[0] > 0 > noisy[1]


@pytest.mark.parametrize("cell", [math.nan, math.inf, -0.0, 1.0, True])
def test_a_figure_that_is_no_whole_number_is_refused(cell: int) -> None:
    with pytest.raises(InvalidInput, match="cells-not-whole"):
        draw_laplace([1, cell], 1.0)


@pytest.mark.parametrize("scale", [0.0, -0.0, -1.0, math.nan, math.inf, 2.0**57, 1, True])
def test_a_scale_that_is_no_finite_number_above_zero_is_refused(scale: float) -> None:
    with pytest.raises(InvalidInput, match="scale-out-of-range"):
        draw_laplace([1], scale)
    for figure in (laplace_sigma, laplace_error_95):
        with pytest.raises(InvalidInput, match="scale-out-of-range"):
            figure(scale)
    for price in (laplace_price, laplace_epsilon):
        with pytest.raises(InvalidInput, match="scale-out-of-range"):
            price(1, scale)


@pytest.mark.parametrize("l1", [0, -1, True, 1.0, math.nan, 2**63])
def test_a_sensitivity_that_is_no_whole_number_above_zero_is_refused(l1: int) -> None:
    laplace_scale(1, NANO)
    for price in (laplace_price, laplace_epsilon):
        with pytest.raises(InvalidInput, match="sensitivity-not-positive"):
            price(l1, 1.0)
    with pytest.raises(InvalidInput, match="sensitivity-not-positive"):
        laplace_scale(l1, NANO)


@pytest.mark.parametrize("nano_rho", [0, -1, True, math.nan])
def test_a_price_that_is_no_whole_number_above_zero_is_refused(nano_rho: int) -> None:
    laplace_scale(1, 1)
    with pytest.raises(InvalidInput, match="price-not-positive"):
        laplace_scale(1, nano_rho)
