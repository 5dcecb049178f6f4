"""Guards of the door that another guard usually hides: here each stands alone."""

import json
from urllib.parse import urlencode

import pytest

from contracts.calls import ASSERTION_TYPE
from contracts.errors import Refused
from contracts.message_signatures import Tag, sign
from contracts.signature_base import Message
from contracts.signing import sign_claims
from tests.factories import ISSUER, NOW, federation
from tests.token_world import CERTIFICATE, TokenWorld, assertion, call

pytestmark = pytest.mark.unit

KEYS = federation()
CLIENT = "oja#client-1"


def test_a_token_of_a_key_that_is_no_more_opens_nothing_to_another_clients_signature() -> None:
    world = TokenWorld(KEYS)
    headers = {"content-type": "application/json", "authorization": f"Bearer {world.token('oja#client-9')}"}
    message = sign(Message("POST", "/v1/preview", headers, b"{}"), KEYS[CLIENT], Tag.REQUEST, NOW, "n" * 22)

    with pytest.raises(Refused, match="key-unknown"):
        world.door.authenticate(message, NOW, CERTIFICATE)


def test_a_token_that_names_nobody_is_refused() -> None:
    issued = int(NOW.timestamp())
    claims = {"iss": ISSUER, "aud": ISSUER, "jti": "one", "iat": issued, "exp": issued + 60}
    token = sign_claims(claims, KEYS["oja#token-1"], "at+jwt")

    with pytest.raises(Refused) as caught:
        TokenWorld(KEYS).tokens.read(token, NOW)

    assert (caught.value.code, caught.value.details["why"]) == ("token-invalid", "client_id")


def test_an_assertion_about_somebody_else_is_refused() -> None:
    given = assertion(KEYS[CLIENT], edit=lambda claims: claims.update(sub="ccib#connector-1"))
    fields = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": given,
    }

    answer = TokenWorld(KEYS).oauth.answer(call(urlencode(fields).encode()))

    assert json.loads(answer.body) == {"error": "invalid_client", "error_description": "assertion refused: iss"}
