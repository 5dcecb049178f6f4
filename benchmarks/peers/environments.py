"""An environment for each peer, from a hash-locked list, and one run of a peer in it. What does not work fails."""

import hashlib
import json
import os
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
HOMES = ROOT / ".venv-peers"
PEERS = ("smartnoise", "pipelinedp")
LONGEST_SECONDS = 1800


def run_peer(peer: str, rows: Path) -> dict[str, float]:
    """Let one peer do the job in a process of its own.

    Args:
        peer: One of ``PEERS``.
        rows: What ``job.save`` wrote.

    Returns:
        What the peer told of itself.

    Raises:
        SystemExit: When the peer cannot be installed, fails, or tells nothing; the reason is on standard error.
    """
    command = [str(_python_of(peer)), "-m", f"benchmarks.peers.{peer}", str(rows)]
    told = _run(peer, command, stdout=subprocess.PIPE).strip()
    if not told:
        sys.exit(f"peer {peer}: it told nothing")
    figures: Mapping[str, float] = json.loads(told.splitlines()[-1])
    return {f"{peer}_{name}": float(value) for name, value in figures.items()}


def _python_of(peer: str) -> Path:
    """The Python of a peer's own environment, which is made anew when its list changed."""
    lock, home = HERE / f"{peer}.lock", HOMES / peer
    python = home / "bin" / "python"
    ready = home / f"ready-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"
    if not ready.exists():
        sys.stderr.write(f"peer {peer}: setting up {home.relative_to(ROOT)} (once)\n")
        venv.create(home, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        _run(peer, [*install, "--require-hashes", "-r", str(lock)])
        ready.touch()
    return python


def _run(peer: str, command: list[str], stdout: int | None = None) -> str:
    # A peer must find its own packages only.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(  # noqa: S603  # a fixed program, of our own list of peers
        command, cwd=ROOT, env=environment, stdout=stdout, text=True, check=False, timeout=LONGEST_SECONDS
    )
    if done.returncode:
        sys.exit(f"peer {peer}: {command[2:4]} ended with {done.returncode}")
    return done.stdout or ""
