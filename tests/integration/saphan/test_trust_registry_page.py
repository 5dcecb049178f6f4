"""The page on founding a federation and recovering keys, rehearsed: every command of it, in its order, for real."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contracts.federation import Federation, KeyPurpose, PublicKey
from contracts.transport import ClientFiles
from saphan.__main__ import command_line
from tests.served_world import free_port, wait_until_ready
from transport.lines import line_to
from trust.anchor import fetched

pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "operator" / "trust-registry.md"
SERVE = ["gateway", "serve", "--home", "gateway"]


def sections() -> dict[str, list[list[str]]]:
    """The commands of the page, by heading."""
    found: dict[str, list[list[str]]] = {}
    for part in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        blocks = re.findall(r"```sh\n(.*?)```", part, re.DOTALL)
        lines = [shlex.split(line) for block in blocks for line in block.splitlines()]
        assert all(line[0] == "saphan" for line in lines)
        found[part.splitlines()[0]] = [line[1:] for line in lines]
    return found


def now() -> datetime:
    """The machine's time, by which the commands go."""
    return datetime.now(UTC)


@dataclass
class Place:
    """The folder of all machines, and what ran in it."""

    folder: Path
    port: int = field(default_factory=free_port)
    digest: str = ""
    gateway: "subprocess.Popen[bytes] | None" = None

    @property
    def address(self) -> str:
        """Where the gateway answers."""
        return f"http://127.0.0.1:{self.port}"

    def run(self, line: list[str]) -> None:
        """Run one command of the page."""
        if line == SERVE:
            self.serve()
            return
        words = [word.replace("http://127.0.0.1:8000", self.address).replace("$DIGEST", self.digest) for word in line]
        done = CliRunner().invoke(command_line(words), words)
        assert done.exit_code == 0, f"saphan {' '.join(line)}: {done.output}"
        if line[:3] == ["federation", "status", "founding"]:
            self.digest = next(each["digest"] for each in json.loads(done.stdout) if each["role"] == "root")

    def serve(self) -> None:
        """Serve until the end of the rehearsal; its changes of keys are followed without a restart."""
        environment = {**os.environ, "SAPHAN_TICK_SECONDS": "0.2"}
        command = [sys.executable, "-m", "saphan", *SERVE, "--port", str(self.port)]
        self.gateway = subprocess.Popen(command, env=environment, cwd=self.folder, stderr=subprocess.DEVNULL)
        wait_until_ready(self.address)

    def seen_by(self, home: str) -> Federation:
        """What a home believes now."""
        with line_to(self.address, ClientFiles()) as line:
            return fetched(self.folder / home, line, now())

    def keys(self, home: str, agency: str, purpose: KeyPurpose) -> list[PublicKey]:
        """The valid keys of a member, as a home sees them."""
        return list(self.seen_by(home).keys_of(agency, purpose, now()))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.chdir(tmp_path)
    made = Place(tmp_path)
    yield made
    if made.gateway is not None:
        made.gateway.terminate()
        made.gateway.wait(timeout=30)


def test_the_page_founds_a_federation_and_recovers_from_every_loss(place: Place) -> None:
    page = iter(sections().items())

    def rehearse(words: str) -> None:
        heading, lines = next(page)
        assert words in heading
        assert lines
        for line in lines:
            place.run(line)

    rehearse("Found it")
    assert [each.agency for each in place.seen_by("ccib").members] == ["oja", "ccib"]
    operator = place.seen_by("centre").member("oja")
    assert operator is not None
    assert {KeyPurpose.GATEWAY, KeyPurpose.CLIENT} <= {key.purpose for key in operator.keys}
    (place.folder / "gateway" / "saphan.toml").write_text(f"listen_port = {place.port}\n")
    for home in ("gateway", "centre"):
        place.run(["doctor", "--home", home])

    rehearse("Add a member")
    assert [each.agency for each in place.seen_by("rtp").members] == ["oja", "ccib", "rtp"]

    rehearse("revoke it")
    for home in ("rtp", "centre"):
        assert [key.kid for key in place.keys(home, "ccib", KeyPurpose.CONNECTOR)] == ["ccib#connector-2"]

    rehearse("An officer lost a key")
    place.seen_by("ccib")
    root = json.loads((place.folder / "ccib/registry/metadata/root.json").read_bytes())["signed"]
    assert root["roles"]["root"]["keyids"] == ["ccib#root-1", "rtp#root-1", "dop#root-2"]
    pinned = json.loads((place.folder / "ccib/root.json").read_bytes())["signed"]
    assert (pinned["version"], root["version"]) == (1, 2)

    rehearse("registrar's key")
    place.seen_by("ccib")
    targets = json.loads((place.folder / "ccib/registry/metadata/targets.json").read_bytes())["signed"]
    (role,) = [each for each in targets["delegations"]["roles"] if each["name"] == "ccib"]
    assert role["keyids"] == ["ccib#registrar-2"]
    assert place.seen_by("rtp").member("ccib") is not None

    rehearse("online keys were stolen")
    place.seen_by("rtp")
    timestamp = json.loads((place.folder / "rtp/registry/metadata/timestamp.json").read_bytes())
    assert [each["keyid"] for each in timestamp["signatures"]] == ["oja#registry-2"]
    assert [key.kid for key in place.keys("rtp", "oja", KeyPurpose.GATEWAY)] == ["oja#gateway-2"]

    heading, nothing = next(page)
    assert (heading, nothing) == ("Once a year", [])
    rehearse("Take a copy")
    assert (place.folder / "for-the-auditor/metadata/timestamp.json").is_file()
    assert next(page, None) is None


def test_a_root_with_another_digest_is_not_pinned(place: Place) -> None:
    lines = sections()["Found it"]
    for line in lines[: next(i for i, each in enumerate(lines) if each[1] == "pin")]:
        place.run(line)
    words = ["federation", "pin", "founding/metadata/1.root.json", "--digest", f"sha-256:{'0' * 64}", "--home", "ccib"]
    done = CliRunner().invoke(command_line(words), words)
    assert (done.exit_code, (place.folder / "ccib/root.json").exists()) == (2, False)
    assert "ceremony-file" in done.output
