"""A gateway in a process of its own behind a real socket, and members' homes beside it."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import httpx2

from contracts.keys import key_file_name
from gateway.main import system_clock
from gateway.store.engine import Store
from tests import factories
from tests.api_world import make_home
from tests.factories import Keys
from tests.gateway_world import World

COMMAND = "import sys; from saphan.gateway_commands import app; app(sys.argv[1:])"


@dataclass(frozen=True)
class Served:
    """Where the gateway answers, everybody's keys, and the gateway's home."""

    url: str
    keys: Keys
    home: Path

    def world(self) -> World:
        """The same gateway without HTTP, over the same database, now."""
        return World(Store(f"sqlite:///{self.home / 'gateway.db'}"), self.keys, system_clock())

    def member_home(self, path: Path, agency: str) -> Path:
        """A member's home with all its keys, the federation and its settings."""
        (path / "keys").mkdir(parents=True)
        for kid, key in self.keys.signing.items():
            if kid.startswith(f"{agency}#"):
                (path / "keys" / key_file_name(kid)).write_bytes(key.to_pem())
        (path / "federation.json").write_text(self.keys.federation.model_dump_json())
        (path / "saphan.toml").write_text(f'agency = "{agency}"\ngateway = "{self.url}"\n')
        return path


def free_port() -> int:
    """A port that nobody listens on now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def served_gateway(home: Path, log: BinaryIO | None = None) -> Iterator[Served]:
    """Make a home and serve it until the end of the block; ``log`` gets what it writes on standard error."""
    now = system_clock()
    keys = factories.federation(valid_from=now - timedelta(days=1), valid_until=now + timedelta(days=1))
    with served_with(home, keys, free_port(), log) as served:
        yield served


@contextmanager
def served_with(home: Path, keys: Keys, port: int, log: BinaryIO | None = None) -> Iterator[Served]:
    """The same with keys and a port that the caller chose."""
    make_home(home, keys)
    command = [sys.executable, "-c", COMMAND, "serve", "--home", str(home), "--port", str(port)]
    with subprocess.Popen(command, stderr=log or subprocess.DEVNULL) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_ready(url)
            yield Served(url, keys, home)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)


def wait_until_ready(url: str) -> None:
    """Wait until a gateway answers.

    Raises:
        TimeoutError: It did not within half a minute.
    """
    for _ in range(150):
        try:
            if httpx2.get(f"{url}/health/ready", trust_env=False).status_code == httpx2.codes.OK:
                return
        except httpx2.TransportError:
            time.sleep(0.2)
    raise TimeoutError(url)
