"""Compact ES256 JWTs with a closed header: one place where a token's bytes become claims or come from them.

One algorithm and three parts need no library: the signature is made and checked by ``cryptography``. That other
implementations read the same tokens alike is for the tests and the connectors to show.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import pydantic_core

from contracts.base64url import decoded, encoded
from contracts.errors import Refused
from contracts.federation import PublicKey
from contracts.keys import SIGNATURE_BYTES, SigningKey, made_by
from contracts.signing import verifying_key

ALGORITHM: Final = "ES256"
ALGORITHMS: Final = (ALGORITHM,)
LONGEST_TOKEN: Final = 4096
HEADERS: Final = frozenset({"alg", "typ", "kid"})
"""No ``jwk``, ``jku``, ``x5u`` or ``crit``: a token never says where its key comes from."""

HEADS_KNOWN: Final = 1024
"""How many headers are remembered: those of one client's tokens are alike, byte for byte."""

Claims = dict[str, object]


class Compact(NamedTuple):
    """A token taken apart; nothing of it is verified, and ``head`` is its first part as it came, not yet decoded."""

    head: bytes
    claims: Claims
    signed: bytes
    signature: bytes


def write(claims: Mapping[str, object], kind: str, key: SigningKey) -> str:
    """Sign claims as a JWT whose ``typ`` is ``kind`` and whose ``kid`` names the key."""
    signed = f"{_head(kind, key.kid)}.{encoded(pydantic_core.to_json(claims))}"
    return f"{signed}.{encoded(key.sign(signed.encode()))}"


def read(token: str, kinds: frozenset[str], resolve: Callable[[str], PublicKey | None]) -> tuple[PublicKey, Claims]:
    """Verify a JWT; who signed it, and its claims: what these must say is the caller's business.

    Args:
        token: The compact serialisation.
        kinds: The ``typ`` values that are accepted, in lower case.
        resolve: The key of that name, if it may sign such a token now.

    Raises:
        Refused: ``token-invalid`` or ``key-unknown``.
    """
    parts = take_apart(token)
    kid = _kid_in(parts.head, kinds)
    key = resolve(kid) if kid is not None else None
    if key is None:
        raise Refused("key-unknown", kid=kid)
    if not made_by(verifying_key(key), parts.signature, parts.signed):
        raise Refused("token-invalid", why="signature")
    return key, parts.claims


def take_apart(token: str) -> Compact:
    """The parts of a token, not verified; all but the first are decoded.

    Raises:
        Refused: ``token-invalid``.
    """
    if len(token) > LONGEST_TOKEN:
        raise Refused("token-invalid", why="length")
    signed, _, last = token.encode(errors="replace").rpartition(b".")
    # With a further dot in it a body is not base64url; with none at all it is empty and no object.
    head, _, body = signed.partition(b".")
    try:
        signature = decoded(last)
    except ValueError as error:
        raise Refused("token-invalid", why="form") from error
    if len(signature) != SIGNATURE_BYTES:
        raise Refused("token-invalid", why="form")
    return Compact(head, object_in(body), signed, signature)


def object_in(part: bytes) -> Claims:
    """The object in a token's header or claims.

    Raises:
        Refused: ``token-invalid``.
    """
    try:
        value = pydantic_core.from_json(decoded(part), allow_inf_nan=False)
    except ValueError as error:
        raise Refused("token-invalid", why="form") from error
    if not isinstance(value, dict):
        raise Refused("token-invalid", why="form")
    return value


@lru_cache(maxsize=HEADS_KNOWN)
def _kid_in(head: bytes, kinds: frozenset[str]) -> str | None:
    """The key that a closed header of one of these kinds names: what follows from its bytes alone."""
    header = object_in(head)
    if not header.keys() <= HEADERS or header.get("alg") != ALGORITHM:
        raise Refused("token-invalid", why="header")
    if str(header.get("typ", "")).lower() not in kinds:
        raise Refused("token-invalid", why="typ")
    kid = header.get("kid")
    return kid if isinstance(kid, str) else None


@lru_cache(maxsize=64)
def _head(kind: str, kid: str) -> str:
    return encoded(pydantic_core.to_json({"alg": ALGORITHM, "kid": kid, "typ": kind}))
