"""Which of the gateway's keys signs tokens now, so that a key can be replaced without one refused call.

A key is published from the start of its validity and signs only an overlap later, when everybody who keeps the
published keys for a while has it; the one before stays published, and good, until its own validity ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contracts.errors import Unavailable
from contracts.federation import Federation, KeyPurpose, PublicKey
from contracts.keys import SigningKey

KEYS_KEPT: Final = timedelta(minutes=5)
"""How long others may keep the published keys."""

OVERLAP: Final = 2 * KEYS_KEPT


@dataclass(frozen=True, slots=True)
class TokenKeys:
    """The private keys of purpose ``token`` that this process holds.

    Args:
        federation: Says when each may sign.
        held: The keys; those that are not registered sign nothing.
    """

    federation: Federation
    held: Sequence[SigningKey]

    def signing(self, now: datetime) -> tuple[SigningKey, datetime]:
        """The key that signs now, and until when what it signs may be good.

        The newest of those that are published for long enough; while there is none, as in a new federation, the one
        that is published longest.

        Raises:
            Unavailable: ``no-token-key``.
        """
        mine = [(key, public) for key in self.held if (public := self.registered(key.kid, now)) is not None]
        if not mine:
            raise Unavailable("no-token-key")
        if len(mine) == 1:
            ((key, public),) = mine
            return key, public.span[1]
        seasoned = [each for each in mine if each[1].valid_from + OVERLAP <= now]
        key, public = max(seasoned, key=_since) if seasoned else min(mine, key=_since)
        return key, public.span[1]

    def registered(self, kid: str, now: datetime) -> PublicKey | None:
        """The public key of that name, if tokens that it signed are believed now."""
        owner = kid.partition("#")[0]
        return self.federation.key(kid, KeyPurpose.TOKEN, now) if owner == self.federation.operator else None

    def published(self, now: datetime) -> tuple[PublicKey, ...]:
        """The public keys by which tokens are believed now."""
        return self.federation.keys_of(self.federation.operator, KeyPurpose.TOKEN, now)


def _since(held: tuple[SigningKey, PublicKey]) -> datetime:
    return held[1].valid_from
