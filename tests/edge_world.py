"""A real listener with the gateway's edges before a small application that notes what reaches it."""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, Self

import uvicorn

from contracts.errors import Problem
from gateway.edges.server import Listening, server_config

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
ISSUER = "https://gateway.example"
HOST = "localhost"
ENOUGH_SECONDS = 10.0


@dataclass
class Noted:
    """What the application saw."""

    scopes: list[Mapping[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        self.scopes.append(scope)
        body, more = b"", scope["path"] != "/early"
        if scope["path"] == "/busy":
            await asyncio.sleep(1.0)
        while more:
            event = await receive()
            if event["type"] == "http.disconnect":
                self.left.append(scope["path"])
                return
            body, more = body + event["body"], event["more_body"]
        self.bodies.append(body)
        answer = b"x" * 2**25 if scope["path"] == "/large" else b"ok"
        head = [(b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": answer, "more_body": False})

    async def _live(self, receive: Receive, send: Send) -> None:
        for _ in range(2):
            event = await receive()
            await send({"type": f"{event['type']}.complete"})


@dataclass
class EdgeWorld:
    """A listener that runs."""

    port: int
    noted: Noted

    def line(self, context: ssl.SSLContext | None = None) -> "Line":
        """A fresh connection."""
        connected = socket.create_connection(("127.0.0.1", self.port), timeout=ENOUGH_SECONDS)
        return Line(connected if context is None else context.wrap_socket(connected, server_hostname=HOST))

    def say(self, *pieces: bytes) -> "Answer":
        """Send the pieces over a fresh connection and read until it is closed."""
        with self.line() as line:
            return line.say(*pieces)


@dataclass
class Answer:
    """What came back, and whether the connection was closed after it."""

    raw: bytes
    seconds: float

    @property
    def status(self) -> int:
        """The status; 0 when nothing came."""
        return int(self.raw.split(b" ", 2)[1]) if self.raw else 0

    @property
    def head(self) -> bytes:
        """The header in small letters."""
        return self.raw.partition(b"\r\n\r\n")[0].lower()

    @property
    def problem(self) -> Problem:
        """The body, which is a problem."""
        assert b"content-type: application/problem+json" in self.head, self.raw
        return Problem.model_validate_json(self.raw.partition(b"\r\n\r\n")[2])

    @property
    def told(self) -> tuple[int, str]:
        """The status and the code of the problem."""
        problem = self.problem
        assert problem.status == self.status
        assert b"connection: close" in self.head
        return self.status, problem.code


@dataclass
class Line:
    """One connection of a client that keeps no rules."""

    socket: socket.socket

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> bool:
        """Send; whether the other side still takes it."""
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return True

    def say(self, *pieces: bytes) -> Answer:
        """Send the pieces and read until the connection is closed."""
        for piece in pieces:
            self.send(piece)
        return self.rest()

    def rest(self) -> Answer:
        """Read until the connection is closed."""
        started, parts = time.monotonic(), [b""]
        try:
            while part := self.socket.recv(2**16):
                parts.append(part)
        except ConnectionError:
            pass
        return Answer(b"".join(parts), time.monotonic() - started)

    def until(self, ending: bytes) -> bytes:
        """Read until what came ends so, or the connection does."""
        read = b""
        while not read.endswith(ending) and (part := self.socket.recv(2**16)):
            read += part
        return read


@contextmanager
def listening(how: Listening) -> Iterator[EdgeWorld]:
    """Run a listener on any free port until the end of the block."""
    noted = Noted()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = server_config(noted, how)
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + ENOUGH_SECONDS
        while not server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        try:
            yield EdgeWorld(listener.getsockname()[1], noted)
        finally:
            server.should_exit = True
            thread.join(ENOUGH_SECONDS)
            assert not thread.is_alive()
