"""Guards of the door that another guard usually hides: here each stands alone."""

import json
from datetime import timedelta

import pytest

from contracts.calls import ASSERTION_TYPE
from contracts.errors import Refused
from contracts.message_signatures import Tag, sign
from contracts.signature_base import Message
from contracts.signing import sign_claims
from gateway.caller import Caller
from gateway.identity.authorization_server import TokenEndpoint
from gateway.identity.door import Door
from gateway.identity.tokens import AccessTokens, TokenIssuer
from tests.factories import ISSUER, NOW, federation

pytestmark = pytest.mark.unit

KEYS = federation()
CLIENT = "oja#client-1"


def admit(caller: Caller) -> None:
    """Every nonce is new."""


def test_a_token_of_a_key_that_is_no_more_opens_nothing_to_another_clients_signature() -> None:
    token = TokenIssuer(ISSUER, KEYS["oja#token-1"], lambda: "fresh").access_token("oja#client-9", NOW)
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    message = sign(Message("POST", "/v1/preview", headers, b"{}"), KEYS[CLIENT], Tag.REQUEST, NOW, "n" * 22)

    with pytest.raises(Refused, match="key-unknown"):
        Door(KEYS.federation, AccessTokens(KEYS.federation)).authenticate(message, NOW)


def test_a_token_that_names_nobody_is_refused() -> None:
    issued = int(NOW.timestamp())
    claims = {"iss": ISSUER, "aud": ISSUER, "jti": "one", "iat": issued, "exp": issued + 60}
    token = sign_claims(claims, KEYS["oja#token-1"], "at+jwt")

    with pytest.raises(Refused) as caught:
        AccessTokens(KEYS.federation).client_of(token, NOW)

    assert (caught.value.code, caught.value.details["why"]) == ("token-invalid", "client_id")


def test_an_assertion_about_somebody_else_is_refused() -> None:
    issued = int(NOW.timestamp())
    claims: dict[str, object] = {"iss": CLIENT, "sub": "ccib#connector-1", "aud": ISSUER, "jti": "one"}
    claims |= {"iat": issued, "exp": issued + int(timedelta(minutes=1).total_seconds())}
    issuer = TokenIssuer(ISSUER, KEYS["oja#token-1"], lambda: "fresh")
    endpoint = TokenEndpoint(KEYS.federation, issuer, admit, lambda: NOW)
    fields = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": sign_claims(claims, KEYS[CLIENT], "JWT"),
    }
    body = "&".join(f"{name}={value.replace(':', '%3A')}" for name, value in fields.items()).encode()

    answer = endpoint.answer(body)

    assert json.loads(answer.body) == {"error": "invalid_client", "error_description": "assertion refused: iss"}
