"""Prepared statements of the journal: typed like SQLAlchemy's, each transaction whole, durable and alone."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from connectors.journal.book import Journal
from connectors.journal.prepared import AnySelect, prepared
from connectors.journal.standing_tables import Decided
from tests.factories import NOW

pytestmark = pytest.mark.integration


@prepared
def decided_since(since: datetime, but: str) -> AnySelect:
    chosen = (Decided.decided_at >= since) & (Decided.request_digest != but)
    return select(Decided.request_digest, Decided.decided_at).where(chosen).order_by(Decided.request_digest)


@prepared
def whichever(digest: str) -> AnySelect:
    return select(Decided.document) if digest else select(Decided.decided_at)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.db")
    yield made
    made.close()


def test_what_statements_write_is_one_transaction_and_a_session_reads_it(journal: Journal) -> None:
    with journal.writing() as t:
        t.add(Decided, {"request_digest": "a", "document": "first", "decided_at": NOW})
        t.add(Decided, {"request_digest": "b", "document": "second", "decided_at": NOW})
        t.change(Decided, {"request_digest": "b"}, {"document": "third"})

    assert [tuple(row) for row in journal.rows(decided_since(NOW, "c"))] == [("a", NOW), ("b", NOW)]
    assert [row.request_digest for row in journal.rows(decided_since(NOW, "a"))] == ["b"]
    with journal.transaction() as session:
        assert [row.document for row in session.scalars(select(Decided).order_by(Decided.document))] == [
            "first",
            "third",
        ]


def test_an_error_takes_back_what_was_written(journal: Journal) -> None:
    def stopped() -> None:
        with journal.writing() as t:
            t.add(Decided, {"request_digest": "a", "document": "first", "decided_at": NOW})
            t.add(Decided, {"request_digest": "b", "document": "second", "decided_at": NOW})
            raise KeyError("stop")

    for _ in range(2):
        with pytest.raises(KeyError):
            stopped()
    assert journal.rows(decided_since(NOW, "c")) == []


def test_a_look_waits_for_no_writer_and_sees_what_is_committed(journal: Journal) -> None:
    with journal.writing() as t:
        t.add(Decided, {"request_digest": "a", "document": "first", "decided_at": NOW})
        assert journal.rows(decided_since(NOW, "c")) == []
        assert len(t.rows(decided_since(NOW, "c"))) == 1

    assert len(journal.rows(decided_since(NOW, "c"))) == 1


def test_a_transaction_holds_the_write_lock_from_its_begin(journal: Journal, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "journal.db", timeout=0, isolation_level=None)
    with journal.writing(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_every_commit_of_a_bare_connection_reaches_the_disk(journal: Journal) -> None:
    with journal.writing() as t:
        pragmas = [t.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "secure_delete")]
        (mode,) = t.connection.execute("PRAGMA journal_mode").fetchone()
    assert (pragmas, mode) == ([2, 1], "wal")


def test_threads_never_share_a_connection_and_leave_it_to_the_next(journal: Journal) -> None:
    def look(_: int) -> int:
        with journal.writing() as t:
            t.change(Decided, {"request_digest": "a"}, {"document": "x"})
            return id(t.connection)

    with ThreadPoolExecutor(4) as pool:
        used = set(pool.map(look, range(40)))
    assert len(used) <= 4
    assert look(0) in used


def test_a_statement_that_depends_on_an_argument_cannot_be_prepared() -> None:
    with pytest.raises(TypeError):
        whichever("a")
