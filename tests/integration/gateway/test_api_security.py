"""Attacks on the interface: every one of them ends at the door, with a numbered error."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from contracts.agreement_acts import signed_act
from contracts.canonical import canonical_bytes
from contracts.lifecycle import Act
from contracts.message_signatures import Tag, sign
from contracts.signature_base import Message
from contracts.signing import sign_claims
from contracts.task import Lease, LeaseCall
from contracts.views import AgreementView, PreviewCall, PublishedContract, SignedText
from tests import factories
from tests.agreement_world import an_act
from tests.api_world import ApiWorld, problem_in, request, running, send, with_headers
from tests.factories import ISSUER
from tests.gateway_world import AGREEMENT, CONTRACT

pytestmark = pytest.mark.integration

NONCE = "nonce-0123456789abcdef"
CALL = LeaseCall(agency="ccib", data_versions={CONTRACT.id: 1}, wait_seconds=0)
QUESTION = PreviewCall(
    agreement=AGREEMENT.id,
    activity=factories.ACTIVITY,
    contracts=(CONTRACT.reference,),
    query=factories.query(),
    nano_rho=50_000_000,
)
MEMBER_CALLS = [
    ("GET", "/v1/budget", b""),
    ("GET", "/v1/agreements", b""),
    ("GET", f"/v1/agreements/{AGREEMENT.id}", b""),
    ("GET", "/v1/requests/REQ-0001", b""),
    ("POST", "/v1/requests", canonical_bytes(request())),
    ("POST", "/v1/preview", canonical_bytes(QUESTION)),
    ("POST", "/v1/tasks:lease", canonical_bytes(CALL)),
    ("POST", "/v1/tasks/TASK-1/part", b"{}"),
    ("POST", "/v1/contracts", b"{}"),
    ("POST", "/v1/agreements", b"{}"),
    ("POST", f"/v1/agreements/{AGREEMENT.id}/signatures", b"{}"),
    ("POST", "/v1/releases/REL-1/withdrawal", b"{}"),
    ("POST", "/v1/forecasts", b"{}"),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    with running(tmp_path_factory.mktemp("gateway") / "home") as started:
        yield started


def code_of(world: ApiWorld, call: Message) -> tuple[int, str]:
    problem = problem_in(send(world.http, call))
    return problem.status, problem.code


@pytest.mark.parametrize(("method", "path", "body"), MEMBER_CALLS)
def test_nobody_gets_in_without_a_token(world: ApiWorld, method: str, path: str, body: bytes) -> None:
    bare = Message(method, path, {"content-type": "application/json"}, body)
    answer = send(world.http, bare)
    assert problem_in(answer).code == "token-missing"
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'DPoP algs="ES256", Bearer'


@pytest.mark.parametrize(("method", "path", "body"), MEMBER_CALLS)
def test_a_token_alone_does_not_get_in(world: ApiWorld, method: str, path: str, body: bytes) -> None:
    signed = world.member().message(method, path, body)
    bare = with_headers(signed, {"signature": None, "signature-input": None})
    assert code_of(world, bare) == (403, "signature-missing")


def test_a_wrongly_signed_request_is_refused(world: ApiWorld) -> None:
    signed = world.member().message("POST", "/v1/requests", canonical_bytes(request()))
    other = canonical_bytes(request(nano_rho=99_000_000))
    assert code_of(world, replace(signed, body=other)) == (403, "signature-wrong")
    assert code_of(world, replace(signed, path="/v1/preview")) == (403, "signature-wrong")


def test_the_query_of_an_address_is_signed_too(world: ApiWorld) -> None:
    signed = world.member().message("GET", "/v1/requests/REQ-0001?wait=0")
    assert code_of(world, replace(signed, path="/v1/requests/REQ-0001?wait=30")) == (403, "signature-wrong")


def test_a_stale_request_is_refused(world: ApiWorld) -> None:
    signed = world.member().message("GET", "/v1/budget")
    world.later(61)
    assert code_of(world, signed) == (403, "signature-stale")


def test_a_token_of_another_client_is_refused(world: ApiWorld) -> None:
    stolen = world.member("oja#client-1").message("GET", "/v1/budget").headers["authorization"]
    own = world.member("ccib#connector-1").message("GET", "/v1/budget")
    assert code_of(world, with_headers(own, {"authorization": stolen})) == (403, "token-of-another-client")


def test_an_expired_token_is_refused(world: ApiWorld) -> None:
    member = world.member()
    authorization = member.message("GET", "/v1/budget").headers["authorization"]
    world.later(301)
    fresh = sign(
        Message("GET", "/v1/budget", {"authorization": authorization}, b""),
        world.keys["oja#client-1"],
        Tag.REQUEST,
        world.now,
        NONCE,
    )
    assert code_of(world, fresh) == (401, "token-invalid")


def forged_token(world: ApiWorld, header: dict[str, object], claims: dict[str, object]) -> Message:
    member = world.member()
    token = member.message("GET", "/v1/budget").headers["authorization"].removeprefix("DPoP ")
    head, body, signature = (part + "=" * (-len(part) % 4) for part in token.split("."))
    fields = {**json.loads(base64.urlsafe_b64decode(head)), **header}
    known = {**json.loads(base64.urlsafe_b64decode(body)), **claims}
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (fields, known))
    authorization = {"authorization": f"DPoP {'.'.join(encoded)}.{signature.rstrip('=')}"}
    key = world.keys["oja#client-1"]
    return sign(Message("GET", "/v1/budget", authorization, b""), key, Tag.REQUEST, world.now, NONCE)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"jwk": {"kty": "EC"}},
        {"crit": ["exp"]},
        {"typ": "JWT"},
    ],
)
def test_a_token_with_another_header_is_refused(world: ApiWorld, header: dict[str, object]) -> None:
    assert code_of(world, forged_token(world, header, {})) == (401, "token-invalid")


def test_a_token_of_an_unknown_key_is_refused(world: ApiWorld) -> None:
    assert code_of(world, forged_token(world, {"kid": "oja#token-7"}, {})) == (403, "key-unknown")


def test_a_token_with_another_client_written_into_it_is_refused(world: ApiWorld) -> None:
    claims: dict[str, object] = {"sub": "rtp#connector-1", "client_id": "rtp#connector-1"}
    assert code_of(world, forged_token(world, {}, claims)) == (401, "token-invalid")


def test_a_token_for_another_audience_is_refused(world: ApiWorld) -> None:
    claims = {"iss": ISSUER, "aud": "https://elsewhere.example", "sub": "oja#client-1", "client_id": "oja#client-1"}
    issued = int(world.now.timestamp())
    token = sign_claims({**claims, "iat": issued, "exp": issued + 300}, world.keys["oja#token-1"], "at+jwt")
    message = Message("GET", "/v1/budget", {"authorization": f"DPoP {token}"}, b"")
    signed = sign(message, world.keys["oja#client-1"], Tag.REQUEST, world.now, NONCE)
    assert code_of(world, signed) == (401, "token-invalid")


@pytest.mark.parametrize(
    ("kid", "method", "path", "body"),
    [
        ("oja#client-1", "GET", "/v1/budget", b""),
        ("oja#client-1", "GET", "/v1/agreements", b""),
        ("oja#client-1", "GET", f"/v1/agreements/{AGREEMENT.id}", b""),
        ("oja#client-1", "GET", "/v1/releases", b""),
        ("oja#client-1", "GET", "/v1/requests/REQ-REPLAY", b""),
        ("oja#client-1", "POST", "/v1/preview", canonical_bytes(QUESTION)),
        ("oja#client-1", "POST", "/v1/requests", canonical_bytes(request(id="REQ-REPLAY"))),
        ("ccib#connector-1", "POST", "/v1/tasks:lease", canonical_bytes(CALL)),
    ],
)
def test_a_replayed_call_is_refused(world: ApiWorld, kid: str, method: str, path: str, body: bytes) -> None:
    signed = world.member(kid).message(method, path, body)
    first = send(world.http, signed)
    assert "request-replayed" not in first.text
    assert code_of(world, signed) == (403, "request-replayed")


def test_a_replayed_part_is_refused(world: ApiWorld) -> None:
    world.member().post("/v1/requests", request(id="REQ-PART", nano_rho=1_000_000))
    connector = world.member("ccib#connector-1")
    world.later(60)
    lease = Lease.model_validate_json(connector.post("/v1/tasks:lease", CALL).content)
    task = lease.tasks[-1].task
    signed = connector.answering(task, world.world.part(task))
    assert send(world.http, signed).status_code == 204
    assert code_of(world, signed) == (403, "request-replayed")


def test_what_is_written_by_documents_is_refused_when_replayed(world: ApiWorld) -> None:
    head = AgreementView.model_validate_json(world.member().get(f"/v1/agreements/{AGREEMENT.id}").content).head
    act = an_act(AGREEMENT, Act.SUSPEND, "oja#officer-1", at=world.now, previous=head)
    document = SignedText(document=signed_act(act, world.keys["oja#officer-1"]))
    signed = world.member().message("POST", f"/v1/agreements/{AGREEMENT.id}/acts", canonical_bytes(document))
    assert send(world.http, signed).status_code == 200
    assert code_of(world, signed) == (403, "request-replayed")


def test_a_call_to_one_member_route_passes_for_no_other(world: ApiWorld) -> None:
    signed = world.member().message("GET", "/v1/budget")
    assert code_of(world, replace(signed, path="/v1/agreements")) == (403, "signature-wrong")


def test_a_public_address_with_a_bad_token_is_not_answered_as_public(world: ApiWorld) -> None:
    answer = world.http.get("/v1/releases", headers={"authorization": "Bearer nonsense"})
    assert problem_in(answer).code == "token-invalid"


def test_the_token_is_looked_at_before_the_body(world: ApiWorld) -> None:
    answer = world.http.post("/v1/preview", content=b" " * 2**21, headers={"content-type": "application/json"})
    assert problem_in(answer).code == "token-missing"


@pytest.mark.parametrize(("path", "most"), [("/v1/preview", 2**20), ("/v1/requests", 2**20)])
def test_a_body_beyond_the_limit_is_refused(world: ApiWorld, path: str, most: int) -> None:
    signed = world.member().message("POST", path, b" " * (most + 1))
    assert code_of(world, signed) == (413, "body-too-large")


def test_a_token_form_beyond_the_limit_is_refused(world: ApiWorld) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert problem_in(world.http.post("/v1/token", content=b"a" * 2**15, headers=headers)).code == "body-too-large"


def test_an_assertion_is_taken_once_by_the_store(world: ApiWorld) -> None:
    asked = world.member().calls.token_request(world.now)
    assert send(world.http, asked).status_code == 200
    again = send(world.http, asked)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_client")
    assert again.headers["cache-control"] == "no-store"


def test_a_token_request_that_is_no_form_is_refused(world: ApiWorld) -> None:
    answer = world.http.post("/v1/token", content=b"{}", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})


def test_a_connector_cannot_take_work_of_another_agency(world: ApiWorld) -> None:
    answer = world.member("rtp#connector-1").checked(
        world.member("rtp#connector-1").message("POST", "/v1/tasks:lease", canonical_bytes(CALL))
    )
    assert problem_in(answer).code == "not-allowed"


def test_an_answer_to_a_refused_call_is_signed_for_that_call(world: ApiWorld) -> None:
    answer = world.member().get("/v1/requests/REQ-NOBODY-HAS")
    assert problem_in(answer).code == "unknown-request"


def test_a_contract_is_published_only_under_its_agencys_signatures(world: ApiWorld) -> None:
    published = PublishedContract(reference=CONTRACT.reference, agency="ccib", document="{}")
    answer = world.member("ccib#connector-1").post("/v1/contracts", published)
    assert problem_in(answer).code in {"signature-wrong", "signature-missing"}
