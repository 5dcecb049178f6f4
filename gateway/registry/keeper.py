"""Keeps a running gateway at the newest registry: signs what is due, reads it as every client does, adopts changes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from contracts.errors import InvalidInput, Unavailable
from contracts.federation import Federation
from gateway.home import GatewayHome
from gateway.registry.repository import Repository
from gateway.store.engine import Store
from trust.live import LiveRegistry
from trust.reader import read, read_known

Adopt = Callable[[Federation], None]
"""Makes the gateway work by another federation."""


@dataclass(slots=True)
class Keeper:
    """One gateway process and the registry.

    Args:
        repository: What all processes serve.
        live: The same as a reader sees it.
        clock: The present, aware UTC.
    """

    repository: Repository
    live: LiveRegistry
    clock: Callable[[], datetime]
    _seen: int = 0
    _stuck: bool = field(default=False)
    _adopted: Federation | None = None
    _signing: frozenset[str] = frozenset()

    def begin(self) -> Federation:
        """The federation with which the process starts.

        Raises:
            SaphanError: As ``trust.reader.read``.
        """
        now = self.clock()
        # After an outage of more than two days its own word has expired, and nobody but it can renew that.
        self.repository.renew(now)
        self._seen = self.repository.version()
        self._adopted = self.live.refresh(now)
        self._signing = _own(self._adopted, now)
        return self._adopted

    def step(self, adopt: Adopt) -> None:
        """One look: renew what is due, and adopt what changed.

        Raises:
            SaphanError: As ``begin``; ``check`` then refuses.
        """
        now = self.clock()
        self.repository.renew(now)
        version = self.repository.version()
        federation = self.live.refresh(now, again=version != self._seen)
        self._seen = version
        # A successor's time comes, or a predecessor's ends, without any change of the registry.
        signing = _own(federation, now)
        if federation is not self._adopted or signing != self._signing or self._stuck:
            self._stuck = True
            adopt(federation)
            self._stuck, self._adopted, self._signing = False, federation, signing

    def check(self, now: datetime) -> None:
        """Check that this process works by a registry that holds.

        Raises:
            SaphanError: As ``begin``.
        """
        self.live.check(now)
        if self._stuck:
            raise Unavailable("registry-incomplete", what="key that this gateway holds")


def _own(federation: Federation, now: datetime) -> frozenset[str]:
    return federation.signing(federation.operator, now)


def keeper_of(home: GatewayHome, store: Store, clock: Callable[[], datetime]) -> Keeper:
    """The keeper of a gateway whose home pins a root."""
    repository = repository_of(home, store)
    live = LiveRegistry(lambda now: read(home.path, repository.get, now), lambda now: read_known(home.path, now))
    return Keeper(repository, live, clock)


def repository_of(home: GatewayHome, store: Store) -> Repository:
    """The registry that a gateway keeps.

    Raises:
        InvalidInput: ``setting-invalid`` without a pinned root.
    """
    return Repository(store, _pinned(home.path), lambda kid: home.keys.key(kid) if home.keys.holds(kid) else None)


def _pinned(home: Path) -> bytes:
    try:
        return (home / "root.json").read_bytes()
    except OSError as error:
        raise InvalidInput("setting-invalid", setting="root.json", why="it cannot be read") from error
