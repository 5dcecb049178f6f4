"""The yardsticks: what seasonal naive says, and what nobody can beat."""

from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from scipy.stats import poisson

from forecasting.exact_trees import exact_tree
from forecasting.hierarchy import Hierarchy, single_level
from forecasting.panel import Floats, Panel
from forecasting.predictive import Poisson
from forecasting.scores import DECILES, crps_sum, poisson_deviance
from forecasting.yardsticks import (
    EtsYardstick,
    NaiveYardstick,
    expected_crps,
    expected_deviance,
    expected_error,
    floor,
    hindsight_rates,
)
from tests.forecast_panels import panel, season

pytestmark = pytest.mark.unit


def exact(values: Floats) -> Panel:
    return panel(values, sigma=0.0)


def test_seasonal_naive_says_its_own_interval() -> None:
    past = np.array([[1.0, 4.0, 3.0, 2.0, 5.0, 6.0]])
    [[said]] = NaiveYardstick(season=2).rolling(single_level(exact(past)), 4, [6])

    step = np.sqrt((2**2 + 2**2 + 2**2 + 4**2) / 4)
    high = NormalDist().inv_cdf(0.9)

    assert said.mean.tolist() == [[5.0, 6.0, 5.0, 6.0]]
    assert said.quantiles([0.9])[0, :, 0] == pytest.approx(
        [5 + high * step, 6 + high * step, 5 + high * step * np.sqrt(2), 6 + high * step * np.sqrt(2)]
    )


def test_a_yardstick_sees_nothing_after_its_origin() -> None:
    values = np.tile(season(48) * 40, (2, 1))
    changed = values.copy()
    changed[:, 36:] = 1000.0
    for yardstick in (NaiveYardstick(), EtsYardstick()):
        [[first]] = yardstick.rolling(single_level(exact(values)), 3, [36])
        [[second]] = yardstick.rolling(single_level(exact(changed)), 3, [36])
        assert first.mean.tolist() == second.mean.tolist()
        assert first.quantiles(DECILES).tolist() == second.quantiles(DECILES).tolist()


def test_ets_leaves_the_noise_of_the_coming_figure_out_of_its_interval() -> None:
    values = np.random.default_rng(2).poisson(400.0, (1, 60)) + np.random.default_rng(3).normal(0, 30, (1, 60))

    [[plain]] = EtsYardstick().rolling(single_level(exact(values)), 1, [60])
    [[freed]] = EtsYardstick().rolling(single_level(panel(values, sigma=30.0)), 1, [60])

    def width(said: Floats) -> float:
        return float(said[0, 0, 1] - said[0, 0, 0])

    assert width(freed.quantiles((0.1, 0.9))) < 0.9 * width(plain.quantiles((0.1, 0.9)))


RATES = np.array([0.05, 0.7, 3.2, 40.0, 75.0])


def test_the_expected_error_is_the_sum_over_all_counts() -> None:
    guess = np.array([0.0, 1.0, 3.0, 38.0, 80.0])
    counts = np.arange(400.0)[:, None]

    by_summing = (np.abs(counts - guess) * poisson.pmf(counts, RATES)).sum(axis=0)

    assert expected_error(RATES, guess) == pytest.approx(by_summing)


def test_the_expected_crps_is_the_mean_over_all_counts() -> None:
    counts = np.arange(400.0)[:, None]
    quantiles = Poisson(RATES[None, :]).quantiles(DECILES)[0]
    each = [
        sum(
            crps_sum(np.array([count]), quantile[None, :], DECILES) * poisson.pmf(count, rate) for count in counts[:, 0]
        )
        for rate, quantile in zip(RATES, quantiles, strict=True)
    ]

    assert expected_crps(RATES) == pytest.approx(sum(each))


def test_the_expected_deviance_is_the_mean_over_all_counts() -> None:
    counts = np.arange(400.0)
    each = [
        sum(poisson_deviance(np.array([count]), np.array([rate])) * poisson.pmf(count, rate) for count in counts)
        for rate in RATES
    ]

    assert expected_deviance(RATES) == pytest.approx(np.mean(each), rel=1e-3)


def test_hindsight_averages_seven_periods() -> None:
    weeks = pd.period_range("2020-01-06", periods=60, freq="W-SUN")
    counts = pd.DataFrame([np.arange(60.0)], index=pd.Index(["a"], name="area"), columns=weeks)

    found = hindsight_rates(Panel(counts, 0.0), season=52)

    assert found[0, 30] == pytest.approx(30.0)
    assert found[0, 0] == pytest.approx((3 + 2 + 1 + 0 + 1 + 2 + 3) / 7)


def test_hindsight_keeps_the_season_of_months() -> None:
    values = np.tile(200 * season(72, 0.4), (3, 1))

    found = hindsight_rates(exact(values))

    assert np.abs(found - values)[:, 6:-6].max() < 6.0


def thai_like() -> Hierarchy:
    generator = np.random.default_rng(5)
    index = pd.MultiIndex.from_product([["a", "b"], ["x"]], names=["area", "offence"])
    months = pd.period_range("2020-01", periods=48, freq="M")
    leaves = pd.DataFrame(generator.poisson(9.0, (2, 48)).astype(np.float64), index=index, columns=months)
    return exact_tree(leaves, [{"a": "all", "b": "all"}])


def test_the_floor_of_steady_counts_is_what_chance_alone_makes() -> None:
    top, leaves = floor(thai_like(), ("all", "area"), 6, [36, 42])

    # Hindsight follows the counts a little, so the rates are near 18 and 9, not exactly so.
    for line, rate in ((top, 18.0), (leaves, 9.0)):
        assert line.wape == pytest.approx(float(expected_error(np.array(rate), np.array(rate))) / rate, rel=0.15)
        assert line.coverage80 is None
    assert leaves.deviance == pytest.approx(1.0, abs=0.1)


def test_series_that_never_move_have_a_floor_without_mase() -> None:
    [line] = floor(single_level(exact(np.zeros((2, 48)))), ("all",), 6, [42])

    assert (line.mase, line.wape, line.scaled_crps) == (None, None, None)
