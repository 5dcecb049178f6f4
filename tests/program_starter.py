"""Starts ``saphan`` programs at once: it has imported everything already and forks, one process for each program.

What is forked is a program of its own, with its own environment, files and process number, to be killed like any other;
only the seconds of importing are saved. Nothing here runs a thread before it forks.

    python -m tests.program_starter     # one JSON command a line in, one JSON answer a line out
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from saphan import connector_commands, gateway_commands
from saphan.__main__ import command_line

IMPORTED = (connector_commands, gateway_commands)
"""What a program needs and would import again at each start."""

POLL_SECONDS = 0.02


class Program:
    """One program that the starter forked."""

    def __init__(self, starter: "ProgramStarter", pid: int) -> None:
        self._starter = starter
        self.pid = pid
        self._status: int | None = None

    def poll(self) -> int | None:
        """How it ended, negative for a signal; none while it runs."""
        if self._status is None:
            self._status = self._starter.ask(poll=self.pid)["status"]
        return self._status

    def wait(self, timeout: float = 60.0) -> int:
        """Wait until it has ended."""
        deadline = time.monotonic() + timeout
        while (status := self.poll()) is None:
            assert time.monotonic() < deadline, f"program {self.pid} goes on"
            time.sleep(POLL_SECONDS)
        return status

    def kill(self) -> None:
        """kill -9."""
        if self.poll() is None:
            os.kill(self.pid, 9)


class ProgramStarter:
    """The test's side of the starter. Its programs are not measured by coverage: a kill would lose it anyway."""

    def __init__(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.program_starter"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **command: object) -> dict[str, Any]:
        """Send a command and read its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps(command)}\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def start(self, arguments: list[str], environment: dict[str, str], log: Path) -> Program:
        """Start ``saphan`` with these arguments; what it prints is added to ``log``."""
        answer = self.ask(start=arguments, environment=environment, log=str(log))
        return Program(self, answer["pid"])

    def close(self) -> None:
        """End the starter; its programs were ended before."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def _serve() -> None:
    for line in sys.stdin:
        command = json.loads(line)
        answer = {"status": _status(command["poll"])} if "poll" in command else {"pid": _fork(command)}
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


def _status(pid: int) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    return None if ended == 0 else os.waitstatus_to_exitcode(status)


def _fork(command: dict[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        _become(command)
    return pid


def _become(command: dict[str, Any]) -> None:
    log = os.open(command["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.environ.update(command["environment"])
    try:
        command_line(command["start"])(command["start"])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException as error:  # noqa: BLE001  # a forked child must not go on in its parent's loop
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        code = 70
    os._exit(code)


if __name__ == "__main__":
    _serve()
