"""Plans, zones and holidays from real releases: what is read, found, said and refused."""

import re
from datetime import date

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from contracts.analysis import AnalysisKind, Report
from contracts.errors import InvalidInput, Unavailable
from contracts.release import ReleaseBody
from forecasting.interventions.areas import Counted
from forecasting.interventions.evaluation import Setting, evaluate_plans
from forecasting.interventions.neighbours import provinces_beside
from forecasting.interventions.plans import Plan, first_whole_month, overlapping, starts_of
from forecasting.interventions.report import break_statements
from tests.intervention_world import (
    PERIOD,
    PLANS,
    PROVINCES,
    QUICK,
    TREATED,
    flags,
    provinces_release,
    rates,
    released,
    said,
    table,
)

pytestmark = pytest.mark.unit

RUNNER = CliRunner()
FORBIDDEN = re.compile(r"\bcaus(e|es|ed|al|ing)\b|because of|due to", re.IGNORECASE)


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def fallen() -> ReleaseBody:
    return provinces_release(-0.25)


@pytest.fixture(scope="module")
def planned(fallen: ReleaseBody) -> Report:
    return evaluate_plans([fallen], PLANS, generator(), Setting(runs=100))


# ---------------------------------------------------------------- plans


def test_plans_that_worked_are_found_with_their_checks_beside_them(planned: Report) -> None:
    effects = {(row["window"], row["on"]): row for row in table(planned, "effects")}
    checks = {(row["window"], row["on"], row["put_in"]): row for row in table(planned, "checks")}

    assert planned.kind is AnalysisKind.EVALUATION
    for window in (3, 12):
        effect = effects[window, "treated"]
        assert float(str(effect["low"])) < -25.0 < float(str(effect["high"])) < 0.0
        assert effect["areas"] == 8
        assert (window, "neighbours") in effects
        for on in ("treated", "neighbours", "single-area"):
            for put_in in (0.0, -5.0, -15.0):
                row = checks[window, on, put_in]
                assert {row["coverage"], row["noticed"], row["error"], row["runs"]}.isdisjoint({None})
    assert "% below what was expected" in said(planned)
    assert "In 100 simulations" in said(planned)
    assert "areas-were-chosen" in flags(planned)


def test_where_nothing_changed_the_report_does_not_say_that_something_did() -> None:
    report = evaluate_plans([provinces_release(0.0, 8)], PLANS, generator(), QUICK)
    [effect] = [row for row in table(report, "effects") if row["on"] == "treated"]

    assert float(str(effect["low"])) < 0.0 < float(str(effect["high"]))
    assert "do not tell whether anything changed" in said(report)


def test_each_area_is_held_to_its_target(planned: Report) -> None:
    rows = [row for row in table(planned, "areas") if row["window"] == 12]

    assert {row["area"] for row in rows} == set(TREATED)
    assert {row["target"] for row in rows} == {-10.0}
    assert all(row["start"] == "2022-10" for row in rows)
    for row in rows:
        low, high = float(str(row["low"])), float(str(row["high"]))
        assert row["reached"] is (True if high <= -10.0 else None if low <= -10.0 else False)
    assert True in {row["reached"] for row in rows}


def test_a_second_plan_of_a_province_is_named_and_a_short_one_too(fallen: ReleaseBody) -> None:
    again = Plan("later", TREATED[0], date(2023, 1, 1), end=date(2023, 2, 1))
    report = evaluate_plans([fallen], (*PLANS, again), generator(), QUICK)

    assert {"plans-overlap", "plan-ended"} <= flags(report)
    assert overlapping((*PLANS, again)) == (TREATED[0],)


def test_plans_that_are_too_young_are_named_and_the_others_evaluated(fallen: ReleaseBody) -> None:
    report = evaluate_plans([fallen], (*PLANS, Plan("young", "90", date(2023, 8, 1))), generator(), QUICK)

    assert "not-evaluated-yet" in flags(report)
    assert "not evaluated: 90" in said(report)
    assert {row["area"] for row in table(report, "areas")} == set(TREATED)


def test_one_plan_alone_is_told_with_a_flag(fallen: ReleaseBody) -> None:
    report = evaluate_plans([fallen], [Plan("alone", "83", date(2022, 10, 1))], generator(), QUICK)

    assert "few-treated-areas" in flags(report)
    assert "spillover-not-told" in flags(report)


