"""Analyses after the forecast: made once from the same releases, skipped without input, none stopping the others."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from contracts.analysis import AnalysisKind, Column, Report, Statement, Table
from contracts.canonical import digest_of
from contracts.errors import InvalidInput, Unavailable
from contracts.forecast import ModelCard
from contracts.grid import grid_of
from contracts.query import Query
from contracts.release import ReleaseBody
from forecasting.fairness.checks import SAYS_WHERE, Check
from forecasting.fairness.checks import Standing as Found
from forecasting.warnings.limits import Watch
from gateway.centre import made_by
from gateway.centre.analyses import Analysed, Inputs, Standing
from gateway.centre.analyses import Desk as AnalysisDesk
from gateway.centre.fairness import Fairness, fairness_checks
from gateway.centre.feed import Stage, Step, quietly
from gateway.centre.judged_plans import judged as judged_plans
from gateway.centre.questions import STANDING
from gateway.centre.standing_analyses import ANALYSES
from tests import factories
from tests.centre_world import Desk, FakeLine, activities
from tests.factories import NOW
from tests.made_releases import bundled, made_release
from tests.plan_world import plan

pytestmark = pytest.mark.unit

CRIMES, MONTHLY = "crimes-monthly", "dop-monthly"


def monthly(cases: dict[str, int]) -> ReleaseBody:
    """About so many cases a month in every province, by group; four years."""
    contract = bundled("crimes_case")
    axes = ("month", "province", "offence_group")
    query = Query(measures=("count",), dimensions=axes, period=factories.period("2021-01-01", "2025-01-01"))
    rates = [cases.get(key[2], 1) for key in list(grid_of(query, contract).keys())]
    exact = np.random.default_rng(5).poisson(rates).tolist()
    return made_release(contract, query, {"count": exact}, 10**12)


def report(kind: AnalysisKind, figure: float) -> Report:
    words = factories.text("words")
    card = ModelCard(data=words, method=words, limits=words, first="2025-01", last="2025-12", models=("sum",))
    table = Table(name="figures", title=words, columns=(Column(name="figure", title=words),), rows=((figure,),))
    return Report(kind=kind, title=words, statements=(), tables=(table,), card=card)


def drawn(bodies: Sequence[ReleaseBody], inputs: Inputs) -> Report:
    return report(AnalysisKind.CASELOAD, len(bodies) + float(inputs.generator.random()))


def failing(_: Sequence[ReleaseBody], __: Inputs) -> Report:
    raise ValueError("17 cases in province 10")


def impossible(_: Sequence[ReleaseBody], __: Inputs) -> Report:
    raise InvalidInput("release-not-a-series", why="there is none")


CASELOAD = Standing("caseload", AnalysisKind.CASELOAD, drawn, (MONTHLY,))
FACTORS = Standing("factors", AnalysisKind.FACTORS, failing, (MONTHLY,))
HOLIDAYS = Standing("holidays", AnalysisKind.HOLIDAYS, impossible, (MONTHLY,))
FLOW = Standing("justice-flow", AnalysisKind.FLOW, drawn, also=("oag-monthly", "tpo-stages"))
CLOCK = Standing("crime-clock", AnalysisKind.CLOCK, drawn, (MONTHLY, "crimes-clock"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Its agreement has the monthly crimes and probation cases alone."""
    return Desk(tmp_path, FakeLine(agreed=activities((CRIMES, MONTHLY))), analyses=(CASELOAD,))


def test_an_analysis_is_published_and_cites_what_it_was_made_from(desk: Desk) -> None:
    done = desk.centre().round()

    [made] = desk.line.analysed
    assert done.analyses == {"caseload": made.id}
    assert [each.release for each in made.citations] == list(done.releases[MONTHLY])
    assert made.citations[0].digest == digest_of(desk.line.held[made.citations[0].release].body)
    assert made.report.public
    assert 6 < float(made.report.tables[0].rows[0][0] or 0) < 7


def test_the_same_releases_are_not_analysed_twice_and_say_the_same(desk: Desk, tmp_path: Path) -> None:
    first, second = desk.centre().round(), desk.centre().round()

    assert first.analyses == second.analyses
    assert len(desk.line.analysed) == 1
    [made] = desk.line.analysed
    desk.line.analysed.clear()
    desk.centre().round()
    assert desk.line.analysed == [made]


def test_what_lacks_its_input_is_skipped_and_said(desk: Desk) -> None:
    desk.analyses = (CLOCK, FLOW, CASELOAD)

    done = desk.centre().round()

    assert set(done.analyses) == {"caseload"}
    assert {"crime-clock", "justice-flow"} <= set(done.skipped)
    assert done.analysis_problems == {}


def test_one_of_several_inputs_is_enough_where_the_analysis_says_so(desk: Desk) -> None:
    desk.line.agreed = activities((CRIMES, MONTHLY, "tpo-stages"))
    desk.analyses = (FLOW,)

    done = desk.centre().round()

    assert [each.release for each in desk.line.analysed[0].citations] == list(done.releases["tpo-stages"])


