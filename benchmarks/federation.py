"""A whole federation in one process, over real HTTP on loopback, for benchmarks and end-to-end tests.

The same parts as in separate processes: a gateway served by uvicorn, one connector for each agency with its own home,
journal and snapshot, and a requester. Only the process is shared.
"""

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

from connectors.enrol import SNAPSHOT_SECRET, Enrolment, approve, make_home, signed_contract
from connectors.home import Home
from connectors.journal.book import Journal
from connectors.main import agent_of, open_channel
from connectors.settings import load_settings
from connectors.shelf import read_folder
from connectors.snapshot import keeping_open, refresh
from connectors.sources import open_source
from contracts.agreement import Activity, Agreement
from contracts.dataset import DatasetContract, Text
from contracts.federation import Federation, KeyPurpose, Member
from contracts.keys import SigningKey, new_key
from contracts.lifecycle import Act
from contracts.periods import Period
from contracts.query import Family
from gateway import agreement_calls
from gateway.client import Gateway
from gateway.home import GatewayHome
from gateway.main import create_app
from gateway.serving import server_of
from gateway.settings import load_settings as load_gateway_settings
from gateway.store.migrate import upgrade

REQUESTER = "oja"
AGREEMENT = "benchmark-agreement"
KEYS_LAST = timedelta(days=2)
POLL_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Agency:
    """One agency: its name, its database as a URL, and the file of its contract (or a bundled one's name)."""

    name: str
    source: str
    contract: str


@dataclass(frozen=True, slots=True)
class Running:
    """A running federation: the requester's line to it, its contracts, and every home.

    The homes outlive it: real programs can be started on them afterwards, at the same address.
    """

    address: str
    federation: Federation
    asker: SigningKey
    client: Gateway
    agreement: Agreement
    contracts: tuple[DatasetContract, ...]
    homes: Mapping[str, Home]


def now() -> datetime:
    """The present, aware UTC."""
    return datetime.now(UTC)


