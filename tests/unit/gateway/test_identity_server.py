"""The token endpoint: one grant, one way to show who one is, every assertion once."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from contracts.calls import ASSERTION_TYPE, SignedCalls
from contracts.errors import Refused
from contracts.federation import Federation
from contracts.keys import SigningKey
from contracts.signing import sign_claims
from gateway.caller import Caller
from gateway.identity.authorization_server import TokenAnswer, TokenEndpoint
from gateway.identity.tokens import AccessTokens, TokenIssuer
from tests.factories import ISSUER, NOW, federation

pytestmark = pytest.mark.unit

KEYS = federation()
CLIENT = "oja#client-1"


@dataclass
class Memory:
    """Remembers nonces as the store does."""

    seen: set[tuple[str, str]] = field(default_factory=set)

    def admit(self, caller: Caller) -> None:
        if (caller.kid, caller.nonce) in self.seen:
            raise Refused("request-replayed")
        self.seen.add((caller.kid, caller.nonce))


def endpoint(memory: Memory | None = None, members: Federation = KEYS.federation) -> TokenEndpoint:
    issuer = TokenIssuer(ISSUER, KEYS["oja#token-1"], lambda: "fresh")
    return TokenEndpoint(members, issuer, (memory or Memory()).admit, lambda: NOW)


def assertion(
    key: SigningKey | None = None,
    typ: str = "JWT",
    edit: Callable[[dict[str, object]], None] = lambda claims: None,
) -> str:
    issued = int(NOW.timestamp())
    claims: dict[str, object] = {"iss": CLIENT, "sub": CLIENT, "aud": ISSUER, "jti": "once-1"}
    claims |= {"iat": issued, "exp": issued + 60}
    edit(claims)
    return sign_claims(claims, key or KEYS[CLIENT], typ)


def form(given: str, **fields: str) -> bytes:
    defaults = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE}
    return urlencode({**defaults, "client_assertion": given, **fields}).encode()


def error_of(answer: TokenAnswer) -> tuple[int, str, str]:
    body = json.loads(answer.body)
    assert "access_token" not in body
    return answer.status, body["error"], body.get("error_description", "")


def test_a_client_that_signs_an_assertion_gets_a_token_for_itself() -> None:
    calls = SignedCalls(KEYS[CLIENT], "oja", ISSUER)
    answer = endpoint().answer(calls.token_request(NOW))
    body = json.loads(answer.body)
    assert answer.status == 200
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 300)
    assert "refresh_token" not in body
    assert AccessTokens(KEYS.federation).client_of(body["access_token"], NOW) == CLIENT
    calls.accept_token(answer.body, NOW)
    assert not calls.needs_token(NOW)


def test_a_connector_gets_a_token_too() -> None:
    calls = SignedCalls(KEYS["ccib#connector-1"], "ccib", ISSUER)
    assert endpoint().answer(calls.token_request(NOW)).status == 200


def test_an_assertion_is_accepted_once() -> None:
    serving = endpoint(Memory())
    assert serving.answer(form(assertion())).status == 200
    assert error_of(serving.answer(form(assertion()))) == (
        400,
        "invalid_client",
        "assertion refused: request-replayed",
    )


def test_a_refused_assertion_uses_nothing_up() -> None:
    memory = Memory()
    endpoint(memory).answer(form(assertion(edit=lambda claims: claims.update(aud="https://elsewhere.example"))))
    assert not memory.seen


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
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": "x" * 129}, "jti"),
        ({"iss": "rtp#connector-1"}, "iss"),
    ],
)
def test_an_assertion_with_a_wrong_claim_is_refused(changes: dict[str, object], why: str) -> None:
    answer = endpoint().answer(form(assertion(edit=lambda claims: claims.update(changes))))
    assert error_of(answer) == (400, "invalid_client", f"assertion refused: {why}")


def test_nobody_gets_a_token_in_the_name_of_another_client() -> None:
    stolen = assertion(KEYS["ccib#connector-1"])
    assert error_of(endpoint().answer(form(stolen))) == (400, "invalid_client", "assertion refused: iss")


def test_a_key_that_is_registered_for_documents_gets_no_token() -> None:
    kid = "ccib#officer-1"
    asked = assertion(KEYS[kid], edit=lambda claims: claims.update(iss=kid, sub=kid))
    assert error_of(endpoint().answer(form(asked)))[:2] == (400, "invalid_client")


def test_a_revoked_key_gets_no_token() -> None:
    members = KEYS.federation.model_copy(
        update={
            "members": tuple(
                member.model_copy(update={"keys": tuple(k.model_copy(update={"revoked": True}) for k in member.keys)})
                for member in KEYS.federation.members
            )
        }
    )
    assert error_of(endpoint(members=members).answer(form(assertion())))[1] == "invalid_client"


def test_an_access_token_is_no_assertion() -> None:
    assert error_of(endpoint().answer(form(assertion(typ="at+jwt"))))[2] == "assertion refused: typ"


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_an_assertion_of_another_algorithm_is_refused(algorithm: str) -> None:
    _, body, signature = assertion().split(".")
    fields = json.dumps({"alg": algorithm, "typ": "JWT", "kid": CLIENT}).encode()
    head = base64.urlsafe_b64encode(fields).decode().rstrip("=")
    answer = endpoint().answer(form(f"{head}.{body}.{signature}"))
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
    answer = endpoint().answer(form(assertion(), **fields))
    assert error_of(answer)[:2] == (400, error)


def test_a_client_secret_is_no_way_in() -> None:
    body = urlencode({"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": "guess"}).encode()
    assert error_of(endpoint().answer(body))[:2] == (400, "invalid_client")


@pytest.mark.parametrize(
    "body",
    [b"\xff", b"grant_type", b"a=1&a=2", b"&".join(b"f%d=1" % n for n in range(20))],
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    assert error_of(endpoint().answer(body))[:2] == (400, "invalid_request")
