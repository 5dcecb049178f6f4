"""The signed documents of the trust registry, letter by letter, and what ours may say beyond what TUF allows.

The framework accepts fields that it does not know, any name for a key, and one key under two names, which would let
one officer count twice. None of that is accepted here: these forms are closed, and each list of keys is checked for
who owns them.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Generic, Literal, TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import AwareDatetime, Field, StringConstraints, ValidationError

from contracts.errors import IntegrityError
from contracts.federation import KeyPurpose
from contracts.identifiers import AgencyId, KeyId
from contracts.registry import CHARTER_PATH, member_path, paths_of
from contracts.values import Value

Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Specification = Annotated[str, StringConstraints(pattern=r"^1\.0\.\d{1,3}$")]
Number = Annotated[int, Field(strict=True, ge=1, le=2**53 - 1)]
FEWEST_OFFICERS: Final = 2
"""Nobody changes the federation alone."""

CONTRACT: Final = re.compile(r"contracts/[a-z][a-z0-9-]{1,31}/[0-9a-f]{64}")


class Signature(Value):
    """A signature by the key of that name: ECDSA over P-256, DER in hexadecimal."""

    keyid: KeyId
    sig: str = Field(pattern=r"^[0-9a-f]{0,160}$")


class KeyValue(Value):
    """A public key as PEM."""

    public: str = Field(max_length=400)


class RoleKey(Value):
    """A public key of a role; ECDSA over P-256 is the only kind."""

    keytype: Literal["ecdsa"]
    scheme: Literal["ecdsa-sha2-nistp256"]
    keyval: KeyValue


class RoleKeys(Value):
    """Whose signatures a role needs, and how many of them."""

    keyids: tuple[KeyId, ...] = Field(min_length=1, max_length=64)
    threshold: int = Field(strict=True, ge=1)


class RootRoles(Value):
    """The four roles that the root delegates to."""

    root: RoleKeys
    targets: RoleKeys
    snapshot: RoleKeys
    timestamp: RoleKeys


class Signed(Value):
    """What all signed documents say: of which version of TUF they are, their own version, and until when they hold."""

    spec_version: Specification
    version: Number
    expires: AwareDatetime


class Root(Signed):
    """The root of trust: who the officers are, how many must sign, and which keys of the gateway say what is fresh."""

    kind: Literal["root"] = Field(alias="_type")
    consistent_snapshot: Literal[True]
    keys: dict[KeyId, RoleKey]
    roles: RootRoles


class Target(Value):
    """A target's length in bytes and its SHA-256."""

    length: Number
    hashes: dict[Literal["sha256"], Hex] = Field(min_length=1)


class Delegated(RoleKeys):
    """An agency's role, and the targets that it alone may sign."""

    name: AgencyId
    terminating: Literal[True]
    paths: tuple[str, ...]


class Delegations(Value):
    """The agencies' roles and the registrars' keys."""

    keys: dict[KeyId, RoleKey]
    roles: tuple[Delegated, ...]


class Targets(Signed):
    """Targets by path; the officers' also delegates to the agencies."""

    kind: Literal["targets"] = Field(alias="_type")
    targets: dict[str, Target]
    delegations: Delegations | None = None


class Meta(Value):
    """A document by version, and its length and hash."""

    version: Number
    length: Number | None = None
    hashes: dict[Literal["sha256"], Hex] | None = None


class Snapshot(Signed):
    """Which version of each document belongs together."""

    kind: Literal["snapshot"] = Field(alias="_type")
    meta: dict[str, Meta]


class Timestamp(Signed):
    """Which snapshot is the newest."""

    kind: Literal["timestamp"] = Field(alias="_type")
    meta: dict[Literal["snapshot.json"], Meta] = Field(min_length=1)


_Document = TypeVar("_Document", Root, Targets, Snapshot, Timestamp)


class _Envelope(Value, Generic[_Document]):
    signatures: tuple[Signature, ...] = Field(max_length=64)
    signed: _Document


def read_root(data: bytes) -> Root:
    """A root whose signatures the framework verified, checked for who the officers are.

    Raises:
        IntegrityError: ``registry-content``, naming the rule.
    """
    root = _read(_Envelope[Root], data, "root").signed
    officers, roles = root.roles.root, root.roles
    _check_keys(officers, KeyPurpose.ROOT, "root")
    if officers.threshold < FEWEST_OFFICERS:
        raise IntegrityError("registry-content", rule="officers-of-two-agencies", where="root")
    if len({owner_of(kid) for kid in officers.keyids}) != len(officers.keyids):
        raise IntegrityError("registry-content", rule="one-officer-per-agency", where="root")
    if (set(roles.targets.keyids), roles.targets.threshold) != (set(officers.keyids), officers.threshold):
        raise IntegrityError("registry-content", rule="charter-by-the-officers", where="targets")
    for name, role in (("snapshot", roles.snapshot), ("timestamp", roles.timestamp)):
        _check_keys(role, KeyPurpose.REGISTRY, name)
    _check_each_used(root.keys, (*officers.keyids, *roles.snapshot.keyids, *roles.timestamp.keyids), "root")
    return root


