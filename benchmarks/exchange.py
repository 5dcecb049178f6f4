"""CPU of a brokered small request beside its floor: ``./run bench exchange [--json] [--requests N]``.

A brokered request goes from the client's signature to the release it has verified, through a gateway and one connector,
with tokens cached. Everything runs in one process over real HTTP on loopback, so the process's CPU time is the cost of
all three programs together.

The floor is what the protocol cannot do without: a tracer counts every raw ECDSA signature and verification, every
HTTP hop and every durable transaction of the measured requests, and each is then timed bare in the same run.
"""

import argparse
import socket
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import sqlalchemy as sa
import uvicorn
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws
from jwt.algorithms import ECAlgorithm

from benchmarks.federation import AGREEMENT, Agency, Running, loopback_listener, running
from benchmarks.report import print_report
from contracts import keys, message_signatures
from contracts.request import Request
from gateway.asking import query_of
from gateway.identity import jwts

ROWS = 5_000
WARM_UP = 20
TICK_SECONDS = 0.25
BARE_REPEATS = 2_000
BARE_TRANSACTIONS = 500
FIXED = {
    "station": "S1",
    "channel": "TPO",
    "case_type": "SHOP",
    "platform": "FACEBOOK",
    "victim_age": 30,
    "victim_sex": "F",
    "damage_thb": 1000,
    "linked": 0,
    "stage": "COMPLAINT",
    "crimes_ref": None,
}
ECDSA = ec.ECDSA(hashes.SHA256())


def main() -> None:
    """Run the benchmark and print both sides."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--requests", type=int, default=150)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = _source(Path(folder) / "source.db")
        agency = Agency("ccib", f"sqlite:///{source}", "tpo_complaint")
        # A price of one nano-rho leaves room for every question in one year's budget.
        with running(Path(folder) / "federation", [agency], nano_rho=10, tick_seconds=TICK_SECONDS) as federation:
            seconds, counted = _brokered(federation, options.requests)
        bare = {
            "sign": _bare_signature(),
            "verify": _bare_verification(),
            "hop": _bare_hop(),
            "transaction": _bare_transaction(Path(folder) / "bare.db"),
        }
    brokered = seconds / options.requests
    per_request = {name: counted[name] / options.requests for name in bare}
    parts = {name: per_request[name] * bare[name] for name in bare}
    floor = sum(parts.values())
    figures = {
        "requests": options.requests,
        "brokered_ms": brokered * 1e3,
        "floor_ms": floor * 1e3,
        **{f"{name}s_per_request": per_request[name] for name in bare},
        **{f"bare_{name}_us": bare[name] * 1e6 for name in bare},
        **{f"floor_{name}_ms": parts[name] * 1e3 for name in bare},
    }
    print_report("exchange", figures, {"brokered_vs_floor": brokered / floor}, as_json=options.json)


def _source(path: Path) -> Path:
    columns = ("case_ref", "victim_id", "reported_at", "occurred_at", "province", *FIXED)
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE tpo_complaint ({', '.join(columns)})")
        rows = [
            (f"c{i}", f"v{i}", f"2025-{1 + i % 12:02d}-05 10:00:00", None, ("10", "50", "90")[i % 3], *FIXED.values())
            for i in range(ROWS)
        ]
        connection.executemany(f"INSERT INTO tpo_complaint VALUES ({', '.join('?' * len(columns))})", rows)  # noqa: S608  # marks and names of our own
    connection.close()
    return path


def _brokered(federation: Running, requests: int) -> tuple[float, Counter[str]]:
    """CPU seconds of the requests, and how many raw operations they performed."""
    prepared = list(islice(_requests(federation), WARM_UP + requests))
    for each in prepared[:WARM_UP]:
        federation.client.wait(federation.client.submit(each).request)
    with _traced() as counted:
        started = time.process_time()
        for each in prepared[WARM_UP:]:
            federation.client.wait(federation.client.submit(each).request)
        seconds = time.process_time() - started
    return seconds, counted


def _requests(federation: Running) -> Iterator[Request]:
    """Requests for small questions, all different, so that none is answered from an earlier release."""
    provinces = federation.contracts[0].dimension("province")
    codes = provinces.values if provinces else ()
    for first in codes:
        for second in codes:
            if first < second:
                query = query_of(["count"], ["month"], ("2025-01-01", "2025-04-01"), {"province": [first, second]})
                yield federation.client.request(federation.client.question(AGREEMENT, "everything", query))


@contextmanager
def _traced() -> Iterator[Counter[str]]:
    """Count raw signatures, verifications, HTTP hops and write transactions of everything in this process."""
    counted: Counter[str] = Counter()
    undo: list[Callable[[], None]] = []

    def count(owner: Any, name: str, kind: str) -> None:  # noqa: ANN401  # modules and classes alike
        original = getattr(owner, name)

        def traced(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  # passes on whatever comes
            counted[kind] += 1
            return original(*arguments, **named)

        setattr(owner, name, traced)
        undo.append(lambda: setattr(owner, name, original))

    _count_crypto(count)
    count(httpx2.Client, "send", "hop")

    def executed(connection: sa.Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip()[:6].upper() in {"INSERT", "UPDATE", "DELETE"}:
            connection.info["wrote"] = True

    def committed(connection: sa.Connection) -> None:
        if connection.info.pop("wrote", False):
            counted["transaction"] += 1

    sa.event.listen(sa.Engine, "before_cursor_execute", executed)
    sa.event.listen(sa.Engine, "commit", committed)
    try:
        yield counted
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", executed)
        sa.event.remove(sa.Engine, "commit", committed)
        for each in undo:
            each()


def _count_crypto(count: Callable[[Any, str, str], None]) -> None:
    """The few places where raw ECDSA happens: our signature modules, the gateway's tokens, PyJWT in the connector."""
    count(keys.SoftwareKey, "sign", "sign")
    count(message_signatures, "encode_dss_signature", "verify")
    count(jws, "deserialize_compact", "verify")
    count(jwts, "encode_dss_signature", "verify")
    count(ECAlgorithm, "verify", "verify")


