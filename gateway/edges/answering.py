"""A call and its answer between the parser and the application: uvicorn's, its answers written in one piece.

Uvicorn looks at each field of a head alone, and gives the loop the head before the body: that costs both sides as much
as the body again, a system call, a packet, a TLS record and a wake-up.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HEADER_RE, HEADER_VALUE_RE, STATUS_LINE, RequestResponseCycle

from gateway.edges.headers import Field

WITHOUT_BODY: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


class Cycle(RequestResponseCycle):
    """One call: what it sent, and its answer, whose head waits for what follows it."""

    _head = b""

    @override
    async def send(self, message: Any) -> None:
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if self.response_started == (message["type"] == "http.response.start") or self.response_complete:
            raise RuntimeError("an answer has one head, and then its body")
        if not self.response_started:
            self._begin(message["status"], message["headers"])
        else:
            self._go_on(message.get("body", b""), is_last=not message.get("more_body", False))

    def _begin(self, status: int, said: Sequence[Field]) -> None:
        self.response_started, self.waiting_for_100_continue = True, False
        fields = [*self.default_headers, *said]
        named = {name.lower(): value for name, value in fields}
        length = named.get(b"content-length")
        self.chunked_encoding = length is None and self.scope["method"] != "HEAD" and status not in WITHOUT_BODY
        self.expected_content_length = int(length or b"0")
        if self.chunked_encoding:
            fields.append((b"transfer-encoding", b"chunked"))
        if named.get(b"connection") == b"close":
            self.keep_alive = False
        elif not self.keep_alive:
            fields.append((b"connection", b"close"))
        # All at once: what none of them holds, all of them together do not hold.
        if HEADER_RE.search(b"".join([name for name, _ in fields])):
            raise RuntimeError("the name of a field is malformed")
        if HEADER_VALUE_RE.search(b"".join([value for _, value in fields])):
            raise RuntimeError("the value of a field is malformed")
        self._head = b"%b%b\r\n" % (STATUS_LINE[status], b"".join([b"%b: %b\r\n" % field for field in fields]))

    def _go_on(self, body: bytes, *, is_last: bool) -> None:
        head, self._head = self._head, b""
        self.transport.write(head + self._framed(body, is_last=is_last))
        if is_last:
            if self.expected_content_length:
                raise RuntimeError("an answer is shorter than its head says")
            self.response_complete = True
            self.message_event.set()
            if not self.keep_alive:
                self.transport.close()
            self.on_response()

    def _framed(self, body: bytes, *, is_last: bool) -> bytes:
        if self.scope["method"] == "HEAD":
            self.expected_content_length = 0
            return b""
        if self.chunked_encoding:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            return chunk + b"0\r\n\r\n" if is_last else chunk
        if len(body) > self.expected_content_length:
            raise RuntimeError("an answer is longer than its head says")
        self.expected_content_length -= len(body)
        return body
