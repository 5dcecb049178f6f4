"""PostgreSQL tells every gateway process what one of them has committed, and lets one of them lead."""

import time
from collections.abc import Callable, Iterator
from threading import Event

import psycopg
import pytest
from sqlalchemy import create_engine
from typing_extensions import override

from contracts.request import RequestState
from gateway.store import notices
from gateway.store.engine import Store, Transaction
from gateway.store.wakeups import Wakeups, wakeups_of
from tests import factories
from tests.gateway_world import World, new_world

pytestmark = pytest.mark.integration

SOON = 10.0


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


class Ears:
    """Another process that listens to the same database."""

    def __init__(self, store: Store) -> None:
        self.rung = Event()
        self.heard: list[tuple[str, ...]] = []
        made = wakeups_of(store.engine, self.hear)
        assert made is not None
        self.wakeups: Wakeups = made
        self.wakeups.start()
        until(lambda: self.wakeups.hears and self.rung.is_set())  # the ring of every new connection
        self.forget()

    def hear(self, *topics: str) -> None:
        # Other processes' probes come along; nobody waits for them.
        told = tuple(each for each in topics if not each.startswith("probe "))
        if told or not topics:
            self.heard.append(told)
            self.rung.set()

    def forget(self) -> None:
        self.rung.clear()
        self.heard.clear()


@pytest.fixture
def world(migrated_database: str) -> Iterator[World]:
    made = new_world(migrated_database)
    yield made
    made.store.close()


@pytest.fixture
def ears(world: World) -> Iterator[Ears]:
    made = Ears(world.store)
    yield made
    made.wakeups.stop()


Change = Callable[[World, Transaction], object]
CHANGES: dict[str, tuple[Change, str]] = {
    "everybody must hear": (lambda world, t: notices.add(t, "a document", world.now, None), "agencies"),
    "one agency must hear": (lambda world, t: notices.add(t, "a document", world.now, ["rtp"]), "agency rtp"),
}


@pytest.mark.parametrize(("change", "topic"), CHANGES.values(), ids=CHANGES.keys())
def test_what_others_wait_for_is_told_when_it_commits_and_not_before(
    world: World, ears: Ears, change: Change, topic: str
) -> None:
    world.submit(factories.request())
    until(ears.rung.is_set)
    time.sleep(0.1)
    ears.forget()
    with world.store.transaction() as t:
        change(world, t)
        assert not ears.rung.wait(0.3)
    assert ears.rung.wait(SOON)
    assert ears.heard == [(topic,)]


def test_new_tasks_are_told(world: World, ears: Ears) -> None:
    world.submit(factories.request())
    assert ears.rung.wait(SOON)
    assert ears.heard == [("agency ccib",)]
    assert world.exchange.status(world.caller(), "REQ-0001").state is RequestState.WAITING


def test_what_was_taken_back_is_not_told(world: World, ears: Ears) -> None:
    def tell_and_fail() -> None:
        with world.store.transaction() as t:
            t.tell("agencies")
            raise RuntimeError("taken back")

    with pytest.raises(RuntimeError, match="taken back"):
        tell_and_fail()
    assert not ears.rung.wait(0.3)


def test_many_changes_of_one_transaction_are_told_together(world: World, ears: Ears) -> None:
    with world.store.transaction() as t:
        for number in range(60):
            t.tell(f"agency a{number % 3}")
    assert ears.rung.wait(SOON)
    time.sleep(0.3)
    assert [sorted(each) for each in ears.heard] == [["agency a0", "agency a1", "agency a2"]]


def test_one_process_leads_and_another_when_it_is_gone(world: World, ears: Ears) -> None:
    until(lambda: ears.wakeups.leads)
    other = Ears(world.store)
    assert other.wakeups.hears
    assert not other.wakeups.leads
    ears.wakeups.stop()
    until(lambda: other.wakeups.leads)
    assert not ears.wakeups.leads
    other.wakeups.stop()


def test_a_broken_connection_is_made_anew_and_rings_for_what_was_missed(
    world: World, ears: Ears, migrated_database: str
) -> None:
    until(lambda: ears.wakeups.leads)
    with psycopg.connect(migrated_database.replace("+psycopg", ""), autocommit=True) as other:
        name = other.execute("SELECT pid FROM pg_locks WHERE locktype = 'advisory'").fetchone()
        assert name is not None
        other.execute("SELECT pg_terminate_backend(%s)", [name[0]])
    until(lambda: not ears.wakeups.hears)
    world.submit(factories.request())
    assert ears.rung.wait(SOON)
    until(lambda: ears.wakeups.hears and ears.wakeups.leads)


def test_a_database_that_cannot_be_reached_is_tried_again_and_stopping_does_not_hang() -> None:
    tried, rung = Event(), Event()

    def connect() -> psycopg.Connection[tuple[object, ...]]:
        tried.set()
        raise psycopg.OperationalError("down")

    wakeups = Wakeups(connect, lambda *_: rung.set())
    wakeups.start()
    assert tried.wait(SOON)
    assert not wakeups.hears
    tried.clear()
    assert tried.wait(SOON)
    wakeups.stop()
    assert not rung.is_set()


def test_where_wake_ups_do_not_arrive_a_connection_alone_is_not_taken_for_hearing(migrated_database: str) -> None:
    """As behind a pooler that gives each transaction another connection."""
    connected, rung = Event(), Event()

    class Deaf(psycopg.Connection[tuple[object, ...]]):
        @override
        def notifies(self, **_: object) -> Iterator[psycopg.Notify]:  # type: ignore[override]  # nothing comes
            connected.set()
            time.sleep(0.01)
            return iter(())

    def connect() -> psycopg.Connection[tuple[object, ...]]:
        return Deaf.connect(migrated_database.replace("+psycopg", ""), autocommit=True)

    wakeups = Wakeups(connect, lambda *_: rung.set())
    wakeups.start()
    assert connected.wait(SOON)
    time.sleep(0.3)
    assert not wakeups.hears
    assert not rung.is_set()
    wakeups.stop()


def test_on_sqlite_there_is_nobody_to_tell() -> None:
    engine = create_engine("sqlite://")
    assert wakeups_of(engine, lambda *_: None) is None
    engine.dispose()
