"""Forecasts, analyses and action plans over HTTP: addresses, pages, tags, problems, and the client that checks them."""

import csv
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from urllib.parse import quote

import pytest
from typing_extensions import override

from contracts.action_plan import PLAN_KIND, PlanView, Registered
from contracts.analysis import AnalysisKind
from contracts.errors import InvalidInput, Refused, SaphanError
from contracts.publication import AnalysisSummary, ForecastSummary
from contracts.release import Release, ReleaseState, Withdrawal
from contracts.values import Value
from contracts.views import SignedText
from gateway import plan_calls
from gateway.answers import Wire
from gateway.checked_publication import signer_of
from gateway.client import Gateway
from gateway.plan_csv import Draft, read_plans
from tests.api_world import ApiWorld, problem_in, request
from tests.plan_world import after, plan, with_client
from tests.publication_world import analysis_from, cites, forecast_of
from transport.proxied import ClientLine

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ApiWorld, Release]]:
    """A gateway with one release, a forecast, two analyses and a plan of two versions."""
    world = ApiWorld(tmp_path_factory.mktemp("gateway") / "home", with_client("rtp"))
    with world.http:
        gateway = world.gateway()
        gateway.submit(request())
        world.answer()
        release = gateway.wait("REQ-0001", 1).release
        gateway.publish_forecast(forecast_of(cites(release)))
        gateway.publish_analysis(analysis_from(cites(release)))
        gateway.publish_analysis(analysis_from(cites(release), name="clock-1", kind=AnalysisKind.CLOCK))
        plan_calls.register(gateway, [plan()])
        world.later(60)
        plan_calls.register(gateway, [after(plan(), end="2026-12-31")])
        yield world, release


@pytest.fixture
def world(served: tuple[ApiWorld, Release]) -> ApiWorld:
    return served[0]


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(SaphanError) as caught:
        act()
    return caught.value.code


def signed_by(world: ApiWorld, value: Value, kind: str) -> SignedText:
    return world.gateway().signed(value, kind)


# ---------------------------------------------------------------- addresses
def test_lists_come_in_pages_without_figures(world: ApiWorld) -> None:
    answer = world.http.get("/v1/analyses?limit=1")
    assert [AnalysisSummary.model_validate(each).id for each in answer.json()] == ["clock-1"]
    assert 'rel="next"' in answer.headers["link"]
    rest = world.http.get("/v1/analyses?after=clock-1").json()
    assert [each["id"] for each in rest] == ["analysis-0001"]
    assert [each["id"] for each in world.http.get("/v1/analyses?kind=crime-clock").json()] == ["clock-1"]
    (forecast,) = world.http.get("/v1/forecasts").json()
    assert ForecastSummary.model_validate(forecast).series == 1
    assert "mean" not in forecast


@pytest.mark.parametrize(
    "address",
    [
        "/v1/forecasts",
        "/v1/forecasts/latest",
        "/v1/forecasts/forecast-0001",
        "/v1/forecasts/forecast-0001/document",
        "/v1/analyses",
        "/v1/analyses/latest?kind=warnings",
        "/v1/analyses/analysis-0001",
        "/v1/analyses/analysis-0001/document",
        "/v1/analyses/analysis-0001/tables/provinces.csv",
        "/v1/action-plans",
        "/v1/action-plans?format=csv",
        "/v1/action-plans/CNX-2569-1",
        "/v1/action-plans/CNX-2569-1/versions",
    ],
)
def test_everybody_reads_it_and_what_is_known_is_not_sent_again(world: ApiWorld, address: str) -> None:
    answer = world.http.get(address)
    assert (answer.status_code, bool(answer.content)) == (200, True)
    again = world.http.get(address, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    member = world.member().get(address)  # the same for a member, under the gateway's signature
    assert (member.status_code, member.content) == (200, answer.content)


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("/v1/forecasts/forecast-9999", 404, "unknown-publication"),
        ("/v1/forecasts/analysis-0001", 404, "unknown-publication"),
        ("/v1/forecasts/forecast-9999/document", 404, "unknown-publication"),
        ("/v1/analyses/forecast-0001", 404, "unknown-publication"),
        ("/v1/analyses/analysis-0001/tables/nothing.csv", 404, "unknown-publication"),
        ("/v1/analyses/latest?kind=caseload", 404, "nothing-published"),
        ("/v1/analyses/latest?kind=gossip", 422, "malformed-body"),
        ("/v1/analyses/latest", 422, "malformed-body"),
        ("/v1/forecasts?as_of=2026-01-15", 422, "malformed-body"),
        ("/v1/forecasts?as_of=2026-01-15T03:00:00", 422, "malformed-body"),
        ("/v1/forecasts?as_of=2999-01-01T00:00:00Z", 422, "malformed-body"),
        ("/v1/forecasts/latest?as_of=2000-01-01T00:00:00Z", 404, "nothing-published"),
        ("/v1/action-plans/NO-PLAN", 404, "unknown-publication"),
        ("/v1/action-plans?province=99", 422, "malformed-body"),
        ("/v1/action-plans?as_of=2999-01-01T00:00:00Z", 422, "malformed-body"),
    ],
)
def test_what_is_not_there_or_makes_no_sense_is_a_problem(
    world: ApiWorld, address: str, status: int, code: str
) -> None:
    problem = problem_in(world.http.get(address))
    assert (problem.status, problem.code) == (status, code)


