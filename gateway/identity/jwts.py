"""Compact ES256 JWTs with a closed header: one place where a token's bytes become claims or come from them."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from contracts.errors import Refused
from contracts.federation import PublicKey
from contracts.keys import SigningKey
from contracts.signing import sign_claims, verifying_key

ALGORITHMS: Final = ("ES256",)
LONGEST_TOKEN: Final = 4096
HEADERS: Final = frozenset({"alg", "typ", "kid"})
"""No ``jwk``, ``jku``, ``x5u`` or ``crit``: a token never says where its key comes from."""

Claims = dict[str, object]


class Jwt(NamedTuple):
    """A verified token: who signed it and what it claims."""

    key: PublicKey
    claims: Claims


def write(claims: Mapping[str, object], kind: str, key: SigningKey) -> str:
    """Sign claims as a JWT whose ``typ`` is ``kind`` and whose ``kid`` names the key."""
    return sign_claims(claims, key, kind)


def read(token: str, kinds: frozenset[str], resolve: Callable[[str], PublicKey | None]) -> Jwt:
    """Verify a JWT and give its claims; what the claims must say is the caller's business.

    Args:
        token: The compact serialisation.
        kinds: The ``typ`` values that are accepted, in lower case.
        resolve: The key of that name, if it may sign such a token now.

    Raises:
        Refused: ``token-invalid`` or ``key-unknown``.
    """
    header = _header(token)
    if not set(header) <= HEADERS or header.get("alg") not in ALGORITHMS:
        raise Refused("token-invalid", why="header")
    if str(header.get("typ", "")).lower() not in kinds:
        raise Refused("token-invalid", why="typ")
    kid = header.get("kid")
    key = resolve(kid) if isinstance(kid, str) else None
    if key is None:
        raise Refused("key-unknown", kid=kid)
    try:
        return Jwt(key, jwt.decode(token, public_jwk(key), algorithms=ALGORITHMS).claims)
    except (JoseError, ValueError) as error:
        raise Refused("token-invalid", why="signature") from error


def public_jwk(key: PublicKey) -> ECKey:
    """A registered key in the form of the JOSE library."""
    return ECKey.import_key(verifying_key(key))


def _header(token: str) -> dict[str, object]:
    if len(token) > LONGEST_TOKEN:
        raise Refused("token-invalid", why="length")
    try:
        return dict(jws.extract_compact(token.encode("ascii")).headers())
    except (JoseError, ValueError) as error:
        raise Refused("token-invalid", why="form") from error
