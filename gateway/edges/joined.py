"""An answer's head leaves together with what follows it.

The server writes them one after the other, and the loop gives each to the system at once: alone, the head costs both
sides as much as the body again, a system call, a packet, a TLS record and a wake-up.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class Joined:
    """A connection as one answer is written to it: what the server asks of a transport meanwhile.

    Args:
        transport: The connection.
        cycle: The call and its answer.
    """

    def __init__(self, transport: asyncio.Transport, cycle: RequestResponseCycle) -> None:
        self._transport = transport
        self._cycle = cycle
        self._is_begun = False
        self._held = b""

    def write(self, data: bytes) -> None:
        """Send it, behind the head if that is still here; the head itself waits for what follows."""
        if self._cycle.response_started and not self._is_begun:
            self._is_begun, self._held = True, data
            return
        held, self._held = self._held, b""
        self._transport.write(held + data if held else data)

    def flush(self) -> None:
        """Send the head of an answer that has no body."""
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held)

    def close(self) -> None:
        """Close when all is sent."""
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether the connection is closed or will be."""
        return self._transport.is_closing()
