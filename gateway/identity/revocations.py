"""Which tokens were revoked, as one process knows it: read again whenever what it knows is a tick old.

A token revoked here is refused here at once, and by every other process of the gateway at the latest one tick later.
Whoever cannot read the list any more lets nobody in.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Final, Protocol

NEVER: Final = datetime.min.replace(tzinfo=UTC)


class RevokedTokens(Protocol):
    """The list that all processes share."""

    def add(self, jti: str, expires: datetime, now: datetime) -> None:
        """Write a token down as revoked, until it expires."""

    def all(self, now: datetime) -> frozenset[str]:
        """Every revoked token that has not expired; what has is forgotten on the way."""


@dataclass(slots=True)
class Revocations:
    """What this process knows.

    Args:
        shared: The list of all processes.
        tick: How old the knowledge may be.
    """

    shared: RevokedTokens
    tick: timedelta
    _known: frozenset[str] = frozenset()
    _read_at: datetime = NEVER
    _lock: Lock = field(default_factory=Lock)

    def revoke(self, jti: str, expires: datetime, now: datetime) -> None:
        """Have a token refused from now on."""
        self.shared.add(jti, expires, now)
        with self._lock:
            self._known |= {jti}

    def holds(self, jti: str, now: datetime) -> bool:
        """Whether a token was revoked, as of at most a tick ago."""
        if not self._is_fresh(now):
            with self._lock:
                # Whoever waited for the lock finds it read already.
                if not self._is_fresh(now):
                    self._known, self._read_at = self.shared.all(now), now
        return jti in self._known

    def clears(self, jti: str, now: datetime) -> bool:
        """Whether a token is known not to be revoked, as of at most a tick ago; never reads, so it may not know."""
        # The instant first: what is known then is as fresh, or fresher.
        return self._is_fresh(now) and jti not in self._known

    def _is_fresh(self, now: datetime) -> bool:
        return timedelta(0) <= now - self._read_at < self.tick
