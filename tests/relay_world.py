"""Several agencies and their connectors around one or more gateways: real homes, journals, snapshots and HTTP.

The gateways may be programs of their own or one in this process; the connectors are threads. Contracts and agreement
are registered as if they had been published, approved and signed.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from threading import Thread

from fastapi import FastAPI

from connectors.agent import Agent
from connectors.home import Home
from connectors.journal.book import Journal
from connectors.main import agent_of, open_channel
from connectors.settings import load_settings
from connectors.snapshot import refresh
from connectors.sources import open_source
from contracts.agreement import Agreement
from contracts.dataset import DatasetContract
from contracts.federation import KeyPurpose
from contracts.odcs import bundled_text, canonical_document, read_contract
from contracts.request import Request
from gateway.client import Gateway
from gateway.main import create_app
from gateway.serving import server_of
from gateway.settings import load_settings as load_gateway_settings
from gateway.store.engine import Store
from tests import factories
from tests.connector_world import COLUMNS, SECRET
from tests.factories import NOW, PURPOSES_OF, Keys
from tests.gateway_world import World
from tests.served_world import free_port

PRICE = 1_000
"""Nano-rho of one request in the one window that it touches."""

POLL_SECONDS = 2
READY_WITHIN = 60.0
PROVIDER = (KeyPurpose.CONNECTOR, KeyPurpose.OFFICER, KeyPurpose.STEWARD, KeyPurpose.DPO)


@dataclass(frozen=True, slots=True)
class Provider:
    """An agency with one dataset: its contract, and the text that says it."""

    name: str
    contract: DatasetContract
    text: str


@cache
def provider(name: str) -> Provider:
    """An agency of that name whose dataset is the bundled one under another name."""
    text = bundled_text("tpo_complaint").replace("tpo_complaint", f"tpo_{name}").replace("ccib", name)
    return Provider(name, read_contract(text), text)


def providers(number: int) -> tuple[Provider, ...]:
    """So many agencies."""
    return tuple(provider(f"agency{place:02d}") for place in range(number))


def keys_of(agencies: Sequence[Provider], now: datetime) -> Keys:
    """A federation of the requester and these agencies."""
    purposes = {"oja": PURPOSES_OF["oja"], **{each.name: PROVIDER for each in agencies}}
    return factories.federation(purposes, valid_from=now - timedelta(days=30), valid_until=now + timedelta(days=30))


def agreement_over(agencies: Sequence[Provider], now: datetime) -> Agreement:
    """An agreement about everything, in force for a month around now."""
    contracts = [each.contract for each in agencies]
    activity = factories.activity(
        contracts,
        purpose="justice-statistics",
        legal_basis=contracts[0].legal_basis,
        dimensions=("month", "province"),
        measures=("count",),
    )
    start, until = (now.date() + timedelta(days=days) for days in (-15, 15))
    period = factories.period(start.isoformat(), until.isoformat())
    return factories.agreement(contracts, activities=(activity,), period=period)


@dataclass
class RelayWorld:
    """Agencies with their homes, the requester's question book, and what the gateway's database holds.

    Args:
        folder: Where the homes lie.
        agencies: Who provides.
        now: When all begins.
    """

    folder: Path
    agencies: tuple[Provider, ...]
    now: datetime
    keys: Keys = field(init=False)
    agreement: Agreement = field(init=False)

    def __post_init__(self) -> None:
        self.keys = keys_of(self.agencies, self.now)
        self.agreement = agreement_over(self.agencies, self.now)

    def register(self, url: str) -> None:
        """Put contracts and agreement into a gateway's migrated database."""
        store = Store(url)
        World(store, self.keys, self.now).register([each.contract for each in self.agencies], self.agreement)
        store.close()

    def home_of(self, agency: Provider) -> Home:
        """An agency's connector home."""
        return Home(self.folder / agency.name)

    def make_homes(self) -> None:
        """Make every connector's home: key, pinned federation, approved contract and a snapshot."""
        for each in self.agencies:
            home = self.home_of(each)
            home.make()
            home.pin(self.keys.federation)
            home.save_key(self.keys[f"{each.name}#connector-1"])
            journal = Journal(home.journal)
            journal.approve(each.contract, canonical_document(each.text).decode(), "the table", self.now)
            journal.close()
            refresh(home.snapshot, open_source(f"sqlite:///{self._source(each)}"), each.contract, SECRET, self.now)

    def _source(self, agency: Provider) -> Path:
        path = self.folder / f"{agency.name}.db"
        with sqlite3.connect(path) as connection:
            connection.execute(f"CREATE TABLE {agency.contract.id} ({', '.join(COLUMNS)})")
            marks = ", ".join("?" * len(COLUMNS))
            for number in range(60):
                given = {"case_ref": f"c{number}", "victim_id": f"v{number}", "province": "10", "damage_thb": 1}
                given["reported_at"] = f"2025-{1 + number % 3:02d}-05 10:00:00"
                row = [given.get(name) for name in COLUMNS]
                connection.execute(f"INSERT INTO {agency.contract.id} VALUES ({marks})", row)  # noqa: S608  # our name
        connection.close()
        return path

    def requests(
        self, number: int, each_asks: int = 1, life: timedelta = timedelta(days=2), name: str = "REQ"
    ) -> list[Request]:
        """So many different questions, each to ``each_asks`` agencies in turn."""
        codes = self.agencies[0].contract.dimension("province")
        assert codes is not None
        made = []
        for place in range(number):
            asked = [self.agencies[(place + more) % len(self.agencies)].contract for more in range(each_asks)]
            first, second = place % len(codes.values), place // len(codes.values)
            query = factories.query(
                measures=("count",),
                dimensions=("month",),
                where={"province": tuple(sorted({codes.values[first], codes.values[first - 1 - second]}))},
                period=factories.period("2025-01-01", "2025-04-01"),
            )
            made.append(
                factories.request(
                    self.agreement,
                    query,
                    id=f"{name}-{place:05d}",
                    contracts=tuple(each.reference for each in asked),
                    nano_rho=PRICE,
                    created=self.now,
                    deliver_until=self.now + life,
                )
            )
        return made

    def client(self, address: str, clock: Callable[[], datetime]) -> Gateway:
        """The requester's line to a gateway."""
        return Gateway(address, self.keys["oja#client-1"], "oja", self.keys.federation, clock=clock)

    def charged(self) -> int:
        """All that the agencies' own journals have charged, in nano-rho."""
        total = 0
        for each in self.agencies:
            journal = Journal(self.home_of(each).journal)
            total += sum(line.nano_rho for line in journal.spending())
            journal.close()
        return total


