"""``saphan token``: what a member sees of a token of its own, and how it has one refused."""

import json
from collections.abc import Iterator

import httpx2
import pytest

from contracts.authorization import ActivityDetail
from contracts.errors import Refused, Unavailable
from gateway.client import Gateway
from gateway.token_calls import introspect, revoke
from tests import factories
from tests.api_world import ApiWorld, running
from tests.gateway_world import AGREEMENT
from tests.lines import line_into

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    with running(tmp_path_factory.mktemp("gateway") / "home") as started:
        yield started


def token_of(world: ApiWorld, kid: str = "oja#client-1", detail: ActivityDetail | None = None) -> str:
    member = world.member(kid)
    asked = member.calls.token_request(world.now, detail)
    answer = world.http.post(asked.path, content=asked.body, headers=dict(asked.headers))
    return str(answer.json()["access_token"])


def test_a_token_is_described_until_it_is_revoked(world: ApiWorld) -> None:
    gateway, detail = world.gateway(), ActivityDetail.of(AGREEMENT.id, factories.ACTIVITY)
    token = token_of(world, detail=detail)
    view = introspect(gateway, token)
    assert (view.active, view.client_id, view.authorization_details) == (True, "oja#client-1", (detail,))

    revoke(gateway, token)

    assert introspect(gateway, token).model_dump(exclude_none=True) == {"active": False, "authorization_details": ()}


def test_of_another_agencys_token_it_says_nothing_and_revokes_nothing(world: ApiWorld) -> None:
    token = token_of(world, "ccib#connector-1")
    assert not introspect(world.gateway(), token).active
    with pytest.raises(Refused, match="token-invalid") as caught:
        revoke(world.gateway(), token)
    assert caught.value.details["why"] == "invalid_grant"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"[]", Unavailable),
        (200, b'{"active":true,"more":1}', Unavailable),
        (400, b"<html>", Refused),
        (400, json.dumps({"error": "<script>"}).encode(), Refused),
    ],
)
def test_an_answer_that_is_none_is_not_believed(
    world: ApiWorld, status: int, body: bytes, kind: type[Exception]
) -> None:
    line = line_into(lambda _: httpx2.Response(status, content=body))
    key = world.keys["oja#client-1"]
    gateway = Gateway("http://testserver", key, "oja", world.keys.federation, clock=lambda: world.now, line=line)
    with pytest.raises(kind) as caught:
        introspect(gateway, "a.b.c")
    assert "script" not in str(caught.value)
