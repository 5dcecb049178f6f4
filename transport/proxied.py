"""The line of a connector whose network lets it out through a proxy alone: httpx2 knows how to speak to one.

httpx2 counts its time from one piece to the next and has no end for a body. Here each answer has one deadline, kept
under httpx2 where bytes come and go, and as much room as was asked for.
"""

import ssl
import time
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any, Final

import httpcore2
import httpx2
from typing_extensions import override

from contracts.errors import Unavailable
from contracts.signature_base import Message, headers_of
from contracts.transport import ClientFiles, client_context
from transport.connection import seconds_left, to_first
from transport.line import Line, TooLong
from transport.reading import MOST_BODY_BYTES, TooLarge, check_head

RECORD_BYTES: Final = 16_384
"""Of TLS: what is handed on at once takes one wait for the other side, and not one for each part of it."""

_until: Final[ContextVar[float]] = ContextVar("until")
"""By when the answer that this thread waits for must be there: httpx2 does all its work in the thread that asks."""


def line_through(proxy: str, url: str, files: ClientFiles) -> Line:
    """A line through a proxy and, over TLS, past it: the proxy sees the gateway's name and nothing else.

    Raises:
        InvalidInput: ``setting-invalid``, for plain HTTP through a network and for files that cannot be used.
    """
    verify, plain = client_context(url, files), {"accept-encoding": "identity"}
    way = _Way(verify=verify, proxy=proxy, trust_env=False)
    return ClientLine(httpx2.Client(base_url=url, transport=way, trust_env=False, headers=plain))


class ClientLine(Line):
    """A line over a client of httpx2, whose settings say where it leads.

    Args:
        http: The client, with the gateway's address as its base; it is closed with the line.
    """

    def __init__(self, http: httpx2.Client) -> None:
        self._http = http

    @override
    def send(self, call: Message, seconds: float, most: int = MOST_BODY_BYTES) -> Message:
        before = _until.set(time.monotonic() + seconds)
        try:
            return self._exchange(call, seconds, most)
        except TooLarge as error:
            raise TooLong from error
        except (httpx2.HTTPError, OSError) as error:
            raise Unavailable("gateway-unreachable") from error
        finally:
            _until.reset(before)

    @override
    def close(self) -> None:
        self._http.close()

    def _exchange(self, call: Message, seconds: float, most: int) -> Message:
        request = self._http.build_request(
            call.method, call.path, content=call.body, headers=dict(call.headers), timeout=seconds
        )
        answer = self._http.send(request, stream=True, follow_redirects=False)
        try:
            headers = headers_of(answer.headers.raw)
            check_head(headers, most)
            return Message(call.method, call.path, headers, _body(answer, most), answer.status_code, call)
        finally:
            answer.close()  # one that was not read to its end takes its connection along


def _body(answer: httpx2.Response, most: int) -> bytes:
    """The bytes as they came: what would have to be unpacked could become a thousand times as long."""
    pieces, taken = [], 0
    for piece in answer.iter_raw():
        seconds_left(_until.get())
        taken += len(piece)
        if taken > most:
            raise TooLarge("its body is too large")
        pieces.append(piece)
    return b"".join(pieces)


class _Way(httpx2.HTTPTransport):
    """A proxy's transport that asks the clock at every step; httpx2 has no argument for what lies beneath it."""

    def __init__(self, *, verify: ssl.SSLContext, proxy: str, trust_env: bool) -> None:
        super().__init__(verify=verify, proxy=proxy, trust_env=trust_env)
        self._pool._network_backend = _Network()  # noqa: SLF001  # as said above


class _Network(httpcore2.NetworkBackend):
    """Connects within what is left of the time."""

    @override
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        def connect(address: str, seconds: float) -> httpcore2.NetworkStream:
            try:
                return httpcore2.SyncBackend().connect_tcp(address, port, seconds, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                raise ConnectionError from error

        return _Stream(to_first(host, port, _until.get(), connect))


class _Stream(httpcore2.NetworkStream):
    """Bytes that come and go within what is left of the time, whatever httpx2 believes to be left.

    Over TLS to the proxy itself, a step may take longer than that: what lies within is read by httpcore2.
    """

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    @override
    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, seconds_left(_until.get()))

    @override
    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), RECORD_BYTES):
            self._inner.write(buffer[start : start + RECORD_BYTES], seconds_left(_until.get()))

    @override
    def close(self) -> None:
        self._inner.close()

    @override
    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, seconds_left(_until.get())))

    @override
    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
