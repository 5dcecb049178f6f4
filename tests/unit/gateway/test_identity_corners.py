"""Guards of the door that another guard usually hides: here each stands alone."""

import json
from urllib.parse import urlencode

import pytest

from contracts.calls import ASSERTION_TYPE
from contracts.errors import Refused
from contracts.federation import Member
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


def test_a_header_that_is_known_already_is_good_for_nothing_that_it_was_not_good_for() -> None:
    """Headers are remembered by their bytes: neither a key's end nor another kind of token may be overlooked then."""
    world, key = TokenWorld(KEYS), KEYS[CLIENT]
    claims = {"iss": key.kid, "sub": key.kid, "aud": ISSUER, "jti": "once-2", "iat": int(NOW.timestamp())}
    given = sign_claims({**claims, "exp": int(NOW.timestamp()) + 60}, key)
    fields = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": given}
    form = urlencode(fields).encode()
    assert world.oauth.answer(call(form)).status == 200

    with pytest.raises(Refused) as caught:
        world.tokens.read(given, NOW)
    assert (caught.value.code, caught.value.details["why"]) == ("token-invalid", "typ")
    revoked = KEYS.federation.model_copy(update={"members": tuple(map(_revoked, KEYS.federation.members))})
    refused = json.loads(TokenWorld(KEYS, members=revoked).oauth.answer(call(form)).body)
    assert refused["error_description"] == "assertion refused: key-unknown"


def _revoked(member: Member) -> Member:
    keys = tuple(each.model_copy(update={"revoked": True}) for each in member.keys)
    return member.model_copy(update={"keys": keys})
