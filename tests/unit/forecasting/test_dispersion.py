"""What past forecasts say of the coming ones' error."""

import numpy as np
import pytest

from forecasting.dispersion import LEAST, Dispersions, Past, centre_of, learnt
from forecasting.engine import Outcome
from forecasting.reconcile import Method
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


def outcome(mean: float, spread: float) -> Outcome:
    """An outcome of one series and month whose expectation is known give or take the root of ``spread``."""
    means, spreads = np.array([[mean]]), np.array([[spread]])
    dispersion = Dispersions(np.array([0]), np.ones(1)).of(means, spreads)
    centre = centre_of(means, spreads)
    return Outcome((means,), (centre,), (dispersion,), 0, (np.array([True]),), Method.NOTHING)


def test_an_outcome_s_distribution_has_its_variance_around_its_centre() -> None:
    draw = np.random.default_rng(2)
    said = outcome(50.0, 100.0)

    drawn = said.quantiles(draw.random(4_000).tolist())[0][0, 0]

    assert said.variance(0)[0, 0] == pytest.approx(150.0)
    assert drawn.mean() == pytest.approx(50.0, rel=0.03)
    assert drawn.var() == pytest.approx(150.0, rel=0.1)


def test_the_spread_of_a_series_in_its_noise_is_not_lost_with_its_mean() -> None:
    said = outcome(0.0, 400.0)

    assert said.variance(0)[0, 0] == pytest.approx(400.0, rel=0.01)
    assert said.predictive(0).centre == pytest.approx(20.0 * 0.3989, rel=0.01)
    assert said.quantiles([0.95])[0][0, 0, 0] > 20.0
