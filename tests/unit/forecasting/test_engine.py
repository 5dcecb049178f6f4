"""The engine: coherent, without a look at the future, with gaps, noise and shocks."""

import sys

import numpy as np
import pandas as pd
import pytest

from contracts.errors import InvalidInput, Unavailable
from forecasting import consistent, reconcile
from forecasting.engine import EngineSettings, forecast, rolling
from forecasting.hierarchy import Hierarchy, single_level
from forecasting.reconcile import Method
from forecasting.spread import Spread
from tests.forecast_hierarchies import KINDS, made_counts, made_hierarchy
from tests.forecast_panels import panel, season

pytestmark = pytest.mark.unit

COUNTS = made_counts()
HIERARCHY = made_hierarchy(COUNTS, sigma=3.0)


def test_forecasts_of_all_levels_add_up_and_none_is_negative() -> None:
    outcome = forecast(HIERARCHY, 6)

    assert outcome.method is Method.MINT_SHRINK
    for total, mean in zip(HIERARCHY.sums(outcome.mean[-1]), outcome.mean, strict=True):
        assert mean.shape[1] == 6
        assert np.abs(total - mean).max() < 1e-6
        assert (mean >= 0).all()
    expected = made_counts(72)[:, :60].mean(axis=1, keepdims=True) * season(66)[None, 60:]
    assert np.abs(outcome.mean[-1] / expected - 1.0).mean() < 0.15


def test_small_series_are_cut_at_zero_without_lifting_what_they_add_up_to() -> None:
    counts = np.vstack([made_counts(60, 0.4, provinces=39), made_counts(60, 60.0, provinces=1)])
    noisy = made_hierarchy(counts, sigma=6.0)

    outcome = forecast(noisy, 6)

    truth = noisy.sums(counts)[0].mean() * season(66)[60:].mean()
    assert (outcome.mean[-1] >= 0).all()
    assert outcome.mean[0].mean() == pytest.approx(truth, rel=0.1)
    assert outcome.filter_only[-1][:-KINDS].all()


def test_an_outcome_of_the_past_knows_nothing_of_what_came_after() -> None:
    changed = COUNTS.copy()
    changed[:, 48:] *= 9.0
    settings = EngineSettings(origins=2)

    before = rolling(made_hierarchy(COUNTS), 6, [42, 48], settings)
    after = rolling(made_hierarchy(changed), 6, [42, 48], settings)

    for one, other in zip(before, after, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one.mean, other.mean, strict=True))
        assert all(np.array_equal(a, b) for a, b in zip(one.dispersion, other.dispersion, strict=True))


def test_quantiles_rise_and_hold_the_mean_s_neighbourhood() -> None:
    low, middle, high = np.moveaxis(forecast(HIERARCHY, 3).quantiles([0.05, 0.5, 0.95])[-1], -1, 0)

    assert (low <= middle).all()
    assert (middle <= high).all()
    assert (high > low).all()


def test_without_earlier_origins_the_filter_s_own_account_serves() -> None:
    short = made_hierarchy(COUNTS[:, :24])

    outcome = forecast(short, 3)

    assert outcome.learnt_from == 0
    assert all((each > 0).all() for each in outcome.dispersion)


def test_less_than_two_years_are_refused_by_month_and_by_week() -> None:
    with pytest.raises(Unavailable) as monthly:
        forecast(made_hierarchy(COUNTS[:, :23]), 3)
    with pytest.raises(Unavailable) as weekly:
        forecast(made_hierarchy(COUNTS, start="2016-01-04", freq="W-SUN"), 3)

    assert monthly.value.code == "not-enough-history"
    assert weekly.value.code == "not-enough-weeks"


def test_a_missing_month_is_passed_over() -> None:
    gap = COUNTS.copy()
    whole = forecast(single_level(made_hierarchy(gap).levels[-1]), 6)
    gap[:, 50] = np.nan
    outcome = forecast(single_level(made_hierarchy(gap).levels[-1]), 6)

    assert np.isfinite(outcome.mean[0]).all()
    assert np.abs(outcome.mean[0] / whole.mean[0] - 1.0).mean() < 0.05


def test_a_leaf_that_was_not_released_is_told_by_its_siblings() -> None:
    noisy = made_hierarchy(COUNTS, sigma=3.0)
    rows = noisy.levels[-1].figures.copy()
    rows[0, 40:45] = np.nan
    known = Hierarchy((*noisy.levels[:-1], noisy.levels[-1].showing(rows)), noisy.of_leaf)

    outcome = forecast(known, 3)

    assert np.isfinite(outcome.mean[-1]).all()


def test_a_region_that_changed_its_provinces_is_refused_with_its_name_and_month() -> None:
    rows = HIERARCHY.levels[1].figures.copy()
    rows[2, 30:] += 100.0
    changed = Hierarchy(
        (HIERARCHY.levels[0], HIERARCHY.levels[1].showing(rows), HIERARCHY.levels[2]), HIERARCHY.of_leaf
    )

    with pytest.raises(InvalidInput) as refused:
        forecast(changed, 3)

    assert refused.value.code == "hierarchy-contradicts"
    assert "R0 K2" in refused.value.details["why"]
    assert "2018-07" in refused.value.details["why"]


