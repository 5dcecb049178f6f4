"""Plans, zones and holidays from real releases: what is read, found, said and refused."""

import re
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from contracts.analysis import AnalysisKind, Report
from contracts.canonical import digest_of
from contracts.errors import InvalidInput, Unavailable
from contracts.query import Query
from contracts.release import Release, ReleaseBody
from forecasting.flags import meaning_of
from forecasting.interventions.areas import Counted, areas_of, rests_beside, zones_of
from forecasting.interventions.evaluation import Setting, evaluate_plans, evaluate_zones
from forecasting.interventions.neighbours import provinces_beside
from forecasting.interventions.plan_file import read_neighbours, read_plans
from forecasting.interventions.plans import Plan, first_whole_month, overlapping, second_phase, starts_of
from forecasting.interventions.process import process_scores
from forecasting.interventions.report import break_statements
from saphan import forecast_commands
from tests import factories
from tests.intervention_world import (
    INSIDE,
    PROVINCES,
    STATIONS,
    ZONE_PERIOD,
    counts,
    planted,
    rates,
    released,
    zone_releases,
)
from tests.made_releases import bundled, made_release

pytestmark = pytest.mark.unit

RUNNER = CliRunner()
FORBIDDEN = re.compile(r"\bcaus(e|es|ed|al|ing)\b|because of|due to", re.IGNORECASE)
PERIOD = factories.period("2018-10-01", "2023-10-01")
TREATED = ("30", "31", "34", "40", "50", "52", "71", "80")
PLANS = tuple(Plan(f"plan-{code}", code, date(2022, 10, 1), target=-0.1) for code in TREATED)
QUICK = Setting(windows=(12,), runs=100)


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def provinces_release(effect: float, seed: int = 1) -> ReleaseBody:
    rng = generator(seed)
    starts = {PROVINCES.index(code): 48 for code in TREATED}
    return released("crimes_case", "province", counts(rng, planted(rates(rng, 77, 60, 300.0), starts, effect)), PERIOD)


@pytest.fixture(scope="module")
def fallen() -> ReleaseBody:
    return provinces_release(-0.25)


@pytest.fixture(scope="module")
def planned(fallen: ReleaseBody) -> Report:
    return evaluate_plans([fallen], PLANS, generator(), Setting(runs=100))


@pytest.fixture(scope="module")
def zones() -> list[ReleaseBody]:
    return zone_releases(generator(3), -0.3)


@pytest.fixture(scope="module")
def zoned(zones: list[ReleaseBody]) -> Report:
    return evaluate_zones([*zones, scores_release()], generator(), QUICK)


def scores_release() -> ReleaseBody:
    """Each month fifteen rows with the score 4 for cameras."""
    asked = Query.model_validate(
        {
            "measures": ("count", "component_score_cctv:sum"),
            "dimensions": ("month",),
            "period": factories.period("2021-10-01", "2022-10-01"),
        }
    )
    exact = {"count": [15] * 12, "component_score_cctv:sum": [60] * 12}
    return made_release(bundled("ssz_station_month"), asked, exact, 200_000_000_000)


def table(report: Report, name: str) -> list[dict[str, object]]:
    found = next(each for each in report.tables if each.name == name)
    return [dict(zip([column.name for column in found.columns], row, strict=True)) for row in found.rows]


def said(report: Report) -> str:
    return " ".join(statement.text.en for statement in report.statements)


def flags(report: Report) -> set[str]:
    return {flag for statement in report.statements for flag in statement.flags}


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


def test_every_word_is_thai_and_english_and_blames_nothing(planned: Report, zoned: Report) -> None:
    for report in (planned, zoned):
        card = (report.card.data, report.card.method, report.card.limits)
        columns = [column.title for each in report.tables for column in each.columns]
        texts = [report.title, *card, *columns, *(s.text for s in report.statements)]
        texts += [meaning_of(flag) for flag in flags(report)]
        for each in texts:
            assert re.search("[\u0e00-\u0e7f]", each.th) or each.th.isascii()
            assert not FORBIDDEN.search(each.en)
            assert "{" not in each.th + each.en


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


