"""A connector whose token the gateway no longer takes obtains another before its next call."""

from pathlib import Path

import httpx2
import pytest

from connectors.agent import Channel
from contracts.calls import SignedCalls
from contracts.errors import Refused, SaphanError
from contracts.task import LeaseCall
from tests import factories
from tests.connector_world import World
from tests.factories import ISSUER
from tests.fake_gateway import FakeGateway
from tests.lines import line_into

pytestmark = pytest.mark.integration

CALL = LeaseCall(agency="ccib", data_versions={}, wait_seconds=0)


def test_after_a_revocation_the_next_call_goes_with_a_new_token(tmp_path: Path) -> None:
    world = World(tmp_path, factories.federation())
    gateway = FakeGateway(world.keys)
    refuses: list[int] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        if refuses and request.url.path != "/v1/token":
            problem = Refused("token-invalid", why="revoked").problem()
            return httpx2.Response(refuses.pop(), content=problem.model_dump_json())
        return gateway.handle(request)

    calls = SignedCalls(world.keys["ccib#connector-1"], "ccib", ISSUER)
    channel = Channel(line_into(handle), calls, world.guard(), world.clock)
    channel.lease(CALL)
    channel.lease(CALL)
    assert gateway.tokens_given == 1

    refuses.append(401)
    with pytest.raises(SaphanError, match="token-invalid"):
        channel.lease(CALL)
    channel.lease(CALL)
    assert gateway.tokens_given == 2

    refuses.append(403)
    with pytest.raises(SaphanError):
        channel.lease(CALL)
    channel.lease(CALL)
    assert gateway.tokens_given == 2
    world.journal.close()