@pytest.mark.parametrize("path", ["/v1/forecasts", "/v1/analyses", "/v1/action-plans", "/v1/action-plans/batch"])
def test_nobody_publishes_without_a_token(world: ApiWorld, path: str) -> None:
    answer = world.http.post(path, json={"document": "x"})
    assert answer.status_code == 401


def test_a_publication_may_be_larger_than_other_calls_but_not_without_end(world: ApiWorld) -> None:
    member = world.member()
    large = SignedText(document="x" * 2 * 2**20)
    assert problem_in(member.post("/v1/analyses", large)).code == "signature-wrong"
    too_large = SignedText(document="x" * 11_500_000)
    assert problem_in(member.post("/v1/analyses", too_large)).code == "publication-too-large"
    with_no_end = SignedText(document="x" * 13_000_000)
    answer = world.http.post(
        "/v1/analyses",
        content=with_no_end.model_dump_json(),
        headers=dict(member.message("POST", "/v1/analyses", b"").headers),
    )
    assert problem_in(answer).code == "body-too-large"


def test_one_plan_is_registered_by_one_document(world: ApiWorld) -> None:
    sent = signed_by(world, plan(id="CNX-2569-9", province="57"), PLAN_KIND)
    answer = world.member().post("/v1/action-plans", sent)
    assert (answer.status_code, answer.json()["new"]) == (201, ["CNX-2569-9"])
    again = world.member().post("/v1/action-plans", sent)
    assert again.json()["unchanged"] == ["CNX-2569-9"]


def test_the_register_as_csv_is_a_file_that_can_be_read_again(world: ApiWorld) -> None:
    answer = world.http.get("/v1/action-plans?format=csv&province=50")
    assert answer.headers["content-type"].startswith("text/csv")
    (draft,) = read_plans(answer.text).drafts.values()
    assert draft.fields["end"] == "2026-12-31"


def test_an_instant_in_the_address_gives_what_stood_then(world: ApiWorld) -> None:
    (newest, first) = (
        PlanView.model_validate(each) for each in world.http.get("/v1/action-plans/CNX-2569-1/versions").json()
    )
    when = quote(first.registered_at.isoformat())
    then = PlanView.model_validate(world.http.get(f"/v1/action-plans/CNX-2569-1?as_of={when}").json())
    assert (then.plan, then.newest, newest.plan.version) == (first.plan, True, 2)


# ---------------------------------------------------------------- the client
def test_the_client_reads_publications_and_checks_who_signed_them(world: ApiWorld) -> None:
    gateway = world.gateway()
    assert [each.id for each in gateway.forecasts()] == ["forecast-0001"]
    assert [each.id for each in gateway.analyses()] == ["clock-1", "analysis-0001"]
    assert [each.id for each in gateway.analyses(AnalysisKind.CLOCK, gateway.now())] == ["clock-1"]
    forecast, analysis = gateway.forecast("forecast-0001"), gateway.analysis("analysis-0001")
    assert gateway.latest_analysis(AnalysisKind.WARNINGS).digest == analysis.digest
    kid = "oja#client-1"
    assert signer_of(forecast, gateway.forecast_document("forecast-0001"), gateway.federation) == kid
    assert signer_of(analysis, gateway.analysis_document("analysis-0001"), gateway.federation) == kid
    other = gateway.analysis_document("clock-1")
    assert code_of(lambda: signer_of(analysis, other, gateway.federation)) == "signature-wrong"