# ---------------------------------------------------------------- zones


def test_zones_have_the_stations_what_is_left_of_their_provinces_and_the_others(zones: list[ReleaseBody]) -> None:
    panel, releases = zones_of(zones, Counted())
    names = set(panel.counts.index)

    assert len(names) == 15 + 77
    assert {f"{province}-rest" for province in INSIDE.values()} <= names
    assert len(releases) == 2
    alone, _ = areas_of(zones, Counted(), "province")
    bangkok = panel.counts.loc["10-rest"] + panel.counts.loc[["LUMPHINI", "HUAI_KHWANG", "PHASI_CHAROEN"]].sum()
    assert bangkok.to_numpy() == pytest.approx(alone.counts.loc["10"].to_numpy())
    noise = dict(zip(panel.counts.index, panel.noise[:, 0], strict=True))
    assert noise["10-rest"] > noise["LUMPHINI"]
    assert rests_beside()["HAT_YAI"] == frozenset({"90-rest"})


def test_pilots_that_fell_are_found_and_their_provinces_are_told_apart(zoned: Report) -> None:
    effects = {row["on"]: row for row in table(zoned, "effects")}

    assert effects["treated"]["areas"] == 15
    assert float(str(effects["treated"]["high"])) < -15.0
    assert float(str(effects["neighbours"]["low"])) < 0.0 < float(str(effects["neighbours"]["high"]))
    assert effects["treated"]["untreated"] == 77 - len(set(INSIDE.values()))
    assert "controls-partly-treated" in flags(zoned)
    assert all(row["start"] == "2021-10" for row in table(zoned, "areas"))


def test_crime_pushed_into_the_rest_of_the_province_is_seen() -> None:
    report = evaluate_zones(zone_releases(generator(4), -0.3, 0.25), generator(), QUICK)
    effects = {row["on"]: row for row in table(report, "effects")}

    assert float(str(effects["neighbours"]["low"])) > 0.0


def test_process_scores_are_monthly_with_their_error(zoned: Report) -> None:
    rows = table(zoned, "process")

    assert len(rows) == 12
    for row in rows:
        assert abs(float(str(row["mean"])) - 4.0) <= 3.0 * float(str(row["error_95"]))
    assert "handful of cases" in said(zoned)


def test_months_without_a_station_have_no_score() -> None:
    asked = Query.model_validate(
        {"measures": ("count", "component_score_ai:sum"), "dimensions": ("month",), "period": ZONE_PERIOD}
    )
    empty = made_release(
        bundled("ssz_station_month"), asked, {"count": [0] * 36, "component_score_ai:sum": [0] * 36}, 500_000_000
    )

    assert len(process_scores([empty])) < 8
    assert process_scores([]) == ()


def test_areas_of_the_second_phase_start_later_in_the_same_evaluation() -> None:
    rng = generator(6)
    period = factories.period("2018-10-01", "2023-10-01")
    pilots, rest = counts(rng, rates(rng, 15, 60, 150.0)), counts(rng, rates(rng, 77, 60, 600.0))
    for station, figures in zip(STATIONS, pilots, strict=True):
        rest[PROVINCES.index(INSIDE[station])] += figures
    bodies = [released("crimes_case", "ssz_station", pilots, period), released("crimes_case", "province", rest, period)]

    report = evaluate_zones(bodies, generator(), QUICK, second_phase(["49", "10"]))
    starts = {row["area"]: row["start"] for row in table(report, "areas")}

    assert starts["49"] == "2022-07"
    assert starts["10-rest"] == "2022-07"
    assert starts["LUMPHINI"] == "2021-10"


def test_zones_need_months_in_common(zones: list[ReleaseBody]) -> None:
    other = released(
        "crimes_case", "province", rates(generator(), 77, 12), factories.period("2015-10-01", "2016-10-01")
    )
    with pytest.raises(InvalidInput) as caught:
        zones_of([zones[0], other], Counted())

    assert caught.value.code == "release-not-a-series"


