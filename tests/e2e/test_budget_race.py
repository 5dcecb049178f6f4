"""Invariant 2 under load: many requests at once for one and a half times the budget, with kill -9 in the middle.

As many as ``SAPHAN_RACE_REQUESTS`` says: 60 by itself, so that all tests stay within their time; 200 are promised.

Real gateways over HTTP, on SQLite and (two of them) on PostgreSQL, and a real connector. While the race runs a watcher
reads the accounts; afterwards exactly as many questions are released as the budget holds, the others were refused
without a charge, and the connector's own journal has counted the same.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from threading import Event, Thread

import httpx2
import pytest
from sqlalchemy import ColumnElement, case, func, select

from benchmarks.federation import AGREEMENT
from contracts.errors import Problem, Refused, Unavailable
from contracts.request import Request, RequestState
from gateway.asking import query_of, request_of
from gateway.audit_calls import audit_verify
from gateway.client import Gateway
from gateway.store.engine import AnyRow, Store
from gateway.store.ledger import ChargeState
from gateway.store.tables import accounts, charges, requests
from tests.process_world import ProcessWorld, new_process_world
from tests.served_world import free_port

pytestmark = pytest.mark.e2e

ASKED = int(os.environ.get("SAPHAN_RACE_REQUESTS", "60"))
BUDGET = 400_000_000
"""What the bundled contract allows in a window, in nano-rho."""

EACH = 3 * BUDGET // 2 // ASKED
FIT = BUDGET // EACH
CLIENTS = 10
PATIENCE = 240.0
"""Seconds; an idle machine needs a tenth of them."""

WINDOW = "FY2568"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.long)])
def race(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProcessWorld]:
    """Programs that run on the database of that kind."""
    if request.param == "postgres":
        monkeypatch.setenv("SAPHAN_DATABASE_URL", request.getfixturevalue("postgres_database"))
    else:
        monkeypatch.setenv("SAPHAN_DATABASE_URL", f"sqlite:///{tmp_path / 'gateway.db'}")
    world = new_process_world(tmp_path, EACH)
    yield world
    world.stop()


@pytest.fixture
def store(race: ProcessWorld, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """The gateway's database, beside the gateway."""
    is_sqlite = request.node.callspec.params["race"] == "sqlite"
    made = Store(f"sqlite:///{tmp_path / 'gateway.db'}" if is_sqlite else request.getfixturevalue("postgres_database"))
    yield made
    made.close()


def start_second(race: ProcessWorld) -> str:
    """Another gateway process over the same home and database; where it answers."""
    port = free_port()
    arguments = ["gateway", "serve", "--home", str(race.folder / "gateway"), "--port", str(port)]
    quick = {"SAPHAN_TICK_SECONDS": "0.1", "SAPHAN_LEASE_SECONDS": "1"}
    race.programs["second"] = race.starter.start(arguments, quick, race.folder / "second.log")
    address = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        try:
            return httpx2.get(f"{address}/health/ready", timeout=5, trust_env=False).is_success
        except httpx2.TransportError:
            return False

    race.until(ready, "the second gateway is ready")
    return address


def questions(race: ProcessWorld) -> list[Request]:
    """As many requests as are asked, no two for the same question."""
    with race.client as client:
        agreement = client.agreement(AGREEMENT)
        queries = [
            query_of(["count"], ["month"], ("2025-01-01", "2025-04-01"), {"province": provinces})
            for provinces in islice(race.questions, ASKED)
        ]
        call = client.question(AGREEMENT, "everything", queries[0], nano_rho=EACH)
        return [
            request_of(
                f"req-race-{number:04d}",
                client.federation.gateway,
                call.model_copy(update={"query": query}),
                agreement,
                client.now(),
            )
            for number, query in enumerate(queries)
        ]


def ask(race: ProcessWorld, addresses: Sequence[str], mine: tuple[int, Sequence[Request]]) -> dict[str, str]:
    """Send requests one after the other, each until a gateway has acknowledged it; what the refused were told."""
    number, batch = mine
    setup = race.set_up
    with Gateway(addresses[number % len(addresses)], setup.asker, "oja", setup.federation) as client:
        codes = {each.id: _sent(client, each) for each in batch}
    return {name: code for name, code in codes.items() if code is not None}


def _sent(client: Gateway, request: Request) -> str | None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            client.submit(request)
        except Unavailable:
            time.sleep(0.1)
        except Refused as refusal:
            return refusal.code
        else:
            return None
    raise TimeoutError(request.id)


