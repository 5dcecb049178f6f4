"""A published forecast of all levels: sums of rounded leaves, bands, flags, card; bad input is told, never silent."""

import numpy as np
import pandas as pd
import pytest

from contracts.errors import InvalidInput, Unavailable
from forecasting.engine import EngineSettings
from forecasting.flags import meaning_of
from forecasting.hierarchy import single_level
from forecasting.panel import Panel
from forecasting.run import look_ahead, look_ahead_hierarchy
from tests.forecast_hierarchies import KINDS, made_counts, made_hierarchy
from tests.forecast_panels import panel

pytestmark = pytest.mark.unit

QUICK = EngineSettings(origins=1)
COUNTS = made_counts(40)
MADE = look_ahead_hierarchy(made_hierarchy(COUNTS, 2.0), 3, 90, QUICK)


def test_published_leaves_add_up_to_published_levels() -> None:
    leaves, regions = np.array([each.mean for each in MADE.series]), MADE.upper[KINDS:]
    nation = np.array([each.mean for each in MADE.upper[:KINDS]])

    assert len(regions) == 2 * KINDS
    for kind in range(KINDS):
        assert np.abs(leaves[kind::KINDS].sum(axis=0) - nation[kind]).max() < 1e-6
    assert np.array_equal(np.round(leaves, 2), leaves)


def test_every_series_has_bands_around_its_mean() -> None:
    for each in (*MADE.series, *MADE.upper):
        assert [band.level for band in each.bands] == [80, 95]
        for low80, high80, low95, high95, mean in zip(
            each.bands[0].low, each.bands[0].high, each.bands[1].low, each.bands[1].high, each.mean, strict=True
        ):
            assert 0 <= low95 <= low80 <= mean <= high80 <= high95


def test_the_card_and_the_scores_name_every_level() -> None:
    assert (MADE.card.first, MADE.card.last) == ("2016-01", "2019-04")
    assert "33 series" in MADE.card.data.en
    assert MADE.card.scores == MADE.scores
    assert [each.where for each in MADE.scores] == ["", "", "", "area x offence", "area x offence"]


def flags_of(values: list[list[float]], sigma: float = 0.0) -> list[tuple[str, ...]]:
    made = look_ahead(panel(np.array(values), sigma), 3, 90, QUICK)
    assert all(np.isfinite(each.mean).all() for each in made.series)
    return [each.flags for each in made.series]


def test_constant_empty_gapped_short_and_negative_series_are_flagged() -> None:
    steady = [20.0, 30.0] * 15
    gapped = [*steady[:20], float("nan"), *steady[21:]]
    late = [float("nan")] * 10 + [20.0, 30.0] * 10

    found = flags_of([steady, [7.0] * 30, [0.0] * 30, gapped, late])

    assert found == [
        (),
        ("never-changes",),
        ("nothing-counted",),
        ("month-missing",),
        ("month-missing", "short-history"),
    ]
    assert flags_of([[-3.0, -5.0] * 15], sigma=4.0) == [("below-noise", "negative-total")]


def test_a_recording_shock_is_flagged_with_its_kind() -> None:
    hit = made_counts(48, 60.0)
    hit[0::KINDS, 44:46] *= 0.3

    made = look_ahead_hierarchy(made_hierarchy(hit), 2, 90, QUICK)

    assert {each.flags for each in made.series[0::KINDS]} == {("recording-break",)}
    assert {each.flags for each in made.series[1::KINDS]} == {()}


@pytest.mark.parametrize(
    "flag", ["below-noise", "negative-total", "nothing-counted", "never-changes", "month-missing", "short-history"]
)
def test_every_flag_has_a_meaning(flag: str) -> None:
    assert meaning_of(flag).th


def test_no_series_and_no_figure_are_refused() -> None:
    nothing = Panel(pd.DataFrame(np.zeros((0, 30)), columns=pd.period_range("2020-01", periods=30, freq="M")), 1.0)
    with pytest.raises(InvalidInput) as empty:
        look_ahead(nothing)
    with pytest.raises(InvalidInput) as silent:
        look_ahead(panel(np.vstack([np.ones(30), np.full(30, np.nan)])))

    assert empty.value.details["why"] == "it has no series"
    assert silent.value.details["why"] == "P1 G1 has no figure in any month"


def test_one_month_and_one_year_of_weeks_are_too_short() -> None:
    with pytest.raises(Unavailable) as month:
        look_ahead(panel(np.ones((1, 1))))
    weeks = pd.period_range("2024-01-01", periods=52, freq="W-SUN")
    year = Panel(pd.DataFrame(np.ones((1, 52)), index=pd.Index(["a"], name="province"), columns=weeks), 0.0)
    with pytest.raises(Unavailable) as week:
        look_ahead_hierarchy(single_level(year))

    assert (month.value.code, month.value.details["given"]) == ("not-enough-history", "1")
    assert (week.value.code, week.value.details["needed"]) == ("not-enough-weeks", "104")


def test_weeks_are_published_too() -> None:
    draw = np.random.default_rng(1)
    weeks = pd.period_range("2021-01-04", periods=150, freq="W-SUN")
    frame = pd.DataFrame(
        draw.poisson(20.0, (3, 150)) * 1.0, index=pd.Index(["a", "b", "c"], name="province"), columns=weeks
    )

    made = look_ahead(Panel(frame, 0.0), 4, 90, QUICK)

    assert len(made.months) == 4
    assert made.series[0].mean[0] == pytest.approx(20.0, rel=0.3)
    assert made.card.first == "2021-01"