def test_a_change_of_recording_inside_the_months_is_named() -> None:
    months = ("2021-01", "2022-06")

    assert [each.month for each in Counted("tpo_complaint", {}).breaks(months)] == ["2022-03"]
    assert [each.month for each in Counted("dop_case", {}).breaks(months)] == ["2021-12"]
    assert Counted().breaks(months) == ()
    [told] = break_statements(Counted("dop_case", {}), months)
    assert told.flags == ("recording-break",)
    assert "Dec 2021" in told.text.en


# ---------------------------------------------------------------- files and the command


def test_plans_are_read_from_a_table() -> None:
    text = "\ufeffid,province,start,end,target,owner\np1,30,2022-10-01,2023-10-01,-10,me\np2,31,2022-10-01,,,\n"

    assert read_plans(text, "plans.csv") == (
        Plan("p1", "30", date(2022, 10, 1), date(2023, 10, 1), -0.1),
        Plan("p2", "31", date(2022, 10, 1)),
    )
    assert read_neighbours("a,b\nX,Y\nX,Z\n", "n.csv")["X"] == {"Y", "Z"}


@pytest.mark.parametrize(
    "text",
    [
        "id,start\np,2022-10-01\n",
        "id,province,start\np,30,\n",
        "id,province,start\np,30,1/10/2565\n",
        "id,province,start,target\np,30,2022-10-01,ten\n",
        "id,province,start,target\np,30,2022-10-01,nan\n",
    ],
)
def test_a_table_that_is_no_list_of_plans_is_refused_by_line(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_plans(text, "plans.csv")

    assert caught.value.code == "plan-unusable"


def exported(folder: Path, body: ReleaseBody) -> str:
    path = folder / f"{body.id}.json"
    path.write_text(Release(body=body, digest=digest_of(body), signature="s").model_dump_json(by_alias=True))
    return str(path)


def test_the_command_evaluates_plans_of_a_file(tmp_path: Path, fallen: ReleaseBody) -> None:
    plans = tmp_path / "plans.csv"
    plans.write_text("id,province,start,target\n" + "".join(f"p{each},{each},2022-10-01,-10\n" for each in TREATED))
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("a,b\n30,36\n")
    options = ["--plans", str(plans), "--neighbours", str(pairs), "--window", "12", "--runs", "100", "--json"]
    result = RUNNER.invoke(forecast_commands.app, ["evaluate", exported(tmp_path, fallen), *options])

    assert result.exit_code == 0, result.output
    report = Report.model_validate_json(result.stdout)
    assert {row["on"] for row in table(report, "effects")} == {"treated"}
    again = RUNNER.invoke(forecast_commands.app, ["evaluate", exported(tmp_path, fallen), *options])
    assert again.stdout == result.stdout


def test_the_command_evaluates_zones(tmp_path: Path, zones: list[ReleaseBody]) -> None:
    files = [exported(tmp_path, each) for each in zones]
    options = ["--zones", "--window", "12", "--runs", "100", "--csv", "effects"]
    result = RUNNER.invoke(forecast_commands.app, ["evaluate", *files, *options])

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("window,on,effect,low,high")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], "plan-unusable"),
        (["--zones", "--holidays"], "plan-unusable"),
        (["--plans", "missing.csv"], "plan-unusable"),
        (["--zones", "--window", "1"], "effect-window"),
        (["--zones", "--group", "G4"], "enforcement-is-not-risk"),
        (["--zones", "--dataset", "crimes_arrest"], "enforcement-is-not-risk"),
    ],
)
def test_the_command_says_what_is_wrong(
    options: list[str], code: str, tmp_path: Path, zones: list[ReleaseBody]
) -> None:
    files = [exported(tmp_path, each) for each in zones]
    result = RUNNER.invoke(forecast_commands.app, ["evaluate", *files, *options, "--json"])

    assert result.exit_code == 2
    assert code in result.output
