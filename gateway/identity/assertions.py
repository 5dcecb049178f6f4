"""How a client of the authorization server shows who it is: private_key_jwt (RFC 7523), ES256, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.errors import Refused
from contracts.federation import Federation, PublicKey
from gateway.identity import jwts
from gateway.identity.door import client_key
from gateway.identity.instants import CLOCK_SKEW, seconds_in

AUTH_METHOD: Final = "private_key_jwt"
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_KINDS: Final = frozenset({"", "jwt", "client-authentication+jwt"})
LONGEST_ASSERTION: Final = 60
"""Seconds."""

LONGEST_JTI: Final = 128


@dataclass(frozen=True, slots=True)
class Assertions:
    """Checks assertions: for this server alone, at most a minute old, by a key that may call the gateway.

    Args:
        federation: Everybody's public keys.
        clock: The present, aware UTC.
    """

    federation: Federation
    clock: Callable[[], datetime]

    def check(self, assertion: str, client_id: str | None) -> tuple[PublicKey, str]:
        """Who signed the assertion, and its ``jti``: that this is new is for the store to say.

        Args:
            assertion: The JWT.
            client_id: The client that the form names beside it, if it does; it must be the same.

        Raises:
            Refused: ``token-invalid`` or ``key-unknown``.
        """
        now = self.clock()
        key, claims = jwts.read(assertion, ASSERTION_KINDS, lambda kid: client_key(self.federation, kid, now))
        if claims.get("iss") != key.kid or claims.get("sub") != key.kid or client_id not in (None, key.kid):
            raise Refused("token-invalid", why="iss")
        # One string: a list of audiences would let another server of the list use the assertion here.
        if claims.get("aud") != self.federation.gateway:
            raise Refused("token-invalid", why="aud")
        _check_times(claims, now)
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI:
            raise Refused("token-invalid", why="jti")
        return key, jti


def _check_times(claims: jwts.Claims, now: datetime) -> None:
    issued, expires, at = seconds_in(claims, "iat"), seconds_in(claims, "exp"), now.timestamp()
    if issued > at + CLOCK_SKEW or at >= expires or not 0 < expires - issued <= LONGEST_ASSERTION:
        raise Refused("token-invalid", why="exp")
    if "nbf" in claims and seconds_in(claims, "nbf") > at + CLOCK_SKEW:
        raise Refused("token-invalid", why="nbf")
