"""Prepared statements of the journal: typed like SQLAlchemy's, in one transaction with its sessions."""

from collections.abc import Iterator
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


def test_what_a_session_and_a_statement_write_is_one_transaction(journal: Journal) -> None:
    with journal.writing() as t:
        t.session.add(Decided(request_digest="a", document="first", decided_at=NOW))
        t.add(Decided, {"request_digest": "b", "document": "second", "decided_at": NOW})
        t.change(Decided, {"request_digest": "b"}, {"document": "third"})

    assert [tuple(row) for row in journal.rows(decided_since(NOW, "c"))] == [("a", NOW), ("b", NOW)]
    assert [row.request_digest for row in journal.rows(decided_since(NOW, "a"))] == ["b"]


def test_an_error_takes_back_what_both_wrote(journal: Journal) -> None:
    def stopped() -> None:
        with journal.writing() as t:
            t.session.add(Decided(request_digest="a", document="first", decided_at=NOW))
            t.add(Decided, {"request_digest": "b", "document": "second", "decided_at": NOW})
            raise KeyError("stop")

    with pytest.raises(KeyError):
        stopped()
    assert journal.rows(decided_since(NOW, "c")) == []


def test_a_look_waits_for_no_writer_and_sees_what_is_committed(journal: Journal) -> None:
    with journal.writing() as t:
        t.add(Decided, {"request_digest": "a", "document": "first", "decided_at": NOW})
        assert journal.rows(decided_since(NOW, "c")) == []
        assert len(t.rows(decided_since(NOW, "c"))) == 1

    assert len(journal.rows(decided_since(NOW, "c"))) == 1


def test_a_statement_that_depends_on_an_argument_cannot_be_prepared() -> None:
    with pytest.raises(TypeError):
        whichever("a")
