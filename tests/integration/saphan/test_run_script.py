"""``./run`` where it answers before any program starts."""

import os
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
READY = "cat pyproject.toml requirements.lock | cksum | cut -d' ' -f1"


@pytest.mark.parametrize("name", [(), ("nope",), ("report",), ("",)])
def test_bench_says_which_names_there_are(tmp_path: Path, name: tuple[str, ...]) -> None:
    stamp = subprocess.run(["/bin/sh", "-c", READY], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (tmp_path / f".ready-{stamp.strip()}").touch()
    environment = os.environ | {"SAPHAN_VENV": str(tmp_path)}
    done = subprocess.run(
        ["/bin/sh", str(ROOT / "run"), "bench", *name], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    names = done.stderr.removeprefix("./run bench NAME [--json]. NAME is one of: ").split()
    programs = {file.stem for file in (ROOT / "benchmarks").glob("*.py") if "\nif __name__" in file.read_text("utf-8")}
    assert set(names) == programs
    assert "report" not in names
