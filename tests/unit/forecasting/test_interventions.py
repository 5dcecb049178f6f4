"""The method of evaluations: what is expected, who is compared, what is found, and what is refused."""

import math

import numpy as np
import pytest
import statsmodels.api as sm

from contracts.errors import InvalidInput, Unavailable
from forecasting.interventions.counterfactual import WEIGHTS, expected
from forecasting.interventions.design import WINDOWS, design, roles
from forecasting.interventions.effects import FEWEST_TREATED, evaluate
from forecasting.interventions.regression import Rows, fit
from tests.intervention_world import counts, named, panel, planted, rates

pytestmark = pytest.mark.unit

CHOSEN = dict.fromkeys(range(12), 48)
"""Twelve areas, all treated from the same month on."""


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


# ---------------------------------------------------------------- what was expected


def test_a_steady_season_is_forecast_exactly() -> None:
    wave = 1.0 + 0.2 * np.sin(2 * np.pi * np.arange(60) / 12)
    past = np.array([100.0, 300.0])[:, None] * wave

    ahead = expected(past[None, :, :48], np.zeros(2), 0, 12)

    assert ahead.total[0] == pytest.approx(past[:, 48:].sum(axis=1), rel=1e-6)
    assert ahead.growth[0] == pytest.approx([0.0, 0.0], abs=1e-9)


def test_the_season_of_the_window_is_that_of_its_own_months() -> None:
    wave = 1.0 + 0.3 * np.sin(2 * np.pi * np.arange(60) / 12)
    past = 200.0 * np.ones((5, 1)) * wave

    ahead = expected(past[None, :, :51], np.zeros(5), 3, 3)

    assert ahead.total[0] == pytest.approx(past[:, 51:54].sum(axis=1), rel=0.01)


def test_runs_that_drift_choose_a_heavier_weight_than_runs_that_do_not() -> None:
    rng = generator()
    still = rng.poisson(100.0, (1, 40, 60)).astype(np.float64)
    drifting = rng.poisson(np.exp(np.log(100.0) + np.cumsum(0.15 * rng.standard_normal((1, 40, 60)), axis=2)))

    light, heavy = (expected(past, np.zeros(40), 0, 12).weight[0] for past in (still, drifting.astype(np.float64)))

    assert light == WEIGHTS[0]
    assert heavy > 0.2


def test_noise_makes_the_expectation_less_certain() -> None:
    past = np.full((1, 3, 48), 50.0)

    exact, protected = (expected(past, np.full(3, noise), 0, 12).variance for noise in (0.0, 100.0))

    assert (protected > 2 * exact).all()


def test_less_than_two_years_is_no_counterfactual() -> None:
    with pytest.raises(ValueError, match="24 months"):
        expected(np.ones((1, 3, 23)), np.zeros(3), 0, 12)


# ---------------------------------------------------------------- the regression


def one_run(treated: int = 12, areas: int = 80) -> Rows:
    rng = generator(5)
    indicator = (np.arange(areas) < treated).astype(np.float64)
    columns = np.column_stack([indicator, np.ones(areas), rng.normal(size=areas)])
    variances = rng.uniform(0.001, 0.03, areas)
    ratios = -0.1 * indicator + rng.normal(0.0, np.sqrt(variances + 0.01))
    shape = (1, areas, 1)
    return Rows(ratios.reshape(shape), variances.reshape(shape), columns[None, :, None, :], np.ones(shape, dtype=bool))


def test_with_one_row_an_area_the_fit_is_that_of_statsmodels_with_hc2() -> None:
    given = one_run()
    found = fit(given)

    weights = 1.0 / (given.variances[0, :, 0] + found.between[0])
    known = sm.WLS(given.ratios[0, :, 0], given.columns[0, :, 0], weights=weights).fit(cov_type="HC2")

    assert found.coefficients[0] == pytest.approx(known.params)
    assert found.robust[0] == pytest.approx(known.bse)


def test_rows_of_one_area_stand_and_fall_together() -> None:
    given = one_run()
    twice = Rows(
        ratios=np.concatenate([given.ratios] * 2, axis=2),
        variances=np.concatenate([given.variances] * 2, axis=2),
        columns=np.concatenate([given.columns] * 2, axis=2),
        used=np.concatenate([given.used] * 2, axis=2),
    )
    once, doubled = fit(given), fit(twice)

    # A second copy of every row tells nothing new: the error must not shrink by the root of two.
    assert doubled.robust[0, 0] == pytest.approx(once.robust[0, 0], rel=0.1)
    assert doubled.model[0, 0] < 0.8 * once.model[0, 0]


