"""Connections lie ready between transactions, and what went wrong on one never reaches the next transaction."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Barrier, Thread

import psycopg
import pytest
from sqlalchemy import event, exc, select

from gateway.store import connections
from gateway.store.engine import Reading, Store, Transaction
from gateway.store.migrate import upgrade
from gateway.store.tables import connectors
from tests.factories import NOW

pytestmark = pytest.mark.integration

ROW = {"agency": "ccib", "last_seen": NOW}


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    upgrade(store_url)
    made = Store(store_url)
    yield made
    made.close()


@pytest.fixture
def opened(store: Store) -> list[object]:
    """Every connection that the store opens from now on."""
    found: list[object] = []
    event.listen(store.engine, "connect", lambda connection, _: found.append(connection))
    return found


def agencies(store: Store) -> list[str]:
    with store.read() as r:
        return [row.agency for row in r.all(select(connectors))]


def test_one_connection_serves_one_transaction_after_the_other(store: Store, opened: list[object]) -> None:
    for number in range(5):
        with store.transaction() as t:
            t.add(connectors, [{**ROW, "agency": f"agency-{number}"}])
        assert len(agencies(store)) == number + 1

    assert len(opened) == 1


def test_what_was_not_committed_is_gone_before_the_next_use(store: Store, opened: list[object]) -> None:
    def fail() -> None:
        with store.transaction() as t:
            t.add(connectors, [ROW])
            raise LookupError

    with pytest.raises(LookupError):
        fail()

    assert agencies(store) == []
    assert len(opened) == 1


def test_a_reader_writes_nothing(store: Store) -> None:
    with store.read() as r:
        r._execute("INSERT INTO connectors VALUES ('ccib', 0)")  # no public way writes here

    assert agencies(store) == []


def test_a_reader_of_a_file_sees_one_state(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    upgrade(url)
    store = Store(url)
    with store.read() as r:
        before = r.all(select(connectors))
        with store.transaction() as t:
            t.add(connectors, [ROW])
        assert r.all(select(connectors)) == before == []
    store.close()


def test_no_more_connections_are_open_than_there_are_places(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "WAIT_SECONDS", 0.01)
    held: list[Reading] = []
    for _ in range(connections.MOST_OPEN):
        held.append(store.read())
        held[-1].__enter__()
    with pytest.raises(exc.TimeoutError), store.read():
        pass
    for each in held:
        each.__exit__(None, None, None)

    assert agencies(store) == []


def test_only_a_few_stay_open_while_nobody_uses_them(store: Store, opened: list[object]) -> None:
    barrier = Barrier(connections.MOST_READY + 4)

    def read() -> None:
        with store.read() as r:
            barrier.wait()
            r.all(select(connectors))

    for expected in (barrier.parties, barrier.parties + 4):
        threads = [Thread(target=read) for _ in range(barrier.parties)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert len(opened) == expected


def test_a_store_that_was_closed_opens_anew(store: Store, opened: list[object]) -> None:
    with store.read() as r:
        store.close()
        assert list(r.all(select(connectors))) == []
    assert agencies(store) == agencies(store) == []

    assert len(opened) == 2


def test_a_database_that_cannot_be_opened_takes_no_place(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'missing' / 'gateway.db'}")
    for _ in range(connections.MOST_OPEN + 1):
        with pytest.raises(sqlite3.OperationalError), store.read():
            pass


def cut(url: str) -> None:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def commit_only(t: Transaction) -> None:
    """Nothing more; the end of the transaction finds the cut."""


@pytest.mark.parametrize("do", [lambda t: t.all(select(connectors)), lambda t: t.tell("topic"), commit_only])
def test_whoever_finds_a_cut_spares_the_others(migrated_database: str, do: Callable[[Transaction], object]) -> None:
    store = Store(migrated_database)
    with store.read() as one, store.transaction() as two:
        one.all(select(connectors))
        two.all(select(connectors))

    def write() -> None:
        with store.transaction() as t:
            t.add(connectors, [ROW])
            cut(migrated_database)
            do(t)

    with pytest.raises(exc.DBAPIError):
        write()
    assert agencies(store) == agencies(store) == []
    store.close()


@pytest.mark.parametrize("begin", [Store.read, Store.transaction])
def test_a_connection_that_is_found_closed_is_replaced(
    store: Store, begin: Callable[[Store], Reading], opened: list[object]
) -> None:
    agencies(store)
    store._connections._ready[-1].driver.close()

    with pytest.raises(exc.DBAPIError), begin(store):
        pass
    assert agencies(store) == agencies(store) == []
    assert len(opened) == 2


def test_the_drivers_error_is_told_without_a_value(store: Store) -> None:
    def twice() -> None:
        with store.transaction() as t:
            t.add_new(connectors, ROW)
            t.add(connectors, [ROW])

    with pytest.raises(exc.IntegrityError) as caught:
        twice()
    assert "ccib" not in str(caught.value).partition("DETAIL")[0]


def test_a_writer_that_cannot_begin_gives_up_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.store.engine.ON_CONNECT", ("PRAGMA journal_mode=WAL", "PRAGMA busy_timeout=1"))
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    upgrade(url)
    store = Store(url)
    other = sqlite3.connect(tmp_path / "gateway.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for _ in range(2):
        with pytest.raises(exc.OperationalError, match="locked"), store.transaction():
            pass
    other.execute("ROLLBACK")
    other.close()

    with store.transaction() as t:
        t.add(connectors, [ROW])
    assert agencies(store) == ["ccib"]
    store.close()
