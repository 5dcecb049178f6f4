"""Doctor and keys in the homes of a founded federation, whose registry is signed by keys that no member's list has."""

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from contracts.federation import KeyPurpose
from contracts.keys import new_key
from keys.folder import KeyFolder
from saphan.__main__ import command_line
from saphan.federation_files import read_member
from tests.doctor_world import named
from tests.founded_world import FoundedHomes, found

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FoundedHomes]:
    """A federation, and somebody who takes calls at its gateway's port as a gateway that runs does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        made = found(tmp_path_factory.mktemp("founded"), f"http://127.0.0.1:{port}")
        (made.gateway / "saphan.toml").write_text(f"listen_port = {port}\n")
        made.begin()
        yield made


@pytest.fixture
def homes(founded: FoundedHomes, tmp_path: Path) -> FoundedHomes:
    """A copy of it for one test."""
    return FoundedHomes(shutil.copytree(founded.folder, tmp_path / "homes", symlinks=True))


def run(*words: str | Path, code: int = 0) -> Result:
    line = [str(word) for word in words]
    done = CliRunner().invoke(command_line(line), line)
    assert done.exit_code == code, done.output
    return done


def asked(*words: str | Path) -> Any:  # noqa: ANN401  # JSON
    return json.loads(run(*words, "--json").stdout)


def states(home: Path) -> dict[str, str]:
    return {each["kid"]: each["state"] for each in asked("keys", "list", "--home", home)}


# ------------------------------------------------------------------ the doctor


def test_at_a_gateway_that_serves_a_registry_every_hop_is_fine(homes: FoundedHomes) -> None:
    assert named(homes.gateway) == (None, None)


def test_a_gateway_whose_registry_key_the_root_does_not_name(homes: FoundedHomes) -> None:
    folder = KeyFolder(homes.gateway)
    (homes.gateway / "keys" / "oja~registry-1.key").unlink()
    assert named(homes.gateway) == ("key", "setting-invalid")
    folder.save(new_key("oja#registry-2"))
    assert named(homes.gateway) == ("key", "registry-key-unknown")


def test_a_gateway_with_another_key_under_the_name_that_the_root_has(homes: FoundedHomes) -> None:
    KeyFolder(homes.gateway).save(new_key("oja#registry-1"))
    assert named(homes.gateway) == ("key", "setting-invalid")


def test_a_successor_of_the_registry_key_that_the_root_names_is_fine(homes: FoundedHomes) -> None:
    run("keys", "new", "registry", "--home", homes.gateway)
    run("keys", "revoke", "oja#registry-1", "--home", homes.gateway)
    folder = homes.copy.path
    run("federation", "rotate-root", folder, "--registry", homes.gateway / "public.json")
    for name in ("ccib", "rtp"):
        run("federation", "sign", folder, "--home", homes.officer(name))
    run("gateway", "registry", folder, "--home", homes.gateway)
    homes.begin()
    (homes.gateway / "keys" / "oja~registry-1.key").unlink()
    assert named(homes.gateway) == (None, None)


# ------------------------------------------------------------------ saphan keys


def test_keys_that_sign_the_registry_itself_are_in_force_as_charter_and_root_say(homes: FoundedHomes) -> None:
    assert states(homes.gateway)["oja#registry-1"] == "active"
    for agency, home in (("oja", homes.follow("centre")), ("ccib", homes.follow("ccib"))):
        found_there = states(home)
        assert found_there[f"{agency}#registrar-1"] == "active"
        assert set(found_there.values()) == {"active"}


def test_a_registry_or_registrar_key_that_no_officer_signed_is_believed_by_nobody(homes: FoundedHomes) -> None:
    centre = homes.follow("centre")
    for home, purpose in ((homes.gateway, "registry"), (centre, "registrar")):
        run("keys", "new", purpose, "--home", home)
        found_there = states(home)
        assert (found_there[f"oja#{purpose}-1"], found_there[f"oja#{purpose}-2"]) == ("active", "unregistered")
        run("keys", "revoke", f"oja#{purpose}-1", "--home", home)
        assert states(home)[f"oja#{purpose}-1"] == "revoked"


def test_another_key_under_the_registrar_s_name_is_not_in_force(homes: FoundedHomes) -> None:
    home = homes.follow("ccib")
    stated = read_member(home / "public.json")
    other = new_key("ccib#registrar-1")
    keys = [
        other.public_key(key.purpose, *key.span) if key.purpose is KeyPurpose.REGISTRAR else key for key in stated.keys
    ]
    (home / "public.json").write_text(stated.model_copy(update={"keys": tuple(keys)}).model_dump_json())
    assert states(home)["ccib#registrar-1"] == "unregistered"


def test_a_key_is_revoked_also_where_the_registry_cannot_be_relied_upon(homes: FoundedHomes) -> None:
    home = homes.follow("ccib")
    for each in (home / "registry").rglob("*timestamp.json"):
        each.unlink()
    done = run("keys", "revoke", "ccib#connector-1", "--home", home, "--json")
    assert "not compared with the registry: registry-incomplete" in done.stderr
    assert json.loads(done.stdout)["state"] == "revoked"
    assert [key.revoked for key in read_member(home / "public.json").keys if key.kid == "ccib#connector-1"] == [True]


# ------------------------------------------------------------------ saphan people


def test_the_key_for_a_login_provider_is_made_where_the_keys_come_from_the_registry(homes: FoundedHomes) -> None:
    first, second = (asked("people", "provider-key", "--gateway-home", homes.gateway) for _ in range(2))
    assert first == second
    assert [key["kid"] for key in first["keys"]] == ["oja#login-1"]
