"""The door: who sent this message, shown by a token, by what the token is bound to, and by a signature."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.errors import Refused
from contracts.federation import Federation, KeyPurpose, PublicKey
from contracts.message_signatures import Tag, verify
from contracts.proofs import PROOF_HEADER, address_of
from contracts.signature_base import Message
from gateway.caller import Caller
from gateway.identity.proofs import Proved, Target, check_proof
from gateway.identity.tokens import BY_PROOF, AccessToken, AccessTokens

CALLERS: Final = (KeyPurpose.CLIENT, KeyPurpose.CONNECTOR)
"""What a key must be for to call the gateway; officers and stewards sign documents, they do not call."""


@dataclass(frozen=True, slots=True)
class Door:
    """Lets in whoever holds a token, what it is bound to, and the key that it was issued to.

    A stolen token opens nothing without the proof's key or the connection's certificate, nor without the member's key,
    and a signature opens nothing without a token. That a nonce is new is for the store to say: only it knows what the
    other gateway processes have seen.
    """

    federation: Federation
    tokens: AccessTokens

    def authenticate(self, message: Message, now: datetime, certificate: str | None = None) -> Caller:
        """Who sent ``message``.

        Args:
            message: The call as it was received.
            now: The instant of receipt.
            certificate: SHA-256 of the client certificate of the connection, base64url; none without one.

        Raises:
            Refused: As ``shown``; ``token-of-another-client``, ``proof-invalid``, ``signature-missing``,
                ``signature-wrong``, ``signature-stale`` or ``key-unknown``.
        """
        token = self.shown(message.headers, now, certificate)
        key = client_key(self.federation, token.client_id, now)
        if key is None:
            raise Refused("key-unknown", kid=token.client_id)
        verified = verify(
            message, Tag.REQUEST, lambda kid: key if kid == key.kid else client_key(self.federation, kid, now), now
        )
        if verified.kid != key.kid:
            raise Refused("token-of-another-client")
        # One name for both, so that one row in the store spends both.
        if token.binding.kind == BY_PROOF and self._proved(message, token, now).jti != verified.nonce:
            raise Refused("proof-invalid", why="jti")
        return Caller(token.agency, key.kid, key.purpose, verified.nonce, token.details)

    def recalls(self, headers: Mapping[str, str], now: datetime) -> bool:
        """Whether a call carries a token that was shown here before, lasts and is not revoked.

        A look without a thread that only says whether ``shown`` may wait for a short body; it lets nobody in. Who holds
        the token alone, without what it is bound to, passes it, too.
        """
        return self.tokens.remembers(headers.get("authorization", "").partition(" ")[2], now)

    def shown(self, headers: Mapping[str, str], now: datetime, certificate: str | None = None) -> AccessToken:
        """The token that a call carries, shown in the way that its binding asks for.

        That the client itself calls is not shown yet, but for a token that is bound to the connection's certificate.

        Raises:
            Refused: ``token-missing``, ``token-invalid`` or ``key-unknown``.
        """
        scheme, _, text = headers.get("authorization", "").partition(" ")
        is_proved = scheme.lower() == "dpop"
        if not text or (not is_proved and scheme.lower() != "bearer"):
            raise Refused("token-missing")
        token = self.tokens.read(text, now)
        if is_proved != (token.binding.kind == BY_PROOF):
            raise Refused("token-invalid", why="it is bound in another way than it is shown")
        if not is_proved and token.binding.thumbprint != certificate:
            raise Refused("token-invalid", why="it is bound to the certificate of another connection")
        return token

    def check_head(self, head: Message, now: datetime, certificate: str | None = None) -> None:
        """Check all that can be checked of a call before its body has come; it lets nobody in.

        Args:
            head: The call without its body.
            now: The instant of receipt.
            certificate: As for ``authenticate``.

        Raises:
            Refused: As ``shown``; ``proof-invalid``.
        """
        token = self.shown(head.headers, now, certificate)
        if token.binding.kind == BY_PROOF:
            self._proved(head, token, now)

    def _proved(self, call: Message, token: AccessToken, now: datetime) -> Proved:
        address = address_of(self.federation.gateway, call.path)
        target = Target(call.method, address, token.hash, token.binding.thumbprint)
        return check_proof(call.headers.get(PROOF_HEADER), target, now)


def client_key(federation: Federation, kid: str, at: datetime) -> PublicKey | None:
    """The key of that name, if it may call the gateway at that instant."""
    for purpose in CALLERS:
        key = federation.key(kid, purpose, at)
        if key is not None:
            return key
    return None
