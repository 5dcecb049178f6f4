"""The calling half: tokens and signed calls."""

from datetime import timedelta
from urllib.parse import parse_qs

import jwt
import pytest
from jwt import PyJWK

from contracts.authorization import ActivityDetail, read_details
from contracts.calls import ASSERTION_TYPE, SignedCalls
from contracts.errors import Refused, Unavailable
from contracts.federation import KeyPurpose
from contracts.message_signatures import Tag, verify
from contracts.proofs import token_hash
from tests.factories import ISSUER, NOW, federation

pytestmark = pytest.mark.unit

KEYS = federation()
KEY = KEYS["oja#client-1"]
TOKEN = b'{"access_token":"abc.def.ghi","token_type":"DPoP","expires_in":300}'


@pytest.fixture
def calls() -> SignedCalls:
    return SignedCalls(KEY, "oja", ISSUER)


def test_the_assertion_is_one_that_another_library_accepts(calls: SignedCalls) -> None:
    form = parse_qs(calls.token_request(NOW).body.decode())
    registered = KEYS.federation.key(KEY.kid, KeyPurpose.CLIENT, NOW)
    assert registered is not None

    claims = jwt.decode(
        form["client_assertion"][0],
        PyJWK(registered.as_jwk()),
        algorithms=["ES256"],
        audience=ISSUER,
        options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
    )

    assert form["grant_type"] == ["client_credentials"]
    assert form["client_assertion_type"] == [ASSERTION_TYPE]
    assert claims["iss"] == claims["sub"] == "oja#client-1"
    assert claims["aud"] == ISSUER
    assert claims["iat"] == int(NOW.timestamp())
    assert claims["exp"] - claims["iat"] == 60
    assert len(claims["jti"]) >= 16


def test_no_two_assertions_are_alike(calls: SignedCalls) -> None:
    assert calls.token_request(NOW).body != calls.token_request(NOW).body


def test_a_token_is_needed_until_there_is_one_and_again_before_it_expires(calls: SignedCalls) -> None:
    assert calls.needs_token(NOW)

    calls.accept_token(TOKEN, NOW)

    assert not calls.needs_token(NOW + timedelta(seconds=269))
    assert calls.needs_token(NOW + timedelta(seconds=270))


def test_a_call_carries_its_token_and_a_signature_by_the_same_key(calls: SignedCalls) -> None:
    calls.accept_token(TOKEN, NOW)

    message = calls.message("POST", "/v1/requests", b"{}", NOW)

    assert message.headers["authorization"] == "DPoP abc.def.ghi"
    assert message.headers["content-type"] == "application/json"
    assert verify(message, Tag.REQUEST, KEYS.resolve(KeyPurpose.CLIENT), NOW).kid == KEY.kid


def test_each_call_has_a_nonce_of_its_own(calls: SignedCalls) -> None:
    calls.accept_token(TOKEN, NOW)
    clients = KEYS.resolve(KeyPurpose.CLIENT)

    nonces = {verify(calls.message("GET", "/", b"", NOW), Tag.REQUEST, clients, NOW).nonce for _ in range(5)}

    assert len(nonces) == 5


def test_a_call_without_a_token_is_not_made(calls: SignedCalls) -> None:
    with pytest.raises(Refused, match="token-missing"):
        calls.message("GET", "/v1/budget", b"", NOW)


def test_the_reason_for_no_token_is_passed_on(calls: SignedCalls) -> None:
    with pytest.raises(Refused, match="token-invalid") as caught:
        calls.accept_token(b'{"error":"invalid_client"}', NOW)

    assert "invalid_client" in str(caught.value)
    assert calls.needs_token(NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"access_token":""}',
        b'{"access_token":"a\\r\\nX-Evil: 1","expires_in":300}',
        b'{"access_token":"abc","expires_in":-1}',
        b'{"error":"<script>"}',
    ],
)
def test_what_is_no_token_is_not_kept(calls: SignedCalls, body: bytes) -> None:
    with pytest.raises(Unavailable, match="unknown-answer"):
        calls.accept_token(body, NOW)

    assert calls.needs_token(NOW)


