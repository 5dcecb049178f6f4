"""One kept-alive connection: it carries one request after the other until anything is odd."""

import select
import socket
import ssl
import time
from contextlib import suppress
from typing import Final

from transport.reading import Reading

CONNECT_SECONDS: Final = 10.0
"""For each address of the host."""

PIECE_BYTES: Final = 65_536


class Connection:
    """A connection that one thread uses at a time.

    Args:
        connected: The socket, after its handshake.
    """

    def __init__(self, connected: socket.socket) -> None:
        self.used_at = time.monotonic()
        self._socket = connected
        self._readable = select.poll()
        self._readable.register(connected, select.POLLIN)

    def is_silent(self) -> bool:
        """Whether the other side has said nothing since the last answer, not even that it closes."""
        return not self._readable.poll(0)

    def exchange(self, request: bytes, until: float) -> Reading:
        """Send a request and read its answer. After an error the connection is of no use.

        Args:
            request: All its bytes.
            until: The instant of the monotonic clock by which the whole answer must be there.

        Raises:
            OSError: No whole answer came.
        """
        answer = Reading()
        with suppress(ConnectionError):  # who refuses a long body may answer, and close, before it has come
            self._send(request, until)
        while not answer.is_complete:
            self._socket.settimeout(seconds_left(until))
            received = self._socket.recv(PIECE_BYTES)
            if not received:
                raise ConnectionError("closed before the end of the answer")
            answer.feed(received)
        self.used_at = time.monotonic()
        return answer

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def _send(self, request: bytes, until: float) -> None:
        rest = memoryview(request)
        while rest:
            self._socket.settimeout(seconds_left(until))
            rest = rest[self._socket.send(rest) :]


def connected(host: str, port: int, tls: ssl.SSLContext | None, until: float) -> Connection:
    """A new connection; over TLS when there is a context, whose rules the other side must satisfy by this name.

    Raises:
        OSError: Nobody is there, in time, who satisfies them.
        UnicodeError: No host can have this name.
    """
    opened = socket.create_connection((host, port), min(CONNECT_SECONDS, seconds_left(until)))
    try:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.settimeout(seconds_left(until))
        return Connection(opened if tls is None else tls.wrap_socket(opened, server_hostname=host))
    except BaseException:  # an interrupt, too, must leave nothing open
        opened.close()
        raise


def seconds_left(until: float) -> float:
    """How long it is until an instant of the monotonic clock.

    Raises:
        TimeoutError: It has passed.
    """
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time is over")
    return left
