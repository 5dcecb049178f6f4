"""The doctor on every side: each hop is broken for real, and named in one line with what to do."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from typer.testing import CliRunner
from typing_extensions import override

from contracts.errors import IntegrityError, InvalidInput, Refused, Unavailable
from contracts.federation import Federation, Member, PublicKey
from contracts.keys import new_key
from gateway.main import system_clock
from policies.rules import installed_texts
from saphan.__main__ import command_line
from saphan.dev_ca import new_authority, write
from saphan.doctor_commands import Diagnosis, examine
from saphan.doctor_sides import side_of
from tests.doctor_world import AGENCY, Scene, look, named, put_right, standing
from tests.relay_world import Centre
from tests.served_world import free_port

pytestmark = pytest.mark.integration

KID = f"{AGENCY}#connector-1"
OUTWARD = ["dns", "tcp", "tls", "gateway", "clock", "registry", "key"]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with standing(tmp_path_factory.mktemp("doctor")) as scene:
        yield scene


@pytest.fixture
def scene(started: Scene) -> Iterator[Scene]:
    with put_right(started):
        yield started


# ------------------------------------------------------------------ all is well


def test_on_both_sides_of_the_gateway_every_hop_is_fine(scene: Scene) -> None:
    connector = ["policy", "source", "snapshot", *OUTWARD, "protocol"]
    for home, name, hops in ((scene.home.path, "connector", connector), (scene.client_home, "client", OUTWARD)):
        found, error = examine(side_of(home, system_clock))
        assert error is None
        assert (found.side, [each.hop for each in found.hops]) == (name, hops)


# ------------------------------------------------------------------ the way


def test_a_name_that_nobody_knows(scene: Scene) -> None:
    scene.set_up("https://gateway.invalid")
    for home in (scene.home.path, scene.client_home):
        assert named(home) == ("dns", "gateway-name-unknown")


def test_a_port_where_nobody_listens(scene: Scene) -> None:
    scene.set_up(f"http://127.0.0.1:{free_port()}")
    for home in (scene.home.path, scene.client_home):
        assert named(home) == ("tcp", "gateway-port-closed")


def test_of_a_proxy_the_proxy_is_what_must_be_reached(scene: Scene) -> None:
    port = free_port()
    scene.set_up("https://gateway.invalid", proxy=f"http://127.0.0.1:{port}")
    hop, error = look(scene.home.path)
    assert hop == "tcp"
    assert error is not None
    assert str(port) in error.reasons[0].message_en


@contextmanager
def over_tls(scene: Scene, folder: Path) -> Iterator[Centre]:
    """The gateway over TLS, with a certificate of an authority of its own."""
    authority = new_authority(["127.0.0.1"], system_clock(), 1)
    write(folder, "server", authority.server(["127.0.0.1"]), authority.pem)
    files = {"tls_certificate": folder / "server.pem", "tls_key": folder / "server.key"}
    centre = Centre(scene.gateway_home, scene.centre.issuer, system_clock, dict(files))
    with centre.up():
        yield centre


def test_a_certificate_of_another_authority_is_named_and_the_right_one_is_fine(scene: Scene, tmp_path: Path) -> None:
    other = new_authority(["127.0.0.1"], system_clock(), 1)
    write(tmp_path / "other", "server", other.server(["127.0.0.1"]), other.pem)
    with over_tls(scene, tmp_path / "tls") as centre:
        scene.set_up(centre.address, tls_ca=str(tmp_path / "other" / "ca.pem"))
        hop, error = look(scene.home.path)
        assert (hop, type(error)) == ("tls", IntegrityError)
        assert error is not None
        assert error.code == "gateway-certificate-wrong"
        scene.set_up(centre.address, tls_ca=str(tmp_path / "tls" / "ca.pem"))
        assert named(scene.home.path) == (None, None)


def test_a_port_that_speaks_no_tls(scene: Scene) -> None:
    scene.set_up(scene.centre.address.replace("http:", "https:"))
    assert named(scene.client_home) == ("tls", "gateway-tls-failed")


def test_a_plain_way_through_a_network_is_no_way(scene: Scene) -> None:
    scene.set_up("http://gateway.invalid")
    side = side_of(scene.client_home, system_clock)
    ready = next(each for each in side.hops if each.name == "gateway")
    with pytest.raises(InvalidInput) as wrong:
        ready.check()
    assert wrong.value.code == "setting-invalid"


class _Other(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b"<html>welcome</html>")

    @override
    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Broken(_Other):
    status = 502


@pytest.mark.parametrize("handler", [_Other, _Broken])
def test_another_program_at_the_gateways_address(scene: Scene, handler: type[_Other]) -> None:
    server = HTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    scene.set_up(f"http://127.0.0.1:{server.server_port}")
    try:
        assert named(scene.client_home) == ("gateway", "gateway-not-ready")
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(("seconds", "told"), [(25, "by +2"), (-25, "by -2")])
def test_a_clock_that_is_off(scene: Scene, seconds: int, told: str) -> None:
    for home in (scene.home.path, scene.client_home):
        hop, error = look(home, lambda: system_clock() + timedelta(seconds=seconds))
        assert hop == "clock"
        assert error is not None
        assert error.code == "clock-off"
        assert told in error.reasons[0].message_en


def test_a_clock_that_is_off_by_less_than_a_signature_allows_is_fine(scene: Scene) -> None:
    assert named(scene.client_home, lambda: system_clock() + timedelta(seconds=2)) == (None, None)


# ------------------------------------------------------------------ registry and keys


def test_a_home_without_the_members_keys(scene: Scene) -> None:
    (scene.home.path / "federation.json").unlink()
    assert named(scene.home.path) == ("registry", "registry-incomplete")


def test_members_keys_that_cannot_be_read(scene: Scene) -> None:
    (scene.home.path / "federation.json").write_text("{}")
    assert named(scene.home.path) == ("registry", "members-unknown")


def with_key(federation: Federation, kid: str, change: Callable[[PublicKey], PublicKey | None]) -> Federation:
    """The federation with one key changed, or taken away."""

    def changed(member: Member) -> Member:
        keys = (change(each) if each.kid == kid else each for each in member.keys)
        return member.model_copy(update={"keys": tuple(each for each in keys if each is not None)})

    return federation.model_copy(update={"members": tuple(changed(each) for each in federation.members)})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda _: None, "own-key-unknown"),
        (lambda key: key.model_copy(update={"revoked": True}), "own-key-revoked"),
        (lambda key: key.model_copy(update={"valid_until": system_clock()}), "own-key-expired"),
        (lambda key: key.model_copy(update={"valid_from": system_clock() + timedelta(days=1)}), "own-key-expired"),
    ],
    ids=["unknown", "revoked", "expired", "not yet"],
)
def test_a_key_that_may_not_sign(scene: Scene, change: Callable[[PublicKey], PublicKey | None], code: str) -> None:
    scene.home.pin(with_key(scene.world.keys.federation, KID, change))
    hop, error = look(scene.home.path)
    assert (hop, type(error)) == ("key", Refused)
    assert error is not None
    assert error.code == code
    assert KID in error.reasons[0].message_en


def test_a_key_that_only_the_gateway_does_not_take(scene: Scene) -> None:
    other = new_key(KID)
    kept = scene.home.keys.key(KID)
    span = (system_clock() - timedelta(days=1), system_clock() + timedelta(days=1))

    def replaced(key: PublicKey) -> PublicKey:
        return other.public_key(key.purpose, *span)

    scene.home.pin(with_key(scene.world.keys.federation, KID, replaced))
    scene.home.save_key(other)
    try:
        assert named(scene.home.path) == ("key", "own-key-refused")
    finally:
        assert kept.kid == KID
        scene.home.save_key(scene.world.keys[KID])


def test_a_gateway_whose_answers_are_signed_by_a_key_that_nobody_here_knows(scene: Scene) -> None:
    scene.home.pin(with_key(scene.world.keys.federation, "oja#gateway-1", lambda _: None))
    assert named(scene.home.path) == ("key", "key-unknown")


# ------------------------------------------------------------------ an agency's own


def test_policies_that_are_not_those_that_were_pinned(scene: Scene) -> None:
    scene.home.pin_policies(installed_texts())
    assert named(scene.home.path) == (None, None)
    altered = next(scene.home.policies.glob("*.cedar"))
    altered.write_text(altered.read_text() + "\n")
    assert named(scene.home.path) == ("policy", "policies-altered")


def test_a_source_that_cannot_be_read(scene: Scene) -> None:
    scene.set_up(source=f"sqlite:///{scene.source}.gone")
    assert named(scene.home.path) == ("source", "source-unreachable")


def test_a_source_without_the_table_of_a_contract(scene: Scene, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "empty.db") as connection:
        connection.execute("CREATE TABLE another (a)")
    connection.close()
    scene.set_up(source=f"sqlite:///{tmp_path / 'empty.db'}")
    assert named(scene.home.path) == ("source", "source-mismatch")


def test_a_snapshot_that_is_not_there(scene: Scene) -> None:
    away = scene.home.snapshot.with_suffix(".away")
    scene.home.snapshot.rename(away)
    try:
        assert named(scene.home.path) == ("snapshot", "snapshot-missing")
    finally:
        away.rename(scene.home.snapshot)


def test_programs_that_speak_no_version_in_common(scene: Scene) -> None:
    centre = Centre(scene.gateway_home, scene.centre.issuer, system_clock)
    with centre.up() as app:
        exchange = app.state.desk.exchange
        exchange.means = replace(exchange.means, settings=replace(exchange.means.settings, speaks=(7, 8)))
        scene.set_up(centre.address)
        assert named(scene.home.path) == ("protocol", "connector-outdated")


def test_what_the_doctor_does_not_know_is_a_line_too(scene: Scene) -> None:
    side = side_of(scene.client_home, system_clock)

    def defect() -> None:
        raise ValueError(str(scene.client_home))

    found, error = examine(replace(side, hops=(replace(side.hops[0], check=defect),)))
    assert error is not None
    assert (found.failing, error.code) == ("dns", "hop-unclear")
    assert str(scene.client_home) not in error.reasons[0].message_en


# ------------------------------------------------------------------ the command


def run(home: Path, *arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(command_line(["doctor"]), ["doctor", "--home", str(home), *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_the_command_names_the_hop_in_one_line_in_both_languages(scene: Scene) -> None:
    scene.set_up(f"http://127.0.0.1:{free_port()}")
    code, out, err = run(scene.home.path, "--json")
    lines = err.strip().splitlines()
    assert code == Unavailable.exit_code
    assert len(lines) == 1
    assert lines[0].startswith("tcp: gateway-port-closed (1342) ไม่มีโปรแกรมตอบ")
    assert "firewall" in lines[0]
    told = Diagnosis.model_validate_json(out)
    assert (told.side, told.failing) == ("connector", "tcp")


def test_the_command_says_that_all_is_fine_and_ends_well(scene: Scene) -> None:
    code, out, err = run(scene.client_home)
    assert (code, len(err.strip().splitlines())) == (0, 1)
    assert "every hop is fine: dns, tcp" in err
    assert Diagnosis.model_validate_json(out).failing is None


def test_the_command_shows_no_secret_and_no_folder(scene: Scene) -> None:
    scene.set_up(source="postgresql+psycopg://reader:s3cret@127.0.0.1:1/cases")
    code, out, err = run(scene.home.path, "--json")
    assert code == Unavailable.exit_code
    assert "source: source-unreachable" in err
    for shown in (out, err):
        assert "s3cret" not in shown
        assert str(scene.home.path) not in shown


def test_a_folder_that_is_no_home(tmp_path: Path) -> None:
    code, _, err = run(tmp_path)
    assert code == InvalidInput.exit_code
    assert "home-without-settings" in err
