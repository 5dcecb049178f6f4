"""The registry in a program that runs for long: fresh while the gateway can be reached, and closed when in doubt.

A gateway that cannot be reached changes nothing until what is known expires, after two days at most. A registry that
does not verify, goes back or has expired closes at once: nothing is done under it until a good one was read.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from contracts.errors import SaphanError, Unavailable, from_code
from contracts.federation import Federation
from contracts.registry import Registry

EVERY: Final = timedelta(seconds=30)
"""How soon a change of the registry reaches a program that runs."""

PASSING: Final = frozenset({"gateway-unreachable", "registry-incomplete"})
"""What may be over at the next look, and says nothing against what is known."""

Read = Callable[[datetime], Registry]


@dataclass(slots=True)
class LiveRegistry:
    """Looks at the registry again and again. One thread refreshes; any thread may check.

    Args:
        fetch: Reads it from the gateway.
        known: Reads what the home has verified before.
        every: How long one look holds.
    """

    fetch: Read
    known: Read
    every: timedelta = EVERY
    _registry: Registry | None = None
    _closed: SaphanError | None = None
    _due: datetime | None = field(default=None)

    def refresh(self, now: datetime, *, again: bool = False) -> Federation:
        """The federation as it is now; looks again where that is due, or ``again`` says so.

        Raises:
            Unavailable: ``registry-expired``, ``registry-incomplete``, ``gateway-unreachable``.
            IntegrityError: ``registry-forged``, ``registry-rolled-back``, ``registry-content``.
        """
        if again or self._due is None or now >= self._due or self._has_expired(now):
            self._due = now + self.every
            self._look(now)
        return self.check(now)

    def check(self, now: datetime) -> Federation:
        """The federation if it may be relied upon at that instant.

        Raises:
            SaphanError: As ``refresh``.
        """
        if self._closed is not None:
            raise _again(self._closed)
        if self._registry is None:
            raise Unavailable("registry-incomplete", what="copy in this home")
        if self._has_expired(now):
            raise Unavailable("registry-expired", what=f"{self._registry.good_until:%Y-%m-%d %H:%M}Z")
        return self._registry.federation

    def _look(self, now: datetime) -> None:
        try:
            self._take(self.fetch(now))
        except SaphanError as error:
            if error.code not in PASSING:
                self._closed = error
            elif self._registry is None or self._has_expired(now):
                self._recall(now, error)

    def _recall(self, now: datetime, passing: SaphanError) -> None:
        """Without the gateway: what the home knows, if that still holds."""
        try:
            self._take(self.known(now))
        except SaphanError as error:
            self._closed = passing if error.code in PASSING else error

    def _take(self, registry: Registry) -> None:
        if self._registry is None or registry.federation != self._registry.federation:
            self._registry = registry
        else:
            # The same value stays the same object, so that nobody rebuilds anything for nothing.
            federation = self._registry.federation
            self._registry = Registry(federation, registry.good_until, registry.contracts, registry.version)
        self._closed = None

    def _has_expired(self, now: datetime) -> bool:
        return self._registry is not None and now >= self._registry.good_until


def _again(error: SaphanError) -> SaphanError:
    """The same error, to be raised in another place."""
    same = from_code(error.code)
    same.details, same.reasons = error.details, error.reasons
    return same
