"""Proof that a caller holds the key that its token is bound to: DPoP (RFC 9449), made here and checked by the gateway.

The key is an ephemeral one of the process, P-256 only, and never stored: a token that was stolen together with
everything on disk opens nothing.
"""

import hashlib
from datetime import UTC, datetime
from typing import Final

from pydantic_core import to_json

from contracts.base64url import encoded
from contracts.canonical import canonical_bytes
from contracts.federation import KeyPurpose
from contracts.keys import SigningKey

PROOF_TYPE: Final = "dpop+jwt"
PROOF_HEADER: Final = "dpop"
ALGORITHM: Final = "ES256"

_NO_SPAN: Final = datetime(1970, 1, 1, tzinfo=UTC)


class ProofKey:
    """Makes proofs with one key.

    Args:
        key: A P-256 key that signs nothing else; its name is not shown.
    """

    def __init__(self, key: SigningKey) -> None:
        public = key.public_key(KeyPurpose.CLIENT, _NO_SPAN, _NO_SPAN)
        jwk = {"crv": public.crv, "kty": "EC", "x": public.x, "y": str(public.y)}
        self.thumbprint = thumbprint(jwk)
        self._sign = key.sign
        self._head = encoded(canonical_bytes({"alg": ALGORITHM, "jwk": jwk, "typ": PROOF_TYPE}))

    def proof(self, method: str, address: str, now: datetime, jti: str, token: str | None = None) -> str:
        """A proof for one call.

        Args:
            method: In capitals.
            address: The issuer's address and the path, without query.
            now: The instant of signing.
            jti: Never used before with this key.
            token: The access token that the call carries; none at the token endpoint.
        """
        claims: dict[str, object] = {"htm": method, "htu": address, "iat": int(now.timestamp()), "jti": jti}
        if token is not None:
            claims["ath"] = token_hash(token)
        signed = f"{self._head}.{encoded(to_json(claims))}"
        return f"{signed}.{encoded(self._sign(signed.encode()))}"


def thumbprint(jwk: dict[str, str]) -> str:
    """The SHA-256 thumbprint of a P-256 key (RFC 7638): its members ``crv``, ``kty``, ``x``, ``y`` and no others."""
    members = f'{{"crv":"{jwk["crv"]}","kty":"{jwk["kty"]}","x":"{jwk["x"]}","y":"{jwk["y"]}"}}'
    return encoded(hashlib.sha256(members.encode()).digest())


def token_hash(token: str) -> str:
    """The ``ath`` of a proof: SHA-256 of the access token, base64url."""
    return encoded(hashlib.sha256(token.encode()).digest())


def address_of(issuer: str, path: str) -> str:
    """The ``htu`` of a call: the issuer's address and the path, without query; never what a Host header says."""
    return issuer.rstrip("/") + path.partition("?")[0]
