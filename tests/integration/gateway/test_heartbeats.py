"""Leases that heartbeats keep and silence loses, and the version of the protocol at every lease; on both databases."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from contracts.errors import Refused
from contracts.request import RequestState
from contracts.task import Holding, Lease, LeaseCall
from gateway.exchange import Exchange
from gateway.store import relay
from gateway.store.engine import Store
from gateway.store.tables import tasks
from tests import factories
from tests.gateway_world import World

pytestmark = pytest.mark.integration

LEASE = 30.0


def call(world: World, *working: Holding, agency: str = "ccib", most: int = 0) -> Lease:
    """A call for work; by default for none, only a heartbeat."""
    asked = LeaseCall(agency=agency, data_versions={}, wait_seconds=0, most=most, working=working)
    return world.exchange.lease(world.connector(agency), asked)


def leased(world: World) -> Holding:
    """A task in the connector's hand."""
    world.submit(factories.request())
    (task,) = world.lease()
    return Holding(task=task.task.id, attempt=task.attempt)


def leased_until(store: Store, task: str) -> object:
    with store.read() as r:
        row = r.one(select(tasks.c.leased_until).where(tasks.c.id == task))
    assert row is not None
    return row.leased_until


def test_heartbeats_keep_a_lease_for_as_long_as_the_work_takes(world: World) -> None:
    held = leased(world)
    for _ in range(10):
        world.later(LEASE / 2)
        assert call(world, held) == Lease(tasks=())
    assert world.lease() == ()


def test_a_lease_without_heartbeats_is_lost_said_so_and_handed_out_again(world: World) -> None:
    held = leased(world)
    world.later(LEASE)
    assert call(world, held).lost == (held.task,)
    (again,) = world.lease()
    assert (again.task.id, again.attempt) == (held.task, 2)


def test_who_lost_a_lease_does_not_keep_that_of_whoever_has_it_now(world: World) -> None:
    held = leased(world)
    world.later(LEASE)
    (again,) = world.lease()
    world.later(LEASE / 2)
    assert call(world, held).lost == (held.task,)
    world.later(LEASE / 2)
    assert [each.attempt for each in world.lease()] == [again.attempt + 1]


def test_another_agency_keeps_no_lease_alive(world: World) -> None:
    held = leased(world)
    world.later(LEASE / 2)
    assert call(world, held, agency="rtp").lost == (held.task,)
    world.later(LEASE / 2)
    assert len(world.lease()) == 1


def test_what_is_answered_is_not_lost_and_what_was_taken_back_is(world: World) -> None:
    held = leased(world)
    with world.store.read() as r:
        found = relay.held_task(r, held.task)
    assert found is not None
    world.post(world.part(found.task))
    assert call(world, held).lost == ()
    other = Holding(task="TASK-nobody-knows", attempt=1)
    assert call(world, other).lost == (other.task,)


def test_a_task_that_was_closed_without_an_answer_is_lost(world: World) -> None:
    held = leased(world)
    with world.store.transaction() as t:
        relay.close_tasks(t, "REQ-0001", world.now)
    assert call(world, held).lost == (held.task,)


def test_a_lease_is_written_anew_only_when_a_quarter_of_it_is_over(world: World) -> None:
    held = leased(world)
    first = leased_until(world.store, held.task)
    world.later(LEASE / 4 - 1)
    call(world, held)
    assert leased_until(world.store, held.task) == first
    world.later(1)
    call(world, held)
    assert leased_until(world.store, held.task) != first


def test_a_part_that_comes_after_its_lease_was_lost_is_welcome_once(world: World) -> None:
    held = leased(world)
    world.later(LEASE)
    (again,) = world.lease()
    late = world.part(again.task)
    world.post(late)
    world.post(late)
    with pytest.raises(Refused) as other:
        world.post(world.part(again.task, level=7))
    assert other.value.code == "part-already-posted"
    assert call(world, held).lost == ()
    assert world.spent() == factories.request().nano_rho


# ------------------------------------------------------------------ versions


def speaking(world: World, *versions: int) -> Exchange:
    """The same gateway, in a version that speaks these."""
    means = replace(world.exchange.means, settings=replace(world.exchange.means.settings, speaks=versions))
    return Exchange(means, lambda task, *_: f"token for {task.id}")


def ask(world: World, gateway: Exchange, *versions: int) -> Lease:
    asked = LeaseCall(agency="ccib", data_versions={}, wait_seconds=0, speaks=versions)
    return gateway.lease(world.connector(), asked)


@pytest.mark.parametrize(
    ("gateway", "connector", "code"), [((2, 3), (1,), "connector-outdated"), ((1,), (2, 3), "gateway-outdated")]
)
def test_peers_without_a_common_version_lose_nothing_and_the_work_waits(
    world: World, gateway: tuple[int, ...], connector: tuple[int, ...], code: str
) -> None:
    world.submit(factories.request())
    with pytest.raises(Refused) as refused:
        ask(world, speaking(world, *gateway), *connector)
    assert refused.value.code == code
    assert world.exchange.status(world.caller(), "REQ-0001").state is RequestState.WAITING

    upgraded = ask(world, speaking(world, *gateway, *connector), *connector)

    assert [each.attempt for each in upgraded.tasks] == [1]


def test_a_lease_names_the_version_it_is_of_and_all_that_the_gateway_speaks(world: World) -> None:
    world.submit(factories.request())
    lease = ask(world, speaking(world, 1, 2, 3), 1, 2)
    assert (lease.protocol, lease.speaks, len(lease.tasks)) == (2, (1, 2, 3), 1)
