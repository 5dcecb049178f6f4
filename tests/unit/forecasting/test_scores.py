"""Scores, against figures worked out by hand, by numeric integration and by counting."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import nbinom, norm

from forecasting.panel import Floats
from forecasting.scores import (
    DECILES,
    coherence_error,
    crps_sum,
    mase,
    pit_coverage,
    poisson_deviance,
    scaled_errors,
    seasonal_scale,
)

pytestmark = pytest.mark.unit


def test_the_scale_is_what_the_seasonal_naive_erred() -> None:
    past = np.array([[1.0, 2.0, 3.0, 5.0, 2.0, 0.0]])

    assert seasonal_scale(past, season=2)[0] == pytest.approx((2 + 3 + 1 + 5) / 4)


def test_a_season_of_weeks_gives_another_mase_than_one_of_months() -> None:
    past = np.arange(120.0)[None, :]
    actual, mean = np.array([[6.0]]), np.array([[0.0]])

    assert mase(actual, mean, past) == pytest.approx(6 / 12)
    assert mase(actual, mean, past, season=52) == pytest.approx(6 / 52)


def test_a_series_that_never_moved_has_no_scaled_error() -> None:
    found = scaled_errors(np.array([[4.0], [4.0]]), np.array([[1.0], [1.0]]), np.array([2.0, 0.0]))

    assert found[0] == pytest.approx(1.5)
    assert np.isnan(found[1])


def test_the_crps_of_quantiles_is_the_integral_of_the_squared_distance() -> None:
    levels = [(number + 0.5) / 400 for number in range(400)]
    quantiles = np.asarray(norm.ppf(levels, 10.0, 3.0))
    by_integration, _ = quad(lambda x: (norm.cdf(x, 10.0, 3.0) - (x >= 14.0)) ** 2, -20, 40, points=[14.0], limit=200)

    assert crps_sum(np.array([14.0]), quantiles[None, :], levels) == pytest.approx(by_integration, rel=2e-3)


def test_nine_deciles_stand_for_the_crps() -> None:
    quantiles = np.array([[2.0] * 9])

    # A forecast that is sure of 2: its CRPS is the absolute error.
    assert crps_sum(np.array([5.0]), quantiles, DECILES) == pytest.approx(3.0)
    assert crps_sum(np.array([2.0]), quantiles, DECILES) == 0.0


def test_the_better_forecast_has_the_smaller_crps() -> None:
    actual = np.random.default_rng(1).normal(10.0, 3.0, 2000)

    def crps(centre: float, spread: float) -> float:
        return crps_sum(actual, np.tile(norm.ppf(DECILES, centre, spread), (2000, 1)), DECILES)

    assert crps(10.0, 3.0) < min(crps(10.0, 1.0), crps(10.0, 9.0), crps(13.0, 3.0))


def transforms(counts: Floats, size: float, chance: float) -> tuple[Floats, Floats]:
    return np.asarray(nbinom.cdf(counts - 1, size, chance)), np.asarray(nbinom.cdf(counts, size, chance))


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_a_right_forecast_of_small_counts_covers_what_it_says(level: float) -> None:
    counts = np.random.default_rng(7).negative_binomial(2.0, 0.5, 40_000).astype(np.float64)

    held = pit_coverage(*transforms(counts, 2.0, 0.5), level).mean()
    closed = np.mean(
        (counts >= nbinom.ppf(0.5 - level / 2, 2.0, 0.5)) & (counts <= nbinom.ppf(0.5 + level / 2, 2, 0.5))
    )

    assert held == pytest.approx(level, abs=0.006)
    assert closed > level + 0.015  # what the plain interval would have said


def test_the_randomised_transform_is_averaged_not_drawn() -> None:
    generator = np.random.default_rng(3)
    before, upto = np.array([0.05, 0.0, 0.85, 0.3]), np.array([0.25, 0.06, 0.97, 0.4])
    drawn = before + generator.uniform(size=(200_000, 4)) * (upto - before)

    expected = np.mean((drawn >= 0.1) & (drawn <= 0.9), axis=0)

    assert pit_coverage(before, upto, 0.8) == pytest.approx(expected, abs=0.005)


def test_a_certain_transform_is_inside_or_not() -> None:
    point = np.array([0.5, 0.95, 0.1])

    assert pit_coverage(point, point, 0.8).tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize(("actual", "mean", "expected"), [([0.0], [2.0], 4.0), ([3.0], [3.0], 0.0)])
def test_the_poisson_deviance_by_hand(actual: Sequence[float], mean: Sequence[float], expected: float) -> None:
    assert poisson_deviance(np.array(actual), np.array(mean)) == pytest.approx(expected)


def test_a_rate_of_nothing_is_not_infinitely_wrong() -> None:
    found = poisson_deviance(np.array([1.0]), np.array([0.0]))

    assert found == pytest.approx(2 * (np.log(1000) - 1 + 0.001))


def test_what_does_not_add_up_is_told_in_cases() -> None:
    assert coherence_error([np.array([[5.0]]), np.zeros((2, 1))], [np.array([[4.5]]), np.zeros((2, 1))]) == 0.5
