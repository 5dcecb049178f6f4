"""Invariants 2 and 5 with real programs: kill -9 at each crash point, then start again.

No request that was acknowledged is lost, and neither ledger nor journal is charged twice.
"""

import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from connectors.crash import CrashPoint as ConnectorCrash
from contracts.errors import Unavailable
from contracts.request import RequestState
from gateway.audit_calls import audit_verify
from gateway.crash import CrashPoint as GatewayCrash
from tests.process_world import PRICE, ProcessWorld, new_process_world

pytestmark = pytest.mark.e2e

SHOWN_WITHIN = 60
NOT_ANSWERING = ("refusal", "notices", "order", "sent", "pending", "decision")
"""Reached only by refused tasks, by notices, orders and officers' decisions; the integration tests kill there."""

SUSPENSIONS = {GatewayCrash.BEFORE_SUSPENDED, GatewayCrash.AFTER_SUSPENDED}
"""Reached only by orders to suspend; the integration tests kill there."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessWorld]:
    set_up = new_process_world(tmp_path_factory.mktemp("world"))
    yield set_up
    set_up.stop()


@pytest.fixture
def up(world: ProcessWorld) -> Iterator[ProcessWorld]:
    """The world with both programs running, whatever the test before did to them."""
    if "gateway" not in world.programs:
        world.start_gateway()
    if "connector" not in world.programs:
        world.start_connector()
    yield world
    for name, program in list(world.programs.items()):
        if program.poll() is not None:
            world.kill(name)


@pytest.mark.parametrize("point", [each for each in GatewayCrash if each not in SUSPENSIONS])
def test_a_killed_gateway_loses_no_request_and_charges_once(up: ProcessWorld, point: GatewayCrash) -> None:
    before, journal_before = up.spent(), up.spent_by_journal()
    with up.client as client:
        request = up.request(client)
    up.start_gateway(crash_at=point)
    with up.client as client, suppress(Unavailable):
        client.submit(request)
    up.wait_for_death("gateway")

    up.start_gateway()
    result = up.answered(request)

    assert result.release.body.request_id == request.id
    assert up.spent() - before == PRICE
    assert up.spent_by_journal() - journal_before == PRICE
    with up.client as client:
        deadline = time.monotonic() + SHOWN_WITHIN
        # A checkpoint stays on show until the witnesses have it, or for long enough.
        while audit_verify(client) == 0 and time.monotonic() < deadline:
            time.sleep(1)
        assert audit_verify(client) > 0


@pytest.mark.parametrize("point", [each for each in ConnectorCrash if not each.startswith(NOT_ANSWERING)])
def test_a_killed_connector_charges_once_and_answers_after_its_return(up: ProcessWorld, point: ConnectorCrash) -> None:
    before, journal_before = up.spent(), up.spent_by_journal()
    up.start_connector(crash_at=point)
    with up.client as client:
        request = up.request(client)
        client.submit(request)
    up.wait_for_death("connector")

    up.start_connector()
    result = up.answered(request)

    assert result.release.body.request_id == request.id
    assert up.spent() - before == PRICE
    assert up.spent_by_journal() - journal_before == PRICE


def test_a_request_waits_for_an_agency_that_is_down_and_goes_on_when_it_returns(up: ProcessWorld) -> None:
    up.kill("connector")
    with up.client as client:
        request = up.request(client)
        client.submit(request)
        with pytest.raises(Unavailable) as waiting:
            client.wait(request.id, 1)

    up.start_connector()

    assert waiting.value.code == "waiting-for-agency"
    assert waiting.value.details["agency"] == "ccib"
    assert up.answered(request).release.body.request_id == request.id


def test_a_gateway_that_was_killed_while_it_waited_still_knows_for_whom(up: ProcessWorld) -> None:
    up.kill("connector")
    with up.client as client:
        request = up.request(client)
        client.submit(request)
    up.kill("gateway")

    up.start_gateway()
    with up.client as client:
        status = client.submit(request)

    assert (status.state, status.waiting_for) == (RequestState.WAITING, ("ccib",))
    up.start_connector()
    assert up.answered(request).release.body.request_id == request.id
