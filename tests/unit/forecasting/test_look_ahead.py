"""From a panel to an outlook."""

import numpy as np
import pytest

from contracts.errors import Unavailable
from forecasting.panel import panel_of
from forecasting.run import backtest_all, look_ahead
from tests.forecast_panels import monthly_body, noisy, panel, season

pytestmark = pytest.mark.unit

TRUTH = np.full((60, 3, 2), 40.0) * season(60)[:, None, None]


def test_an_outlook_has_every_series_and_every_month() -> None:
    outlook = look_ahead(panel_of(monthly_body(TRUTH)), horizon=4, level=80)

    assert outlook.months == ("2026-01", "2026-02", "2026-03", "2026-04")
    assert outlook.dimensions == ("province", "offence_group")
    assert outlook.level == 80
    assert outlook.model == "theta-and-level-filter"
    assert [each.labels for each in outlook.series][:3] == [
        {"province": "10", "offence_group": "G1"},
        {"province": "10", "offence_group": "G2"},
        {"province": "11", "offence_group": "G1"},
    ]
    for each in outlook.series:
        assert len(each.mean) == len(each.low) == len(each.high) == len(each.usual) == 4
        assert all(0 <= lo <= mid <= hi for lo, mid, hi in zip(each.low, each.mean, each.high, strict=True))


def test_every_model_is_scored_and_the_published_one_stands_last() -> None:
    outlook = look_ahead(panel_of(monthly_body(TRUTH)))

    assert [each.model for each in outlook.scores] == ["seasonal-naive", "seasonal-baseline", "theta-and-level-filter"]
    naive, _, published = outlook.scores
    assert published.wape is not None
    assert naive.wape is not None
    assert published.wape < naive.wape
    assert published.coverage is not None


def test_a_steady_world_is_forecast_as_it_is_and_as_usual() -> None:
    outlook = look_ahead(panel_of(monthly_body(TRUTH)))
    expected = 40.0 * season(12)

    for each in outlook.series:
        assert np.allclose(each.mean, expected, rtol=0.25)
        assert np.allclose(each.usual, expected, rtol=0.25)


@pytest.mark.parametrize("ask", [look_ahead, backtest_all])
def test_less_than_two_years_are_not_enough(ask: object) -> None:
    short = panel(np.ones((1, 23)))
    with pytest.raises(Unavailable) as error:
        ask(short)  # type: ignore[operator]  # parametrised

    assert error.value.code == "not-enough-history"
    assert error.value.details == {"needed": "24", "given": "23"}


def test_two_years_give_a_forecast_with_native_intervals_and_no_scores() -> None:
    outlook = look_ahead(panel(noisy(np.full((4, 24), 60.0), 3)))

    assert [each.wape for each in outlook.scores] == [None] * 3
    assert outlook.series[0].high[0] > outlook.series[0].low[0]


def test_the_same_panel_gives_the_same_outlook() -> None:
    made = panel_of(monthly_body(TRUTH))

    assert look_ahead(made) == look_ahead(made)
