"""How a member's statement of its public keys changes: a key is added, takes over from another one, or is revoked.

The statement is what the federation registers. A key that was made is used once it is registered and its time has come,
so a successor begins a while after it is announced, and its predecessor stays valid until nobody relies on it any more.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from contracts.errors import InvalidInput
from contracts.federation import KeyPurpose, Member, PublicKey
from keys.folder import number_of

ANNOUNCED: Final = timedelta(hours=1)
"""How long before it begins a successor is announced: longer than anybody keeps a copy of the keys."""

OVERLAP: Final = timedelta(hours=48)
"""How long a predecessor stays valid beside its successor: as long as a copy of the registry lives."""

WAITING: Final = timedelta(days=8)
"""The same for what signs requests and forwards: a day longer than a request may wait for an agency."""

WAITS: Final = frozenset({KeyPurpose.CLIENT, KeyPurpose.GATEWAY})
LASTING: Final = frozenset({KeyPurpose.OFFICER, KeyPurpose.DPO, KeyPurpose.STEWARD})
"""What they signed is looked at for years: a predecessor is valid as long as it was meant to be, or until revoked."""


class KeyState(StrEnum):
    """How a key stands at an instant."""

    NEXT = "next"
    ACTIVE = "active"
    RETIRED = "retired"
    REVOKED = "revoked"
    UNREGISTERED = "unregistered"


def state_of(key: PublicKey, known: PublicKey | None, now: datetime) -> KeyState:
    """How a key of a statement stands; what the federation does not say of it, nobody believes.

    Args:
        key: As its owner states it.
        known: The key of that name as it is registered; none where the home knows of none.
        now: The present.
    """
    if key.revoked or (known is not None and known.revoked):
        return KeyState.REVOKED
    if known is None or (known.x, known.y, known.purpose) != (key.x, key.y, key.purpose):
        return KeyState.UNREGISTERED
    if now < known.valid_from:
        return KeyState.NEXT
    return KeyState.ACTIVE if now < known.valid_until else KeyState.RETIRED


def next_kid(member: Member, purpose: KeyPurpose, held: Iterable[str] = ()) -> str:
    """The name of the member's next key of a purpose; a number is never used again.

    Args:
        member: The member's statement.
        purpose: What the key is for.
        held: Names of further keys that lie in its home.
    """
    start = f"{member.agency}#{purpose.value}-"
    taken = [number_of(kid) for kid in (*(key.kid for key in member.keys), *held) if kid.startswith(start)]
    return f"{start}{max(taken, default=0) + 1}"


def with_key(member: Member, key: PublicKey) -> Member:
    """The statement with one more key.

    Raises:
        InvalidInput: ``setting-invalid``, when it names a key of that name.
    """
    if any(each.kid == key.kid for each in member.keys):
        raise InvalidInput("setting-invalid", setting="keys", why=f"{key.kid} is stated already")
    return member.model_copy(update={"keys": (*member.keys, key)})


def overlap_of(purpose: KeyPurpose) -> timedelta | None:
    """How long a predecessor of that purpose stays valid; none where it keeps its own end."""
    if purpose in LASTING:
        return None
    return WAITING if purpose in WAITS else OVERLAP


def with_successor(member: Member, key: PublicKey, overlap: timedelta | None) -> Member:
    """The statement with a key that takes over: the others of its purpose end an overlap after it begins.

    A revoked one stays as it was revoked: it ended then.

    Raises:
        InvalidInput: As ``with_key``.
    """
    if overlap is None:
        return with_key(member, key)
    until = key.valid_from + overlap
    ended = tuple(
        _ending(each, until) if each.purpose is key.purpose and not each.revoked else each for each in member.keys
    )
    return with_key(member.model_copy(update={"keys": ended}), key)


def with_revocation(member: Member, kid: str) -> Member:
    """The statement in which a key is revoked: at once, for good, and for what it signed before as well.

    Raises:
        InvalidInput: ``key-not-stated``, when the statement names no such key.
    """
    if all(each.kid != kid for each in member.keys):
        raise InvalidInput("key-not-stated", kid=kid)
    changed = tuple(each.model_copy(update={"revoked": True}) if each.kid == kid else each for each in member.keys)
    return member.model_copy(update={"keys": changed})


def _ending(key: PublicKey, until: datetime) -> PublicKey:
    return key.model_copy(update={"valid_until": max(min(key.valid_until, until), key.valid_from)})