def _timed(action: Callable[[], object], repeats: int) -> float:
    """CPU seconds of one call, the best of three rounds."""
    rounds = []
    for _ in range(3):
        started = time.process_time()
        for _ in range(repeats):
            action()
        rounds.append((time.process_time() - started) / repeats)
    return min(rounds)


def _bare_signature() -> float:
    key = ec.generate_private_key(ec.SECP256R1())
    return _timed(lambda: key.sign(b"message", ECDSA), BARE_REPEATS)


def _bare_verification() -> float:
    key = ec.generate_private_key(ec.SECP256R1())
    public, signature = key.public_key(), key.sign(b"message", ECDSA)
    return _timed(lambda: public.verify(signature, b"message", ECDSA), BARE_REPEATS)


async def _echo(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  # ASGI's own signature
    if scope["type"] != "http":
        return
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def _bare_hop() -> float:
    """One kept-alive request and answer over a raw socket, to an ASGI function under uvicorn."""
    call = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n" + b"x" * 1000
    with loopback_listener() as listener:
        config = uvicorn.Config(
            _echo, http="httptools", ws="none", access_log=False, lifespan="off", log_level="warning"
        )
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        with socket.create_connection(listener.getsockname()) as connection:

            def hop() -> None:
                connection.sendall(call)
                answer = b""
                while not answer.endswith(b"\r\n\r\nok"):
                    answer += connection.recv(65_536)

            seconds = _timed(hop, BARE_REPEATS)
        server.should_exit = True
        thread.join()
    return seconds


def _bare_transaction(path: Path) -> float:
    """One durable SQLite transaction (WAL, FULL) that inserts one row of a kilobyte."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE entry (body BLOB)")

    def transaction() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO entry VALUES (?)", (b"x" * 1000,))
        connection.execute("COMMIT")

    seconds = _timed(transaction, BARE_TRANSACTIONS)
    connection.close()
    return seconds


if __name__ == "__main__":
    main()
