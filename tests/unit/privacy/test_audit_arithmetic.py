"""The arithmetic of the audit, on answers that are made so that every figure is known."""

import math

import numpy as np
import pytest
from scipy import stats

from contracts.errors import InvalidInput
from contracts.query import Mechanism
from privacy.audit import (
    FALSE_ALARM,
    FEWEST,
    MISS,
    Answers,
    Claim,
    Worlds,
    clopper_pearson,
    dependence,
    epsilon_bound,
    examine,
    laplace_parameter,
    noise_fit,
    rho_bound,
)

pytestmark = pytest.mark.unit

SIGMA = 3.0
GAUSSIAN = Claim(Mechanism.GAUSSIAN, SIGMA, epsilon=5.67, delta=1e-7, rho=0.5)


def ideal(sigma: float, answers: int, centre: int = 0) -> Answers:
    """Whole numbers as a Gaussian would have them on average, in an order without meaning."""
    quantiles = stats.norm.ppf((np.arange(answers) + 0.5) / answers)
    values = np.rint(sigma * quantiles).astype(np.int64) + centre
    return np.random.default_rng(answers + centre).permutation(values)


def a_pair(distance: int = 3, sigma: float = SIGMA, answers: int = 10_000, exact: int = 3) -> Worlds:
    return Worlds(ideal(sigma, answers, 1), ideal(sigma, answers, 1 + distance), 1, 1 + exact)


@pytest.mark.parametrize(("hits", "trials"), [(0, 100), (1, 100), (37, 100), (99, 100), (100, 100)])
def test_the_bounds_of_a_probability_are_those_of_the_exact_binomial_test(hits: int, trials: int) -> None:
    low, high = clopper_pearson(hits, trials, 0.005)

    oracle = stats.binomtest(hits, trials).proportion_ci(0.99, method="exact")
    assert (low, high) == pytest.approx((oracle.low, oracle.high))


def test_the_bound_of_epsilon_is_the_ratio_of_two_bounded_probabilities() -> None:
    absent = np.repeat(np.array([0, 1], dtype=np.int64), (9_000, 1_000))[np.arange(10_000) * 3 % 10_000]
    present = np.repeat(np.array([0, 1], dtype=np.int64), (2_000, 8_000))[np.arange(10_000) * 3 % 10_000]

    found = epsilon_bound(Worlds(absent, present, 0, 0), 0.0, MISS)

    half_absent, half_present = int(absent[1::2].sum()), int(present[1::2].sum())
    low, _ = clopper_pearson(half_present, 5_000, MISS / 2)
    _, high = clopper_pearson(half_absent, 5_000, MISS / 2)
    assert found == pytest.approx(math.log(low / high))


@pytest.mark.parametrize("turned", [1, -1])
def test_a_person_is_found_whichever_way_the_answers_move(turned: int) -> None:
    pair = a_pair()
    assert epsilon_bound(Worlds(turned * pair.absent, turned * pair.present, 0, 0), 0.0, MISS) > 1.5
    assert epsilon_bound(Worlds(turned * pair.present, turned * pair.absent, 0, 0), 0.0, MISS) > 1.5


def test_delta_is_taken_off_the_likelier_probability() -> None:
    pair = a_pair()
    bounds = [epsilon_bound(pair, delta, MISS) for delta in (0.0, 0.01, 0.1, 0.5)]
    assert bounds == sorted(bounds, reverse=True)
    assert epsilon_bound(pair, 0.99, MISS) == 0


def test_equal_worlds_bound_nothing() -> None:
    pair = a_pair(distance=0)
    assert epsilon_bound(pair, 0.0, MISS) == 0
    assert rho_bound(pair, MISS) == 0


def test_the_bound_of_rho_comes_close_to_half_the_squared_distance_in_sigmas() -> None:
    found = rho_bound(a_pair(distance=3, sigma=3.0, answers=100_000), MISS)
    variance = 9 + 1 / 12  # rounding adds that
    assert 0.48 < found < 9 / variance / 2


