"""A token key is replaced while tokens flow: the next one is published before it signs, the old one outlives its last.

The clock moves; a reader that keeps the published keys as long as it may never meets a token that it cannot check.
"""

from datetime import datetime, timedelta

import jwt
import pytest

from contracts.errors import Refused, Unavailable
from contracts.federation import Federation, KeyPurpose
from contracts.keys import SigningKey, new_key
from gateway.identity.metadata import public_keys
from gateway.identity.token_keys import KEYS_KEPT, OVERLAP, TokenKeys
from gateway.identity.tokens import LIFETIME
from tests.factories import ISSUER, NOW, federation
from tests.token_world import TokenWorld

pytestmark = pytest.mark.unit

KEYS = federation()
OLD, NEXT = new_key("oja#token-1"), new_key("oja#token-2")
MINUTE = timedelta(minutes=1)


def registered(*spans: tuple[SigningKey, datetime, datetime], revoked: str = "") -> Federation:
    """A federation whose token keys are valid as told."""
    public = tuple(
        key.public_key(KeyPurpose.TOKEN, start, end).model_copy(update={"revoked": key.kid == revoked})
        for key, start, end in spans
    )
    members = []
    for member in KEYS.federation.members:
        others = tuple(each for each in member.keys if each.purpose is not KeyPurpose.TOKEN)
        members.append(member.model_copy(update={"keys": (*others, *(public if member.agency == "oja" else ()))}))
    return KEYS.federation.model_copy(update={"members": tuple(members)})


HOUR = timedelta(hours=1)
ROTATED = registered((OLD, NOW - HOUR, NOW + HOUR), (NEXT, NOW, NOW + 24 * HOUR))


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def test_the_next_key_is_published_before_it_signs_and_signs_when_everybody_has_it() -> None:
    keys = TokenKeys(ROTATED, (OLD, NEXT))
    before = NOW - timedelta(seconds=1)
    assert [each["kid"] for each in public_keys(keys, before)["keys"]] == ["oja#token-1"]
    assert [each["kid"] for each in public_keys(keys, NOW)["keys"]] == ["oja#token-1", "oja#token-2"]
    signing = {span: keys.signing(NOW + span)[0].kid for span in (timedelta(0), OVERLAP - MINUTE, OVERLAP, HOUR)}
    assert signing == {
        timedelta(0): "oja#token-1",
        OVERLAP - MINUTE: "oja#token-1",
        OVERLAP: "oja#token-2",
        HOUR: "oja#token-2",
    }


def test_a_reader_that_keeps_the_published_keys_as_long_as_it_may_checks_every_token_of_a_rotation() -> None:
    world = TokenWorld(KEYS, members=ROTATED, signing=(OLD, NEXT))
    world.now = NOW - 20 * MINUTE
    fetched, known, used = world.now, public_keys(world.oauth.issuer.keys, world.now), set()
    tokens: list[tuple[str, datetime]] = []
    while world.now < NOW + HOUR + 20 * MINUTE:
        if world.now - fetched >= KEYS_KEPT:
            fetched, known = world.now, public_keys(world.oauth.issuer.keys, world.now)
        token = world.token()
        tokens.append((token, world.now))
        # The reader outside, by its copy of the keys and with a library of its own.
        jwks = {str(each["kid"]): jwt.PyJWK(each) for each in known["keys"]}
        options: jwt.types.Options = {"verify_exp": False, "verify_iat": False}
        jwt.decode(token, jwks[kid_of(token)], algorithms=["ES256"], audience=ISSUER, options=options)
        # The gateway itself, of all that have not expired.
        for each, issued in tokens:
            if world.now < issued + LIFETIME:
                world.tokens.read(each, world.now)
        used.add(kid_of(token))
        world.later(60)
    assert used == {"oja#token-1", "oja#token-2"}


def test_a_token_lasts_no_longer_than_the_key_that_signed_it() -> None:
    ending = registered((OLD, NOW - HOUR, NOW + 2 * MINUTE))
    world = TokenWorld(KEYS, members=ending, signing=(OLD,))
    token = world.token()
    assert jwt.decode(token, options={"verify_signature": False})["exp"] == int((NOW + 2 * MINUTE).timestamp())
    world.tokens.read(token, NOW + 2 * MINUTE - timedelta(seconds=1))
    with pytest.raises(Refused, match="token-invalid"):
        world.tokens.read(token, NOW + 2 * MINUTE)


def test_in_a_new_federation_the_first_key_signs_at_once() -> None:
    new = registered((OLD, NOW, NOW + HOUR), (NEXT, NOW + MINUTE, NOW + HOUR))
    assert TokenKeys(new, (OLD, NEXT)).signing(NOW)[0].kid == "oja#token-1"
    assert TokenKeys(new, (OLD, NEXT)).signing(NOW + 2 * MINUTE)[0].kid == "oja#token-1"


def test_a_revoked_key_neither_signs_nor_is_believed_from_then_on() -> None:
    world = TokenWorld(KEYS, members=ROTATED, signing=(OLD, NEXT))
    token = world.token()
    after = registered((OLD, NOW - HOUR, NOW + HOUR), (NEXT, NOW, NOW + 24 * HOUR), revoked="oja#token-1")
    changed = TokenWorld(KEYS, members=after, signing=(OLD, NEXT))
    with pytest.raises(Refused, match="key-unknown"):
        changed.tokens.read(token, NOW)
    assert kid_of(changed.token()) == "oja#token-2"
    assert [each["kid"] for each in public_keys(changed.oauth.issuer.keys, NOW)["keys"]] == ["oja#token-2"]


@pytest.mark.parametrize("held", [(), (new_key("oja#token-9"),)])
def test_without_a_registered_key_nothing_is_signed(held: tuple[SigningKey, ...]) -> None:
    with pytest.raises(Unavailable, match="no-token-key"):
        TokenKeys(ROTATED, held).signing(NOW)


def test_a_key_that_this_process_does_not_hold_does_not_sign() -> None:
    assert TokenKeys(ROTATED, (OLD,)).signing(NOW + OVERLAP)[0].kid == "oja#token-1"
