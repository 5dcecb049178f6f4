"""The log says by which policies the gateway permitted or refused."""

import pytest

from contracts.errors import Refused
from contracts.transparency import EventKind
from policies.rules import installed
from tests import factories
from tests.gateway_world import World

pytestmark = pytest.mark.integration


def test_a_permitted_request_is_logged_with_the_digest_of_the_policies(world: World) -> None:
    world.submit(factories.request())

    entry = next(each for each in world.log() if each.kind is EventKind.DATA_REQUESTED)
    assert entry.facts["policy"] == installed().digest


def test_a_refused_request_is_logged_with_the_digest_of_the_policies(world: World) -> None:
    with pytest.raises(Refused, match="price-above-activity"):
        world.submit(factories.request(nano_rho=100_000_001))

    entry = world.log()[-1]
    assert (entry.kind, entry.facts["policy"]) == (EventKind.DATA_REFUSED, installed().digest)
