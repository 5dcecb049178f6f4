"""Revocation (RFC 7009) and introspection (RFC 7662): of the agency's own tokens, and known to every process."""

import json
from datetime import datetime, timedelta
from urllib.parse import urlencode

import pytest
from typing_extensions import override

from contracts.authorization import ActivityDetail
from contracts.calls import ASSERTION_TYPE
from contracts.errors import Refused
from gateway.identity.oauth_calls import OAuthAnswer
from gateway.identity.revocations import Revocations
from tests.factories import ISSUER, NOW, federation
from tests.token_world import CERTIFICATE, TICK, RevokedMemory, TokenWorld, assertion, bound_to, call, proof_key

pytestmark = pytest.mark.unit

KEYS = federation()
CLIENT, CONNECTOR = "oja#client-1", "ccib#connector-1"


def form(world: TokenWorld, token: str, kid: str = CLIENT, jti: str = "once-1", **fields: str) -> bytes:
    given = assertion(KEYS[kid], edit=lambda claims: claims.update(jti=jti), now=world.now)
    return urlencode(
        {"token": token, "client_assertion_type": ASSERTION_TYPE, "client_assertion": given, **fields}
    ).encode()


def said(answer: OAuthAnswer) -> dict[str, object]:
    assert answer.status == 200
    body: dict[str, object] = json.loads(answer.body)
    return body


def error_of(answer: OAuthAnswer) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["error"]


def is_good(world: TokenWorld, token: str) -> bool:
    try:
        world.tokens.read(token, world.now)
    except Refused as refusal:
        if refusal.details["why"] != "revoked":
            raise
        return False
    return True


def test_a_revoked_token_is_refused_at_once_although_it_was_remembered() -> None:
    world = TokenWorld(KEYS)
    token, other = world.token(), world.token()
    assert is_good(world, token)

    assert said(world.oauth.revoke(call(form(world, token)))) == {}

    assert not is_good(world, token)
    assert is_good(world, other)


def test_another_process_refuses_it_one_tick_later_at_the_latest() -> None:
    shared = RevokedMemory()
    here, there = TokenWorld(KEYS, shared=shared), TokenWorld(KEYS, shared=shared)
    token = here.token()
    assert is_good(there, token)
    here.oauth.revoke(call(form(here, token)))

    there.now += TICK - timedelta(microseconds=1)
    assert is_good(there, token)
    there.now += timedelta(microseconds=1)
    assert not is_good(there, token)


def test_the_list_is_read_once_a_tick_however_many_calls_come() -> None:
    world = TokenWorld(KEYS)
    token = world.token()
    for _ in range(100):
        is_good(world, token)
    assert world.shared.reads == 1
    world.now += TICK
    is_good(world, token)
    assert world.shared.reads == 2


def test_a_clock_that_goes_back_has_the_list_read_again() -> None:
    world = TokenWorld(KEYS)
    token = world.token()
    is_good(world, token)
    world.now -= timedelta(seconds=1)
    is_good(world, token)
    assert world.shared.reads == 2


def test_nobody_gets_in_while_the_list_cannot_be_read() -> None:
    class Broken(RevokedMemory):
        @override
        def all(self, now: datetime) -> frozenset[str]:
            raise ConnectionError

    world = TokenWorld(KEYS, shared=Broken())
    with pytest.raises(ConnectionError):
        world.tokens.read(world.token(), NOW)


def test_what_was_revoked_here_stays_so_when_the_list_is_read_again() -> None:
    revocations = Revocations(RevokedMemory(), TICK)
    revocations.revoke("jti-1", NOW + timedelta(minutes=5), NOW)
    assert revocations.holds("jti-1", NOW)
    assert revocations.holds("jti-1", NOW + 2 * TICK)
    assert not revocations.holds("jti-1", NOW + timedelta(minutes=5))


def test_a_token_is_cleared_only_by_a_list_that_is_fresh_and_without_reading_it() -> None:
    shared = RevokedMemory()
    revocations = Revocations(shared, TICK)
    assert not revocations.clears("jti-1", NOW)
    assert not revocations.holds("jti-1", NOW)
    just_before = NOW + TICK - timedelta(microseconds=1)
    assert revocations.clears("jti-1", just_before)
    assert not revocations.clears("jti-1", NOW + TICK)
    assert not revocations.clears("jti-1", NOW - timedelta(microseconds=1))
    revocations.revoke("jti-1", NOW + timedelta(minutes=5), NOW)
    assert not revocations.clears("jti-1", just_before)
    assert revocations.clears("jti-2", just_before)
    assert shared.reads == 1


