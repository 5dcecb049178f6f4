"""Which connections a listener holds: how many in all and from one peer, and whose time is over."""

import asyncio
from collections import Counter
from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network
from typing import Final, Protocol

from gateway.edges.limits import Limits
from gateway.edges.proxies import address_of

PEER_BITS: Final = 64
"""Of an IPv6 address: whoever has one has all of its network."""


class Watched(Protocol):
    """A connection that ends itself when its time is over."""

    def look(self, now: float, /) -> None:
        """Compare its state with the limits; ``now`` is the loop's time."""
        ...


class Roster:
    """The connections of one listener, looked at again and again with one timer for all: none is set for each call."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held: dict[Watched, str] = {}
        self._of_peer: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def enter(self, connection: Watched, peer: str, *, counts: bool, loop: asyncio.AbstractEventLoop) -> bool:
        """Take a connection on; False when there are too many already: it is then watched to its end all the same.

        Args:
            connection: The new one.
            peer: Its address.
            counts: Whether the limit of one peer holds for it; a proxy brings the connections of many.
            loop: The loop in which it runs.
        """
        key = peer_key(peer)
        self._held[connection] = key
        self._of_peer[key] += 1
        if self._timer is None:
            self._start(loop)
        is_crowd = counts and self._of_peer[key] > self._limits.connections_per_peer
        return len(self._held) <= self._limits.connections and not is_crowd

    def leave(self, connection: Watched) -> None:
        """It has ended."""
        key = self._held.pop(connection, None)
        if key is not None:
            self._of_peer[key] -= 1
            if not self._of_peer[key]:
                del self._of_peer[key]

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(self._limits.sweep_seconds, self._sweep, loop.time, loop)

    def _sweep(self, clock: Callable[[], float], loop: asyncio.AbstractEventLoop) -> None:
        now = clock()
        for connection in list(self._held):
            connection.look(now)
        self._timer = None
        if self._held:
            self._start(loop)


def peer_key(peer: str) -> str:
    """What counts as one peer: an IPv4 address, or the network of 64 bits that an IPv6 address lies in."""
    address = address_of(peer)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, PEER_BITS), strict=False))
    return peer if address is None else str(address)