def test_a_column_that_rests_on_one_area_has_no_robust_error_and_an_empty_one_is_zero() -> None:
    found = fit(one_run(treated=1))
    empty = fit(one_run(treated=0))

    assert math.isnan(found.robust[0, 0])
    assert np.isfinite(found.robust[0, 1:]).all()
    assert empty.coefficients[0, 0] == 0.0


def test_the_variance_between_areas_is_found() -> None:
    rng = generator(2)
    runs, areas = 50, 200
    variances = rng.uniform(0.001, 0.02, (runs, areas, 1))
    ratios = rng.normal(0.0, np.sqrt(variances + 0.02))
    found = fit(Rows(ratios, variances, np.ones((runs, areas, 1, 1)), np.ones((runs, areas, 1), dtype=bool)))

    assert found.between.mean() == pytest.approx(0.02, rel=0.05)


# ---------------------------------------------------------------- who is compared


def test_an_area_that_starts_later_is_untreated_before_and_never_after() -> None:
    made = design(panel(rates(generator())), named({0: 36, 1: 48, 2: 44}), 3)
    parts = roles(made, made.starts[None, :], made.cohorts, made.too_small)

    assert list(made.cohorts) == [36, 44, 48]
    assert parts.treated[0, :3].tolist() == [[True, False, False], [False, False, True], [False, True, False]]
    # Area 1 starts at 48: it serves the windows 36-38 and 44-46, area 2 the first alone, area 0 none.
    assert parts.used[0, :3].tolist() == [[True, False, False], [True, True, True], [True, True, False]]
    assert parts.used[0, 3:].all()


def test_neighbours_are_no_untreated_areas_and_not_neighbours_before_the_start() -> None:
    beside = {f"A{area:02d}": [f"A{area + 20:02d}"] for area in range(12)}
    made = design(panel(rates(generator())), named({area: 36 if area < 6 else 48 for area in range(12)}), 12, beside)
    parts = roles(made, made.starts[None, :], made.cohorts, made.too_small)

    assert made.spillover
    assert set(np.flatnonzero(made.near)) == set(range(20, 32))
    assert parts.near is not None
    assert set(np.flatnonzero(parts.near[0, :, 0])) == set(range(20, 26))
    assert not made.untreated[20:32].any()


def test_with_too_few_neighbours_they_serve_as_untreated_areas() -> None:
    made = design(panel(rates(generator())), named(CHOSEN), 12, {"A00": ["A20", "A21"]})

    assert not made.spillover
    assert made.untreated[20]


def test_the_smallest_areas_are_left_out_by_their_past_alone() -> None:
    rate = rates(generator())
    rate[3] = 0.2
    rate[4, 48:] = 0.0
    made = design(panel(rate), named(CHOSEN), 12)

    assert made.too_small[3]
    assert not made.too_small[4]
    assert not made.treated[3]


def test_what_noise_drowns_is_left_out() -> None:
    rate = rates(generator())
    exact, drowned = (design(panel(rate, sigma), named(CHOSEN), 3).too_small.sum() for sigma in (0.0, 40.0))

    assert exact == 0
    assert drowned > 5


@pytest.mark.parametrize("months", [1, 2, 6, 24])
def test_a_monthly_effect_of_a_zone_is_refused(months: int) -> None:
    assert WINDOWS == (3, 12)
    with pytest.raises(InvalidInput) as caught:
        design(panel(rates(generator())), named(CHOSEN), months)

    assert caught.value.code == "effect-window"


