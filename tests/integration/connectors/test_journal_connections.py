"""What went wrong on one connection of the journal never reaches the next task."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.journal.connections import Connections

pytestmark = pytest.mark.integration


@pytest.fixture
def connections(tmp_path: Path) -> Iterator[Connections]:
    made = Connections(tmp_path / "journal.db")
    with made.writing() as connection:
        connection.execute("CREATE TABLE charge (task TEXT)")
    yield made
    made.close()


def charge(connections: Connections, task: str) -> None:
    with connections.writing() as connection:
        connection.execute("INSERT INTO charge VALUES (?)", (task,))


def charged(connections: Connections) -> list[str]:
    with connections.one() as connection:
        return [task for (task,) in connection.execute("SELECT task FROM charge")]


def test_a_connection_serves_one_task_after_the_other(connections: Connections) -> None:
    with connections.one() as first:
        pass
    with connections.one() as second:
        assert second is first


def test_what_failed_is_taken_back_and_the_next_one_writes(connections: Connections) -> None:
    def fail() -> None:
        with connections.writing() as connection:
            connection.execute("INSERT INTO charge VALUES ('failed')")
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    charge(connections, "next")

    assert charged(connections) == ["next"]


def test_a_transaction_that_was_left_open_ends_with_its_connection(connections: Connections) -> None:
    with connections.one() as connection:
        # As when the end of a transaction fails, too.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO charge VALUES ('left open')")
    charge(connections, "next")

    assert charged(connections) == ["next"]
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
