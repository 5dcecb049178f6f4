"""The registry as the gateway keeps and serves it, in the database that all its processes share."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.canonical import digest_of_bytes
from contracts.errors import Refused
from contracts.keys import SigningKey
from contracts.registry import (
    SNAPSHOT_LIFE,
    SNAPSHOT_RENEWAL,
    TIMESTAMP_LIFE,
    TIMESTAMP_RENEWAL,
    RegistryBatch,
)
from contracts.registry_documents import RoleKeys, read_root, read_snapshot, read_timestamp, signers_of
from contracts.transparency import EventKind, LogEntry
from gateway.registry.intake import Intake
from gateway.store import trust
from gateway.store.engine import Reading, Store, Transaction
from gateway.store.log import Event, append
from gateway.store.trust import HeldDocument
from trust.reader import missing
from trust.roles import (
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
    Seal,
    make_snapshot,
    make_timestamp,
    sign,
    version_of,
)

OWN: Final = frozenset({ROOT, SNAPSHOT, TIMESTAMP})
"""What no snapshot lists."""

LONGEST_NUMBER: Final = 16

Keys = Callable[[str], SigningKey | None]
"""The gateway's own key of that name, if its home holds it."""


@dataclass(frozen=True, slots=True)
class Repository:
    """The registry's documents and targets.

    Args:
        store: The gateway's database.
        pinned: The root that a person pinned in the gateway's home.
        keys: Gives the keys that sign snapshot and timestamp.
    """

    store: Store
    pinned: bytes
    keys: Keys

    def take(self, batch: RegistryBatch, now: datetime) -> tuple[str, ...]:
        """Take new signed metadata in, all of it or none, and say that it is the newest; gives the new roles.

        Anybody may send a batch. One that brings nothing new, or that is refused, locks nothing.

        Raises:
            Refused: ``registry-update-refused``.
            IntegrityError: ``registry-content``, ``registry-forged``.
        """
        with self.store.read() as r:
            if not self._intake(r, batch, now).taken:
                return ()
        with self.store.transaction() as t:
            trust.lock(t)
            # Once more, for another process may have been faster.
            intake = self._intake(t, batch, now)
            if not intake.taken:
                return ()
            for name, body in intake.targets.items():
                trust.add_target(t, name, body)
            for role in intake.taken:
                self._keep(t, role, intake.documents[role], now)
            self._sign(t, intake.documents, now, anew=True)
            for role in intake.taken:
                append(t, _taken(role, intake.documents[role], now))
            return tuple(intake.taken)

    def renew(self, now: datetime) -> bool:
        """Sign snapshot and timestamp anew where they are old enough; whether something was signed."""
        with self.store.read() as r:
            documents = {role: held.data for role, held in trust.newest(r).items()}
        if not _is_due(documents, now):
            return False
        with self.store.transaction() as t:
            trust.lock(t)
            documents = {role: held.data for role, held in trust.newest(t).items()}
            # Another process may have been faster.
            if _is_due(documents, now):
                self._sign(t, documents, now, anew=False)
        return True

    def version(self) -> int:
        """The number of the newest timestamp, which changes with everything; 0 for an empty registry."""
        with self.store.read() as r:
            return trust.version(r, TIMESTAMP)

    def next_version(self, role: str) -> int:
        """The number that the next document of a role must have."""
        with self.store.read() as r:
            return trust.version(r, role) + 1

    def document(self, name: str) -> bytes | None:
        """What is served as ``metadata/<name>``: ``timestamp.json``, ``<version>.<role>.json``."""
        stem = name.removesuffix(".json")
        number, _, role = stem.partition(".")
        with self.store.read() as r:
            if stem == TIMESTAMP:
                return trust.document(r, TIMESTAMP, trust.version(r, TIMESTAMP))
            return trust.document(r, role, int(number)) if _is_number(number) else None

    def target(self, name: str) -> bytes | None:
        """What is served as ``targets/<name>``."""
        with self.store.read() as r:
            return trust.target(r, name)

    def get(self, path: str, _most: int = 0) -> Iterator[bytes]:
        """The same for a reader in this process.

        Raises:
            DownloadHTTPError: It is not there.
        """
        kind, _, name = path.partition("/")
        body = self.document(name) if kind == "metadata" else self.target(name)
        if body is None:
            raise missing()
        return iter((body,))

    def _intake(self, r: Reading, batch: RegistryBatch, now: datetime) -> Intake:
        """The batch, taken in over what is stored now; nothing is written."""
        documents = {role: held.data for role, held in trust.newest(r).items()}
        intake = Intake(documents, lambda name: trust.target(r, name), self.pinned, now)
        intake.take(batch)
        return intake

    def _sign(self, t: Transaction, documents: Mapping[str, bytes], now: datetime, *, anew: bool) -> None:
        root = read_root(documents[ROOT])
        snapshot = documents.get(SNAPSHOT)
        if snapshot is None or anew or _is_old_snapshot(snapshot, now):
            listed = {role: (version_of(data), data) for role, data in documents.items() if role not in OWN}
            seal = Seal(_next(snapshot, now), now + SNAPSHOT_LIFE)
            snapshot = sign(make_snapshot(listed, seal), self._key(SNAPSHOT, root.roles.snapshot))
            self._keep(t, SNAPSHOT, snapshot, now)
            # Those that could still be asked for stay, for clients in the middle of an update.
            trust.forget_stored_before(t, SNAPSHOT, now - SNAPSHOT_LIFE)
        number = version_of(snapshot)
        seal = Seal(_next(documents.get(TIMESTAMP), now), now + TIMESTAMP_LIFE)
        timestamp = sign(make_timestamp((number, snapshot), seal), self._key(TIMESTAMP, root.roles.timestamp))
        self._keep(t, TIMESTAMP, timestamp, now)
        trust.forget_before(t, TIMESTAMP, seal.version)

    def _key(self, role: str, allowed: RoleKeys) -> SigningKey:
        found = (self.keys(kid) for kid in reversed(allowed.keyids))
        key = next((each for each in found if each is not None), None)
        if key is None:
            raise Refused("registry-update-refused", role=role, why="this gateway holds no key of it")
        return key

    def _keep(self, t: Transaction, role: str, data: bytes, now: datetime) -> None:
        trust.add_document(t, role, HeldDocument(version_of(data), data), now)


def _is_due(documents: Mapping[str, bytes], now: datetime) -> bool:
    """Whether a signature of the gateway is old; an empty registry waits for its officers."""
    if TIMESTAMP not in documents:
        return False
    signed = read_timestamp(documents[TIMESTAMP]).expires - TIMESTAMP_LIFE
    return now - signed >= TIMESTAMP_RENEWAL or _is_old_snapshot(documents[SNAPSHOT], now)


def _is_old_snapshot(snapshot: bytes, now: datetime) -> bool:
    return now - (read_snapshot(snapshot).expires - SNAPSHOT_LIFE) >= SNAPSHOT_RENEWAL


def _next(before: bytes | None, now: datetime) -> int:
    """The next version. It is the time in seconds, so that a database from a backup soon overtakes what was served."""
    return max(version_of(before) + 1 if before else 1, int(now.timestamp()))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER


def _taken(role: str, data: bytes, now: datetime) -> Event:
    """What the log says of it, so that nobody's keys change unseen."""
    agency = None if role in (ROOT, TARGETS) else role
    facts = {"digest": digest_of_bytes(data), "signed_by": ",".join(sorted(signers_of(data)))}
    subject = f"{role}/{version_of(data)}"
    return Event(LogEntry(kind=EventKind.REGISTRY_CHANGED, at=now, agency=agency, subject=subject, facts=facts))
