"""What is looked at on each side, hop by hop, from the home outwards: the first that fails is what to repair."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from connectors.home import Home
from connectors.journal.book import Journal
from connectors.journal.notices import cursor
from connectors.main import open_channel
from connectors.settings import ConnectorSettings
from connectors.settings import load_settings as load_connector_settings
from connectors.shelf import read_folder
from connectors.snapshot import Snapshot
from connectors.sources import describe
from contracts.errors import Unavailable
from contracts.federation import Federation, KeyPurpose
from contracts.task import LeaseCall
from contracts.transport import ClientFiles
from gateway.client import Gateway
from gateway.edges.tls import server_context
from gateway.home import PURPOSES
from gateway.settings import load_settings as load_gateway_settings
from gateway.store.reach import check_reached, server_clock
from keys.folder import KeyFolder
from policies.rules import installed
from saphan.client_settings import CALLERS, MemberHome, federation_of, load_client_settings
from saphan.doctor_keys import check_online_key, check_taken, newest_key
from saphan.doctor_network import Way, check_skew
from trust.anchor import fetched, known_roles, pins_root

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Hop:
    """One thing that must be well before the next can be; ``check`` raises what is wrong."""

    name: str
    check: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Side:
    """Whose home it is, and its hops in their order."""

    name: str
    hops: Sequence[Hop]


def side_of(home: Path, clock: Clock) -> Side:
    """Find out what a home is, by the keys that lie in it, and what there is to look at.

    Raises:
        InvalidInput: ``setting-invalid``, when it is no home.
    """
    kids = KeyFolder(home).kids()
    if any(f"#{KeyPurpose.GATEWAY.value}-" in kid for kid in kids):
        return Side("gateway", _gateway_hops(home, clock))
    if any(f"#{KeyPurpose.CONNECTOR.value}-" in kid for kid in kids):
        return Side("connector", _connector_hops(home, clock))
    return Side("client", _client_hops(home, clock))


# ------------------------------------------------------------ an agency's connector


def _connector_hops(path: Path, clock: Clock) -> Sequence[Hop]:
    settings = load_connector_settings(home=path)
    home = Home(path)
    proxy = None if settings.proxy is None else settings.proxy.get_secret_value()
    return (
        Hop("policy", home.rules),
        Hop("source", lambda: _check_source(settings, home)),
        Hop("snapshot", lambda: _check_snapshot(home)),
        *_outward(path, Way(settings.gateway, settings.tls, proxy), clock),
        Hop("protocol", lambda: _check_lease(settings, home, clock)),
    )


def _check_source(settings: ConnectorSettings, home: Home) -> None:
    """Read the columns of every table that a contract of the home names; no row is read."""
    for written in read_folder(home.contracts):
        describe(settings.source.get_secret_value(), written.contract.table)


def _check_snapshot(home: Home) -> None:
    """Is every approved dataset in the snapshot?"""
    journal = Journal(home.journal)
    try:
        approved = [each.contract.id for each in journal.approvals()]
    finally:
        journal.close()
    versions = Snapshot(home.snapshot).data_versions() if home.snapshot.is_file() else {}
    for name in approved:
        if name not in versions:
            raise Unavailable("snapshot-missing", contract=name)


def _check_lease(settings: ConnectorSettings, home: Home, clock: Clock) -> None:
    """Ask for no work, which negotiates the version of the protocol."""
    journal = Journal(home.journal)
    try:
        with open_channel(settings, journal, clock) as channel:
            after = cursor(journal)
            call = LeaseCall(agency=settings.agency, data_versions={}, wait_seconds=0, most=0, notices_after=after)
            channel.lease(call)
    finally:
        journal.close()


# ------------------------------------------------------------ a member that asks, and a centre


def _client_hops(path: Path, clock: Clock) -> Sequence[Hop]:
    settings = load_client_settings(home=path)
    return _outward(path, Way(settings.gateway, settings.tls), clock)


def _outward(path: Path, way: Way, clock: Clock) -> Sequence[Hop]:
    """From this machine to the gateway's own judgement of the key that calls."""
    settings = load_client_settings(home=path)
    member = MemberHome(settings)
    return (
        Hop("dns", way.check_name),
        Hop("tcp", way.check_port),
        Hop("tls", way.check_tls),
        Hop("gateway", way.check_ready),
        Hop("clock", lambda: way.check_clock(clock)),
        Hop("registry", lambda: _federation(path, way, clock)),
        Hop("key", lambda: _check_key(member, way, clock)),
    )


def _federation(path: Path, way: Way, clock: Clock) -> Federation:
    """The members' keys: those that the home pins, or the registry's as the gateway tells it now."""
    if not pins_root(path):
        return _known(path)
    with way.line() as line:
        return fetched(path, line, clock())


def _check_key(member: MemberHome, way: Way, clock: Clock) -> None:
    settings = member.settings
    federation = _federation(settings.home, way, clock)
    held = {purpose: member.keys.of(settings.agency, purpose) for purpose in CALLERS}
    purpose = next((each for each in CALLERS if held[each]), CALLERS[0])
    key = newest_key(member.keys, federation, settings.agency, purpose, clock())
    at, agency, line = settings.gateway, settings.agency, way.line()
    with Gateway(at, key, agency, federation, clock=clock, line=line, tls=settings.tls) as gateway:
        check_taken(gateway, key.kid)


# ------------------------------------------------------------ the gateway itself


def _gateway_hops(path: Path, clock: Clock) -> Sequence[Hop]:
    settings = load_gateway_settings(path)
    listener = Way(f"http://{settings.listen_host}:{settings.listen_port}", ClientFiles())
    return (
        Hop("policy", installed),
        Hop("registry", lambda: _known(path)),
        Hop("key", lambda: _check_own_keys(path, clock)),
        Hop("database", lambda: check_reached(settings.database)),
        Hop("clock", lambda: _check_database_clock(settings.database, clock)),
        Hop("tls", lambda: None if settings.tls is None else server_context(settings.tls)),
        Hop("dns", lambda: Way(_known(path).gateway, ClientFiles()).check_name()),
        Hop("tcp", listener.check_port),
    )


def _known(path: Path) -> Federation:
    """The members' keys as the gateway last knew them."""
    found = federation_of(path)
    if found is None:
        raise Unavailable("registry-incomplete", what="copy in this home")
    return found


def _check_own_keys(path: Path, clock: Clock) -> None:
    federation, folder = _known(path), KeyFolder(path)
    for purpose in PURPOSES:
        if purpose is not KeyPurpose.REGISTRY:
            newest_key(folder, federation, federation.operator, purpose, clock())
    # Who serves no registry signs none; whose key may, the root says and no member's list.
    if pins_root(path):
        online = [each for each in known_roles(path, clock()) if each.purpose is KeyPurpose.REGISTRY]
        check_online_key(folder, online, federation.operator)


def _check_database_clock(url: str, clock: Clock) -> None:
    """Compare with the database server's clock, which every process of the gateway sees; an embedded one has none.

    Raises:
        Unavailable: ``clock-off``.
    """
    before = clock()
    theirs = server_clock(url)
    if theirs is not None:
        check_skew(before - theirs, theirs - clock(), "the database")
