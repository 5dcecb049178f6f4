"""Child processes of the demonstration: each with its own home, its own log, and an environment with nothing shared."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from contracts.errors import Unavailable
from saphan.demo.steps import encoded

Steps = Sequence[Sequence[str]]
"""Commands of one process, in order."""

STOP_SECONDS = 10
PASSED_ON = ("PATH", "LANG", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")
"""What a child may know of its parent's environment: where programs are, and whether coverage is measured."""


@dataclass(frozen=True, slots=True)
class Program:
    """A long-running child and the home that it was given."""

    name: str
    home: Path
    process: "subprocess.Popen[bytes]"


@dataclass(slots=True)
class Processes:
    """The children of one demonstration; leaving the context stops them all."""

    environment: Mapping[str, str]
    programs: list[Program] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, name: str, home: Path, *arguments: str) -> Program:
        """Start ``saphan ...`` as a program of its own; what it says goes to ``log.txt`` in its home."""
        with (home / "log.txt").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603  # our own program, no shell
                [sys.executable, "-m", "saphan", *arguments],
                cwd=home,
                env=self._environment(),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        program = Program(name=name, home=home, process=process)
        self.programs.append(program)
        return program

    def run_together(
        self, jobs: Sequence[tuple[Path, Steps]], done: Callable[[Path], None] = lambda _: None
    ) -> list[bytes]:
        """Run sequences of ``saphan ...`` commands side by side, each in a process of its own; give what each printed.

        ``done`` is told each home when its commands and those before it are through.

        Raises:
            Unavailable: ``demo-step-failed``, with the log that tells why.
        """
        started = [(home, steps, self._begin(home, steps)) for home, steps in jobs]
        printed = []
        for home, steps, process in started:
            printed.append(_finish(home, steps, process))
            done(home)
        return printed

    def check(self) -> None:
        """Notice a program that ended by itself.

        Raises:
            Unavailable: ``demo-step-failed``, with the log that tells why.
        """
        for program in self.programs:
            if program.process.poll() is not None:
                raise Unavailable("demo-step-failed", step=program.name, log=program.home / "log.txt")

    def stop(self) -> None:
        """End every program, the last started first; one that does not listen is killed."""
        for program in reversed(self.programs):
            program.process.send_signal(signal.SIGTERM)
        for program in reversed(self.programs):
            try:
                program.process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                program.process.kill()
                program.process.wait()
        self.programs.clear()

    def _begin(self, home: Path, steps: Steps) -> "subprocess.Popen[bytes]":
        with (home / "log.txt").open("ab") as log:
            return subprocess.Popen(  # noqa: S603  # our own program, no shell
                [sys.executable, "-m", "saphan.demo.steps", encoded(steps)],
                cwd=home,
                env=self._environment(),
                stdout=subprocess.PIPE,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def _environment(self) -> dict[str, str]:
        return {name: self.environment[name] for name in PASSED_ON if name in self.environment}


def _finish(home: Path, steps: Steps, process: "subprocess.Popen[bytes]") -> bytes:
    printed, _ = process.communicate()
    if process.returncode != os.EX_OK:
        raise Unavailable(
            "demo-step-failed", step=", ".join(" ".join(step[:2]) for step in steps), log=home / "log.txt"
        )
    return printed
