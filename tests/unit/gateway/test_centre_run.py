"""The centre's round against a line that answers as the gateway does; nothing is asked, charged or published twice."""

import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from contracts.canonical import digest_of
from contracts.errors import Refused, SaphanError, Unavailable
from contracts.forecast import Forecast, PublishedForecast
from contracts.query import Query
from contracts.release import Release, ReleaseBody
from contracts.request import Request, RequestState
from contracts.views import PreviewCall, RequestStatus
from gateway.centre import main as program
from gateway.centre.home import CentreHome
from gateway.centre.main import serve
from gateway.centre.questions import CRIMES_MONTHLY, STANDING, closed_period
from gateway.centre.run import LIMITS, TITLE, Centre, Round
from gateway.centre.settings import CentreSettings
from gateway.client import Result
from tests import factories
from tests.factories import ISSUER, NOW
from tests.forecast_panels import month_names, monthly_body

pytestmark = pytest.mark.unit

TRUTH = np.full((60, 2, 1), 30.0)
SETTINGS = {"agency": "oja", "gateway": "http://127.0.0.1:1", "agreement": "AGR-2569-001", "refresh_seconds": 0.01}


@dataclass
class FakeLine:
    """A gateway that answers every activity with one release, or with the trouble it was given."""

    trouble: dict[str, SaphanError] = field(default_factory=dict)
    unsent: dict[str, SaphanError] = field(default_factory=dict)
    submitted: list[Request] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    published: list[Forecast] = field(default_factory=list)
    no_forecast: SaphanError = field(default_factory=lambda: Unavailable("nothing-published"))
    body: ReleaseBody = field(default_factory=lambda: monthly_body(TRUTH))

    def question(self, agreement: str, activity: str, query: Query, *, contracts: Sequence[str] = ()) -> PreviewCall:
        refs = tuple(factories.contract(id=name).reference for name in contracts)
        return PreviewCall(agreement=agreement, activity=activity, contracts=refs, query=query)

    def request(self, call: PreviewCall) -> Request:
        number = f"req-{len(self.submitted):08d}"
        named = {"id": number, "agreement": call.agreement, "activity": call.activity, "contracts": call.contracts}
        return factories.request(None, call.query, **named)

    def submit(self, request: Request) -> RequestStatus:
        self.log.append(f"submit {request.activity}")
        self.submitted.append(request)
        if request.activity in self.unsent:
            raise self.unsent[request.activity]
        return RequestStatus(request=request.id, state=RequestState.WAITING)

    def wait(
        self, request: str, seconds: float = 0.0, progress: Callable[[RequestStatus], None] = lambda _: None
    ) -> Result:
        activity = next(each.activity for each in self.submitted if each.id == request)
        self.log.append(f"wait {activity}")
        progress(RequestStatus(request=request, state=RequestState.WAITING, waiting_for=("rtp",)))
        progress(RequestStatus(request=request, state=RequestState.WAITING))
        if activity in self.trouble:
            raise self.trouble[activity]
        body = self.body.model_copy(update={"id": f"rel-{activity}", "activity": activity})
        return Result(Release(body=body, digest=digest_of(body), signature="s"))

    def latest_forecast(self) -> PublishedForecast:
        if not self.published:
            raise self.no_forecast
        return PublishedForecast(forecast=self.published[-1], digest=digest_of(self.published[-1]))

    def publish_forecast(self, forecast: Forecast) -> PublishedForecast:
        self.published.append(forecast)
        return self.latest_forecast()


@dataclass
class Desk:
    """A centre that can be restarted; its home and its line stay."""

    path: Path
    line: FakeLine = field(default_factory=FakeLine)
    now: datetime = NOW

    def centre(self) -> Centre:
        """A fresh process."""
        settings = CentreSettings.model_validate({"home": self.path, **SETTINGS})
        return Centre(settings, CentreHome(self.path), self.line, lambda: self.now)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_round_asks_everything_before_it_waits_then_forecasts_and_publishes(desk: Desk) -> None:
    done = desk.centre().round()

    names = [each.activity for each in STANDING]
    assert desk.line.log == [f"submit {name}" for name in names] + [f"wait {name}" for name in names]
    assert done.releases == {name: f"rel-{name}" for name in names}
    assert done.problems == {}
    assert (done.series, done.horizon, done.published) == (2, 12, True)
    [forecast] = desk.line.published
    assert forecast.id == done.forecast
    assert [each.release for each in forecast.citations] == ["rel-crimes-monthly"]
    assert forecast.citations[0].digest == digest_of(
        desk.line.body.model_copy(update={"id": "rel-crimes-monthly", "activity": "crimes-monthly"})
    )
    assert forecast.months[0] == "2026-01"
    assert (forecast.title, forecast.limits, forecast.created) == (TITLE, LIMITS, NOW)
    assert forecast.scores[-1].model == forecast.model == "autoets"


