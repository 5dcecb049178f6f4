"""Making, signing and checking the registry's metadata with python-tuf, in memory: bytes in, bytes out."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.signer import Key, Signature, SSlibKey  # type: ignore[attr-defined]  # re-exported
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import (  # type: ignore[attr-defined]  # its documented interface, re-exported
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Role,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from contracts.errors import IntegrityError
from contracts.federation import KeyPurpose, PublicKey
from contracts.keys import COORDINATE_BYTES, SigningKey, public_key_of
from contracts.registry import CHARTER_PATH, OFFICERS_LIFE, paths_of
from contracts.signing import verifying_key

ROOT: Final = "root"
TARGETS: Final = "targets"
SNAPSHOT: Final = "snapshot"
TIMESTAMP: Final = "timestamp"
TOP: Final = (ROOT, TARGETS, SNAPSHOT, TIMESTAMP)
HASH: Final = "sha256"


@dataclass(frozen=True, slots=True)
class Seal:
    """The version of a new document and until when it holds."""

    version: int
    expires: datetime


@dataclass(frozen=True, slots=True)
class Officers:
    """Whose keys are the root of trust, how many of them must sign, and the gateway's keys for freshness."""

    keys: tuple[PublicKey, ...]
    threshold: int
    registry: tuple[PublicKey, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Who has signed a document validly, and how many must."""

    signed: tuple[str, ...]
    missing: tuple[str, ...]
    threshold: int

    @property
    def is_met(self) -> bool:
        """Whether enough have."""
        return len(self.signed) >= self.threshold


def make_root(officers: Officers, seal: Seal) -> bytes:
    """A root without signatures."""
    kids = [key.kid for key in officers.keys]
    online = [key.kid for key in officers.registry]
    roles = {ROOT: Role(kids, officers.threshold), TARGETS: Role(kids, officers.threshold)}
    roles |= {name: Role(online, 1) for name in (SNAPSHOT, TIMESTAMP)}
    keys = {key.kid: _role_key(key) for key in (*officers.keys, *officers.registry)}
    return _bytes_of(Root(seal.version, None, _whole(seal.expires), dict(keys), roles, consistent_snapshot=True))


def make_targets(charter: bytes, registrars: Mapping[str, Iterable[PublicKey]], seal: Seal) -> bytes:
    """The officers' targets without signatures: the charter, and a role for each agency with its registrars' keys."""
    roles: dict[str, DelegatedRole] = {}
    keys: dict[str, SSlibKey] = {}
    for agency, registered in registrars.items():
        own = {key.kid: _role_key(key) for key in registered}
        keys |= own
        roles[agency] = DelegatedRole(agency, list(own), 1, terminating=True, paths=list(paths_of(agency)))
    listed = {CHARTER_PATH: target(CHARTER_PATH, charter)}
    return _bytes_of(Targets(seal.version, None, _whole(seal.expires), listed, Delegations(dict(keys), roles)))


def change_registrars(before: bytes, charter: bytes, changed: Mapping[str, Iterable[PublicKey]], seal: Seal) -> bytes:
    """The next targets of the officers: roles of agencies that are not in ``changed`` stay; an empty one goes."""
    metadata = Metadata[Targets].from_bytes(before)
    delegations = metadata.signed.delegations
    roles = dict(delegations.roles or {}) if delegations else {}
    keys = dict(delegations.keys) if delegations else {}
    for agency, registered in changed.items():
        gone = roles.pop(agency, None)
        for kid in gone.keyids if gone else ():
            keys.pop(kid, None)
        own = {key.kid: _role_key(key) for key in registered}
        keys |= own
        if own:
            roles[agency] = DelegatedRole(agency, list(own), 1, terminating=True, paths=list(paths_of(agency)))
    listed = {CHARTER_PATH: target(CHARTER_PATH, charter)}
    return _bytes_of(Targets(seal.version, None, _whole(seal.expires), listed, Delegations(keys, roles)))


def make_agency(listed: Mapping[str, TargetFile], seal: Seal) -> bytes:
    """An agency's targets without signatures."""
    return _bytes_of(Targets(seal.version, None, _whole(seal.expires), dict(listed)))


def make_snapshot(documents: Mapping[str, tuple[int, bytes]], seal: Seal) -> bytes:
    """The snapshot of these documents, given by role as version and bytes, without signatures."""
    meta = {f"{role}.json": _meta(version, data) for role, (version, data) in documents.items()}
    return _bytes_of(Snapshot(seal.version, None, _whole(seal.expires), meta))


def make_timestamp(snapshot: tuple[int, bytes], seal: Seal) -> bytes:
    """The timestamp of a snapshot, without signatures."""
    return _bytes_of(Timestamp(seal.version, None, _whole(seal.expires), _meta(*snapshot)))


def target(path: str, data: bytes) -> TargetFile:
    """A target's entry."""
    return TargetFile(len(data), {HASH: hashlib.sha256(data).hexdigest()}, path)


def listed_in(data: bytes) -> dict[str, TargetFile]:
    """The targets that a document lists.

    Raises:
        IntegrityError: ``registry-forged`` when it is none.
    """
    return dict(_parsed(data, Targets).targets)


def served_name(path: str, digest: str) -> str:
    """Under which name a target is fetched: its hash stands before the file's name."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{digest}.{name}"


def sign(document: bytes, key: SigningKey) -> bytes:
    """The document with one more signature; another one by the same key is replaced."""
    metadata = _metadata(document)
    raw = key.sign(metadata.signed_bytes)
    r, s = (int.from_bytes(raw[start : start + COORDINATE_BYTES], "big") for start in (0, COORDINATE_BYTES))
    metadata.signatures[key.kid] = Signature(key.kid, encode_dss_signature(r, s).hex())
    return metadata.to_bytes()


def join(ours: bytes, theirs: bytes) -> bytes:
    """One document with the signatures of two copies of it.

    Raises:
        IntegrityError: ``registry-forged`` when they are not one document.
    """
    left, right = _metadata(ours), _metadata(theirs)
    if left.signed_bytes != right.signed_bytes:
        raise IntegrityError("registry-forged", why="two texts under one name")
    left.signatures.update(right.signatures)
    return left.to_bytes()


def standing(document: bytes, role: str, delegator: bytes) -> Standing:
    """Who has signed a document, as its delegator counts: the root for the four top roles, the targets for agencies.

    Raises:
        IntegrityError: ``registry-forged``, when the delegator knows no such role or something is no metadata.
    """
    return standings(delegator, {role: document})[role]


def standings(delegator: bytes, documents: Mapping[str, bytes]) -> dict[str, Standing]:
    """The same of many documents by role, whose delegator is read once.

    Raises:
        IntegrityError: As ``standing``.
    """
    source = _metadata(delegator).signed
    return {role: _standing(_metadata(document), role, source) for role, document in documents.items()}


def _standing(metadata: Metadata[Any], role: str, source: object) -> Standing:
    if not isinstance(source, (Root, Targets)):
        raise IntegrityError("registry-forged", why=f"no delegation of {role}")
    try:
        result = source.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
    except ValueError as error:
        raise IntegrityError("registry-forged", why=f"no delegation of {role}") from error
    return Standing(tuple(sorted(result.signed)), tuple(sorted(result.unsigned)), result.threshold)


def officers_of(root: bytes) -> Officers:
    """The officers of a root, so that the next one can be made from it; their validity is the root's.

    Raises:
        IntegrityError: ``registry-forged``.
    """
    signed = _metadata(root).signed
    if not isinstance(signed, Root):
        raise IntegrityError("registry-forged", why="not a root")
    span = (signed.expires - OFFICERS_LIFE, signed.expires)
    keys = tuple(_public_key(signed.keys[kid], KeyPurpose.ROOT, span) for kid in signed.roles[ROOT].keyids)
    online = tuple(_public_key(signed.keys[kid], KeyPurpose.REGISTRY, span) for kid in signed.roles[TIMESTAMP].keyids)
    return Officers(keys, signed.roles[ROOT].threshold, online)


def registrars_of(targets: bytes) -> tuple[PublicKey, ...]:
    """The registrars to whom the officers' targets delegate; their validity is that of the targets.

    Raises:
        IntegrityError: ``registry-forged``.
    """
    signed = _parsed(targets, Targets)
    span = (signed.expires - OFFICERS_LIFE, signed.expires)
    keys = signed.delegations.keys if signed.delegations else {}
    return tuple(_public_key(key, KeyPurpose.REGISTRAR, span) for key in keys.values())


def text_of(document: bytes) -> bytes:
    """What is signed of a document: the same for every copy, however many have signed it."""
    signed: bytes = _metadata(document).signed_bytes
    return signed


def version_of(document: bytes) -> int:
    """The version that a document says it is."""
    version: int = _metadata(document).signed.version
    return version


def expires_at(document: bytes) -> datetime:
    """The instant from which a document no longer holds."""
    expires: datetime = _metadata(document).signed.expires
    return expires


def _role_key(key: PublicKey) -> SSlibKey:
    return SSlibKey.from_crypto(verifying_key(key), key.kid)


def _public_key(key: Key, purpose: KeyPurpose, span: tuple[datetime, datetime]) -> PublicKey:
    public = load_pem_public_key(key.keyval["public"].encode())
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise IntegrityError("registry-forged", why="not a P-256 key")
    return public_key_of(public, key.keyid, purpose, span)


def _meta(version: int, data: bytes) -> MetaFile:
    return MetaFile(version, len(data), {HASH: hashlib.sha256(data).hexdigest()})


def _whole(instant: datetime) -> datetime:
    """TUF writes whole seconds; rounded down, so that nothing holds longer than it should."""
    return instant.replace(microsecond=0)


_Signed = TypeVar("_Signed", Root, Targets, Snapshot, Timestamp)


def _bytes_of(signed: _Signed) -> bytes:
    return Metadata(signed).to_bytes()


def _metadata(data: bytes) -> Metadata[Any]:
    try:
        return Metadata[Any].from_bytes(data)
    except (RepositoryError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IntegrityError("registry-forged", why="not metadata") from error


def _parsed(data: bytes, form: type[Targets]) -> Targets:
    signed = _metadata(data).signed
    if not isinstance(signed, form):
        raise IntegrityError("registry-forged", why="not targets")
    return signed
