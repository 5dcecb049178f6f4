"""Analyses after the forecast: made once from the same releases, skipped without input, none stopping the others."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from contracts.analysis import AnalysisKind, Column, Report, Table
from contracts.canonical import digest_of
from contracts.errors import InvalidInput, Unavailable
from contracts.forecast import ModelCard
from contracts.release import ReleaseBody
from gateway.centre.analyses import ANALYSES, Standing
from gateway.centre.feed import Stage, Step
from gateway.centre.questions import STANDING
from tests import factories
from tests.centre_world import Desk, FakeLine, activities

pytestmark = pytest.mark.unit

MONTHLY = "crimes-monthly"


def report(kind: AnalysisKind, figure: float) -> Report:
    words = factories.text("words")
    card = ModelCard(data=words, method=words, limits=words, first="2025-01", last="2025-12", models=("sum",))
    table = Table(name="figures", title=words, columns=(Column(name="figure", title=words),), rows=((figure,),))
    return Report(kind=kind, title=words, statements=(), tables=(table,), card=card)


def drawn(bodies: Sequence[ReleaseBody], generator: np.random.Generator) -> Report:
    return report(AnalysisKind.WARNINGS, len(bodies) + float(generator.random()))


def failing(_: Sequence[ReleaseBody], __: np.random.Generator) -> Report:
    raise ValueError("17 cases in province 10")


def impossible(_: Sequence[ReleaseBody], __: np.random.Generator) -> Report:
    raise InvalidInput("release-not-a-series", why="there is none")


WARNINGS = Standing(AnalysisKind.WARNINGS, (MONTHLY,), drawn)
FACTORS = Standing(AnalysisKind.FACTORS, (MONTHLY,), failing)
HOLIDAYS = Standing(AnalysisKind.HOLIDAYS, (MONTHLY,), impossible)
FLOW = Standing(AnalysisKind.FLOW, ("oag-monthly", "tpo-stages"), drawn, any_of=True)
CLOCK = Standing(AnalysisKind.CLOCK, (MONTHLY, "crimes-clock"), drawn)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Its agreement has the monthly crimes alone."""
    return Desk(tmp_path, FakeLine(agreed=activities((MONTHLY,))), analyses=(WARNINGS,))


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
    desk.line.agreed = activities((MONTHLY, "tpo-stages"))
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
    name, release = next(iter(desk.line.held.items()))
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


def test_whoever_watches_sees_the_analyses_go_by(desk: Desk) -> None:
    steps: list[Step] = []

    desk.centre().round(steps.append)

    assert steps[-2:] == [Step(Stage.ANALYSES, 0, 1), Step(Stage.ANALYSES, 1, 1)]


def test_every_analysis_reads_activities_that_the_centre_asks() -> None:
    asked = {each.activity for each in STANDING}

    assert all(set(each.needs) <= asked for each in ANALYSES)
    assert len({each.kind for each in ANALYSES}) == len(ANALYSES)
