"""How write transactions begin and end: each by itself, or several that one commit makes durable (group commit).

PostgreSQL lets transactions run beside each other and writes their commits to disk together by itself. SQLite has one
writer at a time, who waits for the disk while the others wait for him. Here the next one carries on in the transaction
that his predecessor left open, behind a savepoint, and the last one commits for all. Nobody goes on before that commit
is on disk, and nobody else sees anything before it: what one transaction promises is what it promised alone. What a
member took back is gone for the others, too; if the commit fails, it fails for all of them.

A light transaction asks for less: every process sees it when it is committed, but the disk may have it a moment later.
Alone it waits for no disk; behind others it is one of them.
"""

from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Any, Final, Protocol

from gateway.store.connections import Connections, DriverError, Held

MOST_TOGETHER: Final = 16
"""So many transactions share a commit at most: the first of them waits for the work of all."""

LONGEST_ROW: Final = 0.25
"""So many seconds after the first of them did his work nobody else joins."""

SAVEPOINT: Final = "member"


class Commits(Protocol):
    """How the write transactions of a database begin and end."""

    def begin(self) -> Held:
        """Begin one; its connection."""
        ...

    def commit(self, held: Held) -> None:
        """Make it durable, and let go of the connection.

        Raises:
            sqlalchemy.exc.DBAPIError: It is not durable: all of it was taken back.
        """
        ...

    def take_back(self, held: Held) -> None:
        """Undo all of it, and let go of the connection."""
        ...


class OneByOne:
    """Each transaction commits by itself, beside the others."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def begin(self) -> Held:
        """A connection of its own; the driver begins with the first statement."""
        return self._connections.take()

    def commit(self, held: Held) -> None:
        """Commit."""
        try:
            held.driver.commit()
        except self._connections.errors as error:
            raise self._connections.told(error, held) from error
        finally:
            self._connections.give_back(held)

    def take_back(self, held: Held) -> None:
        """What was not committed on a connection is taken back when it is given back."""
        self._connections.give_back(held)


def _shut() -> "Lock":
    """A gate that is shut: who opens it lets all through, one by one. It costs a tenth of an ``Event``."""
    gate = Lock()
    gate.acquire()
    return gate


@dataclass(slots=True, eq=False)
class _Group:
    """Transactions that share a commit: how many joined, how many did their work, and what became of it.

    One on a light connection is a group of its own: its commit would be too little for others.
    """

    held: Held
    source: Connections
    is_light: bool = False
    joined: int = 1
    done: int = 0
    waited_since: float = 0.0
    may_commit: bool = True
    is_durable: bool = False
    error: DriverError | None = None
    ended: "Lock" = field(default_factory=_shut)


class Together:
    """One transaction after the other, on one connection; the last of those that wait in a row commits for them.

    Args:
        connections: Whose commits are on disk when they return.
        light: Whose commits are not.
    """

    def __init__(self, connections: Connections, light: Connections) -> None:
        self._connections = connections
        self._light = light
        self._turn = Lock()
        self._count = Lock()
        self._waiting = 0
        self._group: _Group | None = None

    @property
    def waiting(self) -> int:
        """How many transactions wait for their turn."""
        return self._waiting

    def begin(self, *, is_light: bool = False) -> Held:
        """Begin when it is this transaction's turn: behind those that are not committed yet, or as the first."""
        self._await_turn()
        try:
            if self._group is None:
                self._group = self._opened(is_light=is_light)
            else:
                # Also one who is refused counts: a row of those must not hold up who did his work before them.
                self._group.joined += 1
                self._run(self._group.held, f"SAVEPOINT {SAVEPOINT}")
        except BaseException:
            self._pass_on()
            raise
        return self._group.held

    def commit(self, held: Held) -> None:
        """Leave the commit to whoever follows at once, and wait for it, or commit for all."""
        group = self._own(held)
        group.waited_since = group.waited_since or monotonic()
        group.done += 1
        self._pass_on()
        with group.ended:
            pass
        if not group.is_durable:
            error = group.error or self._connections.errors("the transaction ended before its commit")
            raise self._connections.told(error, held) from error

    def take_back(self, held: Held) -> None:
        """Undo this transaction; the others of its group stay."""
        group = self._own(held)
        try:
            if group.done and _is_open(held):
                self._run(held, f"ROLLBACK TO {SAVEPOINT}")
        except BaseException:
            group.may_commit = False  # or the others would commit what could not be undone
            raise
        finally:
            self._pass_on()

    def _await_turn(self) -> None:
        # Who need not wait is not counted; whoever he overtakes waits on, and is seen when this turn ends.
        if self._turn.acquire(blocking=False):
            return
        with self._count:
            self._waiting += 1
        try:
            self._turn.acquire()
        finally:
            with self._count:
                self._waiting -= 1

    def _pass_on(self) -> None:
        """End the turn: those who did their work are committed unless the next one waits to do that."""
        group = self._group
        try:
            if group is not None and not (self._waiting and _can_grow(group)):
                self._group = None
                self._settle(group)
        finally:
            self._turn.release()

    def _settle(self, group: _Group) -> None:
        try:
            if group.done and group.may_commit and _is_open(group.held):
                group.held.driver.commit()
                group.is_durable = True
        except self._connections.errors as error:
            group.error = error
        finally:
            try:
                group.source.give_back(group.held)
            finally:
                group.ended.release()

    def _opened(self, *, is_light: bool) -> _Group:
        source = self._light if is_light else self._connections
        held = source.take()
        try:
            self._run(held, "BEGIN IMMEDIATE")
        except BaseException:
            source.give_back(held)
            raise
        return _Group(held, source, is_light)

    def _run(self, held: Held, sql: str) -> None:
        try:
            cursor = held.driver.cursor()
            cursor.execute(sql)
            cursor.close()
        except self._connections.errors as error:
            raise self._connections.told(error, held) from error

    def _own(self, held: Held) -> _Group:
        if self._group is None or self._group.held is not held:
            raise RuntimeError("this transaction has ended already")
        return self._group


class LightTogether:
    """Light transactions among the others of a database."""

    def __init__(self, together: Together) -> None:
        self._together = together
        self.commit = together.commit
        self.take_back = together.take_back

    def begin(self) -> Held:
        """Begin when it is this transaction's turn."""
        return self._together.begin(is_light=True)


def _can_grow(group: _Group) -> bool:
    if group.is_light or not group.done or not group.may_commit:
        return False
    is_long = group.joined >= MOST_TOGETHER or monotonic() - group.waited_since > LONGEST_ROW
    return not is_long and _is_open(group.held)


def _is_open(held: Held) -> bool:
    """Whether a transaction is still open: SQLite takes one back by itself when its disk fails."""
    driver: Any = held.driver
    return bool(driver.in_transaction)
