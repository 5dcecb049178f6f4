"""The HTTP/1.1 protocol of the gateway: limits and refusals around the parser, before the application sees a message.

llhttp (in ``httptools``) refuses what it cannot read in one way alone: Content-Length beside Transfer-Encoding, two
lengths, folded fields, bare line feeds, control characters. What it lets through and what takes too long or too much is
refused here. Nothing that was sent stands in an answer or a log.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from http import HTTPStatus
from typing import Any, ClassVar, Final
from urllib.parse import unquote

import httptools
from typing_extensions import override
from uvicorn._types import HTTPScope
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from contracts.errors import InvalidInput, Unavailable
from gateway.edges.answering import Cycle
from gateway.edges.headers import ALWAYS
from gateway.edges.hosts import name_in
from gateway.edges.limits import LargerBody, Limits
from gateway.edges.proxies import Proxies, is_loopback, thumbprint
from gateway.edges.refusals import Stopped, answer, unclear
from gateway.edges.roster import Roster
from gateway.quiet_log import where_of

X5T: Final = "x5t_s256"
"""Where the application finds the thumbprint of the caller's certificate: ``scope["state"]``."""

VERSION: Final = "1.1"
LOOKED_AT: Final = frozenset({b"host", b"content-length", b"transfer-encoding", b"content-encoding"})
BODY_OVERHEAD: Final = 16
"""The part of a chunked body that may be sizes and line ends: a sixteenth, beside the length of one header."""

log = logging.getLogger("saphan.gateway")


class Phase(IntEnum):
    """Where a connection stands."""

    IDLE = 0
    HEADER = 1
    BODY = 2
    ANSWERING = 3
    CLOSING = 4


@dataclass(frozen=True, slots=True)
class Front:
    """What a listener goes by.

    Args:
        limits: How much, how many, how long.
        hosts: The names of the gateway, lower case.
        proxies: Whom it believes about its callers.
        larger: Routes that take larger bodies than others.
        roster: The connections that it holds.
    """

    limits: Limits
    hosts: frozenset[bytes]
    proxies: Proxies
    larger: Sequence[LargerBody]
    roster: Roster

    def most_body(self, method: bytes, path: bytes) -> int:
        """The most bytes that the body of a call may have."""
        for each in self.larger:
            if each.method.encode() == method and each.path.fullmatch(path):
                return each.most_bytes
        return self.limits.body_bytes