def test_a_remembered_token_is_recalled_no_more_once_it_is_revoked() -> None:
    world = TokenWorld(KEYS)
    token = world.token()
    assert not world.tokens.remembers(token, world.now)
    assert is_good(world, token)
    assert world.tokens.remembers(token, world.now)
    assert said(world.oauth.revoke(call(form(world, token)))) == {}
    assert not world.tokens.remembers(token, world.now)


def test_a_token_of_another_agency_is_not_revoked() -> None:
    world = TokenWorld(KEYS)
    token = world.token(CLIENT)
    assert error_of(world.oauth.revoke(call(form(world, token, CONNECTOR)))) == (400, "invalid_grant")
    assert is_good(world, token)


@pytest.mark.parametrize("token", ["", "no.token.here", "x" * 5000])
def test_revoking_what_is_no_token_does_nothing(token: str) -> None:
    world = TokenWorld(KEYS)
    answer = world.oauth.revoke(call(form(world, token or "-")))
    assert said(answer) == {}
    assert not world.shared.rows


def test_a_token_is_introspected_by_its_own_agency() -> None:
    world, key = TokenWorld(KEYS), proof_key()
    detail = ActivityDetail.of("AGR-2569-001", "monthly-risk")
    token = world.oauth.issuer.access_token(CLIENT, bound_to(key), NOW, (detail,)).text
    issued = int(NOW.timestamp())
    assert said(world.oauth.introspect(call(form(world, token)))) == {
        "active": True,
        "iss": ISSUER,
        "aud": ISSUER,
        "sub": CLIENT,
        "client_id": CLIENT,
        "jti": "jti-1",
        "iat": issued,
        "exp": issued + 300,
        "token_type": "DPoP",
        "cnf": {"jkt": key.thumbprint},
        "authorization_details": [detail.model_dump()],
    }
    by_certificate = said(world.oauth.introspect(call(form(world, world.token(), jti="once-2"))))
    assert (by_certificate["token_type"], by_certificate["cnf"]) == ("Bearer", {"x5t#S256": CERTIFICATE})
    assert "authorization_details" not in by_certificate


def test_of_any_other_token_nobody_learns_more_than_that_it_is_not_active() -> None:
    world = TokenWorld(KEYS)
    mine, expired = world.token(CLIENT), world.token(CLIENT)
    world.oauth.revoke(call(form(world, mine)))
    assert said(world.oauth.introspect(call(form(world, mine, jti="once-2")))) == {"active": False}
    assert said(world.oauth.introspect(call(form(world, world.token(), CONNECTOR)))) == {"active": False}
    assert said(world.oauth.introspect(call(form(world, "no.token.here", jti="once-3")))) == {"active": False}
    world.later(300)
    assert said(world.oauth.introspect(call(form(world, expired, jti="once-4")))) == {"active": False}


@pytest.mark.parametrize("endpoint", ["revoke", "introspect"])
def test_both_need_an_assertion_that_is_new(endpoint: str) -> None:
    world = TokenWorld(KEYS)
    token = world.token()
    ask = getattr(world.oauth, endpoint)
    assert error_of(ask(call(urlencode({"token": token}).encode()))) == (400, "invalid_client")
    assert error_of(ask(call(urlencode({"token": token, "client_id": CLIENT}).encode()))) == (400, "invalid_client")
    assert is_good(world, token)

    bent = form(world, token).replace(b"client_assertion=ey", b"client_assertion=fy")
    assert error_of(ask(call(bent))) == (400, "invalid_client")
    assert ask(call(form(world, world.token(), jti="used"))).status == 200
    assert error_of(ask(call(form(world, token, jti="used")))) == (400, "invalid_client")
    assert is_good(world, token)


@pytest.mark.parametrize("endpoint", ["revoke", "introspect"])
def test_what_is_no_such_form_is_refused(endpoint: str) -> None:
    world = TokenWorld(KEYS)
    ask = getattr(world.oauth, endpoint)
    assert error_of(ask(call(b"\xff"))) == (400, "invalid_request")
    without = form(world, "x").replace(b"token=x&", b"")
    assert error_of(ask(call(without))) == (400, "invalid_request")
    hinted = form(world, world.token(), jti="once-2", token_type_hint="refresh_token")  # noqa: S106  # a hint
    assert ask(call(hinted)).status == 200
