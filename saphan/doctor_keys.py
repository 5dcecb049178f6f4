"""Is the key that this home calls with registered, in its time, not revoked, and taken by the gateway?"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from contracts.errors import InvalidInput, Refused
from contracts.federation import Federation, KeyPurpose, PublicKey
from contracts.keys import SigningKey
from gateway.client import Gateway
from keys.folder import KeyFolder

NOT_TAKEN: Final = frozenset({"token-invalid", "key-unknown"})
"""What a gateway answers whose list of keys lacks this one."""


def newest_key(
    folder: KeyFolder, federation: Federation, agency: str, purpose: KeyPurpose, now: datetime
) -> SigningKey:
    """The newest registered key of a purpose, or what keeps the home from having one.

    Raises:
        Refused: ``own-key-unknown``, ``own-key-expired``, ``own-key-revoked``.
        InvalidInput: ``setting-invalid``, when the home holds none or another one; ``key-not-opened``.
    """
    try:
        return folder.newest(federation, agency, purpose, now)
    except InvalidInput as error:
        held = folder.of(agency, purpose)
        if error.code != "key-not-held" or not held or federation.keys_of(agency, purpose, now):
            raise
        raise _why(federation, held, agency) from error


def _why(federation: Federation, held: Collection[str], agency: str) -> Refused:
    member = federation.member(agency)
    registered = [key for key in (member.keys if member else ()) if key.kid in held]
    if not registered:
        return Refused("own-key-unknown", kid=", ".join(held))
    key = max(registered, key=lambda each: each.valid_from)
    if key.revoked:
        return Refused("own-key-revoked", kid=key.kid)
    start, until = (f"{each:%Y-%m-%d %H:%M}Z" for each in (key.valid_from, key.valid_until))
    return Refused("own-key-expired", kid=key.kid, start=start, until=until)


def check_online_key(folder: KeyFolder, online: Sequence[PublicKey], agency: str) -> None:
    """Does the key lie here by which the root lets the gateway say what is fresh?

    Args:
        folder: The gateway's keys.
        online: The keys that the root names for it, the newest last: the last that lies here signs.
        agency: Who runs the gateway.

    Raises:
        Refused: ``registry-key-unknown``, when those that lie here are none of them.
        InvalidInput: ``setting-invalid``, when the home holds none, or another one of that name; ``key-not-opened``.
    """
    held = folder.of(agency, KeyPurpose.REGISTRY)
    named = next((each for each in reversed(online) if each.kid in held), None)
    if not held:
        raise InvalidInput("setting-invalid", setting="keys", why="the home holds no registry key")
    if named is None:
        raise Refused("registry-key-unknown", kid=", ".join(held))
    own = folder.key(named.kid).public_key(KeyPurpose.REGISTRY, *named.span)
    if (own.x, own.y) != (named.x, named.y):
        raise InvalidInput("setting-invalid", setting="keys", why=f"{named.kid} is not the one that the root names")


def check_taken(line: Gateway, kid: str) -> None:
    """Make a signed call that changes nothing.

    Raises:
        Refused: ``own-key-refused``, when the gateway takes the key for none.
        SaphanError: Whatever else is wrong with the call or its answer.
    """
    try:
        line.budget()
    except Refused as error:
        # A key that is named is the gateway's own, and unknown on this side.
        if error.code not in NOT_TAKEN or "kid" in error.details:
            raise
        raise Refused("own-key-refused", kid=kid, why=error.code) from error