@contextmanager
def watched(store: Store) -> Iterator[list[int]]:
    """Check every account against its rows, again and again, until the block ends; gives what was used."""
    looks: list[int] = []
    wrong: list[str] = []
    over = Event()

    def watch() -> None:
        while not over.wait(0.2):
            for line in accounts_and_rows(store):
                looks.append(line.spent + line.reserved)
                if not (line.spent + line.reserved <= line.budget == BUDGET):
                    wrong.append(f"overspent: {line}")
                if (line.spent, line.reserved) != (line.rows_spent, line.rows_reserved):
                    wrong.append(f"rows differ: {line}")

    thread = Thread(target=watch)
    thread.start()
    try:
        yield looks
    finally:
        over.set()
        thread.join()
    assert wrong == []


def accounts_and_rows(store: Store) -> Sequence[AnyRow]:
    """Each account beside the sums of its charges, in one statement, so that both are of one instant."""

    def rows(state: ChargeState) -> ColumnElement[int]:
        mine = (charges.c.source == accounts.c.source) & (charges.c.budget_window == accounts.c.budget_window)
        amount = func.coalesce(func.sum(case((charges.c.state == state, charges.c.nano_rho), else_=0)), 0)
        return select(amount).where(mine).scalar_subquery().label(f"rows_{state}")

    with store.read() as r:
        return r.all(select(accounts, rows(ChargeState.SPENT), rows(ChargeState.RESERVED)))


def standing(store: Store) -> dict[str, tuple[RequestState, str | None]]:
    """Where every request stands, and with which code it was refused."""
    with store.read() as r:
        rows = r.all(select(requests.c.id, requests.c.state, requests.c.problem))
    return {
        row.id: (RequestState(row.state), Problem.model_validate_json(row.problem).code if row.problem else None)
        for row in rows
    }


def charged(store: Store) -> dict[str, list[tuple[str, int]]]:
    """The charges of each request: state and amount."""
    found: dict[str, list[tuple[str, int]]] = {}
    with store.read() as r:
        for row in r.all(select(charges.c.request, charges.c.state, charges.c.nano_rho)):
            found.setdefault(row.request, []).append((row.state, row.nano_rho))
    return found


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.2)


def test_requests_for_more_than_the_budget_never_overspend_it_though_a_gateway_is_killed(
    race: ProcessWorld, store: Store, request: pytest.FixtureRequest
) -> None:
    race.start_gateway()
    race.start_connector()
    alone = request.node.callspec.params["race"] == "sqlite"
    addresses = [race.set_up.address] if alone else [race.set_up.address, start_second(race)]
    asked = questions(race)
    batches = [(number, asked[number::CLIENTS]) for number in range(CLIENTS)]

    with watched(store) as looks, ThreadPoolExecutor(CLIENTS) as pool:
        sent = [pool.submit(ask, race, addresses, batch) for batch in batches]
        until(lambda: len(charged(store)) >= FIT // 3, "the race is on")
        race.kill("gateway")
        at_the_kill = len(charged(store))
        race.start_gateway()
        told = {name: code for each in sent for name, code in each.result().items()}
        until(lambda: len(settled(store)) == ASKED, "every request has its answer")

    stand = standing(store)
    released = {name for name, (state, _) in stand.items() if state is RequestState.RELEASED}
    refused = {name for name, (state, _) in stand.items() if state is RequestState.REFUSED}
    assert at_the_kill < FIT, "the kill came too late to be in the middle"
    assert (len(released), len(refused)) == (FIT, ASKED - FIT)
    assert {stand[name][1] for name in refused} | set(told.values()) == {"budget-exceeded"}
    assert set(told) <= refused
    assert charged(store) == {name: [(ChargeState.SPENT, EACH)] for name in released}
    assert len(looks) > 5
    assert max(looks) == FIT * EACH
    assert race.spent() == race.spent_by_journal() == FIT * EACH <= BUDGET
    with race.client as client:
        # A checkpoint stays on show until the witnesses have it.
        until(lambda: audit_verify(client) >= 2 * ASKED, "the log that everybody sees has it all")


def settled(store: Store) -> set[str]:
    """The requests that came to an end."""
    ends = (RequestState.RELEASED, RequestState.REFUSED)
    return {name for name, (state, _) in standing(store).items() if state in ends}
