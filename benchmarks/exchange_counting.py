"""Counts the raw operations of programs that run in this process: what they cannot do without.

Signatures, verifications and HTTP hops are counted where they happen, with the CPU time that they take there, between
everything else that the programs do; write transactions by what SQLite itself says that it ran, with the statements by
which each wrote and the bytes of these.
"""

import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any

from jwt.algorithms import ECAlgorithm

from contracts import checkpoints, keys
from transport.http import HttpLine

WRITES = ("INSERT", "UPDATE", "DELETE")


class Databases:
    """Every SQLite connection that is opened while this is in force."""

    def __init__(self) -> None:
        self._open: list[sqlite3.Connection] = []

    @contextmanager
    def known(self) -> Iterator["Databases"]:
        """Know of the connections that are opened inside the block."""
        connect = sqlite3.dbapi2.connect

        def opened(*arguments: Any, **named: Any) -> sqlite3.Connection:  # noqa: ANN401  # passes on whatever comes
            connection: sqlite3.Connection = connect(*arguments, **named)
            self._open.append(connection)
            return connection

        # SQLAlchemy looks it up at each call in the one module, the journal in the other.
        modules = (sqlite3, sqlite3.dbapi2)
        for module in modules:
            module.connect = opened  # type: ignore[attr-defined]  # it has one
        try:
            yield self
        finally:
            for module in modules:
                module.connect = connect  # type: ignore[attr-defined]  # it has one

    @contextmanager
    def counting(self, counted: Counter[str]) -> Iterator[None]:
        """Count what the connections write inside the block: transactions, rows and bytes."""
        lock, connections = Lock(), list(self._open)
        for connection in connections:
            _listen(connection, _Written(counted, lock))
        try:
            yield
        finally:
            for connection in connections:
                _listen(connection, None)


class _Written:
    """Listens to one connection."""

    def __init__(self, counted: Counter[str], lock: Lock) -> None:
        self._counted, self._lock = counted, lock
        self._sizes: list[int] = []

    def __call__(self, statement: str) -> None:
        begins = statement.lstrip()[:8].upper()
        if begins.startswith(WRITES):
            self._sizes.append(len(statement))
        elif begins.startswith(("BEGIN", "ROLLBACK")):
            self._sizes = []
        elif begins.startswith("COMMIT") and self._sizes:
            with self._lock:
                self._counted.update(transaction=1, row=len(self._sizes), byte=sum(self._sizes))
            self._sizes = []


def _listen(connection: sqlite3.Connection, listener: _Written | None) -> None:
    with suppress(sqlite3.ProgrammingError):  # it was closed meanwhile
        connection.set_trace_callback(listener)


@contextmanager
def counting_calls(counted: Counter[str]) -> Iterator[None]:
    """Count raw signatures, verifications and HTTP hops of everything in this process, and their nanoseconds."""
    undo: list[Callable[[], None]] = []
    lock = Lock()

    def count(owner: Any, name: str, kind: str) -> None:  # noqa: ANN401  # modules and classes alike
        original = getattr(owner, name)

        def traced(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  # passes on whatever comes
            before = time.thread_time_ns()
            try:
                return original(*arguments, **named)
            finally:
                taken = time.thread_time_ns() - before
                with lock:
                    counted.update({kind: 1, f"{kind}_ns": taken})

        setattr(owner, name, traced)
        undo.append(lambda: setattr(owner, name, original))

    count(keys.SoftwareKey, "sign", "sign")
    for module in [each for each in sys.modules.values() if getattr(each, "made_by", None) is keys.made_by]:
        count(module, "made_by", "verify")
    count(ECAlgorithm, "verify", "verify")
    count(checkpoints, "is_signed", "note_check")
    count(HttpLine, "send", "hop")
    try:
        yield
    finally:
        for each in undo:
            each()
