"""What every route works with: the exchange, the door, the key that signs answers, and a bell for those who wait."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Final
from weakref import WeakSet, WeakValueDictionary

from starlette.requests import HTTPConnection

from contracts.keys import SigningKey
from contracts.message_signatures import Tag, sign
from contracts.signature_base import Message
from gateway.api.workers import Workers
from gateway.caller import Caller
from gateway.exchange import Exchange
from gateway.identity.authorization_server import OAuthEndpoints
from gateway.identity.door import Door

TICK: Final = "tick"
"""What results and refusals leave on, so what those wait for who asked."""

ANY: Final = ""
"""The topic of those who wait for whatever there is."""

HEARING_SECONDS: Final = 10.0
"""How often they look without a ring where the database tells of every change: only against what was not told."""


class Ticket:
    """Stands for all rings about some topics, or about any, from when it was taken."""

    def __init__(self, circles: "Sequence[Circle]") -> None:
        self._circles = circles  # which last as long as somebody waits in them
        self.is_rung = False
        self._waker: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """Wake who waits with it, in whose loop this is called; rung it stays."""
        self.is_rung = True
        if self._waker is not None and not self._waker.done():
            self._waker.set_result(None)

    async def wait(self, seconds: float) -> None:
        """Return at the first ring since it was taken, or after ``seconds``."""
        if self.is_rung:
            return
        loop = asyncio.get_running_loop()
        self._waker = loop.create_future()
        timer = loop.call_later(seconds, _wake, self._waker)
        try:
            await self._waker
        finally:
            timer.cancel()


def _wake(waker: "asyncio.Future[None]") -> None:
    if not waker.done():
        waker.set_result(None)


Circle = WeakSet[Ticket]
"""Who waits for one topic."""


class Bell:
    """Wakes those in this process who wait for something to change, also in another process if the database tells so.

    Whoever changes something says what it is about (``Transaction.tell``), and only who waits for that looks again.
    Take a ticket before looking, in any thread, so that a ring between the look and the wait is not missed. Rings are
    the loop's.
    """

    def __init__(self) -> None:
        self._circles: WeakValueDictionary[str, Circle] = WeakValueDictionary()
        self._lock = Lock()
        self._waiting = 0
        self.hears: Callable[[], bool] = _deaf
        """Whether changes that other processes make are told here."""

    def tell(self, *topics: str) -> None:
        """Wake those who wait for one of these topics, or everybody when none is named."""
        for ticket in self._concerned(topics):
            ticket.ring()

    def is_awaited(self, *topics: str) -> bool:
        """Whether ``tell`` would wake anybody; in any thread, after the change: who comes later finds it made."""
        return bool(self._concerned(topics))

    def _concerned(self, topics: Collection[str]) -> set[Ticket]:
        with self._lock:
            circles = map(self._circles.get, (*topics, ANY)) if topics else self._circles.values()
            return set().union(*(circle for circle in circles if circle is not None))

    def ticket(self, *topics: str) -> Ticket:
        """Stands for all rings from now on about these topics, or about any."""
        with self._lock:
            circles = [self._circles.setdefault(topic, WeakSet()) for topic in topics or (ANY,)]
            ticket = Ticket(circles)
            for circle in circles:
                circle.add(ticket)
        return ticket

    @contextmanager
    def waiter(self) -> Iterator[None]:
        """Be one of those who wait, also while looking again; in the loop."""
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    def waiting(self) -> int:
        """How many wait; in any thread. Who has a ticket may have found what he wanted at his first look."""
        return self._waiting

    @staticmethod
    async def wait(ticket: Ticket, seconds: float) -> None:
        """Return at the first ring since the ticket was taken, or after ``seconds``."""
        await ticket.wait(seconds)


def _deaf() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Desk:
    """The gateway as its routes see it.

    Args:
        exchange: Does the work.
        door: Says who calls.
        oauth: Answers POST /v1/token, /v1/token/revoke and /v1/token/introspect.
        key: Signs answers to members; purpose ``gateway``.
        clock: The present, aware UTC.
        new_nonce: A fresh nonce for each signed answer.
        bell: Wakes who waits; whoever replaces the desk of a running gateway hands it on.
        trusted: Checks that the keys by which it works may be relied on; none where they are fixed.
        look_again_seconds: How often those who wait look without a ring, while nobody tells what others changed.
        workers: Do the work of calls in threads; handed on like the bell.
        most_waiting: How many may wait; a connector beyond is answered at once and asked to come back later.
    """

    exchange: Exchange
    door: Door
    oauth: OAuthEndpoints
    key: SigningKey
    clock: Callable[[], datetime]
    new_nonce: Callable[[], str]
    look_again_seconds: float = 0.5
    most_waiting: int = 256
    trusted: Callable[[datetime], None] | None = None
    bell: Bell = field(default_factory=Bell)
    workers: Workers = field(default_factory=Workers)

    def enter(self, message: Message, certificate: str | None = None) -> Caller:
        """Who sent the message; see ``Door.authenticate``.

        Raises:
            SaphanError: As there; ``registry-expired`` and the like, when nobody's key may be relied on.
        """
        self.check_trust()
        return self.door.authenticate(message, self.clock(), certificate)

    def check_trust(self) -> None:
        """Check that the keys by which this gateway works may be relied upon now.

        Raises:
            SaphanError: ``registry-expired`` and the like.
        """
        if self.trusted is not None:
            self.trusted(self.clock())

    def next_look(self) -> float:
        """After how many seconds without a ring to look again."""
        return max(self.look_again_seconds, HEARING_SECONDS) if self.bell.hears() else self.look_again_seconds

    def signed(self, answer: Message) -> Message:
        """The answer with the gateway's signature, which binds it to the call that it answers."""
        return sign(answer, self.key, Tag.RESPONSE, self.clock(), self.new_nonce())


def desk_of(connection: HTTPConnection) -> Desk:
    """The desk that ``create_app`` put into the application."""
    desk: Desk = connection.app.state.desk
    return desk
