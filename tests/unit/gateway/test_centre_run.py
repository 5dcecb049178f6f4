"""The centre's round against a line that answers as the gateway does; nothing is asked, charged or published twice."""

import signal
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from contracts.analysis import AnalysisKind
from contracts.canonical import digest_of
from contracts.errors import InvalidInput, Refused, Unavailable
from contracts.fit import check_question
from contracts.query import Series
from forecasting.fairness.checks import SAYS_WHERE, Check
from forecasting.fairness.checks import Standing as Found
from forecasting.interventions.simulation import FEWEST_RUNS, RUNS
from forecasting.spread import Spread
from gateway.centre import main as program
from gateway.centre.fairness import UNCHECKED, Fairness
from gateway.centre.judged_plans import judged
from gateway.centre.main import serve
from gateway.centre.questions import CRIMES_MONTHLY, STANDING, StandingQuestion
from gateway.centre.round import Round
from gateway.centre.run import LIMITS, TITLE, Centre
from gateway.centre.settings import CentreSettings
from gateway.centre.standing_analyses import ANALYSES
from gateway.centre.windows import requests_for, wanted_months
from saphan.demo.agreement import activities as demonstrated
from tests import factories
from tests.centre_world import SETTINGS, Desk, FakeLine, activities
from tests.factories import ISSUER, NOW
from tests.forecast_panels import month_names
from tests.made_releases import bundled
from tests.plan_world import plan

pytestmark = pytest.mark.unit

NOVEMBER = datetime(2026, 11, 21, tzinfo=UTC)


NAMES = ("crimes-monthly", "crimes-clock", "tpo-monthly", "dop-monthly")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, FakeLine(agreed=activities(NAMES)))


def test_a_round_asks_everything_before_it_waits_then_forecasts_and_publishes(desk: Desk) -> None:
    done = desk.centre().round()

    before, _, _ = "\n".join(desk.line.log).partition("wait")
    assert {f"submit {name}" for name in NAMES} == set(before.split("\n")[:-1])
    assert set(done.releases) == set(NAMES)
    assert (done.problems, done.gaps) == ({}, {})
    assert set(done.skipped) == {each.activity for each in STANDING} - set(NAMES)
    assert (done.series, done.horizon, done.published) == (2, 12, True)
    [forecast] = desk.line.published
    assert forecast.id == done.forecast
    assert [each.release for each in forecast.citations] == list(done.releases["crimes-monthly"])
    assert [each.digest for each in forecast.citations] == [
        digest_of(desk.line.held[name].body) for name in done.releases["crimes-monthly"]
    ]
    assert forecast.months[0] == "2026-01"
    assert (forecast.title, forecast.limits, forecast.created) == (TITLE, LIMITS, NOW)
    assert forecast.model == "flat"
    assert forecast.card is not None
    assert (forecast.card.first, forecast.card.last) == ("2021-01", "2025-12")
    assert all(20 < figure < 40 for each in forecast.series for figure in each.mean)


def test_the_forecast_reads_all_months_of_the_series(desk: Desk) -> None:
    desk.centre().round()

    told = [month for months in desk.line.asked_months("crimes-monthly") for month in months]
    assert tuple(told) == month_names(60)
    assert len(desk.line.asked_months("crimes-monthly")) == 6


def test_the_same_releases_are_not_forecast_twice(desk: Desk) -> None:
    first, second = desk.centre().round(), desk.centre().round()

    assert first.forecast == second.forecast
    assert (first.published, second.published) == (True, False)
    assert (second.series, second.horizon) == (2, 12)
    assert len(desk.line.published) == 1


@pytest.mark.parametrize("changed", [{"horizon": 6}, {"level": 80}])
def test_other_settings_give_another_forecast(desk: Desk, changed: dict[str, object]) -> None:
    first = desk.centre().round()
    desk.settings |= changed

    second = desk.centre().round()

    assert second.published
    assert second.forecast != first.forecast
    assert second.releases == first.releases


def test_a_month_later_another_release_gives_another_forecast(desk: Desk) -> None:
    desk.centre().round()
    desk.now += timedelta(days=30)

    done = desk.centre().round()

    assert done.published
    assert desk.line.asked_months("crimes-monthly")[-1] == ("2026-01",)
    assert [each.months[0] for each in desk.line.published] == ["2026-01", "2026-02"]


def test_without_the_forecasts_own_input_the_round_fails_with_its_error(desk: Desk) -> None:
    desk.line.trouble["crimes-monthly"] = Unavailable("waiting-for-agency", agency="rtp")

    with pytest.raises(Unavailable) as error:
        desk.centre().round()

    assert error.value.code == "waiting-for-agency"
    assert desk.line.published == []


def test_an_agreement_without_the_forecasts_input_is_said(desk: Desk) -> None:
    desk.line.agreed = activities(("dop-monthly",))

    with pytest.raises(InvalidInput) as error:
        desk.centre().round()

    assert error.value.code == "unknown-activity"
    assert error.value.details["activity"] == "crimes-monthly"


