"""Intervals hold what they promise; known noise is counted once."""

import numpy as np
import pytest

from forecasting.intervals import (
    SMALLEST_DISPERSION,
    Errors,
    count_interval,
    dispersion_of,
    released_interval,
    variance_of,
)
from forecasting.models.prediction import Prediction

pytestmark = pytest.mark.unit

DRAW = np.random.default_rng(11)
MEAN = np.full((1, 4000), 60.0)


def test_counts_that_vary_by_chance_alone_have_no_dispersion_however_noisy() -> None:
    error = DRAW.poisson(60.0, 200_000) - 60.0 + DRAW.normal(0, 30.0, 200_000)

    found = dispersion_of(Errors(error, np.full(200_000, 60.0), np.full(200_000, 900.0)))

    assert found < 0.003


def test_dispersion_is_what_chance_and_noise_do_not_explain() -> None:
    rate = DRAW.gamma(25.0, 60.0 / 25.0, 200_000)
    error = DRAW.poisson(rate) - 60.0 + DRAW.normal(0, 5.0, 200_000)

    found = dispersion_of(Errors(error, np.full(200_000, 60.0), np.full(200_000, 25.0)))

    assert found == pytest.approx(1 / 25, rel=0.05)


def test_dispersion_never_falls_to_nothing() -> None:
    assert dispersion_of(Errors(np.zeros(3), np.ones(3), np.ones(3))) == SMALLEST_DISPERSION


def test_the_noise_of_the_coming_release_is_no_part_of_a_counts_variance() -> None:
    prediction = Prediction(np.array([[100.0]]), np.array([[2.0]]), native=np.array([[500.0]]))

    learnt = variance_of(prediction, np.array([0.01]), noise_variance=300.0)
    native = variance_of(prediction, None, noise_variance=300.0)

    assert learnt[0, 0] == pytest.approx(100 + 2 + 0.01 * 100**2)
    assert native[0, 0] == pytest.approx(200.0)


def test_a_native_variance_never_falls_below_chance() -> None:
    prediction = Prediction(np.array([[100.0]]), np.array([[2.0]]), native=np.array([[310.0]]))

    assert variance_of(prediction, None, noise_variance=300.0)[0, 0] == pytest.approx(102.0)


def test_without_backtest_and_formula_chance_is_what_remains() -> None:
    assert variance_of(Prediction(np.array([[9.0]]), np.array([[1.0]])), None, 4.0)[0, 0] == pytest.approx(10.0)


@pytest.mark.parametrize("level", [80, 90, 95])
def test_an_interval_holds_the_count_as_often_as_it_says(level: int) -> None:
    low, high = count_interval(MEAN, MEAN + 0.04 * MEAN**2, level)
    drawn = DRAW.poisson(DRAW.gamma(25.0, 60.0 / 25.0, MEAN.shape))

    held = ((drawn >= low) & (drawn <= high)).mean()

    assert held == pytest.approx(level / 100, abs=0.025)


def test_a_published_interval_is_never_below_zero_and_holds_its_mean() -> None:
    mean = np.array([[0.0, 0.3, 2.0, 900.0]])

    low, high = count_interval(mean, np.array([[25.0, 25.0, 25.0, 25.0]]), 90)

    assert (low >= 0).all()
    assert (low <= mean).all()
    assert (mean <= high).all()


def test_a_released_figure_may_be_negative() -> None:
    low, high = released_interval(np.array([[1.0]]), np.array([[16.0]]), 95)

    assert (float(low[0, 0]), float(high[0, 0])) == pytest.approx((1 - 1.96 * 4, 1 + 1.96 * 4), abs=0.01)
