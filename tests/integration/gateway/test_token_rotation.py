"""A gateway whose home holds the next token key changes over by the clock alone, and no call is refused on the way."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import jwt
import pytest

from contracts.errors import InvalidInput
from contracts.federation import Federation, KeyPurpose
from contracts.keys import SoftwareKey, key_file_name, new_key
from gateway.home import GatewayHome
from gateway.identity.token_keys import OVERLAP
from tests import factories
from tests.api_world import ApiWorld, Member, make_home, send
from tests.factories import NOW, Keys

pytestmark = pytest.mark.integration

NEXT = new_key("oja#token-2")
BEGINS = NOW + timedelta(minutes=3)


def with_next_key(keys: Keys) -> Keys:
    """The federation with one more token key of the operator, which begins soon."""
    public = NEXT.public_key(KeyPurpose.TOKEN, BEGINS, BEGINS + timedelta(days=30))
    members = tuple(
        each.model_copy(update={"keys": (*each.keys, public)}) if each.agency == "oja" else each
        for each in keys.federation.members
    )
    federation: Federation = keys.federation.model_copy(update={"members": members})
    return replace(keys, federation=federation)


def keep_key(home: Path, key: SoftwareKey) -> None:
    (home / "keys" / key_file_name(key.kid)).write_bytes(key.to_pem())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ApiWorld]:
    home = tmp_path / "home"
    (home / "keys").mkdir(parents=True)
    keep_key(home, NEXT)
    world = ApiWorld(home, with_next_key(factories.federation()))
    with world.http:
        yield world


def kid_of(member: Member) -> str:
    """The key that signed the token of the member's next call, which the gateway takes."""
    call = member.message("GET", "/v1/budget")
    assert send(member.world.http, call).status_code == 200
    return str(jwt.get_unverified_header(call.headers["authorization"].removeprefix("DPoP "))["kid"])


def published(world: ApiWorld) -> list[str]:
    answer = world.http.get("/.well-known/jwks.json")
    assert answer.headers["cache-control"] == "max-age=300"
    return [each["kid"] for each in answer.json()["keys"]]


def test_the_next_key_is_shown_then_signs_and_tokens_of_both_are_taken(world: ApiWorld) -> None:
    old = world.member()
    assert (published(world), kid_of(old)) == (["oja#token-1"], "oja#token-1")

    world.now = BEGINS
    assert published(world) == ["oja#token-1", "oja#token-2"]
    assert kid_of(world.member()) == "oja#token-1"

    world.now = BEGINS + OVERLAP - timedelta(seconds=1)
    last_of_the_old = world.member()
    assert kid_of(last_of_the_old) == "oja#token-1"

    world.now = BEGINS + OVERLAP
    assert kid_of(world.member()) == "oja#token-2"
    assert kid_of(last_of_the_old) == "oja#token-1"


def test_a_home_gives_every_token_key_that_may_sign_now_or_later_and_lies_here(tmp_path: Path) -> None:
    keys, path = with_next_key(factories.federation()), tmp_path / "home"
    make_home(path, keys)
    home = GatewayHome(path)
    assert [each.kid for each in home.token_keys(keys.federation, NOW)] == ["oja#token-1"]
    keep_key(path, NEXT)
    assert [each.kid for each in home.token_keys(keys.federation, NOW)] == ["oja#token-1", "oja#token-2"]
    with pytest.raises(InvalidInput, match="key-not-held"):
        home.token_keys(keys.federation, NOW - timedelta(days=4000))
