"""The backtest as a report: what it says of good, noisy, empty and short figures."""

import numpy as np
import pandas as pd
import pytest

from contracts.analysis import Report
from contracts.errors import Unavailable
from forecasting.backtest_report import BacktestOptions, backtest_report
from forecasting.flags import meaning_of
from forecasting.hierarchy import single_level
from forecasting.panel import Floats, Panel
from forecasting.released_levels import Levels
from tests.forecast_panels import panel, season

pytestmark = pytest.mark.unit


def report(values: Floats, sigma: float, options: BacktestOptions | None = None) -> Report:
    return backtest_report(Levels(single_level(panel(values, sigma)), ("province",)), options or BacktestOptions(3, 2))


def flags(told: Report) -> set[str]:
    return {flag for statement in told.statements for flag in statement.flags}


def counts(mean: float, months: int = 48, series: int = 6) -> Floats:
    generator = np.random.default_rng(8)
    return np.asarray(generator.poisson(np.tile(mean * season(months), (series, 1))), dtype=np.float64)


def test_it_says_how_much_better_than_last_year_and_how_sure() -> None:
    told = report(counts(200.0), 0.0)

    assert "% smaller than that of last year's figures" in told.statements[0].text.en
    assert "ร้อยละ" in told.statements[0].text.th
    assert told.card.models == ("engine", "seasonal-naive", "autoets", "poisson-oracle")
    assert (told.card.first, told.card.last) == ("2021-01", "2024-12")
    assert {each.where for each in told.card.scores} == {"province"}


def test_every_model_is_told_before_it_runs() -> None:
    told: list[str] = []

    report(counts(20.0), 0.0, BacktestOptions(3, 2, told.append))

    assert told == ["engine", "seasonal-naive", "autoets"]


def test_figures_that_are_mostly_noise_are_flagged() -> None:
    noisy = counts(3.0) + np.random.default_rng(1).normal(0.0, 30.0, (6, 48))

    assert "below-noise" in flags(report(noisy, 30.0))


def test_all_zeros_are_flagged_and_never_a_number() -> None:
    told = report(np.zeros((3, 48)), 0.0)

    assert flags(told) == {"below-noise"}
    assert "too little was counted" in told.statements[0].text.en
    names = [column.name for column in told.tables[0].columns]
    assert all(row[names.index("wape")] is None for row in told.tables[0].rows)


def test_intervals_that_hold_too_little_are_flagged() -> None:
    values = counts(200.0)
    values[:, 42:] *= 3.0  # the last half year is unlike all that came before

    told = report(values, 0.0)

    assert "interval-off" in flags(told)
    assert all(meaning_of(flag).en for flag in flags(told))


def test_a_history_without_a_window_is_an_error() -> None:
    with pytest.raises(Unavailable, match="not-enough-history"):
        report(counts(20.0, months=26), 0.0)


def test_too_few_weeks_are_an_error_of_their_own() -> None:
    weeks = pd.period_range("2024-01-01", periods=100, freq="W-SUN")
    frame = pd.DataFrame(np.ones((2, 100)), index=pd.Index(["10", "11"], name="province"), columns=weeks)
    levels = Levels(single_level(Panel(frame, 0.0)), ("province",))

    with pytest.raises(Unavailable, match="108 whole weeks; 100"):
        backtest_report(levels, BacktestOptions(4, 2))


def test_by_week_autoets_is_left_out() -> None:
    weeks = pd.period_range("2022-01-03", periods=130, freq="W-SUN")
    values = np.asarray(np.random.default_rng(2).poisson(9.0, (2, 130)), dtype=np.float64)
    frame = pd.DataFrame(values, index=pd.Index(["10", "11"], name="province"), columns=weeks)

    told = backtest_report(Levels(single_level(Panel(frame, 0.0)), ("province",)), BacktestOptions(4, 2))

    assert told.card.models == ("engine", "seasonal-naive", "poisson-oracle")
    assert (told.card.first, told.card.last) == ("2022-01", "2024-06")
