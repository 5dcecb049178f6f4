"""On SQLite, which passes nothing on, the store tells its own process what each committed change is about."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contracts.request import RequestState
from gateway.store import notices, requests
from gateway.store.engine import Store, Transaction
from tests import factories
from tests.gateway_world import World, new_world
from tests.migrated_store import write_migrated

pytestmark = pytest.mark.integration

Told = list[tuple[str, ...]]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    write_migrated(tmp_path / "gateway.db")
    made = new_world(f"sqlite:///{tmp_path / 'gateway.db'}")
    yield made
    made.store.close()


@pytest.fixture
def told(world: World) -> Told:
    heard: Told = []
    world.store.tell_here = lambda *topics: heard.append(topics)
    return heard


Change = Callable[[World, Transaction], object]
CHANGES: dict[str, tuple[Change, str]] = {
    "everybody must hear": (lambda world, t: notices.add(t, "a document", world.now, None), "agencies"),
    "one agency must hear": (lambda world, t: notices.add(t, "a document", world.now, ["rtp"]), "agency rtp"),
}


@pytest.mark.parametrize(("change", "topic"), CHANGES.values(), ids=CHANGES.keys())
def test_what_others_wait_for_is_told_once_it_is_committed(
    world: World, told: Told, change: Change, topic: str
) -> None:
    world.submit(factories.request())
    assert told == [("agency ccib",)]
    told.clear()
    with world.store.transaction() as t:
        change(world, t)
        assert told == []
    assert told == [(topic,)]


def test_how_a_request_gets_on_is_told_to_nobody_for_it_shows_on_a_tick(world: World, told: Told) -> None:
    world.submit(factories.request())
    told.clear()
    world.answer()
    with world.store.read() as r:
        held = requests.find(r, "REQ-0001")
    assert held is not None
    assert held.state is RequestState.RELEASED
    assert told == []


def test_whoever_is_told_finds_the_change_there_and_may_write_himself(world: World) -> None:
    seen: list[bool] = []

    def look(*_: str) -> None:
        with world.store.transaction() as t:
            seen.append(requests.lock_request(t, "REQ-0001") is not None)

    world.store.tell_here = look
    world.submit(factories.request())
    assert seen == [True]


def test_what_was_taken_back_is_not_told(world: World, told: Told) -> None:
    def tell_and_fail() -> None:
        with world.store.transaction() as t:
            t.tell("agencies")
            raise RuntimeError("taken back")

    with pytest.raises(RuntimeError, match="taken back"):
        tell_and_fail()
    with world.store.transaction():
        pass
    assert told == []


def test_many_changes_of_one_transaction_are_told_together(world: World, told: Told) -> None:
    with world.store.transaction() as t:
        for number in range(60):
            t.tell(f"agency a{number % 3}")
    assert told == [("agency a0", "agency a1", "agency a2")]


def test_nobody_needs_to_listen(world: World) -> None:
    store = Store(str(world.store.engine.url))
    with store.transaction() as t:
        t.tell("agencies")
    store.close()
