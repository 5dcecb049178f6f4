"""The door: who sent this message, shown by a token and by a signature of the same key."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.errors import Refused
from contracts.federation import Federation, KeyPurpose, PublicKey
from contracts.message_signatures import Message, Tag, verify
from gateway.caller import Caller
from gateway.identity.tokens import AccessTokens

CALLERS: Final = (KeyPurpose.CLIENT, KeyPurpose.CONNECTOR)
"""What a key must be for to call the gateway; officers and stewards sign documents, they do not call."""


@dataclass(frozen=True, slots=True)
class Door:
    """Lets in whoever holds a token and the key that it was issued to.

    A stolen token opens nothing without the key, and a signature opens nothing without a token. That a nonce is new
    is for the store to say: only it knows what the other gateway processes have seen.
    """

    federation: Federation
    tokens: AccessTokens

    def authenticate(self, message: Message, now: datetime) -> Caller:
        """Who sent ``message``.

        Raises:
            Refused: ``token-missing``, ``token-invalid``, ``token-of-another-client``, ``signature-missing``,
                ``signature-wrong``, ``signature-stale`` or ``key-unknown``.
        """
        client_id = self.token_holder(message.headers, now)
        key = client_key(self.federation, client_id, now)
        if key is None:
            raise Refused("key-unknown", kid=client_id)
        verified = verify(message, Tag.REQUEST, lambda kid: client_key(self.federation, kid, now), now)
        if verified.kid != key.kid:
            raise Refused("token-of-another-client")
        return Caller(agency=key.kid.partition("#")[0], kid=key.kid, purpose=key.purpose, nonce=verified.nonce)

    def token_holder(self, headers: Mapping[str, str], now: datetime) -> str:
        """The client whose token a call carries; that the client itself calls is not shown yet.

        Raises:
            Refused: ``token-missing``, ``token-invalid`` or ``key-unknown``.
        """
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused("token-missing")
        return self.tokens.client_of(token, now)


def client_key(federation: Federation, kid: str, at: datetime) -> PublicKey | None:
    """The key of that name, if it may call the gateway at that instant."""
    found = (federation.key(kid, purpose, at) for purpose in CALLERS)
    return next((key for key in found if key is not None), None)
