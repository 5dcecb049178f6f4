"""How fast a connector goes: answers at once, how soon a failure is tried again, and when the gateway asks to wait.

Whoever fails waits twice as long each time, up to a limit, and by chance up to half as long: connectors that lost the
gateway together do not all return together. What the gateway asks for in a lease or in ``Retry-After`` is honoured,
but no longer than a ceiling: a proxy's header is signed by nobody, and must not stop an agency for a day.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from threading import Lock
from typing import Final

RETRY_AFTER: Final = "retry-after"
ASKS_TO_WAIT: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
LONGEST_PAUSE: Final = timedelta(seconds=20)
"""The ceiling of what a gateway, or whoever answers in its place, may ask for: shorter than its leases last."""

_FINENESS: Final = 2**20


def chance() -> float:
    """A number of [0, 1) that nobody can foretell."""
    return secrets.randbelow(_FINENESS) / _FINENESS


@dataclass(frozen=True, slots=True)
class Pace:
    """How many answers at once, how long a poll waits, and how soon a failure is tried again."""

    workers: int = 2
    wait_seconds: int = 20
    retry: timedelta = timedelta(milliseconds=500)
    longest_retry: timedelta = timedelta(seconds=10)

    def longest(self, failures: int) -> timedelta:
        """The longest that is waited after so many failures in a row: twice as long each time."""
        return min(self.longest_retry, self.retry * float(2 ** min(failures - 1, 16)))

    def delay(self, failures: int, drawn: float) -> timedelta:
        """How long to wait after so many failures: from half of ``longest`` to all of it, as ``drawn`` of [0, 1)."""
        return self.longest(failures) * (0.5 + drawn / 2)


@dataclass(slots=True)
class Quiet:
    """Until when the gateway asked to be left alone; shared by all calls of a channel.

    Args:
        ceiling: The longest that one answer may ask for.
    """

    ceiling: timedelta = LONGEST_PAUSE
    _until: datetime | None = None
    _lock: Lock = field(default_factory=Lock)

    def ask(self, pause: timedelta, now: datetime) -> None:
        """Note that the gateway asked for a pause; a later one that ends sooner shortens nothing."""
        if pause <= timedelta():
            return
        until = now + min(pause, self.ceiling)
        with self._lock:
            self._until = until if self._until is None else max(self._until, until)

    def read(self, status: int | None, headers: Mapping[str, str], now: datetime) -> None:
        """Note what ``Retry-After`` of an answer asks for (RFC 9110, section 10.2.3: whole seconds).

        Its other form, a date, is left alone: clocks of two machines differ, and the back-off waits anyhow.
        """
        text = headers.get(RETRY_AFTER, "")
        if status in ASKS_TO_WAIT and text.isascii() and text.isdigit():
            self.ask(timedelta(seconds=min(int(text[:6]), 10**5)), now)

    def left(self, now: datetime) -> timedelta:
        """How long the gateway is still to be left alone; never more than the ceiling, whatever the clock does."""
        with self._lock:
            if self._until is None or self._until <= now:
                self._until = None
                return timedelta()
            return min(self._until - now, self.ceiling)