def test_what_is_shown_but_was_not_signed_is_not_believed(world: ApiWorld) -> None:
    gateway = world.gateway()
    found, document = gateway.analysis("analysis-0001"), gateway.analysis_document("analysis-0001")
    other = gateway.analysis("clock-1")
    for change in ({"analysis": other.analysis}, {"digest": other.digest}, {"agency": "rtp"}):
        with pytest.raises(Refused, match="signature-wrong"):
            signer_of(found.model_copy(update=change), document, gateway.federation)
    with pytest.raises(Refused, match="key-unknown"):
        signer_of(found.model_copy(update={"published_at": None}), document, gateway.federation)


def test_a_plan_of_another_agency_is_left_to_it(world: ApiWorld) -> None:
    rtp = world.gateway("rtp#client-1")
    theirs = Draft(2, plan(owner="rtp").model_dump(exclude={"owner", "version", "supersedes", "activities"}), {})
    ready = plan_calls.prepared(rtp, (theirs,))
    assert [(each.place, each.field, each.rule) for each in ready.faults] == [("2", "id", "plan-of-another")]
    with pytest.raises(Refused, match="plans-not-registered"):
        plan_calls.send(rtp, ready)


class Dishonest(Gateway):
    """A line whose gateway shows something else of each plan than was signed."""

    told: Mapping[str, object]

    @override
    def get_all(self, path: str, model: type[Wire], name: Callable[[Wire], str] | None = None) -> tuple[Wire, ...]:
        return tuple(each.model_copy(update=self.told) for each in super().get_all(path, model, name))


@pytest.mark.parametrize(
    "told",
    [
        {"plan": after(plan(), end="2027-12-31")},
        {"digest": f"sha-256:{'0' * 64}"},
        {"plan": plan(owner="rtp")},
    ],
    ids=["plan", "digest", "owner"],
)
def test_a_plan_that_its_owner_did_not_sign_is_not_believed(world: ApiWorld, told: Mapping[str, object]) -> None:
    key = world.keys["oja#client-1"]
    line = Dishonest("", key, "oja", world.keys.federation, clock=lambda: world.now, line=ClientLine(world.http))
    line.told = told
    with pytest.raises(Refused, match="signature-wrong"):
        plan_calls.plans(line)


def test_nothing_to_register_is_not_sent(world: ApiWorld) -> None:
    assert plan_calls.plans(world.gateway(), "50")[0].plan.version == 2
    assert plan_calls.register(world.gateway(), []) == Registered()


def test_a_withdrawal_flags_all_that_cites_the_release(served: tuple[ApiWorld, Release]) -> None:
    world, release = served
    gateway, before = world.gateway(), world.now
    world.later(60)
    gone = Withdrawal(release=release.body.id, state=ReleaseState.WITHDRAWN, reason="wrong code list")
    gateway.withdraw(gone)
    name = (release.body.id,)
    assert gateway.latest_forecast().flagged == gateway.latest_analysis(AnalysisKind.CLOCK).flagged == name
    assert [each.flagged for each in gateway.forecasts()] == [name]
    assert [each.flagged for each in gateway.analyses()] == [name, name]
    assert gateway.latest_forecast(before).flagged_since == gateway.analysis("clock-1", before).flagged_since == name
    (view,) = plan_calls.plans(gateway, "50")
    assert "forecast-flagged" in view.flags
    rows = csv.DictReader(StringIO(world.http.get("/v1/analyses/analysis-0001/tables/provinces.csv").text))
    assert {each["cites_withdrawn_release"] for each in rows} == {"yes"}
    for address in ("/v1/forecasts/forecast-0001", "/v1/analyses/clock-1"):
        assert world.http.get(address).json()["flagged"] == list(name)
    with pytest.raises(Refused, match="release-withdrawn"):
        gateway.publish_analysis(analysis_from(cites(release), name="analysis-0002"))
    with pytest.raises(InvalidInput, match="request-id-reused"):
        gateway.publish_analysis(analysis_from(cites(release), name="forecast-0001"))
