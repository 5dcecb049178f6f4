"""The relay under several connectors and gateway processes, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from contracts.errors import Refused
from gateway.store import relay
from tests import factories
from tests.factories import NOW
from tests.gateway_world import World

pytestmark = pytest.mark.integration


def many_tasks(world: World, number: int) -> None:
    for each in range(number):
        query = factories.query(where={"hour": (f"{each:02d}",)})
        world.submit(factories.request(id=f"REQ-1{each:03d}", query=query, nano_rho=1_000_000))


def test_no_task_is_leased_to_two_at_once(world: World) -> None:
    many_tasks(world, 12)

    def take(_: int) -> list[str]:
        with world.store.transaction() as t:
            return [each.task.id for each in relay.lease(t, "ccib", 2, NOW, NOW + timedelta(seconds=30))]

    with ThreadPoolExecutor(8) as pool:
        taken = [name for names in pool.map(take, range(8)) for name in names]

    assert len(taken) == len(set(taken)) == 12


def test_the_oldest_tasks_go_first_and_no_more_than_asked(world: World) -> None:
    many_tasks(world, 1)
    world.later()
    world.submit(factories.request())

    first, second = world.lease(), world.lease()

    assert [len(first), len(second)] == [2, 0]
    with world.store.transaction() as t:
        (oldest,) = relay.lease(t, "ccib", 1, world.now + timedelta(seconds=31), world.now + timedelta(seconds=60))
    assert oldest.task.id == first[0].task.id


def test_of_two_parts_that_race_one_is_kept(world: World) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()

    def post(level: int) -> str:
        try:
            world.post(world.part(leased.task, level=level))
        except Refused as error:
            return error.code
        return "kept"

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(post, (1, 2, 3, 4)))

    assert sorted(outcomes) == ["kept", *["part-already-posted"] * 3]
    assert (world.spent(), world.reserved()) == (50_000_000, 0)


def test_the_same_part_posted_by_many_is_released_once(world: World) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()
    part = world.part(leased.task)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: world.post(part), range(4)))
        list(pool.map(lambda _: world.exchange.resume(), range(4)))

    world.later()
    assert len(world.exchange.releases(None)) == 1
    assert (world.spent(), world.reserved()) == (50_000_000, 0)


def test_the_same_question_asked_by_many_at_once_is_one_task_and_one_charge(world: World) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: world.submit(factories.request(id=f"REQ-1{n:03d}")), range(6)))

    assert len(world.lease()) == 1
    assert world.reserved() == 50_000_000


def test_a_data_version_never_goes_back(world: World) -> None:
    for version in (3, 2, 3):
        world.versions = {"tpo_complaint": version}
        world.lease()

    with world.store.read() as r:
        assert relay.known_versions(r, "ccib") == {"tpo_complaint": 3}


def test_a_connector_that_asks_often_is_written_down_now_and_then(world: World) -> None:
    world.versions = {"tpo_complaint": 1}
    world.lease()
    world.later(1)
    world.lease()
    (soon,) = world.exchange.connectors()
    world.later(5)
    world.lease()

    (late,) = world.exchange.connectors()

    assert (soon.last_seen, late.last_seen) == (NOW, NOW + timedelta(seconds=6))
