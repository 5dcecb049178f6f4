"""The token endpoint through the whole application, in process, beside the raw signatures that it cannot do without."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from benchmarks.exchange_counting import counting_calls
from benchmarks.federation import Running, now
from contracts.calls import SignedCalls
from contracts.signature_base import Message
from gateway.edges.server import GuardedLoop
from gateway.main import create_app
from gateway.settings import load_settings

WARM_UP = 20
COUNTED = 20
CREATED = 200

Scope = MutableMapping[str, Any]


def token_endpoint(home: Path, federation: Running, calls: int) -> tuple[float, Mapping[str, float]]:
    """CPU seconds of one token, the best of three rounds, and how many raw operations it takes.

    The calls are signed beforehand; server and network are not part of it, but the loop is the server's.
    """
    app = create_app(load_settings(home=home))
    asker = SignedCalls(federation.asker, "oja", federation.federation.gateway)

    async def rounds() -> tuple[float, Counter[str]]:
        counted: Counter[str] = Counter()
        await _answered(app, asker, WARM_UP)
        best = min([await _answered(app, asker, calls) for _ in range(3)])
        prepared = _prepared(asker, COUNTED)
        with counting_calls(counted):
            for scope, body in prepared:
                await _call(app, scope, body)
        return best, counted

    with asyncio.Runner(loop_factory=GuardedLoop) as runner:
        seconds, counted = runner.run(rounds())
    return seconds, {name: number / COUNTED for name, number in counted.items()}


def _prepared(asker: SignedCalls, calls: int) -> list[tuple[Scope, bytes]]:
    return [_received(asker.token_request(now())) for _ in range(calls)]


async def _answered(app: Any, asker: SignedCalls, calls: int) -> float:  # noqa: ANN401  # an ASGI application
    prepared = _prepared(asker, calls)
    started = time.process_time()
    for scope, body in prepared:
        await _call(app, scope, body)
    return (time.process_time() - started) / calls


def _received(message: Message) -> tuple[Scope, bytes]:
    """A call as the server hands it to the application."""
    headers = [(name.encode(), value.encode()) for name, value in message.headers.items()]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": message.method,
        "scheme": "http",
        "path": message.path,
        "raw_path": message.path.encode(),
        "query_string": b"",
        "headers": [*headers, (b"host", b"127.0.0.1"), (b"content-length", str(len(message.body)).encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    return scope, message.body


async def _call(app: Any, scope: Scope, body: bytes) -> None:  # noqa: ANN401  # an ASGI application
    statuses: list[int] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(event: MutableMapping[str, Any]) -> None:
        if event["type"] == "http.response.start":
            statuses.append(event["status"])

    await app(scope, receive, send)
    if statuses != [CREATED]:
        raise RuntimeError(f"the token endpoint answered {statuses}")
