"""The gateway holds no private key but its own: not in its memory, not in its database, after a whole exchange."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.keys import SoftwareKey, new_key
from keys.folder import KeyFolder
from tests.memory_search import forms_of, in_files, in_memory, wanted
from tests.process_world import ProcessWorld, new_process_world

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessWorld]:
    made = new_process_world(tmp_path_factory.mktemp("exchange"))
    made.start_gateway()
    made.start_connector()
    with made.client as client:
        request = made.request(client)
    made.answered(request)
    yield made
    made.stop()


def keys_in(home: Path) -> list[SoftwareKey]:
    """Every key that lies in a home, opened."""
    folder = KeyFolder(home)
    held = [folder.key(kid) for kid in folder.kids()]
    return [key for key in held if isinstance(key, SoftwareKey)]


def members_keys(world: ProcessWorld) -> list[SoftwareKey]:
    """The keys of everybody but the gateway: the connector's home, its people's, and the requester's."""
    asker = world.set_up.asker
    assert isinstance(asker, SoftwareKey)
    return [*keys_in(world.folder / "ccib"), asker]


def test_the_gateway_s_memory_and_database_hold_its_own_keys_and_nobody_else_s(world: ProcessWorld) -> None:
    own, foreign = keys_in(world.folder / "gateway"), members_keys(world)
    assert {key.kid.partition("#")[0] for key in foreign} == {"ccib", "oja"}
    assert len(foreign) >= 4
    databases = [
        path for path in (world.folder / "gateway").rglob("*") if path.is_file() and path.parent.name != "keys"
    ]
    assert any(path.name == "gateway.db" for path in databases)

    found, looked = in_memory(world.programs["gateway"].pid, wanted([*own, *foreign]))

    assert looked > 20 * 2**20
    assert {each for each in found if each.split()[0] in {key.kid for key in foreign}} == set()
    # The search can find what is there: what the gateway signs with lies in its memory.
    assert {each.split()[0] for each in found} >= {"oja#gateway-1", "oja#token-1", "oja#log-1"}
    assert in_files(databases, wanted([*own, *foreign])) == set()


def test_a_member_s_key_that_lay_there_would_be_found(world: ProcessWorld, tmp_path: Path) -> None:
    """The same search over the connector, which does hold its agency's key, and over a file with each form of one."""
    connector = next(key for key in keys_in(world.folder / "ccib") if "#connector-" in key.kid)
    found, _ = in_memory(world.programs["connector"].pid, wanted([connector]))
    assert found

    key = new_key("ccib#officer-1")
    for name, form in forms_of(key).items():
        (tmp_path / "database").write_bytes(b"before" + form + b"after")
        assert f"ccib#officer-1 {name}" in in_files([tmp_path / "database"], wanted([key]))
    (tmp_path / "database").write_bytes(key.to_pem())
    assert "ccib#officer-1 PEM" in in_files([tmp_path / "database"], wanted([key]))
