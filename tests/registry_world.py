"""A trust registry in memory, and a repository that can lie about it in every way that a test can think of.

The idea is python-tuf's own repository simulator; this one is ours, with our officers, registrars and rules.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from contracts.canonical import canonical_bytes
from contracts.errors import IntegrityError, SaphanError
from contracts.federation import KeyPurpose, Member, PublicKey
from contracts.keys import SoftwareKey, new_key
from contracts.registry import (
    AGENCY_LIFE,
    CHARTER_PATH,
    OFFICERS_LIFE,
    SNAPSHOT_LIFE,
    TIMESTAMP_LIFE,
    Charter,
    Registry,
    RegistryBatch,
    RegistryUpdate,
    member_path,
)
from tests.factories import ISSUER, NOW, Keys, text
from trust.reader import missing, read
from trust.roles import (
    HASH,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
    Officers,
    Seal,
    make_agency,
    make_root,
    make_snapshot,
    make_targets,
    make_timestamp,
    served_name,
    sign,
    target,
    version_of,
)

OFFICERS = ("ccib", "rtp", "dop")
MEMBERS = ("oja", "ccib", "rtp")
LASTS = timedelta(days=700)


@dataclass
class Signers:
    """Everybody's private keys, and what their public halves say."""

    now: datetime = NOW
    private: dict[str, SoftwareKey] = field(default_factory=dict)

    def key(self, kid: str) -> SoftwareKey:
        """A private key, made at its first use."""
        if kid not in self.private:
            self.private[kid] = new_key(kid)
        return self.private[kid]

    def public(self, kid: str, **changes: object) -> PublicKey:
        """Its public half, for what its name says."""
        purpose = KeyPurpose(kid.partition("#")[2].rpartition("-")[0])
        made = self.key(kid).public_key(purpose, self.now, self.now + LASTS)
        return PublicKey.model_validate({**made.model_dump(), **changes})

    def member(self, agency: str, *keys: PublicKey) -> Member:
        """A member with these keys, or with a client's and an officer's."""
        usual = (self.public(f"{agency}#client-1"), self.public(f"{agency}#officer-1"))
        return Member(agency=agency, title=text(agency), keys=keys or usual)

    def signed(self, document: bytes, *kids: str) -> bytes:
        """The document, signed by these keys."""
        for kid in kids:
            document = sign(document, self.key(kid))
        return document

    def officers(self, threshold: int = 2) -> Officers:
        """Three officers of three agencies, and the gateway's key."""
        keys = tuple(self.public(f"{agency}#root-1") for agency in OFFICERS)
        return Officers(keys, threshold, (self.public("oja#registry-1"),))

    def root(self, version: int = 1, officers: Officers | None = None, by: Iterable[str] = OFFICERS[:2]) -> bytes:
        """A root, signed by the first officers of these agencies."""
        made = make_root(officers or self.officers(), Seal(version, self.now + OFFICERS_LIFE))
        return self.signed(made, *(f"{agency}#root-1" for agency in by))

    def charter(self, *agencies: str) -> bytes:
        """A charter with these members."""
        return canonical_bytes(Charter(gateway=ISSUER, operator="oja", agencies=agencies or MEMBERS))

    def targets(
        self,
        version: int = 1,
        *,
        agencies: Iterable[str] = MEMBERS,
        registrars: Iterable[str] = (),
        by: Iterable[str] = OFFICERS[:2],
    ) -> bytes:
        """The officers' targets over these members; ``registrars`` names keys that are not the members' first."""
        listed = tuple(agencies)
        named = {kid.partition("#")[0]: kid for kid in registrars}
        keys = {agency: [self.public(named.get(agency, f"{agency}#registrar-1"))] for agency in listed}
        made = make_targets(self.charter(*listed), keys, Seal(version, self.now + OFFICERS_LIFE))
        return self.signed(made, *(f"{agency}#root-1" for agency in by))

    def agency(
        self,
        member: Member,
        version: int = 1,
        *,
        by: str | None = None,
        more: dict[str, bytes] | None = None,
        life: timedelta = AGENCY_LIFE,
    ) -> bytes:
        """An agency's role with its keys."""
        bodies = {member_path(member.agency): canonical_bytes(member), **(more or {})}
        listed = {path: target(path, body) for path, body in bodies.items()}
        made = make_agency(listed, Seal(version, self.now + life))
        return self.signed(made, by or f"{member.agency}#registrar-1")


def update_of(role: str, document: bytes, **targets: bytes) -> RegistryUpdate:
    """An update as it is sent; ``targets`` by path."""
    bodies = {path: body.decode() for path, body in targets.items()}
    return RegistryUpdate(role=role, metadata=document.decode(), targets=bodies)


def member_update(signers: Signers, member: Member, version: int = 1, by: str | None = None) -> RegistryUpdate:
    """An agency's keys as its registrar sends them."""
    document = signers.agency(member, version, by=by)
    return update_of(member.agency, document, **{member_path(member.agency): canonical_bytes(member)})


def first_batch(signers: Signers) -> RegistryBatch:
    """All that a registry begins with."""
    members = [member_update(signers, signers.member(agency)) for agency in MEMBERS]
    charter = update_of(TARGETS, signers.targets(), **{CHARTER_PATH: signers.charter()})
    return RegistryBatch(updates=(update_of(ROOT, signers.root()), charter, *members))