@dataclass
class Connectors:
    """The connectors of a world, as threads over real HTTP; with several addresses, one at each for every agency.

    Args:
        world: Whose connectors.
        addresses: The gateways. The connectors of one agency share its home.
        clock: Gives them the time.
        workers: How many answers each makes at once.
    """

    world: RelayWorld
    addresses: Sequence[str]
    clock: Callable[[], datetime]
    workers: int = 1
    agents: list[Agent] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator["Connectors"]:
        """Run all of them until the end of the block."""
        with ExitStack() as stack:
            for address in self.addresses:
                for each in self.world.agencies:
                    self._start(stack, each, address)
            try:
                yield self
            finally:
                for agent in self.agents:
                    agent.stop.set()

    def _start(self, stack: ExitStack, agency: Provider, address: str) -> None:
        agent = stack.enter_context(connector(self.world, agency, address, self.clock, self.workers))
        self.agents.append(agent)
        thread = Thread(target=agent.run, name=f"connector {agency.name}", daemon=True)
        thread.start()
        stack.callback(thread.join, 60)
        stack.callback(agent.stop.set)


@contextmanager
def connector(
    world: RelayWorld, agency: Provider, address: str, clock: Callable[[], datetime], workers: int = 1
) -> Iterator[Agent]:
    """One agency's connector, that does not run yet."""
    home = world.home_of(agency)
    settings = load_settings(
        home=home.path,
        agency=agency.name,
        gateway=address,
        source="sqlite://",
        workers=workers,
        wait_seconds=POLL_SECONDS,
    )
    journal = Journal(home.journal)
    try:
        with open_channel(settings, journal, clock) as channel:
            yield agent_of(settings, channel, journal, clock)
    finally:
        journal.close()


@dataclass
class Clock:
    """A clock that runs like any other and can be set forward."""

    ahead: timedelta = timedelta()
    _started: float = field(default_factory=time.monotonic)

    def __call__(self) -> datetime:
        return NOW + self.ahead + timedelta(seconds=time.monotonic() - self._started)


@dataclass
class Centre:
    """The gateway's home, and what may serve it in this process at one address.

    Args:
        home: The gateway's home.
        issuer: Its name in the federation.
        clock: Gives it the time.
        settings: More of its settings; with a certificate it listens over TLS.
    """

    home: Path
    issuer: str
    clock: Callable[[], datetime]
    settings: dict[str, object] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    @property
    def address(self) -> str:
        """Where it is reached."""
        return f"{'https' if 'tls_certificate' in self.settings else 'http'}://127.0.0.1:{self.port}"

    @contextmanager
    def up(self) -> Iterator[FastAPI]:
        """Serve until the end of the block; each time it is another gateway over the same home."""
        given = {"listen_port": self.port, "tick_seconds": 0.5, **self.settings}
        settings = load_gateway_settings(self.home, **given)
        app = create_app(settings, self.clock)
        server = server_of(app, settings, self.issuer)
        thread = Thread(target=server.run, daemon=True)
        thread.start()
        deadline = time.monotonic() + READY_WITHIN
        while not server.started:
            assert thread.is_alive(), "the gateway ended"
            assert time.monotonic() < deadline, "the gateway does not start"
            time.sleep(0.02)
        try:
            yield app
        finally:
            server.should_exit = True
            thread.join(30)
