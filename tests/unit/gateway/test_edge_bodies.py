"""A body that nobody reads is not taken in: the connection is read no further until the application does."""

import asyncio
from typing import Final

import pytest
from starlette.types import Receive, Scope, Send
from typing_extensions import override
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.server import ServerState

from gateway.edges.listener import GuardedProtocol
from gateway.edges.server import Listening, server_config

pytestmark = pytest.mark.unit

LENGTH: Final = 3 * HIGH_WATER_LIMIT
HEAD: Final = b"POST /page HTTP/1.1\r\nHost: gateway.example\r\nContent-Length: %d\r\n\r\n" % LENGTH


class Wire(asyncio.Transport):
    """A connection that notes whether it is read."""

    is_read = True

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 40_000), "sockname": ("127.0.0.1", 8000)})

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Nobody is there."""

    @override
    def pause_reading(self) -> None:
        self.is_read = False

    @override
    def resume_reading(self) -> None:
        self.is_read = True

    @override
    def is_closing(self) -> bool:
        return False

    @override
    def close(self) -> None:
        """Nothing is open."""


async def read_late() -> tuple[list[bool], int]:
    """Whether the connection is read after each part of a body, and how much of it the application gets at last."""
    may_read, got, seen = asyncio.Event(), 0, []

    async def application(_scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal got
        await may_read.wait()
        is_more = True
        while is_more:
            event = await receive()
            got, is_more = got + len(event["body"]), event["more_body"]
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    config, wire = server_config(application, Listening("https://gateway.example", "127.0.0.1", 0)), Wire()
    config.load()
    state, made = ServerState(), config.http_protocol_class
    assert issubclass(made, GuardedProtocol)
    protocol = made(config, state, {}, asyncio.get_running_loop())
    protocol.connection_made(wire)
    for piece in (HEAD, b"x" * HIGH_WATER_LIMIT, b"x"):
        protocol.data_received(piece)
        seen.append(wire.is_read)
    may_read.set()
    for _ in range(3):
        await asyncio.sleep(0)
    seen.append(wire.is_read)
    protocol.data_received(b"x" * (LENGTH - HIGH_WATER_LIMIT - 1))
    await asyncio.gather(*state.tasks)
    seen.append(wire.is_read)
    protocol.connection_lost(None)
    return seen, got


def test_a_body_that_nobody_reads_waits_outside() -> None:
    assert asyncio.run(read_late()) == ([True, True, False, True, True], LENGTH)
