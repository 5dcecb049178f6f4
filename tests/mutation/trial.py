"""Runs the tests: once to see which guards fire where, then once for each guard that is put out of order.

Everything is imported once. Each run is a fork of this process: it starts at once and leaves nothing behind.
"""

import os
import pickle
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import pytest

from tests.mutation.switch import SWITCH

SECONDS: Final = 60.0
"""A run that takes longer has noticed: a disabled guard may let a loop run on."""

MOST_TESTS: Final = 25
"""So many of the quickest tests in which a guard fires are asked whether they miss it."""

OPTIONS: Final = ("-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov")
KILLED: Final = 1
SURVIVED: Final = 0


@dataclass(slots=True)
class Watch:
    """A pytest plugin that says which test runs, and remembers how long each took and which failed."""

    seconds: dict[str, float] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins, with its fixtures."""
        SWITCH.test = nodeid

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase of a test is over."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed.add(report.nodeid)


@dataclass(frozen=True, slots=True)
class Record:
    """What the first run saw: the tests in which each guard fired, quickest first, and the tests that failed anyway."""

    tests: Mapping[str, tuple[str, ...]]
    failed: frozenset[str]
    seconds: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a guard that was out of order: ``noticed``, ``survived`` or ``never fires``."""

    guard: str
    word: str
    tests: int


def collect(paths: Sequence[str]) -> None:
    """Import every test and what it tests, so that each fork finds it there."""
    with _quiet():
        code = pytest.main([*OPTIONS, "--collect-only", *paths])
    if code != pytest.ExitCode.OK:
        raise SystemExit(f"the tests cannot be collected: {code}")


def record(paths: Sequence[str], prepare: Callable[[], None]) -> Record:
    """Run every test once with all guards in order."""
    start = time.monotonic()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        _first_run(paths, prepare, write)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        watch, fired = pickle.load(pipe)  # noqa: S301  # written by our own fork
    os.waitpid(child, 0)
    usable = {
        guard: tuple(sorted(tests - watch.failed - {""}, key=lambda test: (watch.seconds.get(test, 0.0), test)))
        for guard, tests in fired.items()
    }
    return Record(usable, frozenset(watch.failed), time.monotonic() - start)


def _first_run(paths: Sequence[str], prepare: Callable[[], None], write: int) -> None:
    watch = Watch()
    try:
        prepare()
        with _quiet():
            pytest.main([*OPTIONS, *paths], plugins=[watch])
        with os.fdopen(write, "wb") as pipe:
            pickle.dump((watch, dict(SWITCH.fired)), pipe)
    finally:
        os._exit(0)


def verdicts(guards: Iterable[str], seen: Record, disable: Callable[[str], None], workers: int) -> Iterator[Verdict]:
    """Put each guard out of order and run the tests in which it fires, until one fails; a few at a time."""
    waiting = list(guards)
    running: dict[int, tuple[str, float]] = {}
    while waiting or running:
        while waiting and len(running) < workers:
            guard = waiting.pop(0)
            tests = seen.tests.get(guard, ())[:MOST_TESTS]
            if tests:
                running[_start(guard, tests, disable)] = (guard, time.monotonic())
            else:
                yield Verdict(guard, "never fires", 0)
        for child, code in _ended(running):
            guard, _ = running.pop(child)
            word = "survived" if code == SURVIVED else "noticed"
            yield Verdict(guard, word, len(seen.tests.get(guard, ())))


@contextmanager
def _quiet() -> Iterator[None]:
    """Send what the tests print to nowhere; a fork that ends at once need not be put right."""
    kept = os.dup(1), os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        for handle in (*kept, nowhere):
            os.close(handle)


def _start(guard: str, tests: Sequence[str], disable: Callable[[str], None]) -> int:
    child = os.fork()
    if child == 0:
        code = KILLED
        try:
            disable(guard)
            with _quiet():
                code = int(pytest.main([*OPTIONS, "-x", *tests]))
        finally:
            os._exit(code)
    return child


def _ended(running: Mapping[int, tuple[str, float]]) -> Iterator[tuple[int, int]]:
    """The runs that are over by now; one that takes too long is ended."""
    for child, (guard, start) in list(running.items()):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            if code not in {SURVIVED, KILLED} and code >= 0:
                raise SystemExit(f"pytest could not run the tests of {guard}: {code}")
            yield child, code
        elif time.monotonic() - start > SECONDS:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            yield child, KILLED
    time.sleep(0.01)
