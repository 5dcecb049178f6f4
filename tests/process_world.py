"""A gateway and a connector as real processes that a test can kill and start again."""

import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import httpx2

from benchmarks.federation import AGREEMENT, Agency, Running, running
from connectors.journal.book import Journal
from contracts.request import Request
from gateway.asking import query_of
from gateway.client import Gateway, Result
from tests.program_starter import Program, ProgramStarter

PRICE = 1_000
START_SECONDS = 60
FIXED = {
    "station": "S1",
    "channel": "TPO",
    "case_type": "SHOP",
    "platform": "FACEBOOK",
    "victim_age": 30,
    "victim_sex": "F",
    "damage_thb": 1000,
    "linked": 0,
    "stage": "COMPLAINT",
    "crimes_ref": None,
}
COLUMNS = ("case_ref", "victim_id", "reported_at", "occurred_at", "province", *FIXED)


def complaints(path: Path, rows: int = 600) -> Path:
    """A small agency database of complaints, the same every time."""
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE tpo_complaint ({', '.join(COLUMNS)})")
        values = [
            (f"c{i}", f"v{i}", f"2025-{1 + i % 12:02d}-05 10:00:00", None, ("10", "50", "90")[i % 3], *FIXED.values())
            for i in range(rows)
        ]
        marks = ", ".join("?" * len(COLUMNS))
        connection.executemany(f"INSERT INTO tpo_complaint VALUES ({marks})", values)  # noqa: S608  # no input
    connection.close()
    return path


@dataclass
class ProcessWorld:
    """Homes that were set up once, and the programs that run on them now."""

    folder: Path
    set_up: Running
    questions: Iterator[tuple[str, str]]
    programs: dict[str, Program] = field(default_factory=dict)
    starter: ProgramStarter = field(default_factory=ProgramStarter)

    @property
    def client(self) -> Gateway:
        """A fresh line of the requester."""
        return Gateway(self.set_up.address, self.set_up.asker, "oja", self.set_up.federation)

    def start_gateway(self, crash_at: str | None = None) -> None:
        """Start the gateway and wait until it is ready."""
        port = self.set_up.address.rpartition(":")[2]
        self._start("gateway", ["gateway", "serve", "--home", str(self.folder / "gateway"), "--port", port], crash_at)
        self.until(self._is_ready, "the gateway is ready")

    def start_connector(self, crash_at: str | None = None) -> None:
        """Start CCIB's connector."""
        self._start("connector", ["connector", "serve", "--home", str(self.folder / "ccib")], crash_at)

    def kill(self, name: str) -> None:
        """kill -9, if it runs."""
        program = self.programs.pop(name, None)
        if program is not None:
            program.kill()
            program.wait()

    def stop(self) -> None:
        """End everything."""
        for name in list(self.programs):
            self.kill(name)
        self.starter.close()

    def wait_for_death(self, name: str) -> None:
        """Wait until a program has killed itself at its crash point."""
        assert self.programs.pop(name).wait(timeout=START_SECONDS) == -signal.SIGKILL

    def request(self, client: Gateway) -> Request:
        """A request for a question that nobody asked before."""
        query = query_of(["count"], ["month"], ("2025-01-01", "2025-04-01"), {"province": next(self.questions)})
        return client.request(client.question(AGREEMENT, "everything", query, nano_rho=PRICE))

    def spent(self) -> int:
        """What the gateway's ledger has spent in the question's one window, in nano-rho."""
        with self.client as client:
            lines = [line for line in client.budget() if line.window == "FY2568"]
        assert all(line.reserved == 0 for line in lines)
        return sum(line.spent for line in lines)

    def spent_by_journal(self) -> int:
        """What the connector's own journal has charged."""
        journal = Journal(self.set_up.homes["ccib"].journal)
        spent = sum(each.nano_rho for each in journal.spending() if each.window == "FY2568")
        journal.close()
        return spent

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for something that must come true soon."""
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain until {what}"
            time.sleep(0.05)

    def answered(self, request: Request) -> Result:
        """Send a request, again if need be, and wait for its release."""
        with self.client as client:
            client.submit(request)
            return client.wait(request.id, START_SECONDS)

    def _is_ready(self) -> bool:
        assert self.programs["gateway"].poll() is None, "the gateway ended"
        try:
            return httpx2.get(f"{self.set_up.address}/health/ready", timeout=5, trust_env=False).is_success
        except httpx2.TransportError:
            return False

    def _start(self, name: str, arguments: list[str], crash_at: str | None) -> None:
        self.kill(name)
        quick = {"SAPHAN_TICK_SECONDS": "0.1", "SAPHAN_LEASE_SECONDS": "1"} if name == "gateway" else {}
        crash = {"SAPHAN_CRASH_AT": crash_at} if crash_at else {}
        self.programs[name] = self.starter.start(arguments, {**quick, **crash}, self.folder / f"{name}.log")


def new_process_world(folder: Path, nano_rho: int = PRICE) -> ProcessWorld:
    """Set homes, contracts and an agreement up at that price of a request, and leave nothing running."""
    source = complaints(folder / "source.db")
    agency = Agency("ccib", f"sqlite:///{source}", "tpo_complaint")
    with running(folder, [agency], nano_rho=nano_rho, tick_seconds=0.1) as set_up:
        province = set_up.contracts[0].dimension("province")
    assert province is not None
    return ProcessWorld(folder, set_up, combinations(province.values, 2))
