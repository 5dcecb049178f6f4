"""The token with which the gateway hands a task to this agency, read by PyJWT.

It shares no code with the gateway's own writer and reader of tokens, so a mistake of one is not a mistake of both.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import jwt
from jwt.types import Options

from contracts.errors import Refused
from contracts.federation import PublicKey
from contracts.signing import ALGORITHM, Resolve

TOKEN_TYPE: Final = "at+jwt"  # noqa: S105  # a media type, not a secret
TOKEN_HEADERS: Final = {"alg", "typ", "kid"}
"""No ``jwk``, ``jku``, ``x5u`` or ``crit``."""

LONGEST_SECONDS: Final = 300
CLOCK_SKEW: Final = timedelta(seconds=30)
MOST_READ: Final = 64
"""How many headers, and keys, are kept as they were read."""

_options: Final[Options] = {
    "require": ["iss", "aud", "sub", "jti", "iat", "exp", "task_digest"],
    "strict_aud": True,
    # PyJWT reads the system's clock; times are compared with the caller's ``now`` instead.
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}


def claims_of(token: str, agency: str, issuer: str, resolve: Resolve, now: datetime) -> dict[str, Any]:
    """What a token says that this issuer wrote for this agency, and that holds now.

    Args:
        token: As it was handed over.
        agency: Whose connector this is.
        issuer: The gateway's issuer identifier.
        resolve: Gives the key of a key id if it may sign tokens now.
        now: The instant of receipt.

    Raises:
        Refused: ``token-invalid`` or ``key-unknown``.
    """
    try:
        kid = _kid_in(token.partition(".")[0])
        key = resolve(kid)
        if key is None:
            raise Refused("key-unknown", kid=kid[:64])
        claims = jwt.decode(token, _jwk(key), algorithms=[ALGORITHM], audience=agency, issuer=issuer, options=_options)
    except jwt.PyJWTError as error:
        raise Refused("token-invalid", why=type(error).__name__) from error
    _check_times(claims, now.timestamp())
    return claims


@lru_cache(maxsize=MOST_READ)
def _kid_in(encoded: str) -> str:
    """The key that a token's header names: all tokens of one key have the same. PyJWT reads it again to verify.

    It is closed: it never brings a key, nor says where one is to be had. What is no header is a ``PyJWTError``.
    """
    header = jwt.get_unverified_header(f"{encoded}..")
    if header.keys() != TOKEN_HEADERS or header["alg"] != ALGORITHM:
        raise Refused("token-invalid", why="header")
    if str(header["typ"]).lower() != TOKEN_TYPE:
        raise Refused("token-invalid", why="typ")
    return str(header["kid"])


@lru_cache(maxsize=MOST_READ)
def _jwk(key: PublicKey) -> jwt.PyJWK:
    """A registered key as PyJWT takes it; whether it may sign is asked of the federation each time."""
    return jwt.PyJWK.from_dict(key.as_jwk())


def _check_times(claims: dict[str, Any], at: float) -> None:
    issued, expires = claims["iat"], claims["exp"]
    if type(issued) is not int or type(expires) is not int:
        raise Refused("token-invalid", why="iat")
    if not 0 < expires - issued <= LONGEST_SECONDS:
        raise Refused("token-invalid", why="lifetime")
    if issued > at + CLOCK_SKEW.total_seconds() or at >= expires:
        raise Refused("token-invalid", why="exp")
