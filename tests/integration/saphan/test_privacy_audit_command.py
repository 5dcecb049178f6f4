"""``saphan privacy audit`` before and around its federation: what it refuses, and what it leaves behind."""

import os
import signal
from pathlib import Path
from typing import ClassVar

import pytest
from typer.testing import CliRunner, Result
from typing_extensions import override

from contracts.errors import Unavailable
from saphan import privacy_commands
from saphan.__main__ import command_line
from saphan.demo.processes import Processes, Program

pytestmark = pytest.mark.integration


class Recorded(Processes):
    """Starts nothing and writes down where it was asked to, and that it was stopped."""

    homes: ClassVar[list[Path]] = []
    stopped: ClassVar[int] = 0

    @override
    def start(self, name: str, home: Path, *arguments: str) -> Program:
        self.homes.append(home)
        self.happen(name, home)
        return None  # type: ignore[return-value]  # nobody looks at it

    @override
    def stop(self) -> None:
        type(self).stopped += 1

    def happen(self, name: str, home: Path) -> None:
        """Let a test do what it wants when a program is started."""


class Dead(Recorded):
    @override
    def check(self) -> None:
        raise Unavailable("demo-step-failed", step="gateway", log="log.txt")


class Terminated(Recorded):
    @override
    def happen(self, name: str, home: Path) -> None:
        os.kill(os.getpid(), signal.SIGTERM)


class Slow(Recorded):
    """Its gateway never gets ready."""


@pytest.fixture(autouse=True)
def nothing_recorded() -> None:
    Recorded.homes.clear()
    Recorded.stopped = 0
    for kind in (Dead, Terminated, Slow):
        kind.stopped = 0


def audit(*options: str) -> Result:
    arguments = ["privacy", "audit", *options]
    return CliRunner().invoke(command_line(arguments), arguments)


def test_too_few_cells_are_refused_before_anything_starts() -> None:
    answer = audit("--cells", "1999")
    assert answer.exit_code == 2
    assert "audit-too-small (1199)" in answer.stderr


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    answer = audit("--home", str(tmp_path))
    assert answer.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


def test_a_gateway_that_ended_is_told_and_its_log_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(privacy_commands, "Processes", Dead)
    answer = audit("--cells", "2000")
    assert answer.exit_code == 4
    assert "demo-step-failed" in answer.stderr
    assert Dead.stopped == 1
    assert [home.exists() for home in Recorded.homes] == [True]


def test_a_gateway_that_never_gets_ready_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privacy_commands, "Processes", Slow)
    monkeypatch.setattr("saphan.privacy_audit.federation.START_SECONDS", 0)
    answer = audit("--cells", "2000", "--home", str(tmp_path / "home"))
    assert answer.exit_code == 4
    assert Slow.stopped == 1


def test_a_signal_ends_the_programs_and_takes_the_temporary_home_away(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(privacy_commands, "Processes", Terminated)
    answer = audit("--cells", "2000")
    assert answer.exit_code != 0
    assert Terminated.stopped == 1
    assert [home.exists() for home in Recorded.homes] == [False]
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_audit_does_not_write_into_a_folder_that_is_in_use(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    words = ["privacy", "audit", "--home", str(tmp_path)]
    answer = CliRunner().invoke(command_line(words), words)
    assert (answer.exit_code, "folder-in-use (1556)" in answer.stderr) == (2, True)
    assert [each.name for each in tmp_path.iterdir()] == ["mine"]
