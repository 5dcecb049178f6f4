"""The level filter follows what moves and not what is noise."""

import numpy as np
import pytest

from forecasting.models.level_filter import Filtered, Seen, level_filter
from forecasting.panel import Floats

pytestmark = pytest.mark.unit

DRAW = np.random.default_rng(7)


def filtered(figures: Floats, sigma: float, horizon: int = 3) -> Filtered:
    series, months = figures.shape
    factors = np.ones((series, months + horizon))
    return level_filter(Seen(figures, np.full((series, 1), sigma**2), factors, np.zeros(series, dtype=np.int64), 12))


def test_a_steady_level_is_averaged_out_of_its_noise() -> None:
    truth = np.full((40, 60), 30.0)

    said = filtered(DRAW.poisson(truth) + DRAW.normal(0.0, 20.0, truth.shape), 20.0)

    assert np.abs(said.mean - 30.0).mean() < 5.0
    assert np.sqrt(said.spread).mean() < 10.0


def test_a_level_that_moves_is_followed() -> None:
    truth = np.exp(np.cumsum(DRAW.normal(0.0, 0.1, (40, 96)), axis=1)) * 200.0

    said = filtered(DRAW.poisson(truth).astype(np.float64), 0.0)

    assert np.abs(said.mean[:, 0] / truth[:, -1] - 1.0).mean() < 0.15
    assert (said.spread[:, 2] > said.spread[:, 0]).all()


def test_missing_months_leave_the_level_and_widen_what_is_not_known() -> None:
    truth = DRAW.poisson(50.0, (10, 60)).astype(np.float64)
    holed = truth.copy()
    holed[:, -6:] = np.nan

    whole, said = filtered(truth, 0.0), filtered(holed, 0.0)

    assert np.isfinite(said.mean).all()
    assert (said.spread >= whole.spread).mean() > 0.9


def test_a_series_without_a_figure_is_nothing_and_never_nan() -> None:
    figures = np.vstack([np.full(36, np.nan), DRAW.poisson(9.0, 36)])

    said = filtered(figures, 0.0)

    assert np.isfinite(said.mean).all()
    assert said.mean[0, 0] == 0.0


def test_the_shape_of_the_year_is_put_back() -> None:
    shape = np.tile(np.r_[np.full(6, 0.5), np.full(6, 1.5)], 6)[None, :]
    figures = 40.0 * shape[:, :60]

    said = level_filter(Seen(figures, np.zeros((1, 1)), shape, np.zeros(1, dtype=np.int64), 12))

    assert said.mean[0] == pytest.approx(40.0 * shape[0, 60:], rel=0.01)