def loopback_listener() -> socket.socket:
    """A listening socket for uvicorn on any free port; asyncio sets no-delay only on sockets that it made itself."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


@contextmanager
def running(
    directory: Path,
    agencies: Sequence[Agency],
    *,
    nano_rho: int,
    tick_seconds: float,
    families: tuple[Family, ...] = (),
) -> Iterator[Running]:
    """Set up homes, keys, snapshots, contracts and one agreement over everything, and run until the block ends.

    Args:
        directory: An empty folder.
        agencies: At least one.
        nano_rho: What one request may cost in each window.
        tick_seconds: How often results leave the gateway.
        families: The families of tables that may be asked for.
    """
    with ExitStack() as stack:
        listener = stack.enter_context(loopback_listener())
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        homes = {each.name: Home(directory / each.name) for each in agencies}
        members = [_enrol(homes[each.name], each, address) for each in agencies]
        gateway = GatewayHome(directory / "gateway")
        gateway.make()
        operated = gateway.make_keys(REQUESTER, Text(th="สกธ.", en="OJA"), now(), now() + KEYS_LAST)
        drafter, officer, asker = (new_key(f"{REQUESTER}#{name}") for name in ("officer-1", "officer-2", "client-1"))
        requester = _with_keys(operated, drafter, officer, asker)
        federation = Federation(gateway=address, operator=REQUESTER, members=(requester, *members))
        gateway.pin(federation)
        for home in homes.values():
            home.pin(federation)
        _serve(stack, gateway, listener, tick_seconds)
        client = stack.enter_context(Gateway(address, asker, REQUESTER, federation))
        contracts = tuple(contract for each in agencies for contract in _publish(homes[each.name]))
        agreement = _agreement(contracts, nano_rho, families)
        agreement_calls.put_forward(client, agreement, Act.SUBMIT, drafter)
        for each in agencies:
            _approve(stack, address, homes[each.name], each.name, federation)
        to_sign = agreement_calls.meant(client, AGREEMENT, Act.SIGN)
        agreement_calls.move(client, to_sign, Act.SIGN, officer, agreement_calls.Words())
        for each in agencies:
            _connect(stack, homes[each.name])
        yield Running(address, federation, asker, client, agreement, contracts, homes)


def _enrol(home: Home, agency: Agency, address: str) -> Member:
    title = Text(th=agency.name, en=agency.name)
    member = make_home(home, Enrolment(agency.name, title, address, agency.source, (agency.contract,)), now())
    source, secret = open_source(agency.source), home.secret(SNAPSHOT_SECRET)
    for written in read_folder(home.contracts):
        refresh(home.snapshot, source, written.contract, secret, now())
    return member


def _with_keys(member: Member, *keys: SigningKey) -> Member:
    start, end = now() - timedelta(minutes=1), now() + KEYS_LAST
    purposes = {"officer": KeyPurpose.OFFICER, "client": KeyPurpose.CLIENT}
    made = ((key, purposes[key.kid.partition("#")[2].rpartition("-")[0]]) for key in keys)
    public = (key.public_key(purpose, start, end) for key, purpose in made)
    return member.model_copy(update={"keys": (*member.keys, *public)})


def _serve(stack: ExitStack, home: GatewayHome, listener: socket.socket, tick_seconds: float) -> None:
    settings = load_gateway_settings(home=home.path, tick_seconds=tick_seconds)
    upgrade(settings.database)
    server = server_of(create_app(settings), settings, f"http://127.0.0.1:{listener.getsockname()[1]}")
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    stack.callback(thread.join, 20)
    stack.callback(setattr, server, "should_exit", True)  # noqa: FBT003  # setattr takes its value by position


def _publish(home: Home) -> list[DatasetContract]:
    settings = load_settings(home=home.path)
    journal = Journal(home.journal)
    written = list(read_folder(home.contracts))
    with open_channel(settings, journal, now) as channel:
        for each in written:
            channel.publish(signed_contract(home, each))
            approve(home, journal, settings, each.contract.digest, now())
    journal.close()
    return [each.contract for each in written]


def _agreement(contracts: Sequence[DatasetContract], nano_rho: int, families: tuple[Family, ...]) -> Agreement:
    first, today = contracts[0], now().date()
    activity = Activity(
        id="everything",
        title=Text(th="ทุกเรื่อง", en="Everything"),
        purpose=first.purposes[0],
        legal_basis=first.legal_basis,
        contracts=tuple(each.reference for each in contracts),
        measures=tuple(each for each in first.measures if all(other.offers(each) for other in contracts)),
        dimensions=tuple(
            each.name for each in first.dimensions if all(other.dimension(each.name) for other in contracts)
        ),
        nano_rho_per_request=nano_rho,
        families=families,
    )
    span = {"from": today - timedelta(days=2), "until": today + timedelta(days=2)}
    return Agreement(
        id=AGREEMENT,
        version=1,
        requester=REQUESTER,
        providers=tuple(dict.fromkeys(each.agency for each in contracts)),
        drafted_by=f"{REQUESTER}#officer-1",
        activities=(activity,),
        period=Period.model_validate(span),
        retention_days=1,
    )


def _approve(stack: ExitStack, address: str, home: Home, agency: str, federation: Federation) -> None:
    key = home.key(f"{agency}#connector-1")
    line = stack.enter_context(Gateway(address, key, agency, federation))
    for who in ("officer", "dpo"):
        to_approve = agreement_calls.meant(line, AGREEMENT, Act.APPROVE)
        agreement_calls.approve(line, to_approve, home.key(f"{agency}#{who}-1"))


def _connect(stack: ExitStack, home: Home) -> None:
    # Short polls, so that the federation also ends soon.
    settings = load_settings(home=home.path, wait_seconds=POLL_SECONDS)
    journal = Journal(home.journal)
    stack.callback(journal.close)
    channel = stack.enter_context(open_channel(settings, journal, now))
    stack.enter_context(keeping_open(home.snapshot))
    agent = agent_of(settings, channel, journal, now)
    thread = Thread(target=agent.run, daemon=True)
    thread.start()
    stack.callback(thread.join, 40)
    stack.callback(agent.stop.set)