def test_an_analysis_that_fails_is_a_problem_that_tells_no_figure_and_stops_no_other(desk: Desk) -> None:
    desk.analyses = (FACTORS, HOLIDAYS, CASELOAD)

    done = desk.centre().round()

    assert done.analysis_problems == {"factors": ("analysis-failed",), "holidays": ("release-not-a-series",)}
    assert set(done.analyses) == {"caseload"}
    assert "17" not in done.model_dump_json(include={"analysis_problems"})


def test_an_analysis_of_what_is_not_public_is_not_public(desk: Desk) -> None:
    desk.centre().gather()
    name, release = next(each for each in desk.line.held.items() if each[1].body.activity == MONTHLY)
    desk.line.held[name] = release.model_copy(update={"body": release.body.model_copy(update={"public": False})})

    desk.centre().round()

    assert not desk.line.analysed[0].report.public


def test_a_gateway_that_cannot_list_analyses_gets_none(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def analyses(_: FakeLine) -> tuple[()]:
        raise Unavailable("gateway-unreachable")

    monkeypatch.setattr(FakeLine, "analyses", analyses)

    done = desk.centre().round()

    assert done.analysis_problems == {"caseload": ("gateway-unreachable",)}
    assert desk.line.analysed == []


def about(kind: AnalysisKind, activity: str = CRIMES) -> Standing:
    """An analysis of a kind, made from one activity."""
    return Standing("about", kind, lambda _, __: report(kind, 1.0), (activity,))


def judged(desk: Desk, check: Check, standing: Standing) -> Analysed:
    """An analysis where the checks of fairness find this."""
    gathered = desk.centre().gather()
    fairness = Fairness(gathered, lambda _: (check,))
    return AnalysisDesk(desk.line, gathered, lambda: NOW, fairness).analyse([standing], quietly)


@pytest.mark.parametrize("kind", [AnalysisKind.WARNINGS, AnalysisKind.CLOCK])
def test_what_a_check_withholds_is_not_published_whichever_activity_it_reads(desk: Desk, kind: AnalysisKind) -> None:
    loop = Check("enforcement-loop", Found.WITHHOLD, factories.text("it follows arrests"), (), SAYS_WHERE)

    done = judged(desk, loop, about(kind, MONTHLY))

    assert [each.code for each in done.problems["about"]] == ["analysis-withheld"]
    assert done.problems["about"][0].details["checks"] == "enforcement-loop"
    assert desk.line.analysed == []


def test_what_a_check_flags_stands_beside_the_report_which_cites_what_was_checked(desk: Desk) -> None:
    said = factories.text("women report less")
    done = judged(
        desk, Check("reported-shares", Found.FLAGGED, said, ("under-reported",)), about(AnalysisKind.CLOCK, MONTHLY)
    )

    [made] = desk.line.analysed
    assert set(done.published) == {"about"}
    assert made.report.statements == (Statement(text=said, flags=("under-reported",)),)
    cited = {desk.line.held[each.release].body.activity for each in made.citations}
    assert cited == {MONTHLY, CRIMES}


@pytest.mark.parametrize(
    ("kind", "found", "kinds"),
    [
        (AnalysisKind.WARNINGS, Found.PASSED, ()),
        (AnalysisKind.FACTORS, Found.WITHHOLD, (AnalysisKind.WARNINGS,)),
        (AnalysisKind.CASELOAD, Found.WITHHOLD, ()),
    ],
)
def test_a_check_of_another_kind_or_that_passed_or_is_of_crime_elsewhere_is_not_said(
    desk: Desk, kind: AnalysisKind, found: Found, kinds: tuple[AnalysisKind, ...]
) -> None:
    done = judged(desk, Check("some-check", found, factories.text("said"), (), kinds), about(kind))

    assert set(done.published) == {"about"}
    assert desk.line.analysed[0].report.statements == ()


def test_the_real_checks_are_made_of_the_crimes_that_were_released(desk: Desk) -> None:
    found = fairness_checks([each.body for each in desk.centre().gather().releases(CRIMES)])

    assert {"enforcement-source", "enforcement-loop", "served-alike"} <= {each.name for each in found}


WANTED = {"th": "ลดลง", "en": "fewer"}
PLANS = (
    plan(id="plan-1", province="10", offence_groups=("G1", "G4"), target={"percent": -15, "words": WANTED}),
    plan(id="plan-2", province="50", offence_groups=("G4",)),
    plan(id="plan-3", province="11", offence_groups=("G2",), target={"count": 5, "words": WANTED}),
    plan(id="plan-4", province="12", offence_groups=("G2",), target={"percent": -10, "words": WANTED}),
)


def asked_of(_: Sequence[ReleaseBody], inputs: Inputs) -> Report:
    """Says which plans and groups it was asked about."""
    told = report(AnalysisKind.EVALUATION, inputs.simulations)
    names = " ".join((*inputs.groups, *(each.plan.id for each in inputs.plans)))
    return told.model_copy(update={"title": factories.text(names)})


OF_PLANS = Standing("evaluation-of-plans", AnalysisKind.EVALUATION, asked_of, (MONTHLY,), of_plans=True)


def test_plans_are_evaluated_on_their_own_groups_of_offences(desk: Desk) -> None:
    desk.analyses, desk.plans = (OF_PLANS,), judged_plans(PLANS)

    done = desk.centre().round()

    assert set(done.analyses) == {"evaluation-of-plans-g1", "evaluation-of-plans-g2"}
    first, second = (each.report for each in desk.line.analysed)
    assert (first.title, second.title) == (factories.text("G1 plan-1"), factories.text("G2 plan-3 plan-4"))


def test_what_of_a_plan_is_not_judged_is_said(desk: Desk) -> None:
    desk.analyses, desk.plans = (OF_PLANS,), judged_plans(PLANS)

    done = desk.centre().round()

    assert done.plans_not_judged == {
        "plan-1": ("enforcement",),
        "plan-2": ("enforcement",),
        "plan-3": ("target-not-judged",),
    }
    first, second = ([(each.flags, each.text.en) for each in one.report.statements] for one in desk.line.analysed)
    assert [flags for flags, _ in first] == [("enforcement",)]
    assert first[0][1].endswith("plan-1, plan-2")
    assert [flags for flags, _ in second] == [("target-not-judged",), ("enforcement",)]
    assert (second[0][1][-6:], second[1][1][-6:]) == ("plan-3", "plan-2")


def test_plans_against_arrests_alone_are_no_evaluation_but_are_said(desk: Desk) -> None:
    desk.analyses, desk.plans = (OF_PLANS,), judged_plans(PLANS[1:2])

    done = desk.centre().round()

    assert (done.analyses, done.plans_not_judged) == ({}, {"plan-2": ("enforcement",)})
    assert "evaluation-of-plans" in done.skipped


def test_the_evaluation_of_the_centre_counts_the_groups_of_the_plans_alone() -> None:
    [standing] = [each for each in ANALYSES if each.of_plans]
    bodies = [monthly({"G1": 100, "G2": 900})]
    given = judged_plans(
        [plan(id="plan-1", province="10", start="2024-01-01", end="2025-01-01", offence_groups=("G1",))]
    )

    made = standing.make(bodies, Inputs(np.random.default_rng(1), given, ("G1",), 100))

    areas = next(each for each in made.tables if each.name == "areas")
    names = [each.name for each in areas.columns]
    observed = {row[names.index("window")]: row[names.index("observed")] for row in areas.rows}
    assert observed[12] == pytest.approx(1200, rel=0.1)


def test_an_evaluation_of_plans_waits_for_a_plan_and_is_made_anew_for_another(desk: Desk) -> None:
    desk.analyses = (OF_PLANS,)

    none = desk.centre().round()
    desk.plans = judged_plans(PLANS[2:3])
    one = desk.centre().round()
    desk.plans = judged_plans(PLANS[2:])
    both = desk.centre().round()

    assert ("evaluation-of-plans" in none.skipped, "evaluation-of-plans" in one.skipped) == (True, False)
    assert one.analyses != both.analyses


@pytest.mark.parametrize("changed", ["options", "simulations", "data"])
def test_other_options_runs_or_data_files_are_another_analysis(
    desk: Desk, changed: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = desk.centre().round()
    if changed == "options":
        desk.analyses = (replace(CASELOAD, options=(Watch(rate=2.0),)),)
    elif changed == "simulations":
        desk.settings |= {"simulations": 100}
    else:
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "breaks.toml").write_text("[[break]]")
        monkeypatch.setattr(made_by, "FORECASTING", tmp_path / "data")

    after = desk.centre().round()

    assert before.analyses["caseload"] != after.analyses["caseload"]
    assert len(desk.line.analysed) == 2


def test_the_digest_of_data_files_follows_what_is_in_them_and_what_they_are_called(tmp_path: Path) -> None:
    found: list[str] = []
    for name, text in (("breaks.toml", "1"), ("breaks.toml", "2"), ("other.csv", "2"), ("no-data.py", "3")):
        folder = tmp_path / str(len(found))
        (folder / "inside").mkdir(parents=True)
        (folder / "inside" / name).write_text(text)
        found.append(made_by.data_digest(folder))

    assert len(set(found)) == 4
    assert made_by.data_digest(made_by.FORECASTING) != found[-1]


def test_whoever_watches_sees_the_analyses_go_by(desk: Desk) -> None:
    steps: list[Step] = []

    desk.centre().round(steps.append)

    assert steps[-2:] == [Step(Stage.ANALYSES, 0, 1), Step(Stage.ANALYSES, 1, 1)]


def test_every_analysis_reads_activities_that_the_centre_asks() -> None:
    asked = {each.activity for each in STANDING}

    assert all({*each.needs, *each.also} <= asked for each in ANALYSES)
    assert len({each.name for each in ANALYSES}) == len(ANALYSES)
