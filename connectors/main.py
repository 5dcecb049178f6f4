"""The connector, put together: settings in, a loop that runs until it is told to stop."""

import gc
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Final

from connectors.agent import Agent, Channel
from connectors.answer import Desk
from connectors.crash import Hook, carry_on, kill_at
from connectors.guard import Guard
from connectors.home import Home
from connectors.journal.book import Journal
from connectors.pacing import Pace
from connectors.registry import Followed, live_registry
from connectors.settings import ConnectorSettings
from connectors.shelf import Shelf
from connectors.situation import JournalSituation
from connectors.snapshot import Snapshot, keeping_open
from connectors.witness import Witness
from contracts.calls import SignedCalls
from contracts.errors import InvalidInput, SaphanError
from contracts.federation import Federation, KeyPurpose
from contracts.keys import SigningKey
from transport.line import Line
from transport.lines import line_to

log = logging.getLogger("saphan.connector")

COLLECTED_AFTER: Final = 50_000
"""So many new objects until the collector of garbage looks for cycles among them.

Python's own 700 are less than one answer makes, and nearly all of them are freed by their reference counts: the
collector would visit what is in use again and again.
"""


def now() -> datetime:
    """The time, read here and nowhere else in the connector."""
    return datetime.now(UTC)  # noqa: TID251  # the composition root reads the clock


@dataclass(slots=True)
class DataVersions:
    """The number of the current snapshot of each dataset; none that can be read is none at all.

    Every poll tells them, so they are read again only when a refresh has put another file into its place.
    """

    snapshot: Path
    _read: tuple[tuple[int, int, int], dict[str, int]] | None = None

    def __call__(self) -> dict[str, int]:
        """Read them."""
        try:
            state = self.snapshot.stat()
            file = (state.st_ino, state.st_mtime_ns, state.st_size)
            if self._read is None or self._read[0] != file:
                self._read = (file, Snapshot(self.snapshot).data_versions())
        except FileNotFoundError:
            return {}
        except SaphanError as error:
            log.warning("no snapshot: %s", error.code)
            return {}
        return dict(self._read[1])


def serve(settings: ConnectorSettings, clock: Callable[[], datetime] = now) -> None:
    """Lease, answer and post until SIGINT or SIGTERM.

    Raises:
        InvalidInput: ``setting-invalid``, when the home is incomplete.
        IntegrityError: ``policies-altered``, when its copy of the policies is not the one that was pinned.
        Refused: ``policy-error``, when nothing can be decided by it.
    """
    home = Home(settings.home)
    policy = home.rules().digest
    log.info("policies %s", policy)
    journal = Journal(home.journal, hook_of(settings), policy)
    try:
        with open_channel(settings, journal, clock) as channel:
            agent = agent_of(settings, channel, journal, clock)
            spare_collector()
            with keeping_open(home.snapshot), _stopped_by_signals(agent):
                agent.run()
    finally:
        journal.close()


def spare_collector() -> None:
    """Let the collector of garbage leave alone what start-up has made: it lasts as long as the process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER)


@contextmanager
def _stopped_by_signals(agent: Agent) -> Iterator[None]:
    def handler(_signal: int, _frame: FrameType | None) -> None:
        agent.interrupt()

    before = {each: signal.signal(each, handler) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handled in before.items():
            signal.signal(each, handled)


def line_of(settings: ConnectorSettings) -> Line:
    """A line that goes nowhere but to the gateway: no redirect, and no proxy but the settings'.

    Raises:
        InvalidInput: ``setting-invalid``, for plain HTTP through a network and for TLS files that cannot be used.
    """
    proxy = None if settings.proxy is None else settings.proxy.get_secret_value()
    return line_to(settings.gateway, settings.tls, proxy)


@contextmanager
def open_channel(settings: ConnectorSettings, journal: Journal, clock: Callable[[], datetime]) -> Iterator[Channel]:
    """The way to the gateway, to be entered and left."""
    home = Home(settings.home)

    def guard_of(federation: Federation) -> Guard:
        situation = JournalSituation(journal, settings.agency, federation)
        return Guard(settings.agency, federation, Shelf(journal).approved, situation, home.rules())

    def calls_of(federation: Federation) -> SignedCalls:
        key = home.keys.newest(federation, settings.agency, KeyPurpose.CONNECTOR, clock())
        return SignedCalls(key, settings.agency, federation.gateway, has_certificate=settings.tls.shows_certificate)

    with line_of(settings) as line:
        live = live_registry(home, line)
        federation = home.federation() if live is None else live.refresh(clock())
        followed = None if live is None else Followed(live, guard_of, calls_of)
        guard, calls = guard_of(federation), calls_of(federation)
        yield Channel(line, calls, guard, clock, hook_of(settings), followed=followed)


def agent_of(settings: ConnectorSettings, channel: Channel, journal: Journal, clock: Callable[[], datetime]) -> Agent:
    """The loop over a channel and a journal."""
    home = Home(settings.home)
    desk = Desk(
        guard=channel.guard,
        journal=journal,
        snapshot=home.snapshot,
        data_versions=DataVersions(home.snapshot),
        post=channel.post,
        cap_nano_rho=settings.cap_nano_rho,
        at=hook_of(settings),
    )

    def witness_key(federation: Federation) -> SigningKey | None:
        with suppress(InvalidInput):  # an agency that has none registered stands by nothing, and still looks
            return home.keys.newest(federation, settings.agency, KeyPurpose.WITNESS, clock())
        return None

    witness = Witness(channel.line, journal, witness_key, channel.send, clock)
    pace = Pace(workers=settings.workers, wait_seconds=settings.wait_seconds)
    return Agent(channel, desk, clock, pace, witness=witness)


def hook_of(settings: ConnectorSettings) -> Hook:
    """What happens at the crash points: nothing, or the end."""
    return carry_on if settings.crash_at is None else kill_at(settings.crash_at)