def test_a_caller_is_not_printed_with_its_secrets(calls: SignedCalls) -> None:
    calls.accept_token(TOKEN, NOW)

    assert "abc.def" not in repr(calls)


def test_assertion_and_proof_bear_names_of_their_own(calls: SignedCalls) -> None:
    asked = calls.token_request(NOW)
    given = parse_qs(asked.body.decode())["client_assertion"][0]
    names = {jwt.decode(each, options={"verify_signature": False})["jti"] for each in (given, asked.headers["dpop"])}

    # npm oidc-provider keeps both in one list and takes one name for a replay of the other.
    assert len(names) == 2
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(asked.body.decode())["resource"] == [ISSUER]


def test_signature_and_proof_of_a_call_bear_one_name_and_the_proof_is_for_this_call(calls: SignedCalls) -> None:
    calls.accept_token(TOKEN, NOW)
    message = calls.message("GET", "/v1/requests/REQ-1?wait=3", b"", NOW)
    claims = jwt.decode(message.headers["dpop"], options={"verify_signature": False})

    assert claims["jti"] == verify(message, Tag.REQUEST, KEYS.resolve(KeyPurpose.CLIENT), NOW).nonce
    assert (claims["htm"], claims["htu"]) == ("GET", f"{ISSUER}/v1/requests/REQ-1")
    assert claims["ath"] == token_hash("abc.def.ghi")


def test_each_process_proves_by_a_key_of_its_own() -> None:
    keys = [
        jwt.get_unverified_header(SignedCalls(KEY, "oja", ISSUER).token_request(NOW).headers["dpop"])["jwk"]["x"]
        for _ in range(2)
    ]
    assert keys[0] != keys[1]


def test_a_token_for_an_activity_is_kept_beside_the_others(calls: SignedCalls) -> None:
    detail = ActivityDetail.of("AGR-2569-001", "monthly-risk")
    form = parse_qs(calls.token_request(NOW, detail).body.decode())
    assert read_details(form["authorization_details"][0]) == (detail,)
    assert "authorization_details" not in parse_qs(calls.token_request(NOW).body.decode())

    calls.accept_token(TOKEN.replace(b"abc", b"xyz"), NOW, detail)
    assert calls.needs_token(NOW)
    calls.accept_token(TOKEN, NOW)

    assert calls.message("POST", "/v1/requests", b"{}", NOW, detail).headers["authorization"] == "DPoP xyz.def.ghi"
    assert calls.message("GET", "/v1/budget", b"", NOW).headers["authorization"] == "DPoP abc.def.ghi"


def test_tokens_that_the_gateway_no_longer_takes_are_forgotten(calls: SignedCalls) -> None:
    calls.accept_token(TOKEN, NOW)
    calls.forget_tokens()
    assert calls.needs_token(NOW)


def test_expired_tokens_are_not_hoarded(calls: SignedCalls) -> None:
    for number in range(5):
        at = NOW + timedelta(minutes=10 * number)
        calls.accept_token(TOKEN, at, ActivityDetail.of("AGR-2569-001", f"activity-{number}"))
    assert len(calls._tokens) == 1


@pytest.mark.parametrize("kind", ["Bearer", "", "MAC"])
def test_a_token_that_is_not_bound_to_the_own_key_is_not_taken(calls: SignedCalls, kind: str) -> None:
    with pytest.raises(Refused, match="token-invalid") as caught:
        calls.accept_token(TOKEN.replace(b"DPoP", kind.encode()), NOW)
    assert caught.value.details["why"] == "token_type"
    assert calls.needs_token(NOW)


def test_over_a_connection_with_a_certificate_a_token_may_be_bound_to_that_and_needs_no_proof() -> None:
    calls = SignedCalls(KEY, "oja", ISSUER, has_certificate=True)
    calls.accept_token(TOKEN.replace(b"DPoP", b"Bearer"), NOW)
    message = calls.message("GET", "/v1/budget", b"", NOW)

    assert message.headers["authorization"] == "Bearer abc.def.ghi"
    assert "dpop" not in message.headers
