"""The interface as members and the public use it."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from contracts.canonical import canonical_bytes
from contracts.checkpoints import verify_checkpoint
from contracts.errors import Problem
from contracts.federation import Federation
from contracts.forecast import PublishedForecast
from contracts.odcs import bundled_text, canonical_document, read_contract
from contracts.release import Release, ReleaseState, Withdrawal
from contracts.request import RequestState
from contracts.signing import sign_compact, sign_document
from contracts.task import Lease, LeaseCall
from contracts.views import Preview, PreviewCall, PublishedContract, RequestStatus, SignedText
from gateway.api.desk import Bell
from tests import factories
from tests.api_world import ApiWorld, forecast_from, problem_in, request, running, send
from tests.gateway_world import AGREEMENT, CONTRACT

pytestmark = pytest.mark.integration

CALL = LeaseCall(agency="ccib", data_versions={CONTRACT.id: 1}, wait_seconds=0)


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    with running(tmp_path_factory.mktemp("gateway") / "home") as started:
        yield started


def released(world: ApiWorld) -> Release:
    asked = request()
    world.member().post("/v1/requests", asked)
    world.answer()
    status = RequestStatus.model_validate_json(world.member().get(f"/v1/requests/{asked.id}").content)
    assert status.state is RequestState.RELEASED
    return Release.model_validate_json(world.member().get(f"/v1/releases/{status.release}").content)


def test_a_question_goes_in_and_its_release_comes_out(world: ApiWorld) -> None:
    asked = request()
    answer = world.member().post("/v1/requests", asked)
    status = RequestStatus.model_validate_json(answer.content)
    assert (answer.status_code, status.state, status.waiting_for) == (202, RequestState.WAITING, ("ccib",))
    world.answer()
    status = RequestStatus.model_validate_json(world.member().get(f"/v1/requests/{asked.id}").content)
    release = Release.model_validate_json(world.member().get(f"/v1/releases/{status.release}").content)
    assert release.body.request_id == asked.id
    assert release.receipt is not None


def test_a_public_release_needs_no_token(world: ApiWorld) -> None:
    release = released(world)
    answer = world.http.get(f"/v1/releases/{release.body.id}")
    assert Release.model_validate_json(answer.content).digest == release.digest
    assert "signature" not in answer.headers
    listed = world.http.get("/v1/releases").json()
    assert [each["id"] for each in listed] == [release.body.id]
    assert world.member().get("/v1/releases").json() == listed


def test_the_requester_withdraws_a_release(world: ApiWorld) -> None:
    release = released(world).body.id
    withdrawal = Withdrawal(release=release, state=ReleaseState.WITHDRAWN, reason="wrong code list")
    other = Withdrawal(release="REL-OTHER", state=ReleaseState.WITHDRAWN, reason="wrong code list")
    path = f"/v1/releases/{release}/withdrawal"
    assert problem_in(world.member().post(path, other)).code == "malformed-body"
    answer = world.member().post(path, withdrawal)
    assert Release.model_validate_json(answer.content).withdrawal == withdrawal


def test_a_preview_spends_nothing(world: ApiWorld) -> None:
    call = PreviewCall(
        agreement=AGREEMENT.id,
        activity=factories.ACTIVITY,
        contracts=(CONTRACT.reference,),
        query=factories.query(),
    )
    before = world.member().get("/v1/budget").json()
    preview = Preview.model_validate_json(world.member().post("/v1/preview", call).content)
    assert preview.cells == 9
    assert world.member().get("/v1/budget").json() == before


def test_a_lease_waits_for_the_first_task_and_holds_no_thread(world: ApiWorld) -> None:
    connector, client = world.member("ccib#connector-1"), world.member()
    call = connector.message("POST", "/v1/tasks:lease", canonical_bytes(CALL.model_copy(update={"wait_seconds": 10})))
    ask = client.message("POST", "/v1/requests", canonical_bytes(request()))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(send, world.http, call)
        time.sleep(0.2)
        assert not waiting.done()
        send(world.http, ask)
        lease = Lease.model_validate_json(waiting.result(timeout=5).content)
    assert [each.task.agency for each in lease.tasks] == ["ccib"]


def test_a_lease_without_work_ends_when_its_wait_is_over(world: ApiWorld) -> None:
    call = CALL.model_copy(update={"wait_seconds": 1})
    started = time.monotonic()
    answer = world.member("ccib#connector-1").post("/v1/tasks:lease", call)
    assert Lease.model_validate_json(answer.content).tasks == ()
    assert 0.9 < time.monotonic() - started < 5


def test_a_requester_waits_for_its_release(world: ApiWorld) -> None:
    asked = request()
    world.member().post("/v1/requests", asked)
    waiting = world.member().message("GET", f"/v1/requests/{asked.id}?wait=10")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(send, world.http, waiting)
        time.sleep(0.2)
        assert not answer.done()
        world.answer()
        status = RequestStatus.model_validate_json(answer.result(timeout=5).content)
    assert status.state is RequestState.RELEASED


@pytest.mark.parametrize("wait", ["-1", "31", "x", "%D9%A3", "1.5"])
def test_a_wait_that_is_no_number_of_seconds_is_refused(world: ApiWorld, wait: str) -> None:
    problem = problem_in(world.member().get(f"/v1/requests/REQ-0001?wait={wait}"))
    assert (problem.code, "wait" in problem.detail) == ("malformed-body", True)


def test_the_public_registers_need_no_token(world: ApiWorld) -> None:
    assert Federation.model_validate_json(world.http.get("/v1/federation").content) == world.keys.federation
    assert verify_checkpoint(world.http.get("/checkpoint").text, world.world.log_keys()).size == 1
    assert world.http.get("/v1/contracts").json()[0]["agency"] == "ccib"
    assert world.http.get(f"/v1/contracts/{CONTRACT.digest}").json()["reference"]["id"] == CONTRACT.id
    assert world.http.get("/health/live").json() == {"status": "live"}
    assert world.http.get("/health/ready").json() == {"status": "ready"}


def test_a_contract_is_published_under_its_agencys_signatures_alone(world: ApiWorld) -> None:
    steward, dpo = (world.keys[f"rtp#{purpose}-1"] for purpose in ("steward", "dpo"))
    reference = read_contract(bundled_text("crimes_case")).reference
    payload = canonical_document(bundled_text("crimes_case"))
    half = sign_document(payload, "contract", steward)
    member = world.member("rtp#connector-1")
    refused = member.post("/v1/contracts", PublishedContract(reference=reference, agency="rtp", document=half))
    assert problem_in(refused).code == "signers-incomplete"
    whole = PublishedContract(
        reference=reference, agency="rtp", document=sign_document(payload, "contract", steward, dpo)
    )
    answer = member.post("/v1/contracts", whole)
    assert answer.status_code == 201
    assert PublishedContract.model_validate_json(answer.content) == whole


def test_a_forecast_is_published_and_read_by_everybody(world: ApiWorld) -> None:
    release = released(world)
    forecast = forecast_from(release)
    document = sign_compact(canonical_bytes(forecast), "forecast", world.keys["oja#client-1"])
    answer = world.member().post("/v1/forecasts", SignedText(document=document))
    assert answer.status_code == 201
    latest = PublishedForecast.model_validate_json(world.http.get("/v1/forecasts/latest").content)
    assert (latest.forecast, latest.flagged) == (forecast, ())


def test_what_is_not_there_is_not_found(world: ApiWorld) -> None:
    missing = f"sha-256:{'0' * 64}"
    assert problem_in(world.http.get(f"/v1/contracts/{missing}")).status == 404
    assert problem_in(world.http.get("/v1/releases/REL-NONE")).status == 404
    assert problem_in(world.http.get("/v1/forecasts/latest")).status == 404
    assert problem_in(world.http.get("/v1/nothing")).code == "unknown-address"
    refused = world.http.put("/v1/contracts")
    assert (refused.status_code, problem_in(refused).code) == (405, "unknown-address")


def test_an_address_of_the_wrong_form_is_not_echoed(world: ApiWorld) -> None:
    problem = problem_in(world.http.get("/v1/contracts/1101700203451"))
    assert (problem.code, problem.status) == ("malformed-body", 422)
    assert "1101700203451" not in problem.model_dump_json()


def test_the_authorization_server_describes_itself(world: ApiWorld) -> None:
    metadata = world.http.get("/.well-known/oauth-authorization-server").json()
    assert metadata["grant_types_supported"] == ["client_credentials"]
    keys = world.http.get("/.well-known/jwks.json").json()["keys"]
    assert [key["kid"] for key in keys] == ["oja#token-1"]


def test_the_description_has_stable_names_for_every_route(world: ApiWorld) -> None:
    paths = world.http.get("/openapi.json").json()["paths"]
    names = [operation["operationId"] for path in paths.values() for operation in path.values()]
    assert len(set(names)) == len(names)
    assert {"askQuestion", "getRequest", "leaseTasks", "postPart", "getToken", "listContracts"} <= set(names)
    assert world.app.openapi() is world.app.openapi()


def test_the_description_leads_to_no_missing_schema(world: ApiWorld) -> None:
    described = world.http.get("/openapi.json")
    schemas = described.json()["components"]["schemas"]
    for name in (part.partition('"')[0] for part in described.text.split("#/components/schemas/")[1:]):
        assert name in schemas


def test_the_documentation_runs_without_inline_script_or_foreign_files(world: ApiWorld) -> None:
    page = world.http.get("/docs")
    assert page.status_code == 200
    assert "'unsafe" not in page.headers["content-security-policy"]
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "<script>" not in page.text
    assert "http" not in page.text.replace("https://", "")
    for path in ("/static/docs.js", "/static/vendor/swagger-ui/swagger-ui.css"):
        assert path in page.text
        assert world.http.get(path).status_code == 200


def test_the_public_page_stands_at_the_root(world: ApiWorld) -> None:
    assert "text/html" in world.http.get("/").headers["content-type"]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"[]", "body"),
        (b'{"agreement": 1}', "body.agreement"),
        (b'{"1101700203451": 1}', "?"),
        (b"\xff\xfe", "body"),
    ],
)
def test_a_malformed_body_is_named_but_not_echoed(world: ApiWorld, body: bytes, where: str) -> None:
    call = world.member().message("POST", "/v1/preview", body)
    problem = problem_in(world.member().checked(call))
    assert problem.code == "malformed-body"
    assert where in problem.detail
    assert "1101700203451" not in problem.model_dump_json()


@pytest.mark.parametrize("path", ["/v1/requests", "/v1/tasks:lease", "/v1/tasks/TASK-1/part"])
@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b'{"1101700203451": 1}'])
def test_a_malformed_body_on_a_hot_route_is_refused_alike(world: ApiWorld, path: str, body: bytes) -> None:
    member = world.member("ccib#connector-1")
    problem = problem_in(member.checked(member.message("POST", path, body)))
    assert problem.code in {"malformed-body", "unknown-task"}
    assert "1101700203451" not in problem.model_dump_json()


def test_a_defect_shows_nothing_of_the_inside(world: ApiWorld, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> None:
        raise RuntimeError("secret-value-42")

    world.app.router.routes.clear()
    world.app.add_api_route("/v1/broken", broken)
    answer = world.http.get("/v1/broken")
    assert answer.status_code == 500
    assert Problem.model_validate_json(answer.content).code == "gateway-defect"
    assert "secret-value-42" not in answer.text
    assert "RuntimeError" in caplog.text
    assert "secret-value-42" not in "".join(record.getMessage() for record in caplog.records if "saphan" in record.name)


def test_a_defect_behind_the_door_shows_nothing_either(world: ApiWorld) -> None:
    call = world.member().message("GET", "/v1/budget")
    world.app.state.desk = replace(world.desk, exchange="broken")  # type: ignore[arg-type]  # a defect
    answer = send(world.http, call)
    assert problem_in(answer).code == "gateway-defect"
    assert "admit" not in answer.text


def test_a_ring_between_the_look_and_the_wait_is_not_missed() -> None:
    async def scene() -> float:
        bell = Bell()
        ticket = bell.ticket()
        bell.tell()
        started = time.monotonic()
        await bell.wait(ticket, 5)
        return time.monotonic() - started

    assert asyncio.run(scene()) < 1


def test_a_wait_without_a_ring_ends_by_itself() -> None:
    async def scene() -> None:
        bell = Bell()
        await bell.wait(bell.ticket(), 0.01)

    asyncio.run(scene())
