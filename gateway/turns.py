"""Whose turn a tick is: of several gateway processes one carries on what was left lying, the others now and then."""

from dataclasses import dataclass
from typing import Final, Protocol

EVERY: Final = 10
"""Who does not lead does every tenth tick nevertheless: a leader that hangs must not stall everything."""


class Led(Protocol):
    """What tells which process leads."""

    @property
    def leads(self) -> bool:
        """Whether this one does."""
        ...


@dataclass(slots=True)
class Turns:
    """Counts the ticks of one process. A tick that two do at once does nothing twice; it would only be in vain.

    Args:
        led: Tells whether this process leads; none where each looks after itself.
    """

    led: Led | None = None
    _ticks: int = 0

    def is_next_mine(self) -> bool:
        """Whether the tick that begins now is this process's to do."""
        self._ticks += 1
        return self.led is None or self.led.leads or self._ticks % EVERY == 0
