"""The doctor at the gateway's own home, and where the trust registry has run out."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from typing_extensions import override

from contracts.errors import Unavailable
from contracts.registry import CHARTER_PATH
from gateway.main import system_clock
from keys.folder import KeyFolder
from tests.api_world import make_home
from tests.doctor_world import Scene, look, named, put_right, standing
from tests.registry_world import LyingRepository, Signers
from tests.served_world import free_port

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with standing(tmp_path_factory.mktemp("doctor")) as scene:
        yield scene


@pytest.fixture
def scene(started: Scene) -> Iterator[Scene]:
    with put_right(started):
        yield started


# ------------------------------------------------------------------ the gateway


def gateway_home(folder: Path, scene: Scene, **settings: object) -> Path:
    home = make_home(folder / "home", scene.world.keys)
    local = scene.world.keys.federation.model_copy(update={"gateway": scene.centre.address})
    (home / "federation.json").write_text(local.model_dump_json())
    given = {"listen_port": scene.centre.port, **settings}
    lines = (f"{name} = {json.dumps(value)}\n" for name, value in given.items())
    (home / "saphan.toml").write_text("".join(lines))
    return home


def test_at_the_gateway_every_hop_is_fine(scene: Scene, tmp_path: Path) -> None:
    assert named(gateway_home(tmp_path, scene)) == (None, None)


def test_a_gateway_that_does_not_run(scene: Scene, tmp_path: Path) -> None:
    assert named(gateway_home(tmp_path, scene, listen_port=free_port())) == ("tcp", "gateway-port-closed")


def test_a_gateway_whose_name_resolves_nowhere(scene: Scene) -> None:
    (scene.gateway_home / "federation.json").write_text(
        scene.world.keys.federation.model_copy(update={"gateway": "https://gateway.invalid"}).model_dump_json()
    )
    try:
        assert named(scene.gateway_home) == ("dns", "gateway-name-unknown")
    finally:
        (scene.gateway_home / "federation.json").write_text(scene.world.keys.federation.model_dump_json())


def test_a_gateway_without_its_database_and_none_is_made(scene: Scene, tmp_path: Path) -> None:
    home = gateway_home(tmp_path, scene)
    (home / "gateway.db").unlink()
    assert named(home) == ("database", "database-unreachable")
    assert not (home / "gateway.db").exists()
    port = free_port()
    other = gateway_home(tmp_path / "pg", scene, database_url=f"postgresql+psycopg://saphan:s3cret@127.0.0.1:{port}/x")
    hop, error = look(other)
    assert hop == "database"
    assert isinstance(error, Unavailable)
    assert "s3cret" not in error.problem().model_dump_json()


def test_a_database_of_another_schema(scene: Scene, tmp_path: Path) -> None:
    home = gateway_home(tmp_path, scene)
    with sqlite3.connect(home / "gateway.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()
    assert named(home) == ("database", "setting-invalid")


def test_a_gateway_whose_clock_is_not_that_of_its_database(
    scene: Scene, tmp_path: Path, migrated_database: str
) -> None:
    home = gateway_home(tmp_path, scene, database_url=migrated_database)
    assert named(home) == (None, None)
    assert named(home, lambda: system_clock() + timedelta(minutes=1)) == ("clock", "clock-off")


def test_a_gateway_whose_certificate_cannot_be_used(scene: Scene, tmp_path: Path) -> None:
    home = gateway_home(tmp_path, scene, tls_certificate="server.pem", tls_key="server.key")
    assert named(home) == ("tls", "setting-invalid")


def test_a_gateway_without_one_of_its_keys(scene: Scene, tmp_path: Path) -> None:
    home = gateway_home(tmp_path, scene)
    next((home / "keys").glob("*log*")).unlink()
    assert named(home) == ("key", "key-not-held")
    (home / "federation.json").unlink()
    assert named(home) == ("registry", "registry-incomplete")


# ------------------------------------------------------------------ a registry that has run out


class _Registry(BaseHTTPRequestHandler):
    """A gateway as far as the registry: healthy, and serving what a test put there."""

    served: dict[str, bytes]

    def do_GET(self) -> None:
        path = self.path.removeprefix("/v1/registry/")
        body = b'{"status": "ready"}' if self.path.startswith("/health/") else self.served.get(path)
        self.send_response(404 if body is None else 200)
        self.send_header("content-length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    @override
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_registry_that_nobody_renewed(tmp_path: Path) -> None:
    now = system_clock() - timedelta(days=5)
    repository = LyingRepository(Signers(now))
    root = repository.signers.root()
    repository.put("root", root)
    repository.put("targets", repository.signers.targets(), **{CHARTER_PATH: repository.signers.charter()})
    for agency in ("oja", "ccib", "rtp"):
        repository.put_member(repository.signers.member(agency))
    repository.seal(now)
    handler = type("Served", (_Registry,), {"served": repository.served})
    server = HTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "keys").mkdir()
    KeyFolder(tmp_path).save(repository.signers.key("oja#client-1"))
    (tmp_path / "root.json").write_bytes(root)
    address = f"http://127.0.0.1:{server.server_port}"
    (tmp_path / "saphan.toml").write_text(f'agency = "oja"\ngateway = "{address}"\n')
    try:
        assert named(tmp_path) == ("registry", "registry-expired")
    finally:
        server.shutdown()
        server.server_close()