def test_an_agency_that_is_late_with_something_else_does_not_stop_the_forecast(desk: Desk) -> None:
    desk.line.trouble["tpo-monthly"] = Unavailable("waiting-for-agency", agency="ccib")
    desk.line.unsent["dop-monthly"] = Refused("budget-exceeded")

    done = desk.centre().round()

    assert set(done.problems["tpo-monthly"]) == {"waiting-for-agency"}
    assert set(done.problems["dop-monthly"]) == {"budget-exceeded"}
    assert done.gaps["dop-monthly"] == month_names(60)
    assert done.releases["dop-monthly"] == ()
    assert done.published


def test_a_gateway_that_cannot_tell_a_forecast_gets_none(desk: Desk) -> None:
    desk.line.no_forecast = Unavailable("gateway-unreachable")

    with pytest.raises(Unavailable) as error:
        desk.centre().round()

    assert error.value.code == "gateway-unreachable"
    assert desk.line.published == []


def test_serving_goes_on_after_a_round_that_failed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    home = enrolled(desk.path)
    stop = threading.Event()
    rounds: list[str] = []

    def one_round(self: Centre) -> Round:
        rounds.append(self.settings.agency)
        if len(rounds) == 1:
            raise Unavailable("gateway-unreachable")
        stop.set()
        return Round(
            releases={},
            gaps={},
            problems={},
            skipped=(),
            forecast="f",
            published=True,
            series=1,
            horizon=1,
            exchange_seconds=0,
            forecast_seconds=0,
        )

    monkeypatch.setattr(Centre, "round", one_round)

    serve(home, stop, lambda: NOW)

    assert rounds == ["oja", "oja"]


