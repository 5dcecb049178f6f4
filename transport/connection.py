"""One kept-alive connection: it carries one request after the other until anything is odd."""

import select
import socket
import ssl
import time
from collections.abc import Callable
from typing import Final, TypeVar

from transport.reading import Reading

CONNECT_SECONDS: Final = 10.0
"""For each address of the host, if as much is left."""

PIECE_BYTES: Final = 65_536
Connected = TypeVar("Connected")


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

    def exchange(self, request: bytes, until: float, most: int) -> Reading:
        """Send a request and read its answer. After an error the connection is of no use.

        Args:
            request: All its bytes.
            until: The instant of the monotonic clock by which the whole answer must be there.
            most: Bytes of the answer's body.

        Raises:
            TooLarge: The answer's body is.
            OSError: No whole answer came.
        """
        answer = Reading(most)
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
        try:
            while rest:
                self._socket.settimeout(seconds_left(until))
                rest = rest[self._socket.send(rest) :]
        except ConnectionError:
            return  # who refuses a long body may answer, and close, before it has come


def connected(host: str, port: int, tls: ssl.SSLContext | None, until: float) -> Connection:
    """A new connection; over TLS when there is a context, whose rules the other side must satisfy by this name.

    Raises:
        OSError: Nobody is there, in time, who satisfies them.
        UnicodeError: No host can have this name.
    """
    opened = to_first(host, port, until, lambda address, most: socket.create_connection((address, port), most))
    try:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.settimeout(seconds_left(until))
        return Connection(opened if tls is None else tls.wrap_socket(opened, server_hostname=host))
    except BaseException:  # an interrupt, too, must leave nothing open
        opened.close()
        raise


def to_first(host: str, port: int, until: float, connect: Callable[[str, float], Connected]) -> Connected:
    """What comes of connecting to the addresses of a host, one after the other, within the time that is left.

    The system's look-up of the name cannot be cut off: it takes as long as the resolver's own settings let it, and what
    it takes is missing to the rest. When it has taken all, nobody is connected to.

    Args:
        host: A name or an address.
        port: Where it is reached.
        until: The instant of the monotonic clock by which somebody must have answered.
        connect: Connects to an address within so many seconds; raises ``OSError`` where it cannot.

    Raises:
        OSError: Nobody is there, in time.
        UnicodeError: No host can have this name.
    """
    failure: OSError = OSError("the name has no address")
    for *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        seconds = min(CONNECT_SECONDS, seconds_left(until))
        try:
            return connect(str(place[0]), seconds)
        except OSError as error:
            failure = error
    raise failure


def seconds_left(until: float) -> float:
    """How long it is until an instant of the monotonic clock.

    Raises:
        TimeoutError: It has passed.
    """
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time is over")
    return left
