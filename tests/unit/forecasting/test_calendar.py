"""Holidays of weeks: the share of their days, and an effect that is kept only where it foretold."""

import numpy as np
import pandas as pd
import pytest

from forecasting.calendar import WINDOWS, effects, shares
from forecasting.panel import Panel
from forecasting.seasons import factors_over

pytestmark = pytest.mark.unit

WEEKS = pd.period_range("2019-01-07", periods=260, freq="W-SUN")


def test_every_day_of_a_holiday_lies_in_one_week() -> None:
    held = shares(WEEKS[:208]) * 7

    days = dict(zip(WINDOWS, held.sum(axis=1), strict=True))

    assert days["songkran"] == 4 * 7
    assert days["new-year"] == pytest.approx(4 * 7, abs=7)
    assert days["fiscal-year-end"] == 4 * 14


def test_an_effect_is_learnt_and_one_that_misled_last_year_is_not_kept() -> None:
    held = shares(WEEKS)
    ratios = 1.0 + 0.8 * held[1]
    ratios[-52:] = 1.0 + 0.8 * held[1, -52:] - 2.0 * held[2, -52:]
    ratios[:-52] += 2.0 * held[2, :-52]

    found = effects(ratios, held, 52)

    assert found[1] == pytest.approx(0.8, abs=0.05)
    assert found[0] == 0.0
    assert found[2] == 0.0


def test_songkran_lifts_the_weeks_that_it_falls_into() -> None:
    held = shares(pd.period_range(WEEKS[0], periods=268, freq="W-SUN"))
    rate = 100.0 * (1.0 + 1.0 * held[1])
    counts = np.random.default_rng(3).poisson(np.tile(rate[:260], (6, 1))).astype(np.float64)
    names = pd.MultiIndex.from_tuples([(f"P{row}", "K") for row in range(6)], names=["area", "offence"])

    factors = factors_over(Panel(pd.DataFrame(counts, index=names, columns=WEEKS), 0.0), 8)

    whole = held[1, :260] > 0.9
    assert factors[0, :260][whole].mean() > 1.5
    assert factors.shape == (6, 268)