def test_a_signal_ends_the_centre_quietly(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = enrolled(desk.path)
    handlers: list[object] = []
    monkeypatch.setattr(signal, "signal", lambda _number, handler: handlers.append(handler))

    def until_signal(*_: object) -> None:
        handlers[0](15, None)  # type: ignore[operator]  # the handler that main has set

    monkeypatch.setattr(program, "serve", until_signal)

    program.main(settings)

    assert handlers


def enrolled(path: Path) -> CentreSettings:
    """Settings of a home that has keys and a federation."""
    keys = factories.federation()
    folder = path / "keys"
    folder.mkdir()
    (folder / "oja~client-1.key").write_bytes(keys["oja#client-1"].to_pem())
    (path / "federation.json").write_text(keys.federation.model_dump_json())
    assert keys.federation.gateway == ISSUER
    return CentreSettings.model_validate({"home": path, **SETTINGS})


def test_standing_questions_have_names_of_their_own() -> None:
    assert len({each.activity for each in STANDING}) == len(STANDING)
    assert CRIMES_MONTHLY in STANDING


@pytest.mark.parametrize("question", STANDING, ids=lambda each: each.activity)
def test_every_standing_question_fits_its_contract(question: StandingQuestion) -> None:
    contract = bundled(question.contract)
    period = requests_for(wanted_months(question.months, question.pace, NOVEMBER), question.pace)[-1]
    activity = factories.activity((contract,), id=question.activity)

    query = question.query(activity, period, revision=2)

    assert check_question(query, (contract,), NOVEMBER.date().replace(day=1)).size > 0
    assert query.series == Series(revision=2)


def test_the_demonstration_agrees_on_families_that_the_centre_asks() -> None:
    references = {name: bundled(name).reference for name in ("crimes_case", "tpo_complaint", "dop_case")}
    agreed = {each.id: each for each in demonstrated(references)}
    asked = {each.activity: each for each in STANDING}

    assert set(agreed) <= set(asked)
    for name, activity in agreed.items():
        query = asked[name].query(activity, factories.period(), 0)
        assert (query.family is None) == (activity.families == ())
        assert {axis for table in (query.family.tables if query.family else ()) for axis in table.by} <= set(
            activity.dimensions
        )


@pytest.mark.parametrize("dataset", ["crimes_case", "tpo_complaint", "dop_case"])
def test_the_demonstrations_yearly_budget_pays_all_series_and_a_revision_of_the_dearest(dataset: str) -> None:
    references = {name: bundled(name).reference for name in ("crimes_case", "tpo_complaint", "dop_case")}
    prices = [each.nano_rho_per_request for each in demonstrated(references) if each.contracts[0].id == dataset]

    assert sum(prices) + max(prices) <= bundled(dataset).privacy.nano_rho_per_window


def test_the_engine_is_told_where_to_fit(desk: Desk) -> None:
    desk.settings |= {"engine": "dask", "processes": 2}

    desk.centre().round()

    assert [(each.spread, each.processes) for each in desk.engines] == [(Spread.DASK, 2)]


def test_where_the_models_were_fitted_does_not_change_the_name(desk: Desk) -> None:
    first = desk.centre().round()
    desk.settings |= {"engine": "dask"}

    assert desk.centre().round().forecast == first.forecast


def test_plans_are_judged_with_their_target_on_the_groups_with_victims() -> None:
    words = {"th": "ลดลง", "en": "fewer"}
    given = (
        plan(id="plan-1", offence_groups=("G4", "G2", "G1"), target={"percent": -15, "words": words}),
        plan(id="plan-2", offence_groups=("G4",)),
        plan(id="plan-3", offence_groups=("G2",), target={"count": 5, "words": words}),
    )

    first, second, third = judged(given)

    assert (first.groups, second.groups, third.groups) == (("G1", "G2"), (), ("G2",))
    assert (first.plan.id, first.plan.target, third.plan.target) == ("plan-1", -0.15, None)
    assert (first.plan.start, first.plan.end) == (given[0].start, given[0].end + timedelta(days=1))


def test_a_forecast_that_was_published_before_another_is_found_again(desk: Desk) -> None:
    first = desk.centre().round()
    desk.settings |= {"horizon": 6}
    desk.centre().round()
    desk.settings |= {"horizon": 12}
    desk.now += timedelta(hours=1)

    again = desk.centre().round()

    assert (again.forecast, again.published, again.horizon) == (first.forecast, False, 12)
    assert len(desk.line.published) == 2


def test_a_strangers_forecast_under_the_name_is_not_taken_for_the_centres_own(desk: Desk) -> None:
    first = desk.centre().round()
    desk.line.owners[first.forecast] = "rtp"
    desk.now += timedelta(hours=1)

    with pytest.raises(InvalidInput) as error:
        desk.centre().round()

    assert error.value.code == "request-id-reused"


def test_the_forecast_is_told_how_far_was_asked_also_where_the_newest_months_are_missing(desk: Desk) -> None:
    desk.centre().round()
    desk.line.trouble["crimes-monthly"] = Unavailable("waiting-for-agency", agency="rtp")
    desk.now += timedelta(days=30)

    late = desk.centre().round()

    assert [str(each.until) for each in desk.given] == ["2025-12", "2026-01"]
    assert desk.given[0].dataset == "crimes_case"
    assert late.gaps["crimes-monthly"] == ("2026-01",)
    assert late.published


def test_what_the_checks_found_stands_on_the_forecast_which_is_published_all_the_same(desk: Desk) -> None:
    desk.checks = (
        Check("loop", Found.WITHHOLD, factories.text("follows arrests"), (), SAYS_WHERE),
        Check("shares", Found.FLAGGED, factories.text("women report less")),
        Check("source", Found.PASSED, factories.text("all well")),
        Check("population", Found.FLAGGED, factories.text("registered"), (), (AnalysisKind.FACTORS,)),
    )

    desk.centre().round()

    said = desk.line.published[0].limits.en
    assert said == f"{LIMITS.en} {factories.text('follows arrests').en} {factories.text('women report less').en}"


@pytest.mark.parametrize("error", [InvalidInput("release-not-a-series", why="x"), ValueError("17 cases")])
def test_checks_that_cannot_be_made_are_said_on_the_forecast(desk: Desk, error: Exception) -> None:
    def judge(_: object) -> tuple[Check, ...]:
        raise error

    centre = replace(desk.centre(), judge=judge)

    centre.round()

    assert desk.line.published[0].limits.en == f"{LIMITS.en} {UNCHECKED.en}"


def test_a_survey_that_is_not_public_tells_nothing_in_public(desk: Desk) -> None:
    desk.line.agreed = activities(("crimes-monthly", "cvs-reported"))
    desk.now = NOVEMBER
    gathered = desk.centre().gather()
    survey = gathered.releases("cvs-reported")
    assert Fairness(gathered).releases == (*gathered.releases("crimes-monthly"), *survey)
    for each in survey:
        secret = each.model_copy(update={"body": each.body.model_copy(update={"public": False})})
        desk.line.held[each.body.id] = secret

    assert Fairness(desk.centre().gather()).releases == gathered.releases("crimes-monthly")


def test_every_activity_that_the_demonstration_pays_for_is_read() -> None:
    references = {name: bundled(name).reference for name in ("crimes_case", "tpo_complaint", "dop_case")}
    read = {name for each in ANALYSES for name in (*each.needs, *each.also)}
    shown = {"crimes-daily", "tpo-daily"}  # averages a day, on the pages

    assert {each.id for each in demonstrated(references)} <= read | shown


def test_scores_of_zones_are_asked_with_fear_and_trust() -> None:
    [scores] = [each for each in STANDING if each.activity == "ssz-scores"]

    assert {"fear_mean:mean", "trust_mean:mean"} <= set(scores.measures)


def test_simulations_are_as_many_as_evaluations_make_and_no_fewer_than_say_anything(desk: Desk) -> None:
    assert desk.centre().settings.simulations == RUNS
    desk.settings |= {"simulations": FEWEST_RUNS - 1}
    with pytest.raises(ValidationError):
        desk.centre()