class GuardedProtocol(HttpToolsProtocol):
    """One connection: its sizes are counted while they come, its time is looked at by the roster."""

    front: ClassVar[Front]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._phase = Phase.IDLE
        self._since = 0.0
        self._stalled: float | None = None
        self._head = self._body = self._raw = 0
        self._most = self.front.limits.body_bytes
        self._by_proxy = False

    # ------------------------------------------------------------ the connection

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._since = self.loop.time()
        peer = self.client[0] if self.client else ""
        self._by_proxy = self.front.proxies.trust(peer)
        tls = transport.get_extra_info("ssl_object")
        # A proxy's own certificate says nothing of its callers.
        certificate = None if tls is None or self._by_proxy else tls.getpeercert(binary_form=True)
        if certificate:
            self.app_state = {**self.app_state, X5T: thumbprint(certificate)}
        if not self.front.roster.enter(self, peer, counts=not self._by_proxy, loop=self.loop):
            self._refuse(Stopped(Unavailable("too-many-connections"), HTTPStatus.SERVICE_UNAVAILABLE))
        elif tls is None and not self._by_proxy and not is_loopback(peer):
            # Whoever gets past the proxies would otherwise send in the clear what others could read.
            self._refuse(Stopped(InvalidInput("tls-required"), HTTPStatus.UPGRADE_REQUIRED))

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.front.roster.leave(self)
        super().connection_lost(exc)

    def look(self, now: float) -> None:
        """End a connection whose time is over; the roster asks for it."""
        limits, waited = self.front.limits, now - self._since
        if self._is_stalled(now):
            self.transport.abort()
        elif self._phase is Phase.CLOSING:
            self._end(waited)
        elif self._phase is Phase.IDLE and waited > limits.idle_seconds:
            self._phase, self._since = Phase.CLOSING, now
            self.transport.close()
        elif self._phase is Phase.HEADER and waited > limits.header_seconds:
            self._refuse(Stopped(InvalidInput("request-too-slow"), HTTPStatus.REQUEST_TIMEOUT))
        elif self._phase is Phase.BODY:
            self._look_at_body(now, waited)

    def _look_at_body(self, now: float, waited: float) -> None:
        limits = self.front.limits
        if self.flow.read_paused:
            # It is the gateway that does not read: the sender's time begins anew.
            self._since = now
        elif waited > limits.body_seconds + self._body / limits.body_bytes_per_second:
            self._refuse(Stopped(InvalidInput("request-too-slow"), HTTPStatus.REQUEST_TIMEOUT))

    def _is_stalled(self, now: float) -> bool:
        """Whether the peer has read nothing of its answer for too long."""
        if not self.flow.write_paused:
            self._stalled = None
        elif self._stalled is None:
            self._stalled = now
        return self._stalled is not None and now - self._stalled > self.front.limits.stall_seconds

    def _end(self, waited: float) -> None:
        """Close for good what was told to go, unless an answer is still being made."""
        under_way = self._under_way()
        if waited > self.front.limits.linger_seconds and (under_way is None or under_way.disconnected):
            self.transport.abort()

    def _under_way(self) -> RequestResponseCycle | None:
        """The call whose answer is not complete."""
        cycle: RequestResponseCycle | None = self.cycle
        return None if cycle is None or cycle.response_complete else cycle

    # ------------------------------------------------------------ what comes

    @override
    def data_received(self, data: bytes) -> None:
        if self._phase is Phase.CLOSING:
            return
        try:
            self._feed(data)
        except httptools.HttpParserUpgrade:
            # The call is answered as if nothing had been asked; what comes after it, nobody here could read.
            self._last_call()
        except httptools.HttpParserError as error:
            self._refuse(_reason_in(error))
        except Stopped as stopped:
            self._refuse(stopped)

    def _feed(self, data: bytes) -> None:
        """Give the parser what came; of a header no more than it may have, so that nothing longer is ever held."""
        if self._phase is Phase.BODY:
            self._raw += len(data)
            self.parser.feed_data(data)
            self._check_overhead()
            return
        room = self.front.limits.header_bytes - self._head
        self._head += min(len(data), room)
        self.parser.feed_data(data[:room])
        if len(data) > room:
            self._check_header_ended()
            self._feed(data[room:])

    def _check_overhead(self) -> None:
        allowed = self.front.limits.header_bytes + self._body // BODY_OVERHEAD
        if self._phase is Phase.BODY and self._raw - self._body > allowed:
            raise unclear("a body of little but chunk sizes")

    def _check_header_ended(self) -> None:
        if self._phase in {Phase.IDLE, Phase.HEADER}:
            raise Stopped(InvalidInput("header-too-large"), HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    @override
    def on_message_begin(self) -> None:
        if self._under_way() is not None:
            raise unclear("a call before the answer to the last")
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self._phase, self._since = Phase.HEADER, self.loop.time()

    @override
    def on_headers_complete(self) -> None:
        self._check_head()
        self.scope = self._scope()
        if self._by_proxy:
            self._believe_proxy()
        self.cycle = Cycle(
            self.scope,
            self.transport,
            self.flow,
            self.logger,
            self.access_logger,
            self.access_log,
            self.server_state.default_headers,
            asyncio.Event(),
            self.expect_100_continue,
            self.parser.should_keep_alive(),
            self.on_response_complete,
        )
        self._start_asgi_task(self.cycle, self.app)
        # Fields after the body are no part of the call that was checked.
        self.headers = []
        self._phase, self._since = Phase.BODY, self.loop.time()

    def _scope(self) -> HTTPScope:
        """The call as the application is told of it; the server knows no other versions, and no path above its own."""
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        return {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": VERSION,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme or "http",
            "method": self.parser.get_method().decode("ascii"),
            "root_path": "",
            "path": unquote(path) if "%" in path else path,
            "raw_path": url.path,
            "query_string": url.query or b"",
            "headers": self.headers,
            "state": self.app_state.copy(),
        }

    @override
    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        if self._body > self._most and self._body > self._most_of_route():
            raise Stopped(InvalidInput("body-too-large"), HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    @override
    def on_message_complete(self) -> None:
        if self.headers:
            raise unclear("fields after the body")
        self._head = self._body = self._raw = 0
        self._phase = Phase.IDLE if self.cycle.response_complete else Phase.ANSWERING
        self.cycle.more_body = False
        self.cycle.message_event.set()

    @override
    def on_response_complete(self) -> None:
        # In place of uvicorn's, which sets a timer for each answer and looks for pipelined calls.
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        self._since = self.loop.time()
        if self._phase is Phase.ANSWERING:
            self._phase = Phase.IDLE
        elif self._phase is Phase.BODY:
            # The answer came before the end of the call; the rest of it is not read.
            self._phase = Phase.CLOSING
            self._say_end()

    # ------------------------------------------------------------ the header

    def _check_head(self) -> None:
        if self.parser.get_http_version() != VERSION:
            raise unclear("it is not HTTP/1.1", HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
        if not self.url.startswith(b"/") or b"#" in self.url:
            raise unclear("its target is not a path")
        limits = self.front.limits
        if len(self.url) > limits.target_bytes:
            raise Stopped(InvalidInput("header-too-large"), HTTPStatus.REQUEST_URI_TOO_LONG)
        if len(self.headers) > limits.header_fields:
            raise Stopped(InvalidInput("header-too-large"), HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        self._check_fields([field for field in self.headers if field[0] in LOOKED_AT])

    def _check_fields(self, fields: list[tuple[bytes, bytes]]) -> None:
        hosts = [value for name, value in fields if name == b"host"]
        if len(hosts) != 1:
            raise unclear("it names no host, or two")
        if name_in(hosts[0]) not in self.front.hosts:
            raise Stopped(InvalidInput("host-unknown"), HTTPStatus.MISDIRECTED_REQUEST)
        self._most = self.front.limits.body_bytes
        if len(fields) > 1:
            self._check_body_fields(fields)

    def _check_body_fields(self, fields: list[tuple[bytes, bytes]]) -> None:
        for name, value in fields:
            if name == b"transfer-encoding" and value.lower() != b"chunked":
                raise unclear("a transfer coding other than chunked")
            if name == b"content-encoding" and value.lower() != b"identity":
                raise Stopped(InvalidInput("body-encoded"), HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
            if name == b"content-length" and int(value) > self._most and int(value) > self._most_of_route():
                raise Stopped(InvalidInput("body-too-large"), HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def _most_of_route(self) -> int:
        """What the route takes; asked only of what is larger than every route takes."""
        self._most = self.front.most_body(self.parser.get_method(), self.url.partition(b"?")[0])
        return self._most

    def _believe_proxy(self) -> None:
        told = self.front.proxies.read(self.headers)
        if told.client is not None:
            self.scope["client"] = (told.client, 0)
        if told.scheme is not None:
            self.scope["scheme"] = told.scheme
        if told.x5t_s256 is not None:
            self.scope["state"][X5T] = told.x5t_s256

    # ------------------------------------------------------------ the end

    def _refuse(self, stopped: Stopped) -> None:
        """Tell the peer why, where the protocol allows it, and read no further."""
        log.info("a connection is turned away: %s", stopped.error.code)
        begun = self._under_way()
        if begun is not None and (begun.response_started or self._phase is Phase.ANSWERING):
            # Its own answer comes first and is the last.
            self._last_call()
            return
        if begun is not None:
            begun.disconnected = True
            begun.message_event.set()
        self._phase, self._since = Phase.CLOSING, self.loop.time()
        self.transport.write(answer(stopped, [*self.server_state.default_headers, *ALWAYS]))
        self._say_end()

    def _last_call(self) -> None:
        """Read no further; the answer that is being made is the last."""
        self._phase, self._since = Phase.CLOSING, self.loop.time()
        self.cycle.keep_alive = False

    def _say_end(self) -> None:
        """Say that nothing more comes, and throw away what does until the peer has read its answer or time is over."""
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()


def _reason_in(error: httptools.HttpParserError) -> Stopped:
    """What a callback raised, or that the parser could not read the message."""
    if isinstance(error.__context__, Stopped):
        return error.__context__
    if error.__context__ is not None:
        log.error("defect: %s", where_of(error.__context__))
    return unclear("it is no HTTP that can be read in one way")
