"""Any number of gateway processes on one PostgreSQL: they hand out no task twice, and wake each other's callers."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import select

from connectors.agent import Channel
from contracts.request import Request
from contracts.task import Lease, LeaseCall
from contracts.transparency import EventKind
from gateway.client import Result
from gateway.main import system_clock
from gateway.store.engine import Store
from gateway.store.tables import tasks
from tests.api_world import make_home
from tests.gateway_world import World
from tests.program_starter import Program, ProgramStarter
from tests.relay_world import PRICE, Connectors, RelayWorld, connector, providers
from tests.served_world import free_port

pytestmark = pytest.mark.e2e

PATIENCE = 120.0
NEVER = "3600"


@contextmanager
def gateways(world: RelayWorld, url: str, number: int, **settings: str) -> Iterator[list[str]]:
    """So many gateway processes over one database; their addresses."""
    home = make_home(world.folder / "gateway", world.keys)
    world.register(url)
    starter, ports = ProgramStarter(), [free_port() for _ in range(number)]
    environment = {"SAPHAN_DATABASE_URL": url, **settings}
    programs = [
        starter.start(
            ["gateway", "serve", "--home", str(home), "--port", str(port)], environment, world.folder / f"{port}.log"
        )
        for port in ports
    ]
    try:
        addresses = [f"http://127.0.0.1:{port}" for port in ports]
        for address, program in zip(addresses, programs, strict=True):
            _wait_until_ready(address, program)
        yield addresses
    finally:
        for program in programs:
            program.kill()
            program.wait()
        starter.close()


def _wait_until_ready(address: str, program: Program) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert program.poll() is None, "the gateway ended"
        try:
            if httpx2.get(f"{address}/health/ready", timeout=5, trust_env=False).is_success:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise TimeoutError(address)


def ask(world: RelayWorld, addresses: Sequence[str], asked: Sequence[Request]) -> list[Result]:
    """Put each question to one gateway and fetch its answer from another."""

    def some(first: int) -> dict[int, Result]:
        mine = range(first, len(asked), len(addresses))
        with world.client(addresses[first], system_clock) as here:
            for place in mine:
                here.submit(asked[place])
        with world.client(addresses[first - 1], system_clock) as there:
            return {place: there.wait(asked[place].id, PATIENCE) for place in mine}

    with ThreadPoolExecutor(len(addresses)) as pool:
        found = {place: each for answers in pool.map(some, range(len(addresses))) for place, each in answers.items()}
    return [found[place] for place in range(len(asked))]


def check_exactly_once(world: RelayWorld, url: str, asked: Sequence[Request], answers: Sequence[Result]) -> None:
    """Every request has one release, every task one part, and journals and ledger agree."""
    assert [each.release.body.request_id for each in answers] == [each.id for each in asked]
    store, many = Store(url), sum(len(each.contracts) for each in asked)
    with store.read() as r:
        rows = r.all(select(tasks.c.attempt, tasks.c.part_digest))
    books = World(store, world.keys, system_clock())
    spent, reserved, kinds = books.spent(), books.reserved(), Counter(books.kinds())
    store.close()
    assert Counter((row.attempt, row.part_digest is not None) for row in rows) == {(1, True): many}
    assert (kinds[EventKind.DATA_REQUESTED], kinds[EventKind.DATA_RELEASED]) == (len(asked), len(asked))
    assert (spent, reserved, world.charged()) == (many * PRICE, 0, many * PRICE)


def exchange(folder: Path, url: str, processes: int, agencies: int, questions: int) -> None:
    world = RelayWorld(folder, providers(agencies), system_clock())
    world.make_homes()
    with gateways(world, url, processes, SAPHAN_TICK_SECONDS="0.2") as addresses:
        connectors = Connectors(world, addresses[:2], system_clock)
        with connectors.running():
            asked = world.requests(questions, each_asks=2)
            answers = ask(world, addresses, asked)
        check_exactly_once(world, url, asked, answers)
    assert len(connectors.agents) == 2 * agencies


def test_two_processes_and_four_connectors_answer_every_request_once(tmp_path: Path, migrated_database: str) -> None:
    exchange(tmp_path, migrated_database, processes=2, agencies=2, questions=16)


@pytest.mark.long
def test_four_processes_and_twenty_connectors_answer_every_request_once(tmp_path: Path, migrated_database: str) -> None:
    exchange(tmp_path, migrated_database, processes=4, agencies=10, questions=200)


def test_a_task_that_one_process_makes_wakes_a_connector_that_waits_at_another(
    tmp_path: Path, migrated_database: str
) -> None:
    world = RelayWorld(tmp_path, providers(1), system_clock())
    world.make_homes()
    quiet = {"SAPHAN_TICK_SECONDS": NEVER, "SAPHAN_LOOK_AGAIN_SECONDS": NEVER}
    (agency,), (asked,) = world.agencies, world.requests(1)
    call = LeaseCall(agency=agency.name, data_versions={}, wait_seconds=30)
    with ExitStack() as stack:
        here, there = stack.enter_context(gateways(world, migrated_database, 2, **quiet))
        agent = stack.enter_context(connector(world, agency, there, system_clock))
        client = stack.enter_context(world.client(here, system_clock))
        pool = stack.enter_context(ThreadPoolExecutor(1))
        polled = pool.submit(_timed, agent.channel, call)
        time.sleep(1)
        assert not polled.done()
        client.submit(asked)
        lease, seconds = polled.result(PATIENCE)
    assert [each.task.agency for each in lease.tasks] == [agency.name]
    # Nothing else would have looked before the poll's own thirty seconds were over.
    assert seconds < 20


def _timed(channel: Channel, call: LeaseCall) -> tuple[Lease, float]:
    started = time.monotonic()
    return channel.lease(call), time.monotonic() - started
