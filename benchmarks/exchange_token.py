"""The token endpoint through the whole application, in process, beside the raw signatures that it cannot do without.

In each of many short rounds as many bare ones follow the tokens, in a loop of their own as in the floor of a brokered
request, and each side is added up over all rounds: what the host does to the speed of this process, it does to both.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, MutableMapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.exchange_counting import counting_calls
from benchmarks.exchange_floor import ECDSA
from benchmarks.federation import Running, now
from contracts.calls import SignedCalls
from contracts.signature_base import Message
from gateway.edges.server import GuardedLoop
from gateway.main import create_app
from gateway.serving import spare_collector
from gateway.settings import load_settings

WARM_UP = 20
COUNTED = 20
ROUNDS = 60
CREATED = 200

Scope = MutableMapping[str, Any]


class TokenCost(NamedTuple):
    """CPU seconds of one token and of its raw operations performed bare, and how many of each it takes."""

    seconds: float
    raw_seconds: float
    signs: float
    verifies: float


def token_endpoint(home: Path, federation: Running, calls: int) -> TokenCost:
    """What one token costs, and its raw operations beside it.

    The calls are signed beforehand; server and network are not part of it, but loop and collector are the server's.
    """
    app = create_app(load_settings(home=home))
    asker = SignedCalls(federation.asker, "oja", federation.federation.gateway)

    async def rounds() -> TokenCost:
        counted: Counter[str] = Counter()
        await _answered(app, _prepared(asker, WARM_UP))
        prepared = _prepared(asker, COUNTED)
        with counting_calls(counted):
            await _answered(app, prepared)
        signs, verifies = counted["sign"] / COUNTED, counted["verify"] / COUNTED
        raw = _bare(round(signs), round(verifies))
        taken = [await _answered(app, _prepared(asker, calls), raw) for _ in range(ROUNDS)]
        seconds, raw_seconds = (sum(side) / ROUNDS for side in zip(*taken, strict=True))
        return TokenCost(seconds, raw_seconds, signs, verifies)

    spare_collector()
    with asyncio.Runner(loop_factory=GuardedLoop) as runner:
        return runner.run(rounds())


def _bare(signs: int, verifies: int) -> Callable[[], None]:
    key = ec.generate_private_key(ec.SECP256R1())
    public, made = key.public_key(), key.sign(b"message", ECDSA)

    def raw() -> None:
        for _ in range(signs):
            key.sign(b"message", ECDSA)
        for _ in range(verifies):
            public.verify(made, b"message", ECDSA)

    return raw


def _prepared(asker: SignedCalls, calls: int) -> list[tuple[Scope, bytes]]:
    return [_received(asker.token_request(now())) for _ in range(calls)]


async def _answered(
    app: Any,  # noqa: ANN401  # an ASGI application
    prepared: Sequence[tuple[Scope, bytes]],
    raw: Callable[[], None] = lambda: None,
) -> tuple[float, float]:
    """CPU seconds of each call, in all threads, and of its raw operations."""
    started = time.process_time()
    for scope, body in prepared:
        await _call(app, scope, body)
    between = time.process_time()
    for _ in prepared:
        raw()
    return (between - started) / len(prepared), (time.process_time() - between) / len(prepared)


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
