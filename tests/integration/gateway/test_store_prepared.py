"""Prepared statements read and write what SQLAlchemy's own would, on both databases."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from threading import Event, Thread

import psycopg
import pytest
from sqlalchemy import Update, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from gateway.store.engine import AnySelect, Store
from gateway.store.migrate import upgrade
from gateway.store.prepared import prepared
from gateway.store.tables import connectors, data_versions, nonces
from tests.factories import NOW

pytestmark = pytest.mark.integration

LATER = NOW + timedelta(seconds=1, microseconds=1)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    upgrade(store_url)
    made = Store(store_url)
    yield made
    made.close()


@prepared
def seen_since(since: datetime, agency: str) -> AnySelect:
    return select(connectors).where(connectors.c.last_seen >= since, connectors.c.agency != agency)


@prepared
def later(agency: str, last_seen: datetime) -> Update:
    return update(connectors).where(connectors.c.agency == agency).values(last_seen=last_seen)


@prepared
def whichever(agency: str) -> AnySelect:
    return select(connectors) if agency else select(connectors).limit(1)


def fill(store: Store) -> None:
    with store.transaction() as t:
        t.add(connectors, [{"agency": "ccib", "last_seen": NOW}, {"agency": "dsi", "last_seen": LATER}])


def test_a_prepared_select_gives_the_same_rows(store: Store) -> None:
    fill(store)
    with store.read() as r:
        for since, agency in ((NOW, "ccib"), (LATER, "nobody"), (NOW, "nobody")):
            plain = select(connectors).where(connectors.c.last_seen >= since, connectors.c.agency != agency)
            found = r.all(seen_since(since, agency))
            assert [tuple(row) for row in found] == [tuple(row) for row in r.all(plain)]
        first = r.one(seen_since(LATER, "nobody"))

    assert first is not None
    assert (first.agency, first.last_seen) == ("dsi", LATER)


def test_a_prepared_update_changes_what_it_names(store: Store) -> None:
    fill(store)
    with store.transaction() as t:
        assert (t.run(later("ccib", LATER)), t.run(later("nobody", LATER))) == (1, 0)
        assert t.change(connectors, {"agency": "dsi"}, {"last_seen": NOW}) == 1

    with store.read() as r:
        assert {row.agency: row.last_seen for row in r.all(select(connectors))} == {"ccib": LATER, "dsi": NOW}


def test_an_error_takes_everything_back(store: Store) -> None:
    fill(store)

    def twice() -> None:
        with store.transaction() as t:
            t.run(later("ccib", LATER))
            t.add(connectors, [{"agency": "dsi", "last_seen": NOW}])

    with pytest.raises(IntegrityError):
        twice()
    with store.read() as r:
        assert {row.agency: row.last_seen for row in r.all(select(connectors))} == {"ccib": NOW, "dsi": LATER}


def test_an_error_names_no_value(store: Store) -> None:
    fill(store)
    with pytest.raises(IntegrityError) as caught, store.transaction() as t:
        t.add(connectors, [{"agency": "dsi", "last_seen": NOW}])

    assert "a prepared statement" in str(caught.value)
    assert "[parameters" not in str(caught.value)


def test_prepared_and_other_statements_share_a_transaction(store: Store) -> None:
    fill(store)
    with store.transaction() as t:
        t.run(later("ccib", LATER))
        row = t.lock(select(connectors).where(connectors.c.agency == "ccib"))
        t.run(update(connectors).where(connectors.c.agency == "dsi").values(last_seen=NOW))
        other = t.lock(seen_since(NOW, "ccib"))
        free = t.take_free(seen_since(NOW, "nobody"))

    assert row is not None
    assert other is not None
    assert (row.last_seen, other.last_seen, len(free)) == (LATER, NOW, 2)
    with store.read() as r:
        assert {each.agency: each.last_seen for each in r.all(select(connectors))} == {"ccib": LATER, "dsi": NOW}


def test_what_is_held_is_changed_by_nobody_else_meanwhile(store: Store, store_url: str) -> None:
    fill(store)
    other, changed = Store(store_url), Event()

    def change() -> None:
        with other.transaction() as t:
            t.run(later("ccib", LATER))
        changed.set()

    with store.transaction() as t:
        t.hold(seen_since(NOW, "dsi"))
        writer = Thread(target=change)
        writer.start()
        assert not changed.wait(0.2)
    writer.join()
    assert changed.is_set()
    other.close()


def test_a_row_is_new_once(store: Store) -> None:
    row = {"kid": "oja#client-1", "nonce": "n" * 16, "seen_at": NOW}
    with store.transaction() as t:
        assert (t.add_new(nonces, row), t.add_new(nonces, row)) == (True, False)
        versions = {"agency": "ccib", "dataset": "tpo", "version": 1, "seen_at": NOW}
        t.add(data_versions, [versions, {**versions, "dataset": "other"}])
        t.add(data_versions, [])

    with store.read() as r:
        assert len(r.all(select(data_versions))) == 2


def test_a_statement_that_depends_on_an_argument_cannot_be_prepared() -> None:
    with pytest.raises(TypeError):
        whichever("ccib")


def test_an_argument_that_is_missing_is_an_error() -> None:
    with pytest.raises(ValueError, match="1 arguments for 2"):
        seen_since(NOW)  # type: ignore[call-arg]  # that is the point


def test_after_a_cut_every_connection_is_made_anew(migrated_database: str) -> None:
    store = Store(migrated_database)
    fill(store)
    with store.read() as one, store.read() as two, store.read() as three:
        assert all(len(r.all(seen_since(NOW, "nobody"))) == 2 for r in (one, two, three))
    with psycopg.connect(migrated_database.replace("+psycopg", ""), autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    with pytest.raises(OperationalError), store.read() as r:
        r.all(seen_since(NOW, "nobody"))
    for _ in range(3):
        with store.read() as r:
            assert len(r.all(seen_since(NOW, "nobody"))) == 2
    store.close()