@pytest.mark.parametrize(
    ("starts", "code"),
    [
        ({"Z99": 48}, "intervention-unknown-area"),
        ({}, "intervention-unknown-area"),
        ({f"A{area:02d}": 48 for area in range(55)}, "too-few-untreated"),
        ({"A00": 50}, "plan-unusable"),
        ({"A00": 12}, "not-enough-history"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(starts: dict[str, int], code: str) -> None:
    with pytest.raises((InvalidInput, Unavailable)) as caught:
        design(panel(rates(generator())), starts, 12)

    assert caught.value.code == code


def test_areas_that_cannot_be_told_yet_are_neither_treated_nor_compared_with_once_they_began() -> None:
    starts = {**named(CHOSEN), "A20": 55, "A21": -30, "A22": 70}
    made = design(panel(rates(generator())), starts, 12)
    parts = roles(made, made.starts[None, :], made.cohorts, made.too_small)

    assert list(made.cohorts) == [48]
    assert made.treated.sum() == 12
    # One that starts inside the window, and one that started before the data, serve nobody; one after the data does.
    assert parts.used[0, 20:23, 0].tolist() == [False, False, True]
    assert not made.untreated[20:23].any()


def test_treated_areas_with_a_handful_of_cases_are_refused() -> None:
    rate = rates(generator())
    rate[:12] = 0.4
    with pytest.raises(InvalidInput) as caught:
        design(panel(rate), named(CHOSEN), 12)

    assert caught.value.code == "treated-too-small"


# ---------------------------------------------------------------- what is found


@pytest.mark.parametrize("seed", range(4))
def test_a_planted_fall_is_found_and_where_there_is_none_none_is(seed: int) -> None:
    rng = generator(seed)
    rate = rates(rng)
    fallen = evaluate(design(panel(counts(rng, planted(rate, CHOSEN, -0.2))), named(CHOSEN), 12)).effect
    same = evaluate(design(panel(counts(rng, rate)), named(CHOSEN), 12)).effect

    assert fallen.low < -0.2 < fallen.high
    assert fallen.told
    assert same.low < 0.0 < same.high


def test_staggered_starts_are_each_measured_from_their_own() -> None:
    rng = generator(3)
    starts = {area: 30 + 2 * area for area in range(10)}
    figures = counts(rng, planted(rates(rng), starts, -0.25))

    found = evaluate(design(panel(figures), named(starts), 12))

    assert found.effect.low < -0.25 < found.effect.high < 0.0
    assert [outcome.start for outcome in found.outcomes][:2] == ["2021-04", "2021-06"]


def test_crime_that_moves_next_door_is_reported_beside_the_effect() -> None:
    rng = generator(4)
    beside = {f"A{area:02d}": [f"A{area + 20:02d}"] for area in range(12)}
    moved = dict.fromkeys(range(20, 32), 48)
    found = []
    for _ in range(8):
        figures = counts(rng, planted(planted(rates(rng), CHOSEN, -0.2), moved, 0.2))
        found.append(evaluate(design(panel(figures), named(CHOSEN), 12, beside)))
    spilt = [each.spillover for each in found if each.spillover is not None]

    assert len(spilt) == 8
    assert np.mean([each.share for each in spilt]) == pytest.approx(0.2, abs=0.05)
    assert np.mean([each.effect.share for each in found]) == pytest.approx(-0.2, abs=0.03)
    assert sum(each.low > 0.0 for each in spilt) >= 6
    assert (spilt[0].areas, found[0].untreated) == (12, 60 - 24)


def test_one_dominant_area_with_a_trend_of_its_own_does_not_carry_the_estimate() -> None:
    rng = generator(6)
    rate = rates(rng)
    rate[0] *= 60.0 * np.exp(0.25 * (np.arange(60) - 48).clip(0) / 12)
    figures = counts(rng, rate)

    sums = figures[:12, 48:].sum() / figures[:12, 36:48].sum() / (figures[12:, 48:].sum() / figures[12:, 36:48].sum())
    found = evaluate(design(panel(figures), named(CHOSEN), 12)).effect

    assert sums > 1.08
    assert found.low < 0.0 < found.high


def test_a_single_treated_area_borrows_the_spread_of_the_others() -> None:
    rng = generator(7)
    few = dict.fromkeys(range(FEWEST_TREATED - 1), 48)
    figures = counts(rng, planted(rates(rng), {0: 48}, -0.6))
    one = evaluate(design(panel(figures), named({0: 48}), 12))
    several = evaluate(design(panel(figures), named(few), 12))

    assert one.effect.borrowed
    assert several.effect.borrowed
    assert one.effect.high < -0.3
    assert one.outcomes[0].share == pytest.approx(one.effect.share)
    assert not evaluate(design(panel(figures), named(CHOSEN), 12)).effect.borrowed


def test_an_area_tells_its_own_change_with_a_wider_interval() -> None:
    rng = generator(8)
    rate = planted(planted(rates(rng), CHOSEN, -0.2), {0: 48}, -0.3)
    found = evaluate(design(panel(counts(rng, rate)), named(CHOSEN), 12))
    first, second = found.outcomes[:2]

    assert first.area == "A00"
    assert first.high < -0.2 < first.observed / first.expected - 0.5
    assert second.high - second.low > 2 * (found.effect.high - found.effect.low)
