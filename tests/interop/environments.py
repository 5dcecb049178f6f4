"""Where other people's programs live: each in an environment of its own, installed from a hash-locked list.

For Python, ``NAME.in`` says what is wanted and ``NAME.lock`` what is installed:

    uv pip compile --generate-hashes --no-emit-index-url --no-header --no-annotate NAME.in -o NAME.lock

For Node, the folder ``NAME/`` holds ``package.json``, ``package-lock.json`` (made with
``npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved``) and the scripts that use the
packages. No lock names a package host: where packages come from is the business of whoever installs them.

The official shapes and schemas are not part of the project; ``SAPHAN_INTEROP`` says where they lie.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOLDER = Path(os.environ.get("SAPHAN_INTEROP", str(ROOT.parent / "shared" / "interop")))
ENVIRONMENTS = Path(os.environ.get("SAPHAN_INTEROP_ENVIRONMENTS", str(ROOT / ".venv-interop")))


def python_environment(name: str, python: str = sys.executable) -> Path:
    """The folder of programs (``bin``) of a Python tool's environment, made again when its list changed.

    Args:
        name: Of ``NAME.lock`` beside this file.
        python: Which interpreter it needs.
    """
    lock, home = HERE / f"{name}.lock", ENVIRONMENTS / name
    ready = home / f"ready-{lock.stat().st_mtime_ns}"
    if not ready.exists():
        subprocess.run([python, "-m", "venv", "--clear", str(home)], check=True)
        install = [str(home / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*install, "--require-hashes", "-r", str(lock)], check=True)
        ready.touch()
    return home / "bin"


def interpreter(version: str) -> str:
    """A Python of this version (``3.13``) that really starts: on the path, or among pyenv's.

    Raises:
        FileNotFoundError: When there is none.
    """
    name, pyenv = f"python{version}", Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))) / "versions"
    for each in (shutil.which(name), *sorted(map(str, pyenv.glob(f"{version}.*/bin/{name}")))):
        if each and subprocess.run([each, "-c", ""], check=False, capture_output=True).returncode == 0:
            return each
    raise FileNotFoundError(name)


def node_environment(name: str) -> Path:
    """The folder of a Node tool: its packages, made again when its lock changed, and our scripts of today.

    Nothing that a package brings is run while it is installed.
    """
    source, home = HERE / name, ENVIRONMENTS / name
    ready = home / f"ready-{(source / 'package-lock.json').stat().st_mtime_ns}"
    if not ready.exists():
        shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(source, home, dirs_exist_ok=True)
    if not ready.exists():
        # npm complains about settings of other people's machines on stderr; a failure is told by the exit code.
        install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(install, cwd=home, check=True, stdout=subprocess.DEVNULL)
        ready.touch()
    return home


def run(command: Sequence[str], cwd: Path = ROOT) -> int:
    """Run a program, its output shown; its exit code."""
    return subprocess.run(command, cwd=cwd, check=False).returncode


def say(tool: str, version: str, verdict: str) -> None:
    """One line: which tool, of which version, says what."""
    print(f"{tool} {version}: {verdict}", flush=True)  # noqa: T201  # the report of a program


def missing(what: str, where: Path) -> int:
    """What a check needs is not there: that fails."""
    print(f"missing: {what}: nothing at {where}; say where they lie with SAPHAN_INTEROP", flush=True)  # noqa: T201  # the report of a program
    return 1
