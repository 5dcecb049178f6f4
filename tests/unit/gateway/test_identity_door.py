"""The door: a token and a signature of the same key, or nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.calls import SignedCalls
from contracts.errors import Refused
from contracts.federation import KeyPurpose
from contracts.message_signatures import Tag, sign
from contracts.signature_base import Message
from gateway.caller import Caller
from gateway.identity.door import Door
from gateway.identity.oauth_calls import OAuthCall
from tests.factories import ISSUER, NOW, federation
from tests.token_world import CERTIFICATE, TokenWorld

pytestmark = pytest.mark.unit

KEYS = federation()
NONCE = "nonce-0123456789abcdef"


def door() -> Door:
    return TokenWorld(KEYS).door


def token(client: str = "oja#client-1") -> str:
    return TokenWorld(KEYS).token(client)


def call(kid: str = "oja#client-1", client: str = "oja#client-1", tag: Tag = Tag.REQUEST) -> Message:
    headers = {"content-type": "application/json", "authorization": f"Bearer {token(client)}"}
    return sign(Message("POST", "/v1/preview", headers, b"{}"), KEYS[kid], tag, NOW, NONCE)


def code_of(message: Message, later: timedelta = timedelta(0)) -> str:
    with pytest.raises(Refused) as caught:
        door().authenticate(message, NOW + later, CERTIFICATE)
    return caught.value.code


def test_a_call_with_its_own_token_and_signature_is_let_in() -> None:
    assert door().authenticate(call(), NOW, CERTIFICATE) == Caller("oja", "oja#client-1", KeyPurpose.CLIENT, NONCE)


def test_a_connector_is_let_in_as_one() -> None:
    caller = door().authenticate(call("ccib#connector-1", "ccib#connector-1"), NOW, CERTIFICATE)
    assert (caller.agency, caller.purpose) == ("ccib", KeyPurpose.CONNECTOR)


def test_what_the_calling_half_signs_is_let_in() -> None:
    world, calls = TokenWorld(KEYS), SignedCalls(KEYS["oja#client-1"], "oja", ISSUER)
    asked = calls.token_request(NOW)
    calls.accept_token(world.oauth.answer(OAuthCall(asked.body, asked.headers["dpop"])).body, NOW)
    assert world.door.authenticate(calls.message("GET", "/v1/budget?x=1", b"", NOW), NOW).agency == "oja"


@pytest.mark.parametrize("header", ["", "Basic abc", "Bearer", "Bearer "])
def test_a_call_without_a_token_is_refused(header: str) -> None:
    message = call()
    assert code_of(replace(message, headers={**message.headers, "authorization": header})) == "token-missing"


def test_an_unsigned_call_is_refused() -> None:
    bare = {name: value for name, value in call().headers.items() if not name.startswith("signature")}
    assert code_of(replace(call(), headers=bare)) == "signature-missing"


def test_a_token_of_another_client_is_refused() -> None:
    assert code_of(call("ccib#connector-1", "oja#client-1")) == "token-of-another-client"


def test_a_wrongly_signed_call_is_refused() -> None:
    assert code_of(replace(call(), body=b'{"more":1}')) == "signature-wrong"
    assert code_of(replace(call(), path="/v1/requests")) == "signature-wrong"


def test_a_stale_call_is_refused() -> None:
    assert code_of(call(), timedelta(seconds=61)) == "signature-stale"


def test_a_call_signed_as_an_answer_is_refused() -> None:
    asked = call()
    answer = Message("POST", "/v1/preview", {"content-type": "application/json"}, b"{}", 200, asked)
    signed = sign(answer, KEYS["oja#client-1"], Tag.RESPONSE, NOW, NONCE)
    headers = {**signed.headers, "authorization": f"Bearer {token()}"}
    assert code_of(replace(asked, headers=headers)) == "signature-missing"


def test_an_officers_key_may_sign_documents_but_not_call() -> None:
    assert code_of(call("oja#officer-1", "oja#officer-1")) == "key-unknown"


def test_an_expired_token_is_refused_although_the_signature_is_fresh() -> None:
    late = NOW + timedelta(seconds=301)
    message = sign(call(), KEYS["oja#client-1"], Tag.REQUEST, late, NONCE)
    with pytest.raises(Refused) as caught:
        door().authenticate(message, late, CERTIFICATE)
    assert caught.value.code == "token-invalid"


def test_a_token_issued_before_its_key_expired_opens_nothing_afterwards() -> None:
    short = federation(valid_until=NOW + timedelta(seconds=30))
    members = (*KEYS.federation.members[1:], short.federation.members[0])
    tokens = TokenWorld(KEYS).tokens
    later = NOW + timedelta(seconds=40)
    expired = Door(KEYS.federation.model_copy(update={"members": members}), tokens)
    message = sign(call(), KEYS["oja#client-1"], Tag.REQUEST, later, NONCE)
    with pytest.raises(Refused) as caught:
        expired.authenticate(message, later, CERTIFICATE)
    assert caught.value.code == "key-unknown"
