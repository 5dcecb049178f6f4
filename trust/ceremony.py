"""What officers do offline, several of them on several machines: a folder goes from one to the next and is signed.

The newest root and the newest targets in it may lack signatures; whoever holds an officer's key adds one. Nothing here
needs the gateway, and nothing that is written here counts before enough officers have signed it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import AwareDatetime

from contracts.canonical import canonical_bytes, digest_of_bytes
from contracts.errors import InvalidInput
from contracts.federation import KeyPurpose, Member, PublicKey
from contracts.identifiers import Digest, KeyId
from contracts.keys import SigningKey
from contracts.registry import CHARTER_PATH, OFFICERS_LIFE, Charter
from contracts.registry_documents import read_agency, read_root, read_targets
from contracts.values import Value
from trust.copies import RegistryCopy
from trust.registrar import agency_update, merged
from trust.roles import (
    ROOT,
    TARGETS,
    Officers,
    Seal,
    Standing,
    change_registrars,
    expires_at,
    join,
    make_root,
    make_targets,
    officers_of,
    sign,
    standing,
    text_of,
    version_of,
)

Find = Callable[[str], SigningKey | None]
"""The private key of that name, if it lies here."""


class Part(Value):
    """How one document of a folder stands: its digest is what officers compare before they sign."""

    role: str
    version: int
    digest: Digest
    expires: AwareDatetime
    signed: tuple[KeyId, ...]
    missing: tuple[KeyId, ...]
    threshold: int
    complete: bool


def first(folder: RegistryCopy, charter: Charter, officers: Officers, members: Iterable[Member], now: datetime) -> None:
    """Write the first root and the first charter, unsigned.

    Raises:
        InvalidInput: ``ceremony-file`` for a folder that holds a root, or a member without a registrar's key.
        IntegrityError: ``registry-content``, for officers or members that no reader would accept.
    """
    if folder.newest(ROOT) is not None:
        raise InvalidInput("ceremony-file", file=folder.path.name, why="it holds a root already")
    seal = Seal(1, now + OFFICERS_LIFE)
    root = make_root(officers, seal)
    read_root(root)
    stated = tuple(members)
    registrars = {agency: _registrars(agency, stated) for agency in charter.agencies}
    body = canonical_bytes(charter)
    targets = make_targets(body, registrars, seal)
    read_targets(targets)
    folder.write_target(CHARTER_PATH, body)
    folder.write(ROOT, root)
    folder.write(TARGETS, targets)


def admit(folder: RegistryCopy, member: Member, now: datetime) -> None:
    """Draft a charter with one more member, or with another registrar's key of a member.

    Raises:
        InvalidInput: ``ceremony-file``.
        IntegrityError: ``registry-content``.
    """
    charter = folder.charter()
    agencies = dict.fromkeys((*charter.agencies, member.agency))
    changed = charter.model_copy(update={"agencies": tuple(agencies)})
    _charter(folder, changed, {member.agency: _registrars(member.agency, (member,))}, _next_charter(folder, now))


def expel(folder: RegistryCopy, agency: str, now: datetime) -> None:
    """Draft a charter without a member.

    Raises:
        InvalidInput: ``unknown-agency``; ``ceremony-file``.
    """
    charter = folder.charter()
    if agency not in charter.agencies or agency == charter.operator:
        raise InvalidInput("unknown-agency", agency=agency)
    left = tuple(each for each in charter.agencies if each != agency)
    _charter(folder, charter.model_copy(update={"agencies": left}), {agency: ()}, _next_charter(folder, now))


def rotate(folder: RegistryCopy, change: Callable[[Officers], Officers], now: datetime) -> None:
    """Draft the next root with other officers or other keys of the gateway, and the charter for them to sign anew.

    Without a change both get another year. Enough officers of before and of the new root must sign.

    Raises:
        InvalidInput: ``ceremony-file``.
        IntegrityError: ``registry-content``.
    """
    before = _last_complete(folder, ROOT)
    root = make_root(change(officers_of(before)), Seal(version_of(before) + 1, now + OFFICERS_LIFE))
    read_root(root)
    # Before the new root is there: the charter that is in force stays, whoever will have to sign the next.
    seal = _next_charter(folder, now)
    folder.write(ROOT, root)
    _charter(folder, folder.charter(), {}, seal)


def sign_all(folder: RegistryCopy, find: Find) -> tuple[Part, ...]:
    """Sign what is in the folder with each officer's key that lies here and that it needs; gives how all parts stand.

    Raises:
        IntegrityError: ``registry-content``: nothing is signed that no reader would accept.
        InvalidInput: ``ceremony-file`` when no key that lies here is missing anywhere.
    """
    parts, signed = status(folder), 0
    for part in parts:
        if part.role not in (ROOT, TARGETS) or part.complete:
            continue
        document = folder.need(part.role)
        keys = [key for kid in part.missing if (key := find(kid)) is not None]
        for key in keys:
            document = sign(document, key)
        folder.write(part.role, document)
        signed += len(keys)
    if signed == 0:
        raise InvalidInput("ceremony-file", file=folder.path.name, why="no key of this home is missing in it")
    return status(folder)


def take_signatures(folder: RegistryCopy, other: RegistryCopy) -> tuple[Part, ...]:
    """Add the signatures of another officer's copy of the same folder.

    Raises:
        IntegrityError: ``registry-forged`` when they are not copies of one text.
        InvalidInput: ``ceremony-file``.
    """
    for role in (ROOT, TARGETS):
        folder.write(role, join(folder.need(role), other.need(role)))
    return status(folder)


def register(folder: RegistryCopy, stated: Sequence[Member], key: SigningKey, now: datetime) -> Part:
    """Write the next version of an agency's role, signed by its registrar, into the folder.

    Args:
        folder: A copy of the registry.
        stated: What the agency's homes state.
        key: The registrar's.
        now: Since when it holds.

    Raises:
        InvalidInput: ``ceremony-file``, unless all are one agency's.
        IntegrityError: ``registry-content``.
    """
    agency = stated[0].agency
    if {each.agency for each in stated} != {agency}:
        raise InvalidInput("ceremony-file", file=agency, why="not all of them are this agency's")
    member = folder.member(agency)
    for each in stated:
        member = merged(member, each, now)
    if member is None:
        raise InvalidInput("ceremony-file", file=agency, why="nothing is stated")
    update = agency_update(member, {}, folder.newest(agency), key, now)
    for path, body in update.targets.items():
        folder.write_target(path, body.encode())
    folder.write(agency, update.metadata.encode())
    return _part(folder, agency)


def status(folder: RegistryCopy) -> tuple[Part, ...]:
    """How every document of the folder stands.

    Raises:
        IntegrityError: ``registry-content``, ``registry-forged``.
    """
    return tuple(_part(folder, role) for role in folder.roles())


def _part(folder: RegistryCopy, role: str) -> Part:
    data = folder.need(role)
    read = {ROOT: read_root, TARGETS: read_targets}.get(role)
    if read is None:
        read_agency(data, role)
    else:
        read(data)
    found = _standings(folder, role, data)
    return Part(
        role=role,
        version=version_of(data),
        digest=digest_of_bytes(text_of(data)),
        expires=expires_at(data),
        signed=tuple(sorted({kid for each in found for kid in each.signed})),
        missing=tuple(sorted({kid for each in found for kid in each.missing})),
        threshold=max(each.threshold for each in found),
        complete=all(each.is_met for each in found),
    )


def _standings(folder: RegistryCopy, role: str, data: bytes) -> list[Standing]:
    """By whom a document must be signed: a new root by the officers of before and by its own."""
    if role != ROOT:
        delegator = ROOT if role == TARGETS else TARGETS
        return [standing(data, role, folder.need(delegator))]
    before = folder.document(ROOT, version_of(data) - 1)
    return [standing(data, ROOT, each) for each in (before, data) if each is not None]


def _charter(folder: RegistryCopy, charter: Charter, changed: Mapping[str, Iterable[PublicKey]], seal: Seal) -> None:
    body = canonical_bytes(charter)
    targets = change_registrars(folder.need(TARGETS), body, changed, seal)
    read_targets(targets)
    folder.write_target(CHARTER_PATH, body)
    folder.write(TARGETS, targets)


def _next_charter(folder: RegistryCopy, now: datetime) -> Seal:
    """The seal of the next charter; one that is not signed yet is drafted anew under its own number."""
    newest = version_of(folder.need(TARGETS))
    return Seal(newest + 1 if _part(folder, TARGETS).complete else newest, now + OFFICERS_LIFE)


def _last_complete(folder: RegistryCopy, role: str) -> bytes:
    """The newest document that enough have signed: a draft is drafted anew."""
    newest = folder.need(role)
    if _part(folder, role).complete:
        return newest
    before = folder.document(role, version_of(newest) - 1)
    if before is None:
        raise InvalidInput("ceremony-file", file=folder.path.name, why=f"its first {role} is not signed yet")
    return before


def _registrars(agency: str, members: Sequence[Member]) -> tuple[PublicKey, ...]:
    keys = (key for member in members if member.agency == agency for key in member.keys)
    found = {key.kid: key for key in keys if key.purpose is KeyPurpose.REGISTRAR and not key.revoked}
    if not found:
        raise InvalidInput("ceremony-file", file=agency, why="it states no registrar's key")
    return tuple(found.values())


def with_officers(officers: Officers, added: Iterable[PublicKey], removed: Iterable[str]) -> Officers:
    """Officers without some keys and with others.

    Raises:
        InvalidInput: ``ceremony-file`` when a key that is to go is none of theirs.
    """
    gone = set(removed)
    if gone - {key.kid for key in officers.keys}:
        raise InvalidInput("ceremony-file", file="root", why="a key to be removed is no officer's")
    return replace(officers, keys=(*(key for key in officers.keys if key.kid not in gone), *added))
