"""The centre is down for a day: nothing is lost anywhere, and what waited is answered after its return, charged once.

Real HTTP, journals, snapshots and databases; gateway, connectors and requester share a clock that the test moves.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from connectors.crash import CrashPoint
from connectors.journal.book import Journal
from contracts.errors import IntegrityError, Refused, Unavailable
from contracts.request import Request, RequestState
from gateway.store.engine import Store
from gateway.store.tables import requests
from saphan.__main__ import command_line
from tests.api_world import make_home
from tests.factories import NOW
from tests.gateway_world import World
from tests.relay_world import PRICE, Centre, Clock, Connectors, RelayWorld, providers

pytestmark = pytest.mark.e2e

DAY = timedelta(hours=24)
PATIENCE = 120.0
DRAINED_WITHIN = 60.0
SHORT = {"deliver_until": NOW + timedelta(hours=1)}
UNFINISHED = (RequestState.RECEIVED, RequestState.WAITING)


def until(condition: Callable[[], bool], every: float = 0.05) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(every)


class Outage:
    """A day without the centre, in its steps."""

    def __init__(self, folder: Path, agencies: int) -> None:
        self.clock = Clock()
        self.world = RelayWorld(folder, providers(agencies), NOW)
        self.world.make_homes()
        home = make_home(folder / "gateway", self.world.keys)
        self.url = f"sqlite:///{home / 'gateway.db'}"
        self.world.register(self.url)
        self.centre = Centre(home, self.world.keys.federation.gateway, self.clock)
        self.go_on = Event()
        self.held_up: list[CrashPoint] = []
        self.connectors = Connectors(self.world, (self.centre.address,), self.clock, workers=2)

    def submit(self, asked: Sequence[Request]) -> None:
        with self.world.client(self.centre.address, self.clock) as client:
            for each in asked:
                client.submit(each)

    def hold_answers_up(self) -> None:
        """From now on each answer stops before it is made, until ``go_on``."""

        def hook(point: CrashPoint) -> None:
            if point is CrashPoint.CELLS_READ:
                self.held_up.append(point)
                self.go_on.wait(PATIENCE)

        for agent in self.connectors.agents:
            agent.desk = replace(agent.desk, at=hook)

    def held_parts(self) -> int:
        """How many parts are made and wait in the journals."""
        held = 0
        for each in self.world.agencies:
            journal = Journal(self.world.home_of(each).journal)
            held += sum(unfinished.part is not None for unfinished in journal.unfinished())
            journal.close()
        return held

    def books(self) -> World:
        """What the gateway's database says."""
        return World(Store(self.url), self.world.keys, self.clock())

    def unfinished(self) -> int:
        """How many requests have neither release nor refusal, read from the database."""
        store = Store(self.url)
        with store.read() as r:
            rows = r.all(select(requests.c.id).where(requests.c.state.in_(UNFINISHED)))
        store.close()
        return len(rows)


def outage(folder: Path, *, agencies: int, waiting: int) -> float:
    """Live through it; the seconds in which the backlog was answered after the return."""
    day = Outage(folder, agencies)
    world, busy = day.world, agencies * day.connectors.workers
    before = world.requests(2, name="BEFORE")
    everything = world.requests(2 + busy + waiting + 4)[2:]
    leased, backlog, late = everything[:busy], everything[busy : busy + waiting], everything[busy + waiting :]
    late = [each.model_copy(update=SHORT) for each in late]
    # Charged and made in time, so it is released although its time has passed when it can be sent.
    leased[0] = leased[0].model_copy(update=SHORT)
    (folder / "federation.json").write_text(world.keys.federation.model_dump_json())
    files = [folder / f"release-{place}.json" for place in range(2)]

    with day.connectors.running():
        with day.centre.up():
            day.submit(before)
            with world.client(day.centre.address, day.clock) as client:
                for each, file in zip(before, files, strict=True):
                    file.write_text(client.wait(each.id, PATIENCE).release.model_dump_json(by_alias=True))
            # Some tasks are in work when the centre goes, the others wait at it.
            day.hold_answers_up()
            day.submit(leased)
            until(lambda: len(day.held_up) == busy)
            day.submit([*backlog, *late])
        down(day, files, everything[0], busy)
        began = time.monotonic()
        with day.centre.up():
            until(lambda: day.unfinished() == 0, every=0.5)
            seconds = time.monotonic() - began
            check_answers(day, [*leased, *backlog])
            check_late(day, late)
    check_books(day, charged=len(before) + len(leased) + len(backlog))
    return seconds


def down(day: Outage, files: Sequence[Path], asked: Request, busy: int) -> None:
    """What is true while the centre is away, at the first hour and at the last."""
    day.go_on.set()  # the parts in work are made now, and cannot be posted
    until(lambda: day.held_parts() == busy)
    for ahead in (timedelta(hours=1), DAY):
        day.clock.ahead = ahead
        with day.world.client(day.centre.address, day.clock) as client, pytest.raises(Unavailable) as nobody:
            client.wait(asked.id, 0)
        assert nobody.value.code == "gateway-unreachable"
        for file in files:
            check_offline(day, file)
        assert day.held_parts() == busy
    until(lambda: all(agent._failed_leases > 0 for agent in day.connectors.agents))


def check_offline(day: Outage, file: Path) -> None:
    """A release is verified from the requester's own file and pinned keys, and a changed one is found out."""
    arguments = ["release", "verify", "--home", str(file.parent), str(file)]
    good = CliRunner().invoke(command_line(arguments), arguments)
    assert good.exit_code == 0, good.stderr
    changed = file.with_suffix(".changed")
    changed.write_text(file.read_text().replace(day.world.agreement.id, "AGR-2569-002"))
    arguments[-1] = str(changed)
    assert CliRunner().invoke(command_line(arguments), arguments).exit_code == IntegrityError.exit_code


def check_answers(day: Outage, asked: Sequence[Request]) -> None:
    with day.world.client(day.centre.address, day.clock) as client:
        answers = [client.wait(each.id, PATIENCE) for each in asked]
    assert [each.release.body.request_id for each in answers] == [each.id for each in asked]


def check_late(day: Outage, late: Sequence[Request]) -> None:
    """Whose time passed is told so, and pays nothing."""
    with day.world.client(day.centre.address, day.clock) as client:
        for each in late:
            with pytest.raises(Refused) as refused:
                client.wait(each.id, PATIENCE)
            assert refused.value.code == "delivery-expired"
            assert refused.value.spent.value == "nothing"


def check_books(day: Outage, *, charged: int) -> None:
    """Ledger and journals agree to the nano-rho, nothing is reserved any more, and no part waits."""
    books = day.books()
    spent, reserved = books.spent(), books.reserved()
    books.store.close()
    assert (spent, reserved, day.world.charged()) == (charged * PRICE, 0, charged * PRICE)
    assert day.held_parts() == 0


def test_a_day_without_the_centre_loses_nothing_and_charges_once(tmp_path: Path) -> None:
    outage(tmp_path, agencies=2, waiting=16)


@pytest.mark.long
def test_a_backlog_of_two_hundred_requests_drains_within_a_minute_of_the_return(tmp_path: Path) -> None:
    assert outage(tmp_path, agencies=5, waiting=200) < DRAINED_WITHIN