def read_targets(data: bytes) -> Targets:
    """The officers' targets, checked: the charter alone, and each agency's role over its own paths by its own keys.

    Raises:
        IntegrityError: ``registry-content``, naming the rule.
    """
    targets = _read(_Envelope[Targets], data, "targets").signed
    delegations = targets.delegations
    if targets.targets.keys() != {CHARTER_PATH} or delegations is None:
        raise IntegrityError("registry-content", rule="charter-alone", where="targets")
    for role in delegations.roles:
        _check_keys(role, KeyPurpose.REGISTRAR, role.name)
        if {owner_of(kid) for kid in role.keyids} != {role.name} or role.paths != paths_of(role.name):
            raise IntegrityError("registry-content", rule="own-role", where=role.name)
    if len({role.name for role in delegations.roles}) != len(delegations.roles):
        raise IntegrityError("registry-content", rule="one-role-per-agency", where="targets")
    _check_each_used(delegations.keys, [kid for role in delegations.roles for kid in role.keyids], "targets")
    return targets


def read_agency(data: bytes, agency: str) -> Targets:
    """An agency's own targets, checked: its keys, its contracts, and nothing else.

    Raises:
        IntegrityError: ``registry-content``, naming the rule.
    """
    targets = _read(_Envelope[Targets], data, agency).signed
    if targets.delegations is not None:
        raise IntegrityError("registry-content", rule="no-further-delegation", where=agency)
    for path in targets.targets.keys() - {member_path(agency)}:
        if not CONTRACT.fullmatch(path) or path.split("/")[1] != agency:
            raise IntegrityError("registry-content", rule="own-paths", where=agency)
    if member_path(agency) not in targets.targets:
        raise IntegrityError("registry-content", rule="own-keys-listed", where=agency)
    return targets


def read_snapshot(data: bytes) -> Snapshot:
    """A snapshot.

    Raises:
        IntegrityError: ``registry-content``.
    """
    return _read(_Envelope[Snapshot], data, "snapshot").signed


def read_timestamp(data: bytes) -> Timestamp:
    """A timestamp.

    Raises:
        IntegrityError: ``registry-content``.
    """
    return _read(_Envelope[Timestamp], data, "timestamp").signed


def signers_of(data: bytes) -> tuple[str, ...]:
    """The keys that a document says it was signed by; nothing is verified."""
    try:
        return tuple(each.keyid for each in _Signatures.model_validate_json(data).signatures)
    except ValidationError as error:
        raise IntegrityError("registry-content", rule="form", where="signatures") from error


class _Signatures(Value):
    signatures: tuple[Signature, ...]
    signed: dict[str, object]


def owner_of(kid: str) -> str:
    """The agency whose key it is."""
    return kid.partition("#")[0]


_Form = TypeVar("_Form", bound=Value)


def _read(form: type[_Form], data: bytes, role: str) -> _Form:
    try:
        return form.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise IntegrityError("registry-content", rule=f"form:{first['type']}", where=role) from error


def _check_keys(role: RoleKeys, purpose: KeyPurpose, where: str) -> None:
    """Check that a role's keys are for it, each named once, and enough to reach its threshold."""
    if any(kid.partition("#")[2].rpartition("-")[0] != purpose.value for kid in role.keyids):
        raise IntegrityError("registry-content", rule="key-purpose", where=where)
    if len(set(role.keyids)) != len(role.keyids) or role.threshold > len(role.keyids):
        raise IntegrityError("registry-content", rule="threshold", where=where)


def _check_each_used(keys: Mapping[KeyId, RoleKey], used: Iterable[str], where: str) -> None:
    """Check that one key does not stand under two names, and that none stands there for later."""
    if len({_point(key, where) for key in keys.values()}) != len(keys):
        raise IntegrityError("registry-content", rule="each-key-once", where=where)
    if keys.keys() != set(used):
        raise IntegrityError("registry-content", rule="no-key-for-later", where=where)


def _point(key: RoleKey, where: str) -> tuple[int, int]:
    """The key itself: one key can be written as PEM in several ways."""
    try:
        public = load_pem_public_key(key.keyval.public.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise IntegrityError("registry-content", rule="key-form", where=where) from error
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise IntegrityError("registry-content", rule="key-form", where=where)
    numbers = public.public_numbers()
    return numbers.x, numbers.y
