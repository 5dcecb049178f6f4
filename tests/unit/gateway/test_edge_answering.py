"""The head of an answer leaves together with what follows it, and says how long that is."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, cast

import pytest
from uvicorn.protocols.http.flow_control import FlowControl

from gateway.edges.answering import Cycle

pytestmark = pytest.mark.unit

OK = b"HTTP/1.1 200 OK\r\nserver: here\r\n"


class Connection:
    """Notes what is done with it."""

    def __init__(self) -> None:
        self.done: list[bytes | str] = []
        self.completed = 0

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def close(self) -> None:
        self.done.append("closed")

    def complete(self) -> None:
        self.completed += 1


def head(status: int, *fields: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": list(fields)}


def piece(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


def answered(messages: Iterable[dict[str, Any]], method: str = "GET", *, keep_alive: bool = True) -> Connection:
    connection = Connection()

    async def answer() -> None:
        transport, nobody = cast(asyncio.Transport, connection), logging.getLogger("nobody")
        flow, scope = FlowControl(transport), cast(Any, {"method": method})
        said = [(b"server", b"here")]
        cycle = Cycle(
            scope=scope,
            transport=transport,
            flow=flow,
            logger=nobody,
            access_logger=nobody,
            access_log=False,
            default_headers=said,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=keep_alive,
            on_response=connection.complete,
        )
        try:
            for message in messages:
                await cycle.send(message)
        finally:
            assert cycle.response_complete == bool(connection.completed)

    asyncio.run(answer())
    return connection


def test_head_and_body_are_one_write_and_what_comes_later_follows_at_once() -> None:
    sent = [head(200, (b"content-length", b"6")), piece(b"one", more=True), piece(b"two")]
    line = answered(sent)
    assert line.done == [OK + b"content-length: 6\r\n\r\none", b"two"]
    assert line.completed == 1
    assert answered(sent[:1]).done == []


def test_a_body_of_unknown_length_leaves_in_chunks() -> None:
    line = answered([head(200), piece(b"one", more=True), piece(b"", more=True), piece(b"two")])
    begun = OK + b"transfer-encoding: chunked\r\n\r\n3\r\none\r\n"
    assert line.done == [begun, b"", b"3\r\ntwo\r\n0\r\n\r\n"]


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_is_its_head(status: int) -> None:
    line = answered([head(status), piece(b"")])
    (sent,) = line.done
    assert isinstance(sent, bytes)
    assert sent.endswith(b"server: here\r\n\r\n")
    assert line.completed == 1


def test_who_asks_for_the_head_gets_no_body() -> None:
    line = answered([head(200, (b"content-length", b"6")), piece(b"onetwo")], "HEAD")
    assert line.done == [OK + b"content-length: 6\r\n\r\n"]
    assert answered([head(200), piece(b"onetwo")], "HEAD").done == [OK + b"\r\n"]


def test_the_last_answer_of_a_connection_says_so_and_closes_it() -> None:
    empty, close = (b"content-length", b"0"), (b"connection", b"close")
    last = [OK + b"content-length: 0\r\nconnection: close\r\n\r\n", "closed"]
    assert answered([head(200, empty), piece(b"")], keep_alive=False).done == last
    assert answered([head(200, empty, close), piece(b"")]).done == last
    assert answered([head(200, empty, close), piece(b"")], keep_alive=False).done == last


@pytest.mark.parametrize(
    "messages",
    [
        [piece(b"")],
        [head(200), head(200)],
        [head(204), piece(b""), piece(b"")],
        [head(200, (b"x: y\r\nset-cookie", b"z"))],
        [head(200, (b"x", b"y\r\nset-cookie: z"))],
        [head(200, (b"content-length", b"2")), piece(b"one")],
        [head(200, (b"content-length", b"4")), piece(b"one")],
    ],
    ids=["no head", "two heads", "after its end", "a split name", "a split value", "longer", "shorter"],
)
def test_what_would_be_no_answer_is_a_defect(messages: list[dict[str, Any]]) -> None:
    with pytest.raises(RuntimeError):
        answered(messages)
