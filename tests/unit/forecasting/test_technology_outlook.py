"""Forecasts of complaints and damage by type: their form, their score, and which intervals they have."""

import numpy as np
import pandas as pd
import pytest

from contracts.analysis import Report
from forecasting.panel import Panel
from forecasting.technology.findings import Options
from forecasting.technology.outlook import coming_amounts, coming_counts
from forecasting.technology.report import technology_report
from tests.technology_world import complaints, span

pytestmark = pytest.mark.unit

MONTHS = pd.period_range("2021-10", periods=48, freq="M")


@pytest.fixture(scope="module")
def told() -> Report:
    return technology_report([complaints(span(30))], Options(horizon=3, level=80))


def panel(figures: np.ndarray, sigma: float) -> Panel:
    index = pd.MultiIndex.from_tuples([("SHOP",), ("RANSOM",)], names=["case_type"])
    return Panel(pd.DataFrame(figures, index=index, columns=MONTHS), sigma**2)


def test_complaints_and_damage_of_every_type_are_forecast_and_scored(told: Report) -> None:
    tables = {each.name: each for each in told.tables}

    assert len(tables["outlook_cases"].rows) == len(tables["outlook_damage"].rows) == 14 * 3
    assert tables["outlook_cases"].rows[0][:2] == ("SHOP", "2026-04")
    assert 12_000 < float(str(tables["outlook_cases"].rows[0][2])) < 16_000
    assert {column.unit for column in tables["outlook_damage"].columns[2:]} == {"THB"}
    assert told.card.first == "2023-10"
    assert len(told.card.scores) == 2
    assert told.card.scores[0].wape is not None
    assert told.card.scores[0].wape < 0.1


def test_the_report_says_that_damage_has_normal_intervals(told: Report) -> None:
    damage = next(each for each in told.statements if "Damage of each type is forecast" in each.text.en)

    assert "normal, not negative binomial" in damage.text.en
    assert "amounts-clamped" in damage.flags


def test_what_is_below_twice_the_noise_is_named_and_intervals_never_reach_below_nothing() -> None:
    rng = np.random.default_rng(1)
    cases = panel(np.vstack([rng.poisson(500, 48), rng.poisson(2, 48) + 3 * rng.normal(size=48)]), 3.0)
    damage = panel(np.vstack([rng.poisson(500, 48) * 14_000.0, rng.normal(0.0, 9e5, 48)]), 9e5)

    counts, amounts = coming_counts(cases, 4, 90), coming_amounts(damage, cases, 4, 90)

    assert counts.noisy == ("RANSOM",)
    assert "RANSOM" in amounts.noisy
    assert counts.low.min() >= 0
    assert amounts.low.min() >= 0
    assert (counts.low <= counts.mean).all()
    assert (counts.mean <= counts.high).all()
    # A normal interval is even around its mean, where it does not meet nothing.
    upper, lower = amounts.high[0] - amounts.mean[0], amounts.mean[0] - amounts.low[0]
    assert upper == pytest.approx(lower)
    assert amounts.mean[0] == pytest.approx(7e6, rel=0.1)


def test_the_intervals_of_amounts_hold_what_comes() -> None:
    rng, held = np.random.default_rng(2), []
    for _ in range(6):
        counts = rng.poisson(300, (2, 48))
        sums = np.array([[rng.lognormal(9.0, 1.2, count).sum() for count in row] for row in counts])
        seen = [
            Panel(panel(each, 1e4 if each is sums else 3.0).counts.iloc[:, :42], 1e8 if each is sums else 9.0)
            for each in (counts.astype(float), sums)
        ]
        ahead = coming_amounts(seen[1], seen[0], 6, 80)
        held.append(((sums[:, 42:] >= ahead.low) & (sums[:, 42:] <= ahead.high)).mean())

    assert 0.65 <= float(np.mean(held)) <= 0.97


def test_a_short_history_has_a_forecast_without_a_score() -> None:
    short = panel(np.full((2, 48), 50.0), 1.0).until(24)

    found = coming_counts(short, 2, 90)

    assert found.score.wape is None
    assert found.months == ("2023-10", "2023-11")


def test_damage_that_is_lost_in_its_noise_has_wide_intervals_that_hold_it() -> None:
    rng, true, noise, types = np.random.default_rng(6), 150_000.0, 3e6, 30 * 6
    index = pd.Index([f"T{number}" for number in range(types)], name="case_type")
    cases = rng.poisson(10.0, (types, 30)) + 3.0 * rng.normal(size=(types, 30))
    damage = true + noise * rng.normal(size=(types, 30))
    seen = [
        Panel(pd.DataFrame(figures, index=index, columns=MONTHS[:30]), sigma**2)
        for figures, sigma in ((cases, 3.0), (damage, noise))
    ]

    ahead = coming_amounts(seen[1], seen[0], 3, 90)

    assert ahead.high.min() > 0
    assert (ahead.mean <= ahead.high).all()
    assert float(((ahead.low <= true) & (true <= ahead.high)).mean()) >= 0.8


def test_the_score_tells_how_often_intervals_of_the_published_level_held() -> None:
    rng = np.random.default_rng(4)
    seen = panel(rng.poisson(200.0, (2, 48)).astype(float) + 5.0 * rng.normal(size=(2, 48)), 5.0)

    narrow, wide = (coming_counts(seen, 6, level).score.coverage for level in (50, 99))

    assert narrow is not None
    assert wide is not None
    assert narrow < 0.8 < wide
