"""Writers that wait for SQLite share one commit, and each of them has what it would have had alone."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import IntegrityError

from gateway.store.commits import LONGEST_ROW, MOST_TOGETHER, Together
from gateway.store.engine import Store, Transaction
from gateway.store.migrate import upgrade
from gateway.store.tables import connectors
from tests.factories import NOW

pytestmark = pytest.mark.integration

PATIENCE = 20.0


@dataclass
class Writers:
    """A store whose first writer keeps his turn until he is let go, so that the others wait behind him."""

    url: str
    pool: ThreadPoolExecutor
    store: Store
    ran: list[str] = field(default_factory=list)
    begun: Event = field(default_factory=Event)
    let_go: Event = field(default_factory=Event)

    def first(self) -> "Future[None]":
        future = self.pool.submit(self._hold)
        assert self.begun.wait(PATIENCE)
        return future

    def _hold(self) -> None:
        with self.store.transaction() as t:
            add(t, "first")
            self.begun.set()
            assert self.let_go.wait(PATIENCE)

    def then(self, *works: Callable[[Transaction], None]) -> "list[Future[None]]":
        """Writers who wait behind the first one, in this order."""
        futures = []
        for number, work in enumerate(works, 1):
            futures.append(self.pool.submit(self.work, work))
            self.await_waiting(number)
        return futures

    def await_waiting(self, number: int) -> None:
        until = time.monotonic() + PATIENCE
        while self.waiting() < number:
            assert time.monotonic() < until
            time.sleep(0.001)

    def work(self, work: Callable[[Transaction], None]) -> None:
        with self.store.transaction() as t:
            work(t)

    def waiting(self) -> int:
        assert isinstance(self.store.commits, Together)
        return self.store.commits.waiting

    def commits(self) -> int:
        return sum(each.upper().startswith("COMMIT") for each in self.ran)

    def written(self) -> set[str]:
        """What another program reads."""
        with sqlite3.connect(self.url.removeprefix("sqlite:///")) as other:
            found = {agency for (agency,) in other.execute("SELECT agency FROM connectors")}
        other.close()
        return found


def add(t: Transaction, agency: str) -> None:
    t.add(connectors, [{"agency": agency, "last_seen": NOW}])


def adds(agency: str) -> Callable[[Transaction], None]:
    return lambda t: add(t, agency)


@pytest.fixture
def writers(tmp_path: Path) -> Iterator[Writers]:
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    upgrade(url)
    store = Store(url)
    with ThreadPoolExecutor(MOST_TOGETHER + 8) as pool:
        made = Writers(url, pool, store)

        def traced(connection: sqlite3.Connection, _: object) -> None:
            connection.set_trace_callback(made.ran.append)

        event.listen(store.engine, "connect", traced)
        yield made
        made.let_go.set()
    store.close()


def test_those_who_wait_share_one_commit(writers: Writers) -> None:
    first = writers.first()
    others = writers.then(adds("second"), adds("third"))
    assert writers.written() == set()

    writers.let_go.set()
    for each in (first, *others):
        each.result(PATIENCE)

    assert writers.commits() == 1
    assert writers.written() == {"first", "second", "third"}


def test_nobody_goes_on_before_the_commit(writers: Writers) -> None:
    first = writers.first()
    ahead, behind = Event(), Event()

    def slow(t: Transaction) -> None:
        add(t, "slow")
        ahead.set()
        assert behind.wait(PATIENCE)

    (other,) = writers.then(slow)
    writers.let_go.set()
    assert ahead.wait(PATIENCE)
    assert not first.done()
    assert writers.written() == set()

    behind.set()
    first.result(PATIENCE)
    other.result(PATIENCE)
    assert writers.written() == {"first", "slow"}


def test_what_one_takes_back_is_gone_and_the_others_stay(writers: Writers) -> None:
    def fails(t: Transaction) -> None:
        add(t, "failed")
        raise LookupError

    first = writers.first()
    second, failed, last = writers.then(adds("second"), fails, adds("last"))
    writers.let_go.set()

    for each in (first, second, last):
        each.result(PATIENCE)
    with pytest.raises(LookupError):
        failed.result(PATIENCE)
    assert writers.commits() == 1
    assert writers.written() == {"first", "second", "last"}


def test_one_who_fails_last_commits_for_the_others(writers: Writers) -> None:
    def fails(t: Transaction) -> None:
        add(t, "failed")
        raise LookupError

    first = writers.first()
    (failed,) = writers.then(fails)
    writers.let_go.set()

    first.result(PATIENCE)
    with pytest.raises(LookupError):
        failed.result(PATIENCE)
    assert writers.written() == {"first"}


def test_one_sees_what_those_before_it_wrote(writers: Writers) -> None:
    seen: list[str] = []

    def looks(t: Transaction) -> None:
        seen.extend(row.agency for row in t.all(select(connectors)))

    first = writers.first()
    others = writers.then(looks)
    writers.let_go.set()
    for each in (first, *others):
        each.result(PATIENCE)

    assert seen == ["first"]


def test_a_commit_that_fails_fails_for_all_of_them(writers: Writers) -> None:
    with writers.store.engine.begin() as connection:
        connection.execute(
            text("CREATE TABLE promise (agency TEXT REFERENCES connectors DEFERRABLE INITIALLY DEFERRED)")
        )

    def promises(t: Transaction) -> None:
        # A promise that is not kept: SQLite looks at it when it commits.
        t._connection.execute(text("INSERT INTO promise VALUES ('nobody')"))  # no statement of ours can fail so

    first = writers.first()
    others = writers.then(promises)
    writers.let_go.set()

    for each in (first, *others):
        with pytest.raises(IntegrityError):
            each.result(PATIENCE)
    assert writers.written() == set()
    with writers.store.transaction() as t:
        add(t, "after")
    assert writers.written() == {"after"}


def test_a_transaction_that_the_database_ended_fails_for_all_of_them(writers: Writers) -> None:
    def ends(t: Transaction) -> None:
        t._connection.execute(text("ROLLBACK"))  # what SQLite does by itself on a full disk

    first = writers.first()
    others = writers.then(ends)
    writers.let_go.set()

    for each in (first, *others):
        with pytest.raises(Exception, match="the transaction ended before its commit"):
            each.result(PATIENCE)
    assert writers.written() == set()


def test_a_row_of_writers_commits_before_it_is_over(writers: Writers) -> None:
    first = writers.first()
    others = writers.then(*(adds(f"writer-{number}") for number in range(MOST_TOGETHER)))
    writers.let_go.set()
    for each in (first, *others):
        each.result(PATIENCE)

    assert writers.commits() == 2
    assert len(writers.written()) == MOST_TOGETHER + 1


def test_a_row_of_refused_writers_holds_up_nobody_who_did_his_work(writers: Writers) -> None:
    refused = Event()
    number = 0

    def fails(t: Transaction) -> None:
        nonlocal number
        number += 1
        add(t, f"failed-{number}")
        raise LookupError

    def keep_failing() -> None:
        while not refused.is_set():
            with suppress(LookupError):
                writers.work(fails)

    first = writers.first()
    for _ in range(2):
        writers.pool.submit(keep_failing)
    writers.await_waiting(2)
    writers.let_go.set()
    try:
        first.result(PATIENCE)
    finally:
        refused.set()
    assert writers.written() == {"first"}


def test_a_row_that_takes_long_lets_nobody_else_join(writers: Writers) -> None:
    def slow(t: Transaction) -> None:
        add(t, "slow")
        time.sleep(2 * LONGEST_ROW)

    first = writers.first()
    others = writers.then(slow, adds("last"))
    writers.let_go.set()
    for each in (first, *others):
        each.result(PATIENCE)

    assert writers.commits() > 1
    assert writers.written() == {"first", "slow", "last"}
