"""The authorization server over HTTP, on a real database: bound tokens, activities, revocation by every process."""

from collections.abc import Iterator, MutableMapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx2
import jwt
import pytest
from starlette.testclient import TestClient

from contracts.authorization import ActivityDetail
from contracts.calls import ASSERTION_TYPE, FORM_TYPE, SignedCalls
from contracts.canonical import canonical_bytes
from contracts.message_signatures import Tag, sign
from contracts.signature_base import Message
from contracts.transparency import EventKind
from contracts.views import PreviewCall, RequestStatus
from gateway.main import create_app
from gateway.settings import GatewaySettings
from gateway.store.engine import Store
from gateway.store.migrate import upgrade
from gateway.store.revoked_tokens import RevokedTokenTable
from tests import factories
from tests.api_world import ApiWorld, problem_in, request, running, send, with_headers
from tests.factories import ISSUER
from tests.gateway_world import AGREEMENT, CONTRACT
from tests.token_world import CERTIFICATE, assertion

pytestmark = pytest.mark.integration

CLIENT = "oja#client-1"
DETAIL = ActivityDetail.of(AGREEMENT.id, factories.ACTIVITY)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    with running(tmp_path_factory.mktemp("gateway") / "home") as started:
        yield started


class BehindTls:
    """The application as a server with mutual TLS calls it: the connection's certificate stands in the scope."""

    def __init__(self, app: Any, certificate: str) -> None:  # noqa: ANN401  # any ASGI application
        self.app, self.certificate = app, certificate

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:  # noqa: ANN401
        """Pass on."""
        state = {**scope.get("state", {}), "x5t_s256": self.certificate}
        await self.app({**scope, "state": state}, receive, send)


def over_tls(world: ApiWorld, certificate: str = CERTIFICATE) -> TestClient:
    return TestClient(BehindTls(world.app, certificate), raise_server_exceptions=False)


def ask_token(world: ApiWorld, calls: SignedCalls, http: httpx2.Client, detail: ActivityDetail | None = None) -> str:
    answer = send(http, calls.token_request(world.now, detail))
    calls.accept_token(answer.content, world.now, detail)
    return str(answer.json()["access_token"])


def oauth_form(world: ApiWorld, kid: str, token: str) -> bytes:
    jti = f"once-{world.keys[kid].sign(token.encode()).hex()[:32]}"
    given = assertion(world.keys[kid], edit=lambda claims: claims.update(jti=jti), now=world.now)
    return urlencode({"token": token, "client_assertion_type": ASSERTION_TYPE, "client_assertion": given}).encode()


def post_form(http: httpx2.Client, path: str, form: bytes) -> httpx2.Response:
    return http.post(path, content=form, headers={"content-type": FORM_TYPE})


# ---------------------------------------------------------------- binding


def test_a_stolen_token_opens_nothing_not_even_with_the_members_own_key(world: ApiWorld) -> None:
    member, other = world.member(), world.member()
    stolen = member.message("GET", "/v1/budget").headers["authorization"]
    own = other.message("GET", "/v1/budget")
    answer = send(world.http, with_headers(own, {"authorization": stolen}))
    assert problem_in(answer).code == "proof-invalid"
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'DPoP error="invalid_dpop_proof", algs="ES256"'


def test_a_bound_token_shown_as_bearer_is_refused_and_told_how(world: ApiWorld) -> None:
    call = world.member().message("GET", "/v1/budget")
    bearer = call.headers["authorization"].replace("DPoP ", "Bearer ")
    answer = send(world.http, with_headers(call, {"authorization": bearer, "dpop": None}))
    assert (answer.status_code, problem_in(answer).code) == (401, "token-invalid")
    challenge = 'DPoP error="invalid_token", algs="ES256", Bearer error="invalid_token"'
    assert answer.headers["www-authenticate"] == challenge


