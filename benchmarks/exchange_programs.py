"""The gateway and a connector as processes of their own, as they really run, which tell what they have cost so far."""

import multiprocessing
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from typing import Final
from urllib.parse import urlsplit

from benchmarks.exchange_counting import Databases, counting_calls
from connectors.main import serve as serve_connector
from connectors.settings import load_settings as load_connector_settings
from gateway.main import serve as serve_gateway
from gateway.settings import load_settings as load_gateway_settings

CPU, COUNT, COUNTED = "cpu", "count", "counted"
STARTS_WITHIN: Final = 60.0
ENDS_WITHIN: Final = 60.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Program:
    """A running program and the line on which it answers."""

    name: str
    process: BaseProcess
    line: Connection

    def asked(self, word: str) -> float | dict[str, int]:
        """Its answer: CPU seconds so far, or what it counted since it was told to count."""
        self.line.send(word)
        answer: float | dict[str, int] = self.line.recv()
        return answer


@dataclass(frozen=True, slots=True)
class Programs:
    """All programs of an exchange: the requester is this process, the others were started."""

    started: tuple[Program, ...]
    databases: Databases

    def cpu_seconds(self) -> dict[str, float]:
        """What each of them has cost so far, by its name."""
        costs = {"requester": time.process_time()}
        for each in self.started:
            told = each.asked(CPU)
            costs[each.name] = told if isinstance(told, float) else 0.0
        return costs

    @contextmanager
    def counting(self, counted: Counter[str]) -> Iterator[None]:
        """Count the raw operations of all of them inside the block."""
        for each in self.started:
            each.asked(COUNT)
        with counting_calls(counted), self.databases.counting(counted):
            yield
        for each in self.started:
            told = each.asked(COUNTED)
            counted.update(told if isinstance(told, Mapping) else {})


@contextmanager
def programs_of(gateway: Path, connectors: Mapping[str, Path], address: str, tick_seconds: float) -> Iterator[Programs]:
    """Start the gateway and the connectors of these homes, and stop them when the block ends."""
    with ExitStack() as stack, Databases().known() as databases:
        started = [stack.enter_context(_started("gateway", _gateway, gateway, address, tick_seconds))]
        started += [stack.enter_context(_started(name, _connector, home)) for name, home in connectors.items()]
        _await(address)
        yield Programs(tuple(started), databases)


@contextmanager
def _started(name: str, run: Callable[..., None], *about: object) -> Iterator[Program]:
    spawning = multiprocessing.get_context("spawn")
    line, its_line = spawning.Pipe()
    process = spawning.Process(target=_answering, args=(its_line, run, *about))
    process.start()
    try:
        yield Program(name, process, line)
    finally:
        if process.pid is not None:
            os.kill(process.pid, signal.SIGTERM)
        process.join(ENDS_WITHIN)
        if process.is_alive():
            process.kill()


def _await(address: str) -> None:
    at, until = urlsplit(address), time.monotonic() + STARTS_WITHIN
    while True:
        try:
            socket.create_connection((at.hostname or "", at.port or 0)).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


def _answering(line: Connection, run: Callable[..., None], *about: object) -> None:
    with Databases().known() as databases:
        Thread(target=_answer, args=(line, databases), daemon=True).start()
        run(*about)


def _answer(line: Connection, databases: Databases) -> None:
    counted: Counter[str] = Counter()
    counting = ExitStack()
    while True:
        word = line.recv()
        if word == CPU:
            line.send(time.process_time())
        elif word == COUNT:
            counting.enter_context(counting_calls(counted))
            counting.enter_context(databases.counting(counted))
            line.send({})
        else:
            counting.close()
            line.send(dict(counted))
            counted.clear()


def _gateway(home: Path, address: str, tick_seconds: float) -> None:
    at = urlsplit(address)
    serve_gateway(
        load_gateway_settings(
            home=home, listen_host=at.hostname or "", listen_port=at.port or 0, tick_seconds=tick_seconds
        )
    )


def _connector(home: Path) -> None:
    serve_connector(load_connector_settings(home=home))
