"""``./run interop``: other people's validators judge what Saphan writes. One line for each tool, version and verdict.

Each tool lives in an environment of its own, installed from a hash-locked list beside this file. The official shapes
and schemas are not part of the project; ``SAPHAN_INTEROP`` says where they lie. What is missing fails.
"""

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from gateway.catalogue.dcat import turtle
from tests.interop.sample import catalogue

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOLDER = Path(os.environ.get("SAPHAN_INTEROP", str(ROOT.parent / "shared" / "interop")))
ENVIRONMENTS = Path(os.environ.get("SAPHAN_INTEROP_ENVIRONMENTS", str(ROOT / ".venv-interop")))


def main() -> int:
    """Run every check; the worst verdict is the exit code."""
    checks = (_dcat, _dataspace, _datacontract)
    return max(check() for check in checks)


def _dcat() -> int:
    shapes = [FOLDER / "dcat-ap" / name for name in ("shapes.ttl", "range.ttl")]
    if not all(path.is_file() for path in shapes):
        return _missing("DCAT-AP 3.0.1 shapes", FOLDER / "dcat-ap")
    python = _environment("shacl") / "python"
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "catalogue.ttl")
        data.write_text(turtle(catalogue()), encoding="utf-8")
        return _run([str(python), str(HERE / "dcat_shapes.py"), str(data), *map(str, shapes)])


def _dataspace() -> int:
    schemas = FOLDER / "dsp"
    if not schemas.is_dir():
        return _missing("Dataspace Protocol 2025-1 schemas", schemas)
    return _run([sys.executable, "-m", "tests.interop.dataspace_schemas", str(schemas)])


def _datacontract() -> int:
    tool = _environment("datacontract") / "datacontract"
    return _run([sys.executable, "-m", "tests.interop.datacontract", "--tool", str(tool)])


def _environment(name: str) -> Path:
    """The programs of a tool's own environment, made when its list changed."""
    lock, home = HERE / f"{name}.lock", ENVIRONMENTS / name
    ready = home / f"ready-{lock.stat().st_mtime_ns}"
    if not ready.exists():
        venv.create(home, with_pip=True, clear=True)
        install = [str(home / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*install, "--require-hashes", "-r", str(lock)], check=True)
        ready.touch()
    return home / "bin"


def _run(command: list[str]) -> int:
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def _missing(what: str, where: Path) -> int:
    print(f"missing: {what}: nothing at {where}; say where they lie with SAPHAN_INTEROP", flush=True)  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main())
