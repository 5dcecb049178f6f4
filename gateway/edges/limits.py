"""How much, how many and how long: the limits of one listener."""

import re
from typing import Final

from pydantic import Field

from contracts.values import Value

KIB: Final = 2**10
MIB: Final = 2**20


class LargerBody(Value):
    """A route that takes more than others: its method, the pattern of its path, and the most bytes of its body."""

    method: str
    path: re.Pattern[bytes]
    most_bytes: int


class Limits(Value):
    """The limits of one listener; the settings' table ``[limits]``.

    A header may take ``header_seconds`` and ``header_bytes`` in ``header_fields`` fields, its target ``target_bytes``.
    A body of at most ``body_bytes`` (routes may take more) has ``body_seconds`` and a second more for every
    ``body_bytes_per_second`` that have come. A connection that waits is closed after ``idle_seconds``, one whose peer
    does not read after ``stall_seconds``. ``connections`` are held in all, ``connections_per_peer`` of one address (an
    IPv6 network of 64 bits counts as one).
    """

    header_seconds: float = Field(default=5.0, gt=0, le=600)
    header_bytes: int = Field(default=32 * KIB, ge=KIB, le=MIB)
    header_fields: int = Field(default=64, ge=8, le=1000)
    target_bytes: int = Field(default=8 * KIB, ge=256, le=64 * KIB)
    body_bytes: int = Field(default=MIB, ge=KIB, le=2**30)
    body_seconds: float = Field(default=10.0, gt=0, le=3600)
    body_bytes_per_second: int = Field(default=4 * KIB, ge=1, le=2**30)
    idle_seconds: float = Field(default=30.0, gt=0, le=3600)
    stall_seconds: float = Field(default=30.0, gt=0, le=3600)
    linger_seconds: float = Field(default=1.0, gt=0, le=60)
    connections: int = Field(default=512, ge=1, le=100_000)
    connections_per_peer: int = Field(default=128, ge=1, le=100_000)

    @property
    def sweep_seconds(self) -> float:
        """How often connections are looked at: often enough that no limit of time is passed by more than an eighth."""
        shortest = min(self.header_seconds, self.body_seconds, self.idle_seconds, self.stall_seconds)
        return min(0.5, min(shortest, self.linger_seconds) / 8)
