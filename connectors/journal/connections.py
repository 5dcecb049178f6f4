"""Bare connections to the journal's file, for what runs at every task: SQLite costs a fraction of a session."""

import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.journal.prepared import Bound
from connectors.journal.tables import BUSY_SECONDS, prepare


@dataclass(slots=True)
class Connections:
    """Each is used by one thread at a time and stays open for the next one.

    Args:
        path: The file.
    """

    path: Path
    _idle: deque[sqlite3.Connection] = field(default_factory=deque)

    @contextmanager
    def one(self) -> Iterator[sqlite3.Connection]:
        """A connection outside any transaction."""
        connection = self._taken()
        try:
            yield connection
        finally:
            self._put_back(connection)

    def read(self, bound: Bound) -> list[Any]:
        """What one statement reads, outside any transaction: ``one`` without a block, for it runs at every step."""
        connection = self._taken()
        try:
            return bound.run(connection)
        finally:
            self._put_back(connection)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, which holds the write lock from its begin; an error takes back what was written."""
        with self.one() as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.commit()
            except BaseException:
                connection.rollback()
                raise

    def close(self) -> None:
        """Close those that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    def _put_back(self, connection: sqlite3.Connection) -> None:
        """One on which a transaction stays open, because not even its end went well, is closed, which ends that."""
        if connection.in_transaction:
            connection.close()
        else:
            self._idle.append(connection)

    def _taken(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._opened()

    def _opened(self) -> sqlite3.Connection:
        # Handed from thread to thread, but never used by two at once.
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        prepare(connection)
        return connection
