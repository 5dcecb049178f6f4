"""Tokens for activities (RFC 9396) and for this gateway alone (RFC 8707)."""

import json
from urllib.parse import urlencode

import jwt
import pytest

from contracts.authorization import ActivityDetail, details_text
from contracts.calls import ASSERTION_TYPE
from contracts.errors import Refused
from contracts.message_signatures import Tag, sign
from contracts.signature_base import Message
from tests.factories import ISSUER, NOW, federation
from tests.token_world import CERTIFICATE, TokenWorld, assertion, call

pytestmark = pytest.mark.unit

KEYS = federation()
CLIENT = "oja#client-1"
MINE = ActivityDetail.of("AGR-2569-001", "monthly-risk")
ALSO_MINE = ActivityDetail.of("AGR-2569-001", "yearly-report")
OTHERS = ActivityDetail.of("AGR-2569-007", "monthly-risk")
ALLOWED = frozenset({("oja", MINE.agreement, MINE.activity), ("oja", ALSO_MINE.agreement, ALSO_MINE.activity)})


def asked(world: TokenWorld, kid: str = CLIENT, **fields: str) -> dict[str, object]:
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE}
    form |= {"client_assertion": assertion(KEYS[kid]), **fields}
    body: dict[str, object] = json.loads(world.oauth.answer(call(urlencode(form).encode())).body)
    return body


def test_a_token_names_the_activities_that_it_is_for_and_the_caller_carries_them() -> None:
    world = TokenWorld(KEYS, allowed=ALLOWED)
    body = asked(world, authorization_details=details_text([MINE, ALSO_MINE]))
    token = str(body["access_token"])
    claims = jwt.decode(token, options={"verify_signature": False})
    assert body["authorization_details"] == claims["authorization_details"]
    assert claims["authorization_details"] == [each.model_dump() for each in (MINE, ALSO_MINE)]

    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    message = sign(Message("POST", "/v1/requests", headers, b"{}"), KEYS[CLIENT], Tag.REQUEST, NOW, "n" * 22)
    caller = world.door.authenticate(message, NOW, CERTIFICATE)
    assert caller.covers(MINE.agreement, MINE.activity)
    assert caller.covers(ALSO_MINE.agreement, ALSO_MINE.activity)
    assert not caller.covers(OTHERS.agreement, OTHERS.activity)
    assert not caller.covers(OTHERS.agreement, MINE.activity)
    assert not caller.covers(MINE.agreement, "another")


def test_a_token_that_was_asked_for_without_activities_is_for_none() -> None:
    world = TokenWorld(KEYS, allowed=ALLOWED)
    body = asked(world)
    assert "authorization_details" not in body
    assert world.tokens.read(str(body["access_token"]), NOW).details == ()


@pytest.mark.parametrize(
    "details",
    [
        details_text([OTHERS]),
        details_text([MINE, OTHERS]),
        details_text([MINE, MINE]),
        "[]",
        "not json",
        json.dumps([{**MINE.model_dump(), "type": "account_information"}]),
        json.dumps([{**MINE.model_dump(), "privileges": ["all"]}]),
        json.dumps([{"type": "saphan_activity", "agreement": MINE.agreement}]),
    ],
)
def test_details_that_are_not_the_agencys_own_or_not_of_the_form_obtain_no_token(details: str) -> None:
    world = TokenWorld(KEYS, allowed=ALLOWED)
    body = asked(world, authorization_details=details)
    assert body["error"] == "invalid_authorization_details"
    assert not world.spent


def test_what_does_not_exist_is_refused_in_the_words_of_what_is_others() -> None:
    world = TokenWorld(KEYS, allowed=ALLOWED)
    absent = ActivityDetail.of("AGR-0000-000", "monthly-risk")
    answers = [asked(world, authorization_details=details_text([each])) for each in (OTHERS, absent)]
    assert answers[0] == answers[1]


def test_a_connector_asks_no_questions_so_it_gets_no_token_for_them() -> None:
    allowed = frozenset({("ccib", MINE.agreement, MINE.activity)})
    body = asked(TokenWorld(KEYS, allowed=allowed), "ccib#connector-1", authorization_details=details_text([MINE]))
    assert body["error"] == "invalid_authorization_details"


def test_a_token_whose_activities_were_bent_is_refused() -> None:
    world = TokenWorld(KEYS)
    claims = jwt.decode(world.token(CLIENT), options={"verify_signature": False})
    claims["authorization_details"] = [{**MINE.model_dump(), "more": 1}]
    token = jwt.encode(claims, KEYS["oja#token-1"].to_pem(), "ES256", {"typ": "at+jwt", "kid": "oja#token-1"})
    with pytest.raises(Refused) as caught:
        world.tokens.read(token, NOW)
    assert caught.value.details["why"] == "authorization_details"


def test_a_token_is_for_this_gateway_and_no_other_resource() -> None:
    assert "access_token" in asked(TokenWorld(KEYS), resource=ISSUER)
    for resource in ("https://elsewhere.example", f"{ISSUER}/v1", ""):
        world = TokenWorld(KEYS)
        if resource:
            assert asked(world, resource=resource)["error"] == "invalid_target"
            assert not world.spent


def test_a_client_that_the_form_names_must_be_the_assertions() -> None:
    assert "access_token" in asked(TokenWorld(KEYS), client_id=CLIENT)
    body = asked(TokenWorld(KEYS), client_id="ccib#connector-1")
    assert body == {"error": "invalid_client", "error_description": "assertion refused: iss"}
