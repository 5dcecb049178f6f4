"""Compact ES256 JWTs with a closed header: one place where a token's bytes become claims or come from them.

One algorithm and three parts need no library: the signature is made and checked by ``cryptography``. That other
implementations read the same tokens alike is for the tests and the connectors to show.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import pydantic_core
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from contracts.errors import Refused
from contracts.federation import PublicKey
from contracts.keys import COORDINATE_BYTES, SIGNATURE_BYTES, SigningKey
from contracts.signing import verifying_key

ALGORITHM: Final = "ES256"
ALGORITHMS: Final = (ALGORITHM,)
LONGEST_TOKEN: Final = 4096
HEADERS: Final = frozenset({"alg", "typ", "kid"})
"""No ``jwk``, ``jku``, ``x5u`` or ``crit``: a token never says where its key comes from."""

_PARTS: Final = 3
_STANDARD: Final = bytes.maketrans(b"-_+/=", b"+/???")
"""From base64url to base64; what base64 has and base64url has not becomes what neither has."""

_ES256: Final = ec.ECDSA(hashes.SHA256())

Claims = dict[str, object]


class Jwt(NamedTuple):
    """A verified token: who signed it and what it claims."""

    key: PublicKey
    claims: Claims


class Compact(NamedTuple):
    """A token taken apart; nothing of it is verified."""

    header: Claims
    claims: Claims
    signed: bytes
    signature: bytes


def write(claims: Mapping[str, object], kind: str, key: SigningKey) -> str:
    """Sign claims as a JWT whose ``typ`` is ``kind`` and whose ``kid`` names the key."""
    signed = f"{_head(kind, key.kid)}.{_encoded(pydantic_core.to_json(claims))}"
    return f"{signed}.{_encoded(key.sign(signed.encode()))}"


def read(token: str, kinds: frozenset[str], resolve: Callable[[str], PublicKey | None]) -> Jwt:
    """Verify a JWT and give its claims; what the claims must say is the caller's business.

    Args:
        token: The compact serialisation.
        kinds: The ``typ`` values that are accepted, in lower case.
        resolve: The key of that name, if it may sign such a token now.

    Raises:
        Refused: ``token-invalid`` or ``key-unknown``.
    """
    parts = take_apart(token)
    header = parts.header
    if not header.keys() <= HEADERS or header.get("alg") != ALGORITHM:
        raise Refused("token-invalid", why="header")
    if str(header.get("typ", "")).lower() not in kinds:
        raise Refused("token-invalid", why="typ")
    kid = header.get("kid")
    key = resolve(kid) if isinstance(kid, str) else None
    if key is None:
        raise Refused("key-unknown", kid=kid)
    if not is_signed_by(verifying_key(key), parts):
        raise Refused("token-invalid", why="signature")
    return Jwt(key, parts.claims)


def take_apart(token: str) -> Compact:
    """The parts of a token, decoded and not verified.

    Raises:
        Refused: ``token-invalid``.
    """
    if len(token) > LONGEST_TOKEN:
        raise Refused("token-invalid", why="length")
    given = token.encode(errors="replace")
    parts = given.translate(_STANDARD).split(b".")
    if len(parts) != _PARTS:
        raise Refused("token-invalid", why="form")
    head, body, signature = parts
    raw = _decoded(signature)
    if len(raw) != SIGNATURE_BYTES:
        raise Refused("token-invalid", why="form")
    return Compact(_object(head), _object(body), given.rpartition(b".")[0], raw)


def is_signed_by(key: ec.EllipticCurvePublicKey, parts: Compact) -> bool:
    """Whether the key made this token's signature."""
    r, s = parts.signature[:COORDINATE_BYTES], parts.signature[COORDINATE_BYTES:]
    try:
        key.verify(encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big")), parts.signed, _ES256)
    except InvalidSignature:
        return False
    return True


def _object(part: bytes) -> Claims:
    try:
        value = pydantic_core.from_json(_decoded(part), allow_inf_nan=False)
    except ValueError as error:
        raise Refused("token-invalid", why="form") from error
    if not isinstance(value, dict):
        raise Refused("token-invalid", why="form")
    return value


def _decoded(part: bytes) -> bytes:
    try:
        return binascii.a2b_base64(part + b"=" * (-len(part) % 4), strict_mode=True)
    except ValueError as error:
        raise Refused("token-invalid", why="form") from error


@lru_cache(maxsize=64)
def _head(kind: str, kid: str) -> str:
    return _encoded(pydantic_core.to_json({"alg": ALGORITHM, "kid": kid, "typ": kind}))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
