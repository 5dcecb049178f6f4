"""Wake-ups between gateway processes on PostgreSQL: LISTEN and NOTIFY, and who of them does the ticks' work.

Who changes what others wait for says so in his transaction (``Transaction.tell``); PostgreSQL passes it on when that
commits, to every process that listens. It is a hint and nothing else: who waits looks again by himself, often while
nobody listens for him and now and then while somebody does, so a lost wake-up costs time and never a request.

The same connection holds an advisory lock: one process at a time leads, and carries on what others left lying. The
lock goes with the connection, so a leader that dies is followed at once.
"""

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any, Final

import psycopg
from sqlalchemy.engine import Engine

from gateway.store.engine import CHANNEL

LEADERSHIP: Final = 0x5A_50_48_4E
"""The number of the advisory lock; PostgreSQL keeps it for each database."""

TURN_SECONDS: Final = 0.25
TRY_SECONDS: Final = 2.0
"""How often the line is tried with a wake-up to oneself, and a process that does not lead asks to."""

GATHER_SECONDS: Final = 0.02
"""Wake-ups that come so close together are one."""

AGAIN_SECONDS: Final = 1.0
"""How soon a broken connection is made anew."""

STOP_SECONDS: Final = 15.0
"""The longest that stopping waits for the thread: it may be in the midst of connecting."""

PATIENCE: Final = {"connect_timeout": 10, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
"""How soon a server that is gone without a word is noticed, in seconds (libpq, section 34.1.2)."""

Ring = Callable[..., None]
"""Takes topics; without any, everything may have changed."""

log = logging.getLogger("saphan.gateway")


@dataclass(slots=True)
class Wakeups:
    """A thread with one connection that calls ``ring`` when any process has told of changes.

    Args:
        connect: Opens an autocommitting connection.
        ring: Called in the thread with what the changes are about, and with nothing after each new connection: anything
            may have been missed before.
    """

    connect: Callable[[], psycopg.Connection[Any]]
    ring: Ring
    _hears: bool = False
    _leads: bool = False
    _stop: Event = field(default_factory=Event)
    _thread: Thread | None = None

    @property
    def hears(self) -> bool:
        """Whether wake-ups arrive, so that who waits need not look again so often.

        A connection is not enough: behind a pooler that shares connections between transactions nothing is heard.
        """
        return self._hears

    @property
    def leads(self) -> bool:
        """Whether this process is the one that carries on what others left lying."""
        return self._leads

    def start(self) -> None:
        """Begin to listen, in a thread."""
        self._thread = Thread(target=self._run, name="wake-ups", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and give up what it leads."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self.connect() as connection:
                    self._listen(connection)
            except (psycopg.Error, OSError) as error:
                log.warning("no wake-ups from the database for now: %s", type(error).__name__)
            finally:
                self._hears = self._leads = False
            self._stop.wait(AGAIN_SECONDS)

    def _listen(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute(f"LISTEN {CHANNEL}")
        own, is_heard, next_try = f"probe {secrets.token_hex(8)}", False, 0.0
        while not self._stop.is_set():
            # By time, not by turns: everybody's tries are turns of everybody else.
            if time.monotonic() >= next_try:
                next_try = time.monotonic() + TRY_SECONDS
                self._hears, is_heard = is_heard and self._hears, False
                self._leads = self._leads or _takes_the_lead(connection)
                connection.execute("SELECT pg_notify(%s, %s)", [CHANNEL, own])
            topics = self._gathered(connection)
            if own in topics:
                is_heard = True
                topics = self._hear(topics - {own})
            if topics:
                self.ring(*topics)

    def _hear(self, topics: set[str]) -> set[str]:
        """The own probe came back: from now on nothing is missed, but before something may have been."""
        if not self._hears:
            self._hears = True
            self.ring()
            return set()
        return topics

    def _gathered(self, connection: psycopg.Connection[Any]) -> set[str]:
        """What was told in this turn; what comes close together is taken together."""
        told = list(connection.notifies(timeout=TURN_SECONDS, stop_after=1))
        if told:
            self._stop.wait(GATHER_SECONDS)
            told += connection.notifies(timeout=0)
        return {each.payload for each in told}


def wakeups_of(engine: Engine, ring: Ring) -> Wakeups | None:
    """The wake-ups of a database; none on SQLite, where there is nobody to tell of a change."""
    if engine.dialect.name != "postgresql":
        return None
    _, options = engine.dialect.create_connect_args(engine.url)

    def connect() -> psycopg.Connection[Any]:
        return psycopg.connect(**{**PATIENCE, **options}, autocommit=True)

    return Wakeups(connect, ring)


def _takes_the_lead(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [LEADERSHIP]).fetchone()
    return row is not None and bool(row[0])
