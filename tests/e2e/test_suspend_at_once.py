"""Emergency suspension with real programs: in force at the gateway at once, at a connected connector within 5 seconds.

The promise is 5 seconds from the gateway's acceptance; a restart of either program keeps it.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from connectors.journal.book import Journal
from connectors.orders import standing_orders
from contracts.errors import Refused
from contracts.request import RequestState
from contracts.suspension import Order, Suspension, SuspensionView
from gateway import suspension_calls
from gateway.client import Gateway
from saphan.connector_commands import app
from tests.process_world import ProcessWorld, new_process_world

pytestmark = pytest.mark.e2e

AT_MOST_SECONDS = 5.0


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessWorld]:
    set_up = new_process_world(tmp_path_factory.mktemp("world"))
    yield set_up
    set_up.stop()


def ccib(world: ProcessWorld) -> Gateway:
    """A line of CCIB to the gateway."""
    key = world.set_up.homes["ccib"].key("ccib#connector-1")
    return Gateway(world.set_up.address, key, "ccib", world.set_up.federation)


def order(world: ProcessWorld, name: str, what: Order, *people: str) -> SuspensionView:
    """CCIB's people order; given when the gateway has accepted it."""
    given = Suspension(id=name, order=what, by="ccib", agency="ccib", at=datetime.now(UTC), reason="an exercise")
    keys = [world.set_up.homes["ccib"].key(f"ccib#{each}") for each in people]
    with ccib(world) as line:
        return suspension_calls.order(line, given, *keys)


def known_at_connector(world: ProcessWorld) -> set[str]:
    """What stands as CCIB's journal knows it, read as its commands read it."""
    journal = Journal(world.set_up.homes["ccib"].journal)
    names = {each.id for each in standing_orders(journal)}
    journal.close()
    return names


def seconds_until_known(world: ProcessWorld, name: str, *, stands: bool) -> float:
    began = time.monotonic()
    world.until(lambda: (name in known_at_connector(world)) is stands, f"the connector knows of {name}")
    return time.monotonic() - began


def refusal_of_new_request(world: ProcessWorld) -> set[str]:
    with world.client as client:
        request = world.request(client)
        with pytest.raises(Refused) as refused:
            client.submit(request)
    return {each.code for each in refused.value.reasons}


def test_a_suspension_is_in_force_everywhere_within_5_seconds_outlives_both_programs_and_is_lifted_by_two(
    world: ProcessWorld,
) -> None:
    world.start_gateway()
    world.start_connector()
    with world.client as client:
        warm = world.request(client)
    assert world.answered(warm).release.body.request_id == warm.id

    order(world, "sus-exercise-1", Order.SUSPEND, "steward-1")
    took = seconds_until_known(world, "sus-exercise-1", stands=True)
    assert took < AT_MOST_SECONDS
    assert refusal_of_new_request(world) == {"agency-suspended"}

    world.kill("connector")
    world.kill("gateway")
    world.start_gateway()
    world.start_connector()
    assert refusal_of_new_request(world) == {"agency-suspended"}
    assert known_at_connector(world) == {"sus-exercise-1"}

    with pytest.raises(Refused, match="suspension-signers-wrong"):
        order(world, "sus-exercise-1", Order.LIFT, "officer-1")
    order(world, "sus-exercise-1", Order.LIFT, "officer-1", "dpo-1")
    assert seconds_until_known(world, "sus-exercise-1", stands=False) < AT_MOST_SECONDS
    with world.client as client:
        again = world.request(client)
    assert world.answered(again).release.body.request_id == again.id


def test_an_agency_suspends_itself_while_the_gateway_is_down_and_the_gateway_learns_of_it(world: ProcessWorld) -> None:
    world.kill("gateway")
    world.start_connector()
    home = str(world.set_up.homes["ccib"].path)
    run = CliRunner()

    done = run.invoke(app, ["suspend", "tpo_complaint", "--reason", "an exercise", "--home", home, "--json"])
    assert done.exit_code == 0, done.output
    (name,) = known_at_connector(world)
    world.start_gateway()
    world.until(lambda: refused_at_gateway(world), "the gateway has heard of the suspension")

    lifted = run.invoke(app, ["lift", name, "--reason", "it is over", "--home", home, "--json"])
    assert lifted.exit_code == 0, lifted.output
    with world.client as client:
        request = world.request(client)
    assert world.answered(request).release.body.request_id == request.id


def refused_at_gateway(world: ProcessWorld) -> bool:
    with ccib(world) as line:
        return any(each.lifted_at is None for each in suspension_calls.all_suspensions(line))


def test_a_request_that_was_out_is_held_back_and_released_after_the_lift(world: ProcessWorld) -> None:
    world.start_gateway()
    world.kill("connector")
    with world.client as client:
        request = world.request(client)
        client.submit(request)
    order(world, "sus-exercise-3", Order.SUSPEND, "officer-1")
    world.start_connector()
    seconds_until_known(world, "sus-exercise-3", stands=True)
    with world.client as client:
        waiting = client.submit(request)

    order(world, "sus-exercise-3", Order.LIFT, "officer-1", "steward-1")

    assert (waiting.state, waiting.waiting_for) == (RequestState.WAITING, ("ccib",))
    assert world.answered(request).release.body.request_id == request.id
