"""DPoP proofs (RFC 9449) as the gateway checks them: who calls holds the key that the token is bound to."""

import re
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from contracts.base64url import decoded
from contracts.errors import Refused
from contracts.keys import made_by
from contracts.proofs import PROOF_TYPE, thumbprint
from gateway.identity import jwts
from gateway.identity.instants import CLOCK_SKEW, seconds_in

LONGEST_AGE: Final = 60
"""Seconds."""

LONGEST_JTI: Final = 128
HEADERS: Final = frozenset({"alg", "typ", "jwk"})
JWK_MEMBERS: Final = frozenset({"kty", "crv", "x", "y"})
_COORDINATE: Final = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
"""32 bytes in base64url, in their one form."""

KEYS_KNOWN: Final = 4096
"""How many keys are remembered: a process shows the same one, in the same bytes, with each call."""


class Target(NamedTuple):
    """The call that a proof must be made for: its method, the gateway's address of it, and the hash of its token.

    ``thumbprint`` is the key that the token is bound to; none at the token endpoint, where the proof brings the key.
    """

    method: str
    address: str
    token_hash: str | None = None
    thumbprint: str | None = None


class Proved(NamedTuple):
    """A checked proof: the thumbprint of its key, and the name that is to be spent."""

    thumbprint: str
    jti: str


def check_proof(proof: str | None, target: Target, now: datetime) -> Proved:
    """Check a proof; that its ``jti`` is new is for the store to say.

    Raises:
        Refused: ``proof-invalid``, saying why.
    """
    if proof is None:
        raise Refused("proof-invalid", why="missing")
    try:
        parts = jwts.take_apart(proof)
        shown = _key_in(parts.head)
    except Refused as refusal:
        raise Refused("proof-invalid", why=refusal.details["why"]) from refusal
    if target.thumbprint not in (None, shown.thumbprint):
        raise Refused("proof-invalid", why="key")
    _check_target(parts.claims, target, now)
    jti = parts.claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI:
        raise Refused("proof-invalid", why="jti")
    # Last, for it costs most: whoever holds a stolen token alone does not get here.
    if not made_by(_point(shown.x, shown.y), parts.signature, parts.signed):
        raise Refused("proof-invalid", why="signature")
    return Proved(shown.thumbprint, jti)


def _check_target(claims: jwts.Claims, target: Target, now: datetime) -> None:
    if claims.get("htm") != target.method:
        raise Refused("proof-invalid", why="htm")
    if claims.get("htu") != target.address:
        raise Refused("proof-invalid", why="htu")
    if target.token_hash is not None and claims.get("ath") != target.token_hash:
        raise Refused("proof-invalid", why="ath")
    try:
        issued = seconds_in(claims, "iat")
    except Refused as refusal:
        raise Refused("proof-invalid", why="iat") from refusal
    if not -CLOCK_SKEW <= now.timestamp() - issued <= LONGEST_AGE:
        raise Refused("proof-invalid", why="iat")


class _Shown(NamedTuple):
    """The public key that a proof shows, not yet known to be a point of the curve."""

    thumbprint: str
    x: str
    y: str


@lru_cache(maxsize=KEYS_KNOWN)
def _key_in(head: bytes) -> _Shown:
    """The key in a proof's header: P-256 and nothing beside it, so no private part either."""
    header = jwts.object_in(head)
    if header.keys() != HEADERS or header["alg"] != jwts.ALGORITHM:
        raise Refused("proof-invalid", why="header")
    if header["typ"] != PROOF_TYPE:
        raise Refused("proof-invalid", why="typ")
    jwk = header["jwk"]
    if not isinstance(jwk, dict) or jwk.keys() != JWK_MEMBERS:
        raise Refused("proof-invalid", why="jwk")
    if (jwk["kty"], jwk["crv"]) != ("EC", "P-256"):
        raise Refused("proof-invalid", why="jwk")
    if not _COORDINATE.fullmatch(str(jwk["x"])) or not _COORDINATE.fullmatch(str(jwk["y"])):
        raise Refused("proof-invalid", why="jwk")
    return _Shown(thumbprint(jwk), str(jwk["x"]), str(jwk["y"]))


@lru_cache(maxsize=KEYS_KNOWN)
def _point(x: str, y: str) -> ec.EllipticCurvePublicKey:
    numbers = ec.EllipticCurvePublicNumbers(_number(x), _number(y), ec.SECP256R1())
    try:
        return numbers.public_key()
    except ValueError as error:
        raise Refused("proof-invalid", why="jwk") from error


def _number(coordinate: str) -> int:
    return int.from_bytes(decoded(coordinate.encode()), "big")
