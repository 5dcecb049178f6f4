"""Scores and the rolling origin."""

from dataclasses import dataclass

import numpy as np
import pytest

from forecasting.backtest import MOST_ORIGINS, Trial, backtest, dispersion_at, origins
from forecasting.models.prediction import Prediction
from forecasting.models.seasonal import SeasonalNaive
from forecasting.panel import Panel
from forecasting.scores import coverage, mase, wape
from tests.forecast_panels import panel, season

pytestmark = pytest.mark.unit


def test_wape_is_the_share_that_was_wrong() -> None:
    assert wape(np.array([[10.0, 30.0]]), np.array([[12.0, 24.0]])) == pytest.approx(0.2)
    assert wape(np.array([[-3.0, 1.0]]), np.array([[0.0, 0.0]])) is None


def test_mase_counts_in_errors_of_the_seasonal_naive() -> None:
    past = np.vstack([np.r_[np.zeros(12), np.full(12, 4.0)], np.full(24, 7.0)])

    found = mase(np.array([[6.0], [9.0]]), np.array([[4.0], [0.0]]), past)

    assert found == pytest.approx(0.5)  # the second series never moved: it has no scale
    assert mase(np.ones((1, 1)), np.ones((1, 1)), np.ones((1, 24))) is None


def test_coverage_counts_the_ends_in() -> None:
    assert coverage(np.array([[1.0, 5.0, 9.0]]), np.full((1, 3), 1.0), np.full((1, 3), 5.0)) == pytest.approx(2 / 3)


def test_origins_are_half_a_year_apart_and_leave_the_horizon_free() -> None:
    assert origins(60, 12) == (36, 42, 48)
    assert origins(36, 12) == (24,)
    assert origins(35, 12) == ()
    assert len(origins(240, 12)) == MOST_ORIGINS


@dataclass
class Watching:
    """Predicts a constant and keeps what it was shown."""

    seen: list[int]
    name: str = "watching"

    def predict(self, panel: Panel, horizon: int) -> Prediction:
        self.seen.append(len(panel.months))
        shape = (len(panel.figures), horizon)
        return Prediction(np.full(shape, 50.0), np.zeros(shape))


def test_a_model_sees_nothing_of_the_months_it_is_scored_on() -> None:
    watching = Watching([])

    tested = backtest(watching, panel(np.full((2, 60), 50.0)), 12, 90)

    assert watching.seen == [36, 42, 48]
    assert [trial.actual.shape for trial in tested.trials] == [(2, 12)] * 3
    assert tested.score.wape == 0.0


def test_only_errors_known_on_the_day_make_the_interval() -> None:
    noiseless = panel(np.full((1, 60), 50.0), sigma=0.0)
    prediction = Prediction(np.full((1, 12), 50.0), np.zeros((1, 12)))
    actual = np.r_[np.full(6, 50.0), np.full(6, 5000.0)][None, :]
    trials = (Trial(36, prediction, actual),)

    assert dispersion_at(trials, noiseless, 36) is None
    early, late = dispersion_at(trials, noiseless, 42), dispersion_at(trials, noiseless, 48)
    assert early is not None
    assert late is not None
    assert early[0] < 0.001
    assert late[0] > 100


def test_dispersion_is_pooled_over_provinces_and_not_over_groups() -> None:
    values = np.stack([season(60, 0.0) * 50] * 4)
    values[0, 36:] = 150.0
    tested = backtest(SeasonalNaive(), panel(values, sigma=0.0, groups=2), 12, 90)

    assert tested.dispersion is not None
    assert tested.dispersion[0] == tested.dispersion[2] > 0.1
    assert tested.dispersion[1] == tested.dispersion[3] < 0.001


def test_a_short_history_has_no_score() -> None:
    tested = backtest(SeasonalNaive(), panel(np.full((1, 30), 5.0)), 12, 90)

    assert (tested.score.mase, tested.score.wape, tested.score.coverage) == (None, None, None)
    assert tested.dispersion is None


def test_series_that_never_move_have_no_mase_but_a_wape() -> None:
    tested = backtest(SeasonalNaive(), panel(np.full((1, 60), 5.0)), 12, 90)

    assert tested.score.mase is None
    assert tested.score.wape == 0.0
