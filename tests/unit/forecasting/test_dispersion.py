"""What past forecasts say of the coming ones' error."""

import numpy as np
import pytest

from forecasting.dispersion import LEAST, Past, centre_of, learnt, quantile_function
from tests.forecast_panels import panel

pytestmark = pytest.mark.unit


def straying(factor: float, noise: float, series: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(4)
    mean, spread = np.full((series, 6), 50.0), np.full((series, 6), 100.0)
    rate = np.maximum(draw.normal(50.0, np.sqrt(factor * 100.0), mean.shape), 0.0)
    return mean, spread, draw.poisson(rate) + draw.normal(0.0, noise, mean.shape)


@pytest.mark.parametrize("noise", [0.0, 12.0])
@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_the_factor_is_found_whatever_the_known_noise(factor: float, noise: float) -> None:
    mean, spread, came = straying(factor, noise)
    seen = panel(np.hstack([np.zeros((300, 24)), came]), sigma=noise)

    found = learnt(seen, [Past(24, mean, spread)])

    assert found.by_pool[0] == pytest.approx(factor, rel=0.2, abs=0.1)


def test_months_that_have_not_come_are_not_used() -> None:
    mean, spread, came = straying(1.0, 0.0)
    wild = np.hstack([came[:, :2], np.full((300, 4), 9_999.0)])
    seen = panel(np.hstack([np.zeros((300, 24)), wild]), sigma=0.0)

    found = learnt(seen.until(26), [Past(24, mean, spread)])

    assert found.by_pool[0] == pytest.approx(1.0, rel=0.2)


def test_a_small_pool_leans_on_all_pools() -> None:
    mean, spread, came = straying(1.0, 0.0, 302)
    came[0::2] = 50.0
    few = panel(np.hstack([np.zeros((302, 24)), came]), sigma=0.0, groups=2)
    kept = np.arange(302) % 2 == 1
    kept[0] = True

    found = learnt(few.rows(kept), [Past(24, mean[kept], spread[kept])])

    assert found.by_pool[0] > 5 * LEAST


def test_without_a_past_the_filter_is_believed() -> None:
    assert learnt(panel(np.ones((2, 24))), []).by_pool.tolist() == [1.0]


def test_a_series_in_its_noise_still_has_cases() -> None:
    centre = centre_of(np.array([[0.0, 100.0]]), np.array([[4.0, 4.0]]))

    assert centre[0, 0] == pytest.approx(2.0 * 0.3989, rel=0.01)
    assert centre[0, 1] == pytest.approx(100.0)
    high = quantile_function(np.array([[0.0]]), np.array([[1600.0]]), [0.95], centre[:, :1])
    assert high[0, 0, 0] >= 1.0


def test_quantiles_have_the_variance_that_was_said() -> None:
    draw = np.random.default_rng(2)
    levels = draw.random(4_000)

    drawn = quantile_function(np.array([[50.0]]), np.array([[0.04]]), levels.tolist())[0, 0]

    assert drawn.mean() == pytest.approx(50.0, rel=0.03)
    assert drawn.var() == pytest.approx(50.0 + 0.04 * 2500.0, rel=0.1)
