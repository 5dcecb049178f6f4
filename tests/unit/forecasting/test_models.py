"""Seasons and models on panels whose truth is known."""

import numpy as np
import pytest

from forecasting.models.ets import AutoETS
from forecasting.models.prediction import Model
from forecasting.models.seasonal import SeasonalBaseline, SeasonalNaive
from forecasting.seasons import HIGHEST, LOWEST, seasonal_factors
from tests.forecast_panels import noisy, panel, season

pytestmark = pytest.mark.unit

MODELS: tuple[Model, ...] = (SeasonalNaive(), SeasonalBaseline(), AutoETS())
TWELVE_PROVINCES = np.full(12, 80.0)[:, None] * season(60)


def test_a_pool_shows_its_season_through_the_noise() -> None:
    factors = seasonal_factors(panel(noisy(TWELVE_PROVINCES, 3)))

    assert factors.shape == (12, 12)
    assert np.abs(factors - season(12)).max() < 0.06


def test_each_offence_group_has_a_season_of_its_own() -> None:
    rising, falling = season(60), season(60, -0.3)
    values = np.stack([rising * 200, falling * 200] * 6)

    factors = seasonal_factors(panel(values, groups=2))

    assert factors[0, 2] > 1.2
    assert factors[1, 2] < 0.8


def test_a_pool_that_is_all_noise_has_a_flat_year() -> None:
    factors = seasonal_factors(panel(noisy(np.zeros((4, 60)), 1)))

    assert (factors == 1.0).all()


def test_a_factor_keeps_its_bounds() -> None:
    values = np.tile(np.r_[np.zeros(11), 500.0], (3, 5))

    factors = seasonal_factors(panel(values))

    assert factors.min() == LOWEST
    assert factors.max() == HIGHEST


def test_the_naive_repeats_last_year_with_all_its_noise() -> None:
    values = np.arange(24.0)[None, :]

    prediction = SeasonalNaive().predict(panel(values, sigma=3.0), 14)

    assert prediction.mean[0].tolist() == [*range(12, 24), 12, 13]
    assert (prediction.noise == 9.0).all()


def test_the_baseline_is_the_level_of_three_years_in_the_shape_of_the_year() -> None:
    values = np.hstack([np.full((6, 24), 900.0), TWELVE_PROVINCES[:6, :36]])

    prediction = SeasonalBaseline().predict(panel(values, sigma=6.0), 12)

    assert np.allclose(prediction.mean.mean(), 80.0, rtol=0.02)
    assert np.allclose(prediction.noise.mean(), 36.0 / 36, rtol=0.1)


def test_ets_follows_a_new_level_and_the_baseline_lags() -> None:
    values = TWELVE_PROVINCES.copy()
    values[0, 48:] *= 2
    expected = 160.0 * season(12)

    smooth = AutoETS().predict(panel(noisy(values, 5)), 12).mean[0]
    usual = SeasonalBaseline().predict(panel(noisy(values, 5)), 12).mean[0]

    assert np.abs(smooth / expected - 1).max() < 0.2
    assert (usual < 0.85 * smooth).all()


def test_ets_averages_noise_away_and_says_how_much_is_left() -> None:
    prediction = AutoETS().predict(panel(noisy(np.full((20, 60), 50.0), 2), sigma=4.0), 6)

    assert (prediction.noise < 0.5 * 16.0).all()
    assert (prediction.noise > 0.0).all()
    assert prediction.native is not None
    # A released figure varies by chance (50) and by noise (16), both included.
    assert 45 < float(np.median(prediction.native)) < 95


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.parametrize(
    "series",
    [np.zeros(60), np.full(60, 3.0), np.full(60, -2.0), np.r_[np.zeros(59), 40.0], np.arange(60.0)],
    ids=["zero", "constant", "negative", "spike", "line"],
)
def test_no_series_is_too_odd(model: Model, series: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    prediction = model.predict(panel(series[None, :]), 12)

    assert np.isfinite(prediction.mean).all()
    assert np.isfinite(prediction.noise).all()
    assert (prediction.mean >= 0).all()
