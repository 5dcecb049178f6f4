"""``saphan audit evidence`` at the gateway, ``saphan audit chain`` where no gateway is."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from saphan.audit_commands import app
from tests import factories
from tests.api_world import make_home
from tests.gateway_world import new_world
from tests.registry_world import home_with, registry_of

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Homes:
    gateway: Path
    auditor: Path

    def evidence(self, request: str, file: Path) -> Result:
        return CliRunner().invoke(app, ["evidence", request, str(file), "--home", str(self.gateway)])

    def chain(self, file: Path, *options: str) -> Result:
        return CliRunner().invoke(app, ["chain", str(file), "--home", str(self.auditor), *options])


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Homes:
    """The home of a gateway that has released one request, and an auditor's with the pinned keys alone."""
    folder = tmp_path_factory.mktemp("audit")
    world_keys = factories.federation()
    gateway = make_home(folder / "gateway", world_keys)
    world = new_world(f"sqlite:///{gateway / 'gateway.db'}")
    world.submit(factories.request())
    world.answer()
    world.store.close()
    auditor = folder / "auditor"
    auditor.mkdir()
    (auditor / "saphan.toml").write_text('agency = "oja"\ngateway = "http://127.0.0.1:1"\n')
    (auditor / "federation.json").write_text(world_keys.federation.model_dump_json())
    return Homes(gateway, auditor)


def test_the_evidence_of_a_request_is_taken_out_for_its_owner_alone_and_checked_offline(
    homes: Homes, tmp_path: Path
) -> None:
    file = tmp_path / "chain.json"
    taken = homes.evidence("REQ-0001", file)
    assert (taken.exit_code, taken.stdout) == (0, ""), taken.stderr
    assert "publish nothing" in taken.stderr
    assert file.stat().st_mode & 0o777 == 0o600

    (link,) = json.loads(homes.chain(file).stdout)

    assert [link[each] for each in ("asked_by", "forwarded_by", "answered_by")] == [
        "oja#client-1",
        "oja#gateway-1",
        "ccib#connector-1",
    ]
    assert link["committed"] is True


def test_people_read_it_as_a_table(homes: Homes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "chain.json"
    homes.evidence("REQ-0001", file)
    monkeypatch.setattr("saphan.output.is_for_programs", lambda **_: False)

    shown = homes.chain(file).stdout

    assert all(word in shown for word in ("forwarded", "answered", "erased", "yes"))


def test_a_changed_file_is_told_by_the_link_that_does_not_hold(homes: Homes, tmp_path: Path) -> None:
    file = tmp_path / "chain.json"
    homes.evidence("REQ-0001", file)
    file.write_text(file.read_text().replace("saphan-task", "saphan-tusk"))

    told = homes.chain(file, "--json")

    assert told.exit_code == 5
    assert "chain-broken" in told.stdout
    assert "the forward of" in told.stdout


def test_what_is_not_kept_or_is_no_evidence_is_said(homes: Homes, tmp_path: Path) -> None:
    file = tmp_path / "chain.json"
    unknown = homes.evidence("REQ-9999", file)
    assert (unknown.exit_code, file.exists()) == (2, False)
    assert "chain-not-kept" in unknown.stderr
    assert homes.chain(file).exit_code == 2
    file.write_text("{}")
    assert "malformed-body" in homes.chain(file).stderr


def test_a_home_that_pins_a_root_checks_by_what_it_knows_and_asks_nobody(homes: Homes, tmp_path: Path) -> None:
    file, home = tmp_path / "chain.json", tmp_path / "auditor"
    homes.evidence("REQ-0001", file)
    registry = registry_of(factories.federation(), factories.NOW)
    home_with(home, registry.served["metadata/1.root.json"])
    registry.read(home)
    (home / "saphan.toml").write_text('agency = "oja"\ngateway = "http://127.0.0.1:1"\n')

    told = CliRunner().invoke(app, ["chain", str(file), "--home", str(home)])

    assert told.exit_code == 0, told.stderr
    assert json.loads(told.stdout)[0]["asked_by"] == "oja#client-1"
    assert "known until" in told.stderr