def test_questions_are_the_standing_ones_over_closed_months(desk: Desk) -> None:
    desk.centre().round()

    asked = {each.activity: each for each in desk.line.submitted}
    crimes, clock = asked["crimes-monthly"].query, asked["crimes-clock"].query
    assert crimes.dimensions == ("month", "province", "offence_group")
    assert crimes.period.months() == month_names(60)
    assert clock.dimensions == ("hour", "offence_group")
    assert clock.period.months() == month_names(12, "2025-01")
    assert asked["tpo-monthly"].query.measures == ("count", "damage_thb:sum")
    assert asked["tpo-monthly"].query.dimensions == ("month", "case_type")
    assert asked["dop-monthly"].query.dimensions == ("month", "type")
    assert [ref.id for ref in asked["dop-monthly"].contracts] == ["dop_case"]


def test_the_same_release_is_not_forecast_twice(desk: Desk) -> None:
    first, second = desk.centre().round(), desk.centre().round()

    assert first.forecast == second.forecast
    assert (first.published, second.published) == (True, False)
    assert len(desk.line.published) == 1


def test_another_release_gives_another_forecast(desk: Desk) -> None:
    desk.centre().round()
    desk.line.body = monthly_body(TRUTH, seed=2)

    assert desk.centre().round().published
    assert len({each.id for each in desk.line.published}) == 2


def test_after_a_restart_the_very_same_requests_go_out_again(desk: Desk) -> None:
    desk.line.trouble["crimes-monthly"] = Unavailable("waiting-for-agency", agency="rtp")
    with pytest.raises(Unavailable):
        desk.centre().round()
    desk.line.trouble.clear()

    desk.centre().round()

    before, after = desk.line.submitted[:4], desk.line.submitted[4:]
    assert before == after


def test_a_request_is_kept_before_it_is_sent(desk: Desk) -> None:
    desk.line.unsent["crimes-monthly"] = Unavailable("gateway-unreachable")
    with pytest.raises(Unavailable):
        desk.centre().round()

    assert CentreHome(desk.path).asked().requests["crimes-monthly"] == desk.line.submitted[0]


@pytest.mark.parametrize("later", [timedelta(days=30), timedelta(days=2)], ids=["next month", "past delivery"])
def test_a_new_month_or_an_undeliverable_request_is_asked_anew(desk: Desk, later: timedelta) -> None:
    desk.centre().round()
    desk.now += later

    desk.centre().round()

    assert not {each.id for each in desk.line.submitted[:4]} & {each.id for each in desk.line.submitted[4:]}


@pytest.mark.parametrize("when", ["trouble", "unsent"])
def test_a_refused_request_is_forgotten_and_the_question_asked_anew(desk: Desk, when: str) -> None:
    getattr(desk.line, when)["crimes-monthly"] = Refused("budget-exceeded", source="rtp/crimes", window="FY2569")
    with pytest.raises(Refused):
        desk.centre().round()
    getattr(desk.line, when).clear()

    desk.centre().round()

    first, second = (each.id for each in desk.line.submitted if each.activity == "crimes-monthly")
    assert first != second


def test_without_the_forecasts_own_input_the_round_fails_with_its_error(desk: Desk) -> None:
    desk.line.trouble["crimes-monthly"] = Unavailable("waiting-for-agency", agency="rtp")

    with pytest.raises(Unavailable) as error:
        desk.centre().round()

    assert error.value.code == "waiting-for-agency"
    assert desk.line.published == []


def test_an_agency_that_is_late_with_something_else_does_not_stop_the_forecast(desk: Desk) -> None:
    desk.line.trouble["tpo-monthly"] = Unavailable("waiting-for-agency", agency="ccib")
    desk.line.unsent["dop-monthly"] = Refused("budget-exceeded")

    done = desk.centre().round()

    assert done.problems == {"tpo-monthly": "waiting-for-agency", "dop-monthly": "budget-exceeded"}
    assert set(done.releases) == {"crimes-monthly", "crimes-clock"}
    assert done.published


def test_a_gateway_that_cannot_tell_the_newest_forecast_gets_none(desk: Desk) -> None:
    desk.line.no_forecast = Unavailable("gateway-unreachable")

    with pytest.raises(Unavailable) as error:
        desk.centre().round()

    assert error.value.code == "gateway-unreachable"
    assert desk.line.published == []


@pytest.mark.parametrize(
    ("now", "months", "first", "last"),
    [
        (datetime(2026, 1, 31, 16, 59, tzinfo=UTC), 12, "2025-01", "2025-12"),
        (datetime(2026, 1, 31, 17, 0, tzinfo=UTC), 12, "2025-02", "2026-01"),
        (datetime(2026, 12, 15, tzinfo=UTC), 1, "2026-11", "2026-11"),
        (datetime(2026, 1, 1, tzinfo=UTC), 60, "2021-01", "2025-12"),
    ],
)
def test_a_month_is_closed_when_it_has_ended_in_bangkok(now: datetime, months: int, first: str, last: str) -> None:
    found = closed_period(months, now).months()

    assert (found[0], found[-1], len(found)) == (first, last, months)


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
            problems={},
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
    (folder / "oja~client-1.pem").write_bytes(keys["oja#client-1"].to_pem())
    (path / "federation.json").write_text(keys.federation.model_dump_json())
    assert keys.federation.gateway == ISSUER
    return CentreSettings.model_validate({"home": path, **SETTINGS})


def test_standing_questions_have_names_of_their_own() -> None:
    assert len({each.activity for each in STANDING}) == len(STANDING)
    assert CRIMES_MONTHLY in STANDING