def test_a_surer_bound_is_lower() -> None:
    pair = a_pair()
    assert rho_bound(pair, FALSE_ALARM) < rho_bound(pair, MISS)
    assert epsilon_bound(pair, 0.0, FALSE_ALARM) < epsilon_bound(pair, 0.0, MISS)


def test_the_parameter_of_the_laplace_gives_its_standard_deviation_back() -> None:
    for scale in (0.3, 3.0, 250.0):
        q = math.exp(-1 / scale)
        assert laplace_parameter(math.sqrt(2 * q) / (1 - q)) == pytest.approx(scale, rel=1e-6)


def test_noise_that_has_the_law_exactly_fits_it_and_another_law_of_the_same_deviation_does_not() -> None:
    support = np.arange(-40, 41)
    weights = np.exp(-(support**2) / (2 * SIGMA**2))
    noise = np.repeat(support, np.rint(weights / weights.sum() * 50_000).astype(int))

    assert noise_fit(noise, Mechanism.GAUSSIAN, SIGMA) > 0.999
    assert noise_fit(noise, Mechanism.LAPLACE, SIGMA) < FALSE_ALARM
    assert noise_fit(noise, Mechanism.GAUSSIAN, SIGMA * 1.05) < FALSE_ALARM
    assert noise_fit(noise + 1, Mechanism.GAUSSIAN, SIGMA) < FALSE_ALARM


def test_noise_far_beyond_the_law_is_counted_in_its_tails() -> None:
    noise = ideal(SIGMA, 20_000)
    noise[:2_000] = 2**52
    assert noise_fit(noise, Mechanism.GAUSSIAN, SIGMA) < FALSE_ALARM


def test_noise_that_repeats_anywhere_is_found() -> None:
    first, second = ideal(SIGMA, 8_000), ideal(SIGMA, 8_000, 1) - 1

    assert dependence(first, second) > FALSE_ALARM
    assert dependence(first, first) > FALSE_ALARM
    assert dependence(first, first.copy()) < FALSE_ALARM
    assert dependence(first, np.roll(first, 1_234)) < FALSE_ALARM
    in_blocks = np.tile(first[:2_000], 4)
    assert dependence(in_blocks, in_blocks) < FALSE_ALARM


def test_an_honest_pair_holds() -> None:
    found = examine(a_pair(), GAUSSIAN)
    assert found.failed == ()
    assert found.answers == 20_000
    assert found.rho_bound is not None
    assert 0.4 < found.rho_bound < 0.5


def test_a_pure_epsilon_is_not_held_against_any_rho() -> None:
    found = examine(a_pair(), Claim(Mechanism.LAPLACE, SIGMA, epsilon=9.0, delta=0.0, rho=None))
    assert (found.rho_claimed, found.rho_bound) == (None, None)
    assert "rho" not in found.failed


def test_no_noise_at_all_fails_every_test() -> None:
    constant = np.ones(20_000, dtype=np.int64)
    found = examine(Worlds(constant, constant + 3, 1, 4), GAUSSIAN)
    assert found.failed == ("epsilon", "rho", "fit", "independence")


def test_a_person_who_moves_a_cell_by_more_rows_than_are_paid_for_is_found() -> None:
    found = examine(a_pair(distance=4, exact=3), GAUSSIAN)
    assert {"rho", "fit"} <= set(found.failed)


def test_figures_that_are_cut_off_at_zero_are_found() -> None:
    pair = a_pair()
    cut = Worlds(np.maximum(pair.absent, 0), np.maximum(pair.present, 0), 1, 4)
    assert "fit" in examine(cut, GAUSSIAN).failed


@pytest.mark.parametrize("short", [0, 1])
def test_too_few_answers_are_refused(short: int) -> None:
    sizes = [FEWEST - (short == place) for place in (0, 1)]
    with pytest.raises(InvalidInput, match="audit-too-small"):
        examine(Worlds(ideal(SIGMA, sizes[0]), ideal(SIGMA, sizes[1]), 0, 0), GAUSSIAN)