@dataclass
class LyingRepository:
    """A repository under a test's control: honest until the test changes something.

    ``documents`` is the newest document of each role, ``served`` every file by its path.
    """

    signers: Signers = field(default_factory=Signers)
    documents: dict[str, bytes] = field(default_factory=dict)
    served: dict[str, bytes] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    def put(self, role: str, document: bytes, **targets: bytes) -> None:
        """Serve a document and its targets; snapshot and timestamp do not know it yet."""
        self.documents[role] = document
        self.served[f"metadata/{version_of(document)}.{role}.json"] = document
        for path, body in targets.items():
            self.served[f"targets/{served_name(path, target(path, body).hashes[HASH])}"] = body

    def put_member(self, member: Member, version: int = 1, by: str | None = None) -> None:
        """Serve an agency's keys."""
        path = member_path(member.agency)
        self.put(member.agency, self.signers.agency(member, version, by=by), **{path: canonical_bytes(member)})

    def seal(self, at: datetime = NOW, by: str = "oja#registry-1") -> None:
        """Sign a snapshot of everything and a timestamp of it, as the gateway's key can."""
        self.seal_snapshot(at, by)
        self.seal_timestamp(at, by)

    def seal_snapshot(self, at: datetime = NOW, by: str = "oja#registry-1", version: int | None = None) -> None:
        """Sign a snapshot of everything."""
        own = {ROOT, SNAPSHOT, TIMESTAMP}
        listed = {role: (version_of(data), data) for role, data in self.documents.items() if role not in own}
        snapshot = make_snapshot(listed, Seal(version or self._next(SNAPSHOT), at + SNAPSHOT_LIFE))
        self.put(SNAPSHOT, self.signers.signed(snapshot, by))

    def seal_timestamp(self, at: datetime = NOW, by: str = "oja#registry-1", version: int | None = None) -> None:
        """Sign a timestamp of the snapshot."""
        snapshot = self.documents[SNAPSHOT]
        seal = Seal(version or self._next(TIMESTAMP), at + TIMESTAMP_LIFE)
        timestamp = self.signers.signed(make_timestamp((version_of(snapshot), snapshot), seal), by)
        self.documents[TIMESTAMP] = timestamp
        self.served["metadata/timestamp.json"] = timestamp

    def _next(self, role: str) -> int:
        return version_of(self.documents[role]) + 1 if role in self.documents else 1

    def get(self, path: str, _most: int = 0) -> Iterator[bytes]:
        """What a reader fetches."""
        self.fetched.append(path)
        if path not in self.served:
            raise missing()
        return iter((self.served[path],))

    def write(self, folder: Path) -> Path:
        """All that is served, as a copy in a folder."""
        for path, data in self.served.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        return folder

    def read(self, home: Path, at: datetime = NOW) -> Registry:
        """Read it as the home of a member does."""
        return read(home, self.get, at)


def honest(signers: Signers | None = None) -> LyingRepository:
    """A repository that is in order."""
    made = LyingRepository(signers or Signers())
    made.put(ROOT, made.signers.root())
    made.put(TARGETS, made.signers.targets(), **{CHARTER_PATH: made.signers.charter()})
    for agency in MEMBERS:
        made.put_member(made.signers.member(agency))
    made.seal()
    return made


def registry_of(keys: Keys, now: datetime) -> LyingRepository:
    """A registry of everybody in a federation of other tests."""
    signers = Signers(now - timedelta(hours=1), {**keys.signing})
    members = keys.federation.members
    agencies = tuple(member.agency for member in members)
    charter = canonical_bytes(Charter(gateway=keys.federation.gateway, operator="oja", agencies=agencies))
    delegated = {agency: [signers.public(f"{agency}#registrar-1")] for agency in agencies}
    made = LyingRepository(signers)
    made.put(ROOT, signers.root())
    targets = make_targets(charter, delegated, Seal(1, now + OFFICERS_LIFE))
    made.put(
        TARGETS, signers.signed(targets, *(f"{agency}#root-1" for agency in OFFICERS[:2])), **{CHARTER_PATH: charter}
    )
    for member in members:
        made.put_member(member)
    made.seal(now)
    return made


@cache
def _in_order() -> LyingRepository:
    return honest()


def in_order() -> LyingRepository:
    """The same, made once for all tests: each has a copy of its own."""
    made = _in_order()
    signers = Signers(made.signers.now, dict(made.signers.private))
    return LyingRepository(signers, dict(made.documents), dict(made.served))


def home_with(folder: Path, root: bytes) -> Path:
    """A home that pins a root."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "root.json").write_bytes(root)
    return folder


def refusal(lying: LyingRepository, home: Path, at: datetime = NOW) -> SaphanError:
    """What a reader says."""
    with pytest.raises(SaphanError) as caught:
        lying.read(home, at)
    return caught.value


def rule(error: SaphanError) -> str:
    """The rule of ours that was broken."""
    assert (error.code, type(error)) == ("registry-content", IntegrityError)
    return error.details["rule"]


def changed(lying: LyingRepository, document: bytes, change: Callable[[dict[str, Any]], None], *by: str) -> bytes:
    """A document with other contents, signed by these keys."""
    plain = json.loads(document)
    change(plain["signed"])
    plain["signatures"] = []
    return lying.signers.signed(json.dumps(plain).encode(), *by)


def both(role: str = "root") -> tuple[str, ...]:
    """Two officers."""
    return tuple(f"{agency}#{role}-1" for agency in OFFICERS[:2])
