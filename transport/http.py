"""The line of a member's program to its gateway: kept-alive connections of its own, straight to one host.

It knows no proxy, no redirect and no cookie, and reads nothing from the environment. Nothing is ever sent twice.
"""

import time
from threading import Lock
from typing import Final
from urllib.parse import urlsplit

from typing_extensions import override

from contracts.errors import Unavailable
from contracts.signature_base import Message
from contracts.transport import ClientFiles, client_context
from transport.connection import Connection, connected
from transport.line import Line, TooLong
from transport.reading import MOST_BODY_BYTES, Reading, TooLarge
from transport.wording import written

KEPT_SECONDS: Final = 15.0
"""How long a connection may wait for its next request: half as long as the gateway lets it."""

MOST_KEPT: Final = 16
PORTS: Final = {"https": 443, "http": 80}


class HttpLine(Line):
    """A line over HTTP/1.1.

    Args:
        url: Where the gateway is reached: scheme, host and port.
        files: The trusted roots and what this side shows of itself.

    Raises:
        InvalidInput: ``setting-invalid``, for plain HTTP through a network and for files that cannot be used.
    """

    def __init__(self, url: str, files: ClientFiles) -> None:
        context = client_context(url, files)
        context.set_alpn_protocols(["http/1.1"])
        parts = urlsplit(url)
        self._tls = context if parts.scheme == "https" else None
        self._host, self._port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        self._host_field = parts.netloc.lower()
        self._idle: list[Connection] = []
        self._lock = Lock()
        self._is_closed = False

    @override
    def send(self, call: Message, seconds: float, most: int = MOST_BODY_BYTES) -> Message:
        request, until = written(call, self._host_field), time.monotonic() + seconds
        try:
            answer = self._exchange(request, until, most)
        except TooLarge as error:
            raise TooLong from error
        except (OSError, UnicodeError) as error:
            raise Unavailable("gateway-unreachable") from error
        return Message(call.method, call.path, answer.headers, answer.body, answer.status, call)

    @override
    def close(self) -> None:
        with self._lock:
            self._is_closed, idle, self._idle = True, self._idle, []
        for each in idle:
            each.close()

    def _exchange(self, request: bytes, until: float, most: int) -> Reading:
        connection = self._waiting() or connected(self._host, self._port, self._tls, until)
        try:
            answer = connection.exchange(request, until, most)
        except BaseException:  # an interrupt, too: what is still to come would be taken for the next answer
            connection.close()
            raise
        if answer.keeps_alive:
            self._keep(connection)
        else:
            connection.close()
        return answer

    def _waiting(self) -> Connection | None:
        """A connection that waits for a request and is still open; the others are closed on the way."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if time.monotonic() - connection.used_at < KEPT_SECONDS and connection.is_silent():
                return connection
            connection.close()

    def _keep(self, connection: Connection) -> None:
        with self._lock:
            is_kept = not self._is_closed and len(self._idle) < MOST_KEPT
            if is_kept:
                self._idle.append(connection)
        if not is_kept:
            connection.close()