def test_levels_that_are_no_tree_are_made_to_add_up_too() -> None:
    leaves = HIERARCHY.levels[-1]
    rows = np.arange(len(leaves.counts))
    by_kind, by_area = rows % KINDS, rows // KINDS
    panels = []
    for number, places in ((KINDS, by_kind), (len(rows) // KINDS, by_area)):
        total = np.zeros((number, 60))
        np.add.at(total, places, COUNTS)
        names = pd.MultiIndex.from_product([[str(each) for each in range(number)]], names=["offence"])
        panels.append(type(leaves)(pd.DataFrame(total + 1.0, index=names, columns=leaves.months), 4.0))
    grouped = Hierarchy((*panels, leaves), (by_kind, by_area, rows))

    outcome = forecast(grouped, 3)

    assert grouped.parents is None
    for total, mean in zip(grouped.sums(outcome.mean[-1]), outcome.mean, strict=True):
        assert np.abs(total - mean).max() < 1e-6


def test_levels_that_are_no_tree_and_have_gaps_are_refused() -> None:
    leaves = HIERARCHY.levels[-1]
    rows = np.arange(len(leaves.counts))
    figures = leaves.figures.copy()
    figures[0, 0] = np.nan
    first = Hierarchy(
        (leaves.rows(rows < KINDS), leaves.rows(rows < 8), leaves.showing(figures)), (rows % KINDS, rows // KINDS, rows)
    )

    with pytest.raises(InvalidInput) as refused:
        forecast(
            Hierarchy(
                tuple(p.showing(s) for p, s in zip(first.levels, first.sums(figures), strict=True)), first.of_leaf
            ),
            3,
        )

    assert refused.value.code == "hierarchy-contradicts"
    assert "lacks 2016-01, which others have" in refused.value.details["why"]


def test_more_series_than_a_dense_matrix_takes_are_refused_without_a_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consistent, "MOST_DENSE", 10)
    leaves = HIERARCHY.levels[-1]
    rows = np.arange(len(leaves.counts))
    places = (rows % KINDS, rows // KINDS, rows)
    first = Hierarchy((leaves.rows(rows < KINDS), leaves.rows(rows < len(rows) // KINDS), leaves), places)
    noisy = [panel.showing(total + 1.0) for panel, total in zip(first.levels, first.sums(leaves.figures), strict=True)]

    with pytest.raises(InvalidInput) as refused:
        forecast(Hierarchy(tuple(noisy), places), 3)

    assert refused.value.details["why"] == "its 35 series are no tree, and too many"


def test_weeks_are_forecast_by_the_same_engine() -> None:
    draw = np.random.default_rng(5)
    weeks = draw.poisson(30.0, (2 * KINDS, 160)).astype(np.float64)
    outcome = forecast(made_hierarchy(weeks, start="2020-01-06", freq="W-SUN"), 8)

    assert outcome.mean[-1].shape == (2 * KINDS, 8)
    assert outcome.mean[-1].mean() == pytest.approx(30.0, rel=0.1)


def test_dask_gives_what_this_process_gives() -> None:
    small = single_level(made_hierarchy(COUNTS[:6, :48]).levels[-1])

    here = forecast(small, 3, EngineSettings(origins=1))
    there = forecast(small, 3, EngineSettings(origins=1, spread=Spread.DASK, processes=2))

    assert np.allclose(here.mean[0], there.mean[0], atol=1e-9)


def test_ray_that_is_not_installed_is_named() -> None:
    with pytest.raises(Unavailable) as refused:
        forecast(single_level(panel(np.full((1, 24), 9.0))), 3, EngineSettings(spread=Spread.RAY))

    assert refused.value.code == "spread-not-installed"
    assert refused.value.details == {"spread": "ray"}


def test_boosting_without_its_packages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)

    with pytest.raises(Unavailable) as refused:
        forecast(single_level(panel(np.full((1, 24), 9.0))), 3, EngineSettings(boosted=True))

    assert refused.value.code == "boosting-not-installed"


def test_more_nodes_than_a_dense_matrix_takes_are_reconciled_on_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    dense = forecast(HIERARCHY, 3)
    monkeypatch.setattr(reconcile, "MOST_DENSE", 10)
    outcome = forecast(HIERARCHY, 3)

    assert outcome.method is Method.TREE_WLS
    for total, mean in zip(HIERARCHY.sums(outcome.mean[-1]), outcome.mean, strict=True):
        assert np.abs(total - mean).max() < 1e-6
    assert np.abs(outcome.mean[-1] / dense.mean[-1] - 1.0).mean() < 0.05


def test_boosting_is_a_third_member() -> None:
    small = single_level(made_hierarchy(COUNTS).levels[-1])

    plain = forecast(small, 3, EngineSettings(origins=1))
    third = forecast(small, 3, EngineSettings(origins=1, boosted=True))

    assert not np.allclose(plain.mean[0], third.mean[0])
    assert np.abs(third.mean[0] / plain.mean[0] - 1.0).mean() < 0.15
