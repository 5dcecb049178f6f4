"""The files that officers and members hand each other, and what a first federation is made of."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from contracts.canonical import digest_of_bytes
from contracts.dataset import Text
from contracts.errors import InvalidInput
from contracts.federation import KeyPurpose, Member, PublicKey
from contracts.identifiers import AgencyId, Digest
from contracts.keys import new_key
from contracts.registry import Charter
from contracts.registry_documents import read_root
from contracts.values import Value
from keys.folder import KeyFolder
from saphan.given_files import given_value
from trust import ceremony
from trust.anchor import FIXED_FILE, ROOT_FILE
from trust.copies import RegistryCopy
from trust.roles import Officers, text_of


class Pinned(Value):
    """The root that a home believes: compare its digest with the officers' over another channel."""

    version: int
    digest: Digest
    officers: tuple[str, ...]
    threshold: int


class Founders(Value):
    """Who founds a federation: its gateway's name, its operator, the officers' files and how many of them must sign."""

    gateway: str
    operator: AgencyId
    officers: tuple[Path, ...]
    threshold: int


def read_member(path: Path) -> Member:
    """A member's statement of its public keys.

    Raises:
        InvalidInput: ``file-unreadable``; ``malformed-body`` when the file is not one.
    """
    return given_value(Member, path)


def make_officer(home: Path, agency: str, now: datetime, life: timedelta, number: int = 1) -> Member:
    """An officer's key in a home of its own, and its public half in ``public.json``; never over an existing one.

    Raises:
        InvalidInput: ``setting-invalid``.
    """
    folder, kid = KeyFolder(home), f"{agency}#{KeyPurpose.ROOT.value}-{number}"
    if folder.kids():
        raise InvalidInput("folder-in-use")
    key = new_key(kid)
    folder.save(key)
    public = key.public_key(KeyPurpose.ROOT, now, now + life)
    member = Member(agency=agency, title=Text(th=agency, en=agency), keys=(public,))
    folder.write(home / "public.json", member.model_dump_json(indent=2).encode())
    return member


def found(folder: RegistryCopy, founders: Founders, members: Sequence[Path], now: datetime) -> None:
    """Write the first root and charter, unsigned.

    Raises:
        InvalidInput: ``file-unreadable``, ``malformed-body``, ``ceremony-file``.
        IntegrityError: ``registry-content``, for what no reader would accept.
    """
    stated = [read_member(path) for path in members]
    officers = keys_for(founders.officers, KeyPurpose.ROOT)
    online = tuple(
        key
        for each in stated
        for key in each.keys
        if each.agency == founders.operator and key.purpose is KeyPurpose.REGISTRY
    )
    agencies = tuple(dict.fromkeys(each.agency for each in stated))
    try:
        charter = Charter(gateway=founders.gateway, operator=founders.operator, agencies=agencies)
    except ValidationError as error:
        raise InvalidInput("unknown-agency", agency=founders.operator) from error
    ceremony.first(folder, charter, Officers(officers, founders.threshold, online), stated, now)


def keys_for(files: Iterable[Path], purpose: KeyPurpose) -> tuple[PublicKey, ...]:
    """The keys of a purpose in members' files.

    Raises:
        InvalidInput: ``ceremony-file`` for a file without one.
    """
    keys: list[PublicKey] = []
    for path in files:
        own = [key for key in read_member(path).keys if key.purpose is purpose and not key.revoked]
        if not own:
            raise InvalidInput("ceremony-file", file=path.name, why=f"it states no {purpose.value} key")
        keys += own
    return tuple(keys)


def pin_root(home: Path, root: Path, digest: str) -> Pinned:
    """Make a root the only trust anchor of a home, after a person compared its digest.

    Raises:
        InvalidInput: ``ceremony-file``, when its digest is another one or it cannot be read; ``root-pinned``, when the
            home has fixed keys.
        IntegrityError: ``registry-content``.
    """
    try:
        data = root.read_bytes()
    except OSError as error:
        raise InvalidInput("ceremony-file", file=root.name, why="it cannot be read") from error
    shown = pinned(data)
    if shown.digest != digest:
        raise InvalidInput("ceremony-file", file=root.name, why="its digest is another one")
    if (home / FIXED_FILE).exists():
        raise InvalidInput("root-pinned", what="remove federation.json first")
    KeyFolder.write(home / ROOT_FILE, data)
    return shown


def pinned(data: bytes) -> Pinned:
    """A root as people compare it: the digest of what is signed, the same for every copy.

    Raises:
        IntegrityError: ``registry-content``.
    """
    root = read_root(data)
    officers = root.roles.root
    return Pinned(
        version=root.version,
        digest=digest_of_bytes(text_of(data)),
        officers=officers.keyids,
        threshold=officers.threshold,
    )
