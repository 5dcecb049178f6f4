"""A published forecast of all levels: sums of rounded leaves, bands, flags, card; bad input is told, never silent."""

import numpy as np
import pandas as pd
import pytest

from contracts.errors import InvalidInput, Unavailable
from forecasting.backtest import origins
from forecasting.engine import EngineSettings
from forecasting.engine_trial import EngineTrial
from forecasting.evaluation import score
from forecasting.flags import meaning_of
from forecasting.hierarchy import Hierarchy, single_level
from forecasting.panel import Panel
from forecasting.run import Given, look_ahead, look_ahead_hierarchy
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


def crossed(months: int, groups: int = 4, sigma: float = 0.0) -> Hierarchy:
    """The nation, its offence groups, its provinces, and provinces x groups: no tree."""
    draw = np.random.default_rng(2)
    leaves = panel(draw.poisson(40.0, (2 * groups, months)).astype(np.float64), sigma, groups)
    rows = np.arange(2 * groups)
    names = [
        pd.Index(["all"], name="series"),
        pd.Index([f"G{number + 1}" for number in range(groups)], name="offence_group"),
        pd.Index(["P0", "P1"], name="province"),
    ]
    places = (np.zeros_like(rows), rows % groups, rows // groups)
    totals = [np.array([leaves.figures[of == row].sum(axis=0) for row in range(of.max() + 1)]) for of in places]
    noises = [draw.normal(0.0, sigma, each.shape) for each in (*totals, leaves.figures)]
    panels = [
        Panel(pd.DataFrame(total + noise, index=name, columns=leaves.months), sigma**2)
        for total, noise, name in zip(totals, noises, names, strict=False)
    ]
    return Hierarchy((*panels, leaves.showing(leaves.figures + noises[-1])), (*places, rows))


def test_months_that_were_asked_for_and_not_told_are_flagged_and_passed_over() -> None:
    whole = crossed(38, sigma=2.0)
    late = whole.until(36)

    made = look_ahead_hierarchy(late, 3, 90, QUICK, Given(until=whole.levels[0].months[-1]))

    assert made.months == ("2024-03", "2024-04", "2024-05")
    assert made.card.last == "2023-12"
    assert all("month-missing" in each.flags for each in (*made.series, *made.upper))
    assert np.isfinite([each.mean for each in made.series]).all()
    assert made.scores[2].coverage is not None
    on_time = look_ahead_hierarchy(whole, 3, 90, QUICK, Given(until=late.levels[0].months[-1]))
    assert on_time.months == made.months
    assert not any("month-missing" in each.flags for each in (*on_time.series, *on_time.upper))


def test_figures_that_end_over_a_year_before_what_was_asked_for_are_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        look_ahead(panel(np.full((1, 30), 9.0)), 3, 90, QUICK, Given(until=pd.Period("2024-07", "M")))

    assert refused.value.code == "release-not-a-series"
    assert "nothing was released after 2023-06" in refused.value.details["why"]


def test_arrests_and_every_sum_that_includes_them_are_flagged() -> None:
    made = look_ahead_hierarchy(crossed(30), 2, 90, QUICK)

    told = {tuple(each.labels.values()): "enforcement" in each.flags for each in (*made.series, *made.upper)}
    assert {labels for labels, flagged in told.items() if flagged} == {
        *{("all",), ("G4",), ("P0",), ("P1",)},
        *{("P0", "G4"), ("P1", "G4")},
    }
    assert len(told) == 15


def test_without_arrests_nothing_is_flagged_as_such() -> None:
    made = look_ahead_hierarchy(crossed(30, groups=3), 2, 90, QUICK)

    assert not any("enforcement" in each.flags for each in (*made.series, *made.upper))


@pytest.mark.parametrize(("dataset", "flagged"), [("crimes_case", True), ("dop_case", False), (None, False)])
def test_a_sum_over_labels_that_are_not_there_counts_arrests_unseen(dataset: str | None, *, flagged: bool) -> None:
    provinces = pd.Index(["10", "11"], name="province")
    months = pd.period_range("2021-01", periods=30, freq="M")
    counts = np.random.default_rng(3).poisson(30.0, (2, 30)).astype(np.float64)

    made = look_ahead(Panel(pd.DataFrame(counts, provinces, months), 0.0), 2, 90, QUICK, Given(dataset=dataset))

    assert {"enforcement" in each.flags for each in made.series} == {flagged}


def test_the_published_coverage_is_that_of_the_published_distribution_at_the_published_level() -> None:
    # A case in three months: a normal interval around the forecast would say something else.
    draw = np.random.default_rng(8)
    rare = single_level(panel(draw.poisson(0.3, (60, 48)) + draw.normal(0.0, 0.5, (60, 48)), 0.5, 3))

    made = {level: look_ahead_hierarchy(rare, 3, level, QUICK).scores[-1] for level in (80, 95)}

    line = score(EngineTrial(QUICK), rare, rare, ("leaves",), (3, origins(48, 3), 12))[0]
    assert made[80].coverage == pytest.approx(line.coverage80)
    assert made[95].coverage == pytest.approx(line.coverage95)
    assert made[80].mase == pytest.approx(line.mase)
    assert made[80].wape == pytest.approx(line.wape)


def test_a_hierarchy_that_never_changes_is_forecast_as_it_is_and_flagged() -> None:
    found = look_ahead_hierarchy(made_hierarchy(np.full((24, 40), 30.0)), 3, 90, QUICK)

    assert all("never-changes" in each.flags for each in found.series)
    assert {figure for each in found.series for figure in each.mean} == {30.0}
