"""Analyses after the forecast: made once from the same releases, skipped without input, none stopping the others."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from contracts.analysis import AnalysisKind, Column, Report, Statement, Table
from contracts.canonical import digest_of
from contracts.errors import InvalidInput, Unavailable
from contracts.forecast import ModelCard
from contracts.release import ReleaseBody
from forecasting.fairness.checks import Check
from forecasting.fairness.checks import Standing as Found
from forecasting.interventions.plans import Plan
from gateway.centre.analyses import Analysed, Inputs, Standing
from gateway.centre.analyses import Desk as AnalysisDesk
from gateway.centre.feed import Stage, Step, quietly
from gateway.centre.questions import STANDING
from gateway.centre.standing_analyses import ANALYSES
from tests import factories
from tests.centre_world import Desk, FakeLine, activities
from tests.factories import NOW

pytestmark = pytest.mark.unit

CRIMES, MONTHLY = "crimes-monthly", "dop-monthly"


def report(kind: AnalysisKind, figure: float) -> Report:
    words = factories.text("words")
    card = ModelCard(data=words, method=words, limits=words, first="2025-01", last="2025-12", models=("sum",))
    table = Table(name="figures", title=words, columns=(Column(name="figure", title=words),), rows=((figure,),))
    return Report(kind=kind, title=words, statements=(), tables=(table,), card=card)


def drawn(bodies: Sequence[ReleaseBody], inputs: Inputs) -> Report:
    return report(AnalysisKind.WARNINGS, len(bodies) + float(inputs.generator.random()))


def failing(_: Sequence[ReleaseBody], __: Inputs) -> Report:
    raise ValueError("17 cases in province 10")


def impossible(_: Sequence[ReleaseBody], __: Inputs) -> Report:
    raise InvalidInput("release-not-a-series", why="there is none")


WARNINGS = Standing("warnings", AnalysisKind.WARNINGS, drawn, (MONTHLY,))
FACTORS = Standing("factors", AnalysisKind.FACTORS, failing, (MONTHLY,))
HOLIDAYS = Standing("holidays", AnalysisKind.HOLIDAYS, impossible, (MONTHLY,))
FLOW = Standing("justice-flow", AnalysisKind.FLOW, drawn, also=("oag-monthly", "tpo-stages"))
CLOCK = Standing("crime-clock", AnalysisKind.CLOCK, drawn, (MONTHLY, "crimes-clock"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Its agreement has the monthly crimes and probation cases alone."""
    return Desk(tmp_path, FakeLine(agreed=activities((CRIMES, MONTHLY))), analyses=(WARNINGS,))


def test_an_analysis_is_published_and_cites_what_it_was_made_from(desk: Desk) -> None:
    done = desk.centre().round()

    [made] = desk.line.analysed
    assert done.analyses == {"warnings": made.id}
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
    desk.analyses = (CLOCK, FLOW, WARNINGS)

    done = desk.centre().round()

    assert set(done.analyses) == {"warnings"}
    assert {"crime-clock", "justice-flow"} <= set(done.skipped)
    assert done.analysis_problems == {}


def test_one_of_several_inputs_is_enough_where_the_analysis_says_so(desk: Desk) -> None:
    desk.line.agreed = activities((CRIMES, MONTHLY, "tpo-stages"))
    desk.analyses = (FLOW,)

    done = desk.centre().round()

    assert [each.release for each in desk.line.analysed[0].citations] == list(done.releases["tpo-stages"])


def test_an_analysis_that_fails_is_a_problem_that_tells_no_figure_and_stops_no_other(desk: Desk) -> None:
    desk.analyses = (FACTORS, HOLIDAYS, WARNINGS)

    done = desk.centre().round()

    assert done.analysis_problems == {"factors": ("analysis-failed",), "holidays": ("release-not-a-series",)}
    assert set(done.analyses) == {"warnings"}
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

    assert done.analysis_problems == {"warnings": ("gateway-unreachable",)}
    assert desk.line.analysed == []


def judged(desk: Desk, check: Check) -> Analysed:
    """An analysis of crimes where the checks of fairness find this."""
    about_crimes = Standing("warnings", AnalysisKind.WARNINGS, drawn, (CRIMES,))
    gathered = desk.centre().gather()
    return AnalysisDesk(desk.line, gathered, lambda: NOW, (), lambda _: (check,)).analyse([about_crimes], quietly)


def test_what_a_check_withholds_is_not_published(desk: Desk) -> None:
    done = judged(desk, Check("enforcement-loop", Found.WITHHOLD, factories.text("it follows arrests")))

    assert [each.code for each in done.problems["warnings"]] == ["analysis-withheld"]
    assert done.problems["warnings"][0].details["checks"] == "enforcement-loop"
    assert desk.line.analysed == []


def test_what_a_check_flags_stands_beside_the_report(desk: Desk) -> None:
    said = factories.text("women report less")
    done = judged(desk, Check("reported-shares", Found.FLAGGED, said, ("under-reported",)))

    assert set(done.published) == {"warnings"}
    assert desk.line.analysed[0].report.statements == (Statement(text=said, flags=("under-reported",)),)


@pytest.mark.parametrize("kind", [AnalysisKind.FACTORS, AnalysisKind.WARNINGS])
def test_a_check_of_another_kind_or_that_passed_is_not_said(desk: Desk, kind: AnalysisKind) -> None:
    standing = Found.PASSED if kind is AnalysisKind.WARNINGS else Found.WITHHOLD
    done = judged(desk, Check("registered-population", standing, factories.text("passed"), (), (kind,)))

    assert set(done.published) == {"warnings"}
    assert desk.line.analysed[0].report.statements == ()


def test_an_evaluation_of_plans_waits_for_a_plan_and_is_made_anew_for_another(desk: Desk) -> None:
    of_plans = Standing("evaluation-of-plans", AnalysisKind.EVALUATION, drawn, (MONTHLY,), of_plans=True)
    gathered = desk.centre().gather()
    plans = [Plan(f"plan-{province}", province, date(2025, 1, 1)) for province in ("10", "50")]

    none, one, both = (
        AnalysisDesk(desk.line, gathered, lambda: NOW, tuple(plans[:count])).analyse([of_plans], quietly)
        for count in range(3)
    )

    assert (none.skipped, one.skipped) == (("evaluation-of-plans",), ())
    assert len({one.published["evaluation-of-plans"], both.published["evaluation-of-plans"]}) == 2


def test_whoever_watches_sees_the_analyses_go_by(desk: Desk) -> None:
    steps: list[Step] = []

    desk.centre().round(steps.append)

    assert steps[-2:] == [Step(Stage.ANALYSES, 0, 1), Step(Stage.ANALYSES, 1, 1)]


def test_every_analysis_reads_activities_that_the_centre_asks() -> None:
    asked = {each.activity for each in STANDING}

    assert all({*each.needs, *each.also} <= asked for each in ANALYSES)
    assert len({each.name for each in ANALYSES}) == len(ANALYSES)
