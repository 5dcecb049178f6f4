"""kill -9 at every named point, then a new gateway over the same store (invariant 5)."""

from datetime import timedelta

import pytest

from contracts.errors import InvalidInput
from contracts.request import RequestState
from contracts.transparency import EventKind
from gateway.crash import CrashPoint, kill_at, never
from tests import factories
from tests.factories import NOW
from tests.gateway_world import Killed, World, killed_at

pytestmark = pytest.mark.integration

ON_SUBMIT = (
    CrashPoint.BEFORE_RECEIVED,
    CrashPoint.AFTER_RECEIVED,
    CrashPoint.BEFORE_RESERVED,
    CrashPoint.AFTER_RESERVED,
)
ON_LEASE = (CrashPoint.BEFORE_LEASED, CrashPoint.AFTER_LEASED)
ON_PART = (
    CrashPoint.BEFORE_PART,
    CrashPoint.AFTER_PART,
    CrashPoint.AFTER_ASSEMBLED,
    CrashPoint.BEFORE_SETTLED,
    CrashPoint.AFTER_SETTLED,
)
ON_SUSPENSION = (CrashPoint.BEFORE_SUSPENDED, CrashPoint.AFTER_SUSPENDED)
"""Tried in test_suspensions.py."""


def test_every_crash_point_is_tried() -> None:
    assert set(ON_SUBMIT + ON_LEASE + ON_PART + ON_SUSPENSION) == set(CrashPoint)


def finish_and_check(world: World) -> None:
    """The rest of the line goes as if nothing had happened, and happens once."""
    world.exchange.resume()
    world.later(31)
    world.answer()
    world.later()
    done = world.exchange.status(world.caller(), "REQ-0001")
    assert done.state is RequestState.RELEASED
    assert (world.spent(), world.reserved()) == (50_000_000, 0)
    assert world.kinds().count(EventKind.DATA_REQUESTED) == 1
    assert world.kinds().count(EventKind.DATA_RELEASED) == 1
    assert world.audited() == len(world.log())


@pytest.mark.parametrize("point", ON_SUBMIT)
def test_a_kill_while_a_request_comes_in_loses_and_charges_nothing(world: World, point: CrashPoint) -> None:
    world.restart(killed_at(point))
    caller = world.caller()
    with pytest.raises(Killed):
        world.submit(factories.request(), caller)
    world.restart()

    if point is CrashPoint.BEFORE_RECEIVED:
        with pytest.raises(InvalidInput, match="unknown-request"):
            world.exchange.status(world.caller(), "REQ-0001")
        world.submit(factories.request(), caller)  # it was not acknowledged; its nonce is not spent either
    else:
        world.exchange.resume()
        assert world.submit(factories.request()).state is RequestState.WAITING

    finish_and_check(world)


@pytest.mark.parametrize("point", ON_LEASE)
def test_a_kill_while_a_task_is_leased_only_delays_it(world: World, point: CrashPoint) -> None:
    world.submit(factories.request())
    world.restart(killed_at(point))
    with pytest.raises(Killed):
        world.lease()

    world.restart()

    finish_and_check(world)


@pytest.mark.parametrize("point", ON_PART)
def test_a_kill_while_a_part_comes_in_releases_once(world: World, point: CrashPoint) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()
    part = world.part(leased.task)
    world.restart(killed_at(point))
    with pytest.raises(Killed):
        world.post(part)
    world.restart()

    world.post(part)

    finish_and_check(world)


@pytest.mark.parametrize("point", ON_PART[1:])
def test_a_part_that_was_kept_is_released_without_being_sent_again(world: World, point: CrashPoint) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()
    world.restart(killed_at(point))
    with pytest.raises(Killed):
        world.post(world.part(leased.task))
    world.restart()

    finish_and_check(world)


@pytest.mark.parametrize("point", [CrashPoint.BEFORE_SETTLED, CrashPoint.AFTER_SETTLED])
def test_a_kill_while_a_refusal_ends_a_request_returns_its_reservation_once(world: World, point: CrashPoint) -> None:
    for name in ("REQ-0001", "REQ-0002"):
        world.submit(factories.request(id=name))
    (leased,) = world.lease()
    world.restart(killed_at(point))
    with pytest.raises(Killed):
        world.post(world.refusal(leased.task))

    world.restart().resume()

    world.later()
    assert world.exchange.status(world.caller(), "REQ-0001").state is RequestState.REFUSED
    assert (world.spent(), world.reserved()) == (0, 50_000_000)  # of the second, which had joined
    assert len(world.lease()) == 1


def test_two_gateways_that_finish_the_same_request_release_it_once(world: World) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()
    part, other = world.part(leased.task), World(world.store, world.keys)

    def the_other_is_faster(point: CrashPoint) -> None:
        if point is CrashPoint.AFTER_ASSEMBLED:
            other.exchange.resume()

    world.restart(the_other_is_faster)
    world.post(part)

    finish_and_check(world)


@pytest.mark.parametrize("point", [CrashPoint.AFTER_RECEIVED, CrashPoint.AFTER_PART])
def test_what_the_other_gateway_has_carried_on_is_left_alone(world: World, point: CrashPoint) -> None:
    other = World(world.store, world.keys)

    def the_other_is_faster(reached: CrashPoint) -> None:
        if reached is point:
            other.exchange.resume()

    world.restart(the_other_is_faster)
    assert world.submit(factories.request()).state is RequestState.WAITING
    (leased,) = world.lease()
    world.post(world.part(leased.task))

    finish_and_check(world)


def test_who_joined_goes_on_when_its_leader_may_no_longer_be_asked(world: World) -> None:
    for name in ("REQ-0001", "REQ-0002", "REQ-0003"):
        until = NOW + timedelta(days=1 if name != "REQ-0003" else 7)
        world.submit(factories.request(id=name, deliver_until=until))
    (leased,) = world.lease()
    refusal = world.refusal(leased.task)
    world.later(2 * 86_400)

    world.post(refusal)

    world.later()
    states = [world.exchange.status(world.caller(), f"REQ-000{n}").state for n in (1, 2, 3)]
    assert states == [RequestState.REFUSED, RequestState.REFUSED, RequestState.WAITING]
    assert (world.spent(), world.reserved()) == (0, 50_000_000)


def test_resuming_again_and_again_changes_nothing(world: World) -> None:
    world.submit(factories.request())
    world.answer()
    log = world.log()

    for _ in range(3):
        world.exchange.resume()

    assert world.log() == log
    assert (world.spent(), world.reserved()) == (50_000_000, 0)


def test_the_hook_kills_at_its_own_point_only() -> None:
    never(CrashPoint.AFTER_PART)
    kill_at(CrashPoint.AFTER_PART)(CrashPoint.BEFORE_PART)