def test_a_proof_is_not_used_again_under_another_signature(world: ApiWorld) -> None:
    call = world.member().message("GET", "/v1/budget")
    assert send(world.http, call).status_code == 200
    kept = {name: call.headers[name] for name in ("authorization", "dpop")}
    again = sign(Message("GET", "/v1/budget", kept, b""), world.keys[CLIENT], Tag.REQUEST, world.now, "other-" * 4)
    answer = send(world.http, again)
    assert (answer.status_code, problem_in(answer).code) == (401, "proof-invalid")


def test_two_proofs_make_none(world: ApiWorld) -> None:
    asked = world.member().calls.token_request(world.now)
    headers = [(name, value) for name, value in asked.headers.items()] + [("DPoP", asked.headers["dpop"])]
    answer = world.http.post("/v1/token", content=asked.body, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")


def test_over_mutual_tls_the_certificate_is_the_proof(world: ApiWorld) -> None:
    calls, http = SignedCalls(world.keys[CLIENT], "oja", ISSUER, has_certificate=True), over_tls(world)
    token = ask_token(world, calls, http)
    assert jwt.decode(token, options={"verify_signature": False})["cnf"] == {"x5t#S256": CERTIFICATE}
    assert send(http, calls.message("GET", "/v1/budget", b"", world.now)).status_code == 200

    for elsewhere in (world.http, over_tls(world, "d" * 43)):
        answer = send(elsewhere, calls.message("GET", "/v1/budget", b"", world.now))
        assert (answer.status_code, problem_in(answer).code) == (401, "token-invalid")


def test_no_header_speaks_for_a_certificate(world: ApiWorld) -> None:
    calls = SignedCalls(world.keys[CLIENT], "oja", ISSUER, has_certificate=True)
    ask_token(world, calls, over_tls(world))
    names = ("x5t_s256", "x-client-cert", "client-cert", "x-forwarded-client-cert", "x-ssl-client-cert")
    call = with_headers(calls.message("GET", "/v1/budget", b"", world.now), dict.fromkeys(names, CERTIFICATE))
    assert problem_in(send(world.http, call)).code == "token-invalid"


# ---------------------------------------------------------------- activities


def test_a_question_needs_a_token_for_its_activity_and_the_refusal_is_logged(world: ApiWorld) -> None:
    calls, asked = SignedCalls(world.keys[CLIENT], "oja", ISSUER), request(id="REQ-TOKEN-1")
    ask_token(world, calls, world.http)
    before = world.world.kinds().count(EventKind.DATA_REFUSED)
    answer = send(world.http, calls.message("POST", "/v1/requests", canonical_bytes(asked), world.now))
    assert (answer.status_code, problem_in(answer).code) == (403, "activity-not-authorized")
    assert world.world.kinds().count(EventKind.DATA_REFUSED) == before + 1
    assert world.world.spent() == world.world.reserved() == 0

    ask_token(world, calls, world.http, DETAIL)
    body = canonical_bytes(asked)
    taken = send(world.http, calls.message("POST", "/v1/requests", body, world.now, DETAIL))
    assert (taken.status_code, RequestStatus.model_validate_json(taken.content).request) == (202, asked.id)


def test_the_other_calls_need_none(world: ApiWorld) -> None:
    call = PreviewCall(
        agreement=AGREEMENT.id,
        activity=factories.ACTIVITY,
        contracts=(CONTRACT.reference,),
        query=factories.query(),
        nano_rho=50_000_000,
    )
    assert world.member().post("/v1/preview", call).status_code == 200


@pytest.mark.parametrize(
    ("kid", "detail"),
    [
        (CLIENT, ActivityDetail.of("AGR-9999-999", factories.ACTIVITY)),
        (CLIENT, ActivityDetail.of(AGREEMENT.id, "another-activity")),
        ("ccib#connector-1", DETAIL),
        ("rtp#connector-1", DETAIL),
    ],
)
def test_nobody_gets_a_token_for_what_he_does_not_ask(world: ApiWorld, kid: str, detail: ActivityDetail) -> None:
    calls = SignedCalls(world.keys[kid], kid.partition("#")[0], ISSUER)
    answer = send(world.http, calls.token_request(world.now, detail))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_authorization_details")


def test_another_agencys_client_gets_no_token_for_an_agreement_that_it_is_not_the_requester_of(world: ApiWorld) -> None:
    assert not world.desk.oauth.may_ask("rtp", DETAIL)
    assert world.desk.oauth.may_ask("oja", DETAIL)


# ---------------------------------------------------------------- revocation


def test_a_revoked_token_opens_nothing_at_any_process_of_the_gateway(world: ApiWorld) -> None:
    member = world.member()
    second = create_app(GatewaySettings(home=world.home, tick_seconds=1.0), lambda: world.now)
    token = member.message("GET", "/v1/budget").headers["authorization"].removeprefix("DPoP ")
    with TestClient(second, raise_server_exceptions=False) as there:
        assert send(there, member.message("GET", "/v1/budget")).status_code == 200
        assert post_form(world.http, "/v1/token/revoke", oauth_form(world, CLIENT, token)).status_code == 200

        here = send(world.http, member.message("GET", "/v1/budget"))
        assert (here.status_code, problem_in(here).code) == (401, "token-invalid")
        world.later(1)
        assert problem_in(send(there, member.message("GET", "/v1/budget"))).code == "token-invalid"
        told = post_form(there, "/v1/token/introspect", oauth_form(world, CLIENT, token)).json()
        assert told == {"active": False}


def test_the_client_library_obtains_a_new_token_when_its_own_was_revoked(world: ApiWorld) -> None:
    gateway = world.gateway()
    gateway.budget()
    kept = gateway._calls._tokens[None]
    assert post_form(world.http, "/v1/token/revoke", oauth_form(world, CLIENT, kept.value)).status_code == 200
    assert gateway.budget()
    assert gateway._calls._tokens[None] != kept


def test_a_token_of_another_agency_is_neither_revoked_nor_described(world: ApiWorld) -> None:
    member = world.member()
    token = member.message("GET", "/v1/budget").headers["authorization"].removeprefix("DPoP ")
    refused = post_form(world.http, "/v1/token/revoke", oauth_form(world, "ccib#connector-1", token))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    told = post_form(world.http, "/v1/token/introspect", oauth_form(world, "rtp#connector-1", token))
    assert told.json() == {"active": False}
    assert send(world.http, member.message("GET", "/v1/budget")).status_code == 200
    mine = post_form(world.http, "/v1/token/introspect", oauth_form(world, CLIENT, token))
    assert mine.headers["cache-control"] == "no-store"
    assert (mine.json()["active"], mine.json()["sub"]) == (True, CLIENT)


def test_an_assertion_that_one_process_took_is_spent_for_the_other(world: ApiWorld) -> None:
    asked = world.member().calls.token_request(world.now)
    second = create_app(GatewaySettings(home=world.home), lambda: world.now)
    with TestClient(second, raise_server_exceptions=False) as there:
        assert send(world.http, asked).status_code == 200
        again = send(there, asked)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_client")


def test_what_was_revoked_is_forgotten_when_it_has_expired(store_url: str) -> None:
    upgrade(store_url)
    table, now = RevokedTokenTable(Store(store_url)), factories.NOW
    ends = {name: now + timedelta(seconds=seconds) for name, seconds in (("a", 10), ("b", 20), ("c", 30))}
    for name in ("a", "b"):
        table.add(name, ends[name], now)
        table.add(name, ends[name], now)
    assert table.all(now) == {"a", "b"}
    assert table.all(ends["a"]) == {"b"}
    assert table.all(now) == {"b"}
    table.add("c", ends["c"], ends["b"])
    assert table.all(now) == {"c"}
    table.store.close()
