"""The token endpoint: one grant, one way to show who one is, every assertion once."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from contracts.calls import ASSERTION_TYPE, SignedCalls
from contracts.federation import Federation
from contracts.keys import SigningKey
from gateway.identity.oauth_calls import OAuthAnswer, OAuthCall
from tests import token_world
from tests.factories import ISSUER, NOW, federation
from tests.token_world import TokenWorld, call

pytestmark = pytest.mark.unit

KEYS = federation()
CLIENT = "oja#client-1"


def assertion(
    key: SigningKey | None = None,
    typ: str = "JWT",
    edit: Callable[[dict[str, object]], None] = lambda claims: None,
) -> str:
    """An assertion that says it is of ``CLIENT``, whoever signs it."""

    def claimed(claims: dict[str, object]) -> None:
        claims.update(iss=CLIENT, sub=CLIENT)
        edit(claims)

    return token_world.assertion(key or KEYS[CLIENT], typ, claimed)


def endpoint(members: Federation = KEYS.federation) -> TokenWorld:
    return TokenWorld(KEYS, members=members)


def form(given: str, **fields: str) -> bytes:
    defaults = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE}
    return urlencode({**defaults, "client_assertion": given, **fields}).encode()


def error_of(answer: OAuthAnswer) -> tuple[int, str, str]:
    body = json.loads(answer.body)
    assert "access_token" not in body
    return answer.status, body["error"], body.get("error_description", "")


def test_a_client_that_signs_an_assertion_gets_a_token_for_itself() -> None:
    calls = SignedCalls(KEYS[CLIENT], "oja", ISSUER)
    asked = calls.token_request(NOW)
    serving = endpoint()
    answer = serving.oauth.answer(OAuthCall(asked.body, asked.headers["dpop"]))
    body = json.loads(answer.body)
    assert answer.status == 200
    assert (body["token_type"], body["expires_in"]) == ("DPoP", 300)
    assert body.keys() == {"access_token", "token_type", "expires_in"}
    assert serving.tokens.read(body["access_token"], NOW).client_id == CLIENT
    calls.accept_token(answer.body, NOW)
    assert not calls.needs_token(NOW)


def test_a_connector_gets_a_token_too() -> None:
    asked = SignedCalls(KEYS["ccib#connector-1"], "ccib", ISSUER).token_request(NOW)
    assert endpoint().oauth.answer(OAuthCall(asked.body, asked.headers["dpop"])).status == 200


def test_an_assertion_is_accepted_once() -> None:
    serving = endpoint()
    assert serving.oauth.answer(call(form(assertion()))).status == 200
    assert error_of(serving.oauth.answer(call(form(assertion())))) == (
        400,
        "invalid_client",
        "assertion refused: request-replayed",
    )


def test_a_refused_assertion_uses_nothing_up() -> None:
    serving = endpoint()
    bad = form(assertion(edit=lambda claims: claims.update(aud="https://elsewhere.example")))
    serving.oauth.answer(call(bad))
    assert not serving.spent


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"aud": [ISSUER]}, "aud"),
        ({"aud": [ISSUER, "https://elsewhere.example"]}, "aud"),
        ({"aud": f"{ISSUER}/v1/token"}, "aud"),
        ({"aud": "https://elsewhere.example"}, "aud"),
        ({"exp": int(NOW.timestamp()) + 61}, "exp"),
        ({"exp": int((NOW + timedelta(days=3650)).timestamp())}, "exp"),
        ({"iat": int(NOW.timestamp()) - 60, "exp": int(NOW.timestamp())}, "exp"),
        ({"iat": int(NOW.timestamp()) + 30, "exp": int(NOW.timestamp()) + 60}, "exp"),
        ({"exp": int(NOW.timestamp())}, "exp"),
        ({"iat": None}, "iat"),
        ({"nbf": int(NOW.timestamp()) + 30}, "nbf"),
        ({"nbf": "now"}, "nbf"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": "x" * 129}, "jti"),
        ({"iss": "rtp#connector-1"}, "iss"),
    ],
)
def test_an_assertion_with_a_wrong_claim_is_refused(changes: dict[str, object], why: str) -> None:
    answer = endpoint().oauth.answer(call(form(assertion(edit=lambda claims: claims.update(changes)))))
    assert error_of(answer) == (400, "invalid_client", f"assertion refused: {why}")


def test_an_assertion_that_begins_at_once_is_taken() -> None:
    given = assertion(edit=lambda claims: claims.update(nbf=int(NOW.timestamp())))
    assert endpoint().oauth.answer(call(form(given))).status == 200


def test_nobody_gets_a_token_in_the_name_of_another_client() -> None:
    stolen = assertion(KEYS["ccib#connector-1"])
    assert error_of(endpoint().oauth.answer(call(form(stolen)))) == (400, "invalid_client", "assertion refused: iss")


def test_a_key_that_is_registered_for_documents_gets_no_token() -> None:
    kid = "ccib#officer-1"
    asked = token_world.assertion(KEYS[kid])
    assert error_of(endpoint().oauth.answer(call(form(asked))))[:2] == (400, "invalid_client")


def test_a_revoked_key_gets_no_token() -> None:
    members = KEYS.federation.model_copy(
        update={
            "members": tuple(
                member.model_copy(update={"keys": tuple(k.model_copy(update={"revoked": True}) for k in member.keys)})
                for member in KEYS.federation.members
            )
        }
    )
    assert error_of(endpoint(members=members).oauth.answer(call(form(assertion()))))[1] == "invalid_client"


def test_an_access_token_is_no_assertion() -> None:
    assert error_of(endpoint().oauth.answer(call(form(assertion(typ="at+jwt")))))[2] == "assertion refused: typ"


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_an_assertion_of_another_algorithm_is_refused(algorithm: str) -> None:
    _, body, signature = assertion().split(".")
    fields = json.dumps({"alg": algorithm, "typ": "JWT", "kid": CLIENT}).encode()
    head = base64.urlsafe_b64encode(fields).decode().rstrip("=")
    answer = endpoint().oauth.answer(call(form(f"{head}.{body}.{signature}")))
    assert error_of(answer) == (400, "invalid_client", "assertion refused: header")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"client_assertion_type": "urn:other"}, "invalid_client"),
        ({"client_assertion": "no.token.here"}, "invalid_client"),
        ({"scope": "admin"}, "invalid_scope"),
    ],
)
def test_whatever_else_oauth_knows_is_refused(fields: dict[str, str], error: str) -> None:
    answer = endpoint().oauth.answer(call(form(assertion(), **fields)))
    assert error_of(answer)[:2] == (400, error)


def test_a_client_secret_is_no_way_in() -> None:
    body = urlencode({"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": "guess"}).encode()
    assert error_of(endpoint().oauth.answer(call(body)))[:2] == (400, "invalid_client")


@pytest.mark.parametrize(
    "body",
    [
        b"\xff",
        b"",
        b"grant_type",
        b"=1",
        b"a=1&=2",
        b"a=1&&b=2",
        b"a=%FF",
        b"a=1&a=2",
        b"&".join(b"f%d=1" % n for n in range(20)),
    ],
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    assert error_of(endpoint().oauth.answer(call(body)))[:2] == (400, "invalid_request")
