"""The raw operations of the exchange, each timed bare: CPU seconds of one, the best of three rounds."""

import socket
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any, Final

import uvicorn
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from benchmarks.federation import loopback_listener

REPEATS: Final = 2_000
TRANSACTIONS: Final = 500
ECDSA: Final = ec.ECDSA(hashes.SHA256())


def timed(action: Callable[[], object], repeats: int) -> float:
    """CPU seconds of one call, the best of three rounds."""
    rounds = []
    for _ in range(3):
        started = time.process_time()
        for _ in range(repeats):
            action()
        rounds.append((time.process_time() - started) / repeats)
    return min(rounds)


def signature() -> float:
    """One ES256 signature."""
    key = ec.generate_private_key(ec.SECP256R1())
    return timed(lambda: key.sign(b"message", ECDSA), REPEATS)


def verification() -> float:
    """One ES256 verification."""
    key = ec.generate_private_key(ec.SECP256R1())
    public, made = key.public_key(), key.sign(b"message", ECDSA)
    return timed(lambda: public.verify(made, b"message", ECDSA), REPEATS)


def note_check() -> float:
    """One Ed25519 verification, as of a checkpoint."""
    key = ed25519.Ed25519PrivateKey.generate()
    public, made = key.public_key(), key.sign(b"message")
    return timed(lambda: public.verify(made, b"message"), REPEATS)


def hop() -> float:
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

            def there_and_back() -> None:
                connection.sendall(call)
                answer = b""
                while not answer.endswith(b"\r\n\r\nok"):
                    answer += connection.recv(65_536)

            seconds = timed(there_and_back, REPEATS)
        server.should_exit = True
        thread.join()
    return seconds


def transaction(path: Path, rows: int, size: int) -> float:
    """One durable SQLite transaction (WAL, FULL) of that many plain inserts, each of that many bytes."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE entry (body BLOB)")
    body = b"x" * size

    def written() -> None:
        connection.execute("BEGIN IMMEDIATE")
        for _ in range(rows):
            connection.execute("INSERT INTO entry VALUES (?)", (body,))
        connection.execute("COMMIT")

    seconds = timed(written, TRANSACTIONS)
    connection.close()
    return seconds


async def _echo(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  # ASGI's own signature
    if scope["type"] != "http":
        return
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
