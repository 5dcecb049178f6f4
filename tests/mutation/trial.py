"""Runs the tests: once to see which guards fire where, then once for each guard that is put out of order.

Everything is imported once. Each run is a fork of this process: it starts at once and leaves nothing behind.
"""

import gc
import os
import pickle
import signal
import time
from collections import defaultdict
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


@dataclass(slots=True, eq=False)
class Collected:
    """A pytest plugin that keeps the files in which tests were found."""

    files: list[str] = field(default_factory=list)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Every test that was chosen."""
        self.files = sorted({item.nodeid.partition("::")[0] for item in items})


@dataclass(slots=True, eq=False)
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


def collect(chosen: Sequence[str]) -> list[str]:
    """Import every test and what it tests, so that each fork finds it there; the files with tests."""
    collected = Collected()
    with _quiet():
        code = pytest.main([*OPTIONS, "--collect-only", *chosen], plugins=[collected])
    if code != pytest.ExitCode.OK:
        raise SystemExit(f"the tests cannot be collected: {code}")
    gc.freeze()  # so that a fork's collector does not touch, and copy, everything that is shared
    return collected.files


def record(files: Sequence[str], options: Sequence[str], prepare: Callable[[], None], workers: int) -> Record:
    """Run every test once with all guards in order, the files shared out among a few forks."""
    start = time.monotonic()
    pipes = [_first_run([*options, *files[number::workers]], prepare) for number in range(workers)]
    seconds: dict[str, float] = {}
    failed: set[str] = set()
    fired: defaultdict[str, set[str]] = defaultdict(set)
    for pipe in pipes:
        with os.fdopen(pipe, "rb") as report:
            code, took, fell, seen = pickle.load(report)  # noqa: S301  # written by our own fork
        if code not in {SURVIVED, KILLED}:
            raise SystemExit(f"pytest could not run the tests: {code}")
        seconds |= took
        failed |= fell
        for guard, tests in seen.items():
            fired[guard] |= tests
    for _ in pipes:
        os.wait()
    usable = {
        guard: tuple(sorted(tests - failed - {""}, key=lambda test: (seconds.get(test, 0.0), test)))
        for guard, tests in fired.items()
    }
    return Record(usable, frozenset(failed), time.monotonic() - start)


def _first_run(arguments: Sequence[str], prepare: Callable[[], None]) -> int:
    """The end of a pipe on which a fork will say what it saw."""
    read, write = os.pipe()
    if os.fork() != 0:
        os.close(write)
        return read
    watch = Watch()
    try:
        prepare()
        with _quiet():
            code = int(pytest.main([*OPTIONS, *arguments], plugins=[watch]))
        with os.fdopen(write, "wb") as pipe:
            pickle.dump((code, watch.seconds, watch.failed, dict(SWITCH.fired)), pipe)
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
        os.setsid()  # a test that ends its process group ends this run alone
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
