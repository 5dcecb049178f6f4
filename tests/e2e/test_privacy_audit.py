"""``saphan privacy audit``: real programs, real noise; one federation is honest, in the other a connector is not."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result
from typing_extensions import override

from saphan import privacy_commands
from saphan.__main__ import command_line
from saphan.demo.processes import Processes, Program

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
CELLS = "10000"


class WithAWrongConnector(Processes):
    """Starts the connector that adds its own noise with noise that is too small."""

    @override
    def start(self, name: str, home: Path, *arguments: str) -> Program:
        if name != "guarding":
            return super().start(name, home, *arguments)
        with (home / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.wrong_noise_program", *arguments],
                cwd=home,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        program = Program(name=name, home=home, process=process)
        self.programs.append(program)
        return program


def audit(*options: str) -> Result:
    arguments = ["privacy", "audit", "--json", *options]
    return CliRunner().invoke(command_line(arguments), arguments)


def audits(answer: Result) -> dict[tuple[str, str], dict[str, Any]]:
    return {(each["protect_at"], each["mechanism"]): each for each in json.loads(answer.stdout)["audits"]}


@pytest.mark.long
def test_an_honest_federation_passes_whatever_the_machine_s_own_settings_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "real.db"
    monkeypatch.setenv("SAPHAN_DATABASE_URL", f"sqlite:///{elsewhere}")
    monkeypatch.setenv("SAPHAN_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("SAPHAN_GATEWAY", "http://127.0.0.1:9")
    home = tmp_path / "federation"
    answer = audit("--cells", "2000", "--home", str(home))

    assert answer.exit_code == 0, answer.stderr
    found = audits(answer)
    assert set(found) == {(at, law) for at in ("gateway", "connector") for law in ("gaussian", "laplace")}
    assert all(each["cells"] >= 2000 and each["found"]["failed"] == [] for each in found.values())
    gaussian, laplace = found["connector", "gaussian"]["found"], found["gateway", "laplace"]["found"]
    assert 0.2 < gaussian["rho_bound"] < gaussian["rho_claimed"] * 1.3
    assert (laplace["epsilon_claimed"], laplace["delta"]) == (pytest.approx(1.0), 0.0)
    assert not elsewhere.exists()
    assert {path.name for path in home.iterdir()} == {"gateway", "guarding", "trusting", "sources"}


def test_a_connector_whose_true_epsilon_is_1_2_where_it_sells_1_0_is_found_out_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(privacy_commands, "Processes", WithAWrongConnector)

    answer = audit("--cells", CELLS)

    assert answer.exit_code == 5, answer.stderr
    failed = {key: set(each["found"]["failed"]) for key, each in audits(answer).items()}
    assert failed["connector", "gaussian"] >= {"rho", "fit"}
    assert failed["connector", "laplace"] >= {"fit"}
    assert failed["gateway", "gaussian"] == failed["gateway", "laplace"] == set()
    assert "privacy-claim-broken (1450)" in answer.stderr
    assert "audit_guarding_present laplace: " in answer.stderr