def test_areas_with_a_handful_of_cases_are_named() -> None:
    rng = generator(9)
    rate = rates(rng, 77, 60, 300.0)
    rate[PROVINCES.index(TREATED[0])] = 0.3
    report = evaluate_plans([released("crimes_case", "province", rate, PERIOD)], PLANS, generator(), QUICK)

    assert "below-noise" in flags(report)
    assert f"too few cases can be told from noise: {TREATED[0]}" in said(report)
    assert TREATED[0] not in {row["area"] for row in table(report, "areas")}


def test_a_window_that_is_not_over_is_left_out_until_none_is(fallen: ReleaseBody) -> None:
    late = [Plan(f"p{code}", code, date(2023, 6, 15)) for code in TREATED]
    report = evaluate_plans([fallen], late, generator(), Setting(runs=100))

    assert {row["window"] for row in table(report, "effects")} == {3}
    assert {row["start"] for row in table(report, "areas")} == {"2023-07"}
    with pytest.raises(InvalidInput) as caught:
        evaluate_plans([fallen], [Plan("p", "30", date(2023, 9, 1))], generator(), Setting(runs=100))
    assert caught.value.code == "plan-unusable"


@pytest.mark.parametrize("dataset", ["crimes_arrest", "oag_case"])
def test_arrests_are_never_evaluated_as_crime(dataset: str, fallen: ReleaseBody) -> None:
    for counted in (
        Counted(dataset, {}),
        Counted("crimes_case", {"offence_group": ("G4",)}),
        Counted("crimes_case", {}),
    ):
        with pytest.raises(InvalidInput) as caught:
            evaluate_plans([fallen], PLANS, generator(), Setting(counted))
        assert caught.value.code == "enforcement-is-not-risk"


@pytest.mark.parametrize(
    ("plans", "code"),
    [
        ([], "plan-unusable"),
        ([Plan("p", "30", date(2024, 1, 1))], "plan-unusable"),
        ([Plan("p", "30", date(2019, 1, 1))], "not-enough-history"),
        ([Plan("p", "99", date(2022, 10, 1))], "intervention-unknown-area"),
        ([Plan(each, each, date(2022, 10, 1)) for each in PROVINCES], "too-few-untreated"),
    ],
)
def test_plans_that_cannot_be_evaluated_are_refused(plans: list[Plan], code: str, fallen: ReleaseBody) -> None:
    with pytest.raises((InvalidInput, Unavailable)) as caught:
        evaluate_plans([fallen], plans, generator(), QUICK)

    assert caught.value.code == code


@pytest.mark.parametrize(("end", "target"), [(date(2022, 1, 1), None), (None, -1.0), (None, 2.0)])
def test_a_plan_that_cannot_be_is_refused(end: date | None, target: float | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        Plan("p", "30", date(2022, 1, 1), end, target)

    assert caught.value.code == "plan-unusable"


def test_a_month_that_was_treated_in_part_is_not_the_first() -> None:
    months = pd.period_range("2018-10", periods=60, freq="M")

    assert str(first_whole_month(date(2021, 9, 21))) == "2021-10"
    assert str(first_whole_month(date(2021, 9, 1))) == "2021-09"
    assert starts_of([Plan("a", "30", date(2022, 1, 2)), Plan("b", "30", date(2021, 1, 1))], months) == {"30": 27}


def test_provinces_border_on_each_other_both_ways() -> None:
    beside = provinces_beside()

    assert sum(map(len, beside.values())) == 2 * 176
    assert "82" in beside["83"]
    assert all(province in beside[other] for province, others in beside.items() for other in others)


def test_a_change_of_recording_inside_the_months_is_named() -> None:
    months = ("2021-01", "2022-06")

    assert [each.month for each in Counted("tpo_complaint", {}).breaks(months)] == ["2022-03"]
    assert [each.month for each in Counted("dop_case", {}).breaks(months)] == ["2021-12"]
    assert Counted().breaks(months) == ()
    [told] = break_statements(Counted("dop_case", {}), months)
    assert told.flags == ("recording-break",)
    assert "Dec 2021" in told.text.en
