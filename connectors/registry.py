"""The trust registry in a connector: what it makes anew when somebody's keys changed, and what it may do until then.

A home that pins ``root.json`` believes the registry and nothing else; one that pins ``federation.json`` has fixed keys.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from connectors.guard import Guard
from connectors.home import Home
from contracts.calls import SignedCalls
from contracts.federation import Federation
from transport.line import Line
from trust.anchor import known, live_over_http, pins_root
from trust.live import LiveRegistry


@dataclass(frozen=True, slots=True)
class Followed:
    """The registry that a running connector follows.

    Args:
        live: Reads it again and again.
        guard_of: The agency's checks by another federation.
        calls_of: Tokens and signatures by the agency's newest registered key.
    """

    live: LiveRegistry
    guard_of: Callable[[Federation], Guard]
    calls_of: Callable[[Federation], SignedCalls]


def live_registry(home: Home, line: Line) -> LiveRegistry | None:
    """The registry of a home; none where its keys are fixed.

    Raises:
        InvalidInput: ``root-pinned``, when it has both.
    """
    return live_over_http(home.path, line) if pins_root(home.path) else None


def known_federation(home: Home, now: datetime) -> Federation:
    """The members' keys as this home knows them, without asking the gateway.

    Raises:
        Unavailable: ``registry-expired``.
        IntegrityError: ``registry-content``.
        InvalidInput: ``setting-invalid`` without any; ``root-pinned``.
    """
    return known(home.path, now) if pins_root(home.path) else home.federation()
