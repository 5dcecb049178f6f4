"""Access tokens and task tokens (RFC 9068, ES256, five minutes, with ``kid``), each bound to whoever obtained it."""

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Final, NamedTuple

from contracts.authorization import ActivityDetail, details_in
from contracts.errors import InvalidInput, Refused
from contracts.federation import Federation, KeyPurpose, PublicKey
from contracts.proofs import token_hash
from contracts.task import Task
from gateway.identity import jwts
from gateway.identity.instants import CLOCK_SKEW, EPOCH, seconds_in
from gateway.identity.token_keys import TokenKeys

ACCESS_TOKEN: Final = "at+jwt"  # noqa: S105  # a media type, not a secret
LIFETIME: Final = timedelta(minutes=5)
SECONDS: Final = int(LIFETIME.total_seconds())
KINDS: Final = frozenset({ACCESS_TOKEN})
MOST_CACHED: Final = 4096
BY_PROOF: Final = "jkt"
BY_CERTIFICATE: Final = "x5t#S256"
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}")


class Binding(NamedTuple):
    """What must be shown together with a token.

    ``kind`` is the member of ``cnf``: ``jkt`` for the key of a DPoP proof (RFC 9449), ``x5t#S256`` for the client
    certificate of the connection (RFC 8705); ``thumbprint`` its SHA-256, base64url.
    """

    kind: str
    thumbprint: str

    @property
    def token_type(self) -> str:
        """How such a token is called, and the scheme under which it is shown."""
        return "DPoP" if self.kind == BY_PROOF else "Bearer"


class Issued(NamedTuple):
    """A fresh token and how many seconds it lasts."""

    text: str
    seconds: int


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """Signs tokens in the gateway's name.

    Args:
        keys: The gateway's keys of purpose ``token``.
        new_id: Gives a fresh random ``jti``.
    """

    keys: TokenKeys
    new_id: Callable[[], str]

    @property
    def issuer(self) -> str:
        """The gateway's issuer identifier."""
        return self.keys.federation.gateway

    def access_token(
        self, client_id: str, binding: Binding, now: datetime, details: tuple[ActivityDetail, ...] = ()
    ) -> Issued:
        """A token with which ``client_id`` may call this gateway for five minutes, and ask under these activities."""
        cnf = {binding.kind: binding.thumbprint}
        claims: dict[str, object] = {"aud": self.issuer, "sub": client_id, "client_id": client_id, "cnf": cnf}
        if details:
            claims["authorization_details"] = [each.model_dump(mode="json") for each in details]
        return self._token(claims, now)

    def task_token(self, task: Task, digest: str, now: datetime) -> str:
        """A token with which the connector of ``task.agency`` may believe that this gateway handed out this task.

        The connector computes the digest of the task that it was handed: one that is not this one's fits no task.
        """
        claims: dict[str, object] = {"aud": task.agency, "sub": task.id, "task_digest": digest}
        return self._token(claims, now).text

    def _token(self, claims: dict[str, object], now: datetime) -> Issued:
        key, until = self.keys.signing(now)
        issued = int(now.timestamp())
        # No longer than its key: what is remembered of a token need not look at the key again.
        expires = min(issued + SECONDS, int(until.timestamp()))
        claims |= {"iss": self.issuer, "jti": self.new_id(), "iat": issued, "exp": expires}
        return Issued(jwts.write(claims, ACCESS_TOKEN, key), expires - issued)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A verified access token; ``hash`` is what a proof says of it."""

    client_id: str
    jti: str
    issued: datetime
    expires: datetime
    binding: Binding
    details: tuple[ActivityDetail, ...]
    hash: str

    @property
    def agency(self) -> str:
        """The member that it was issued to."""
        return self.client_id.partition("#")[0]


@dataclass(slots=True)
class AccessTokens:
    """Checks access tokens, each one's signature once.

    Verified tokens are remembered until they expire, at most ``most`` of them, the longest unused forgotten first:
    checking a known token is then a look-up. Whether it was revoked is asked each time.

    Args:
        federation: Everybody's public keys.
        is_revoked: Whether the token of that ``jti`` was revoked, as far as is known at that instant.
        is_cleared: Whether it is known without a wait that it was not revoked; by default that is never known.
    """

    federation: Federation
    is_revoked: Callable[[str, datetime], bool]
    most: int = MOST_CACHED
    is_cleared: Callable[[str, datetime], bool] = lambda _jti, _now: False
    _known: OrderedDict[str, AccessToken] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def read(self, token: str, now: datetime) -> AccessToken:
        """The token, verified. That the caller may use it is not shown yet: see ``gateway.identity.door``.

        Raises:
            Refused: ``token-invalid``, saying why, or ``key-unknown``.
        """
        known = self._recall(token)
        if known is None:
            known = self._verify(token, now)
            self._remember(token, known)
        if now >= known.expires:
            self._forget(token)
            raise Refused("token-invalid", why="expired")
        if self.is_revoked(known.jti, now):
            raise Refused("token-invalid", why="revoked")
        return known

    def remembers(self, token: str, now: datetime) -> bool:
        """Whether it was verified before, lasts and is not revoked; no more than a look, never in place of ``read``."""
        known = self._known.get(token)
        return known is not None and now < known.expires and self.is_cleared(known.jti, now)

    def __len__(self) -> int:
        """How many tokens are remembered."""
        return len(self._known)

    def _recall(self, token: str) -> AccessToken | None:
        with self._lock:
            known = self._known.get(token)
            if known is not None:
                self._known.move_to_end(token)
            return known

    def _remember(self, token: str, known: AccessToken) -> None:
        with self._lock:
            self._known[token] = known
            while len(self._known) > self.most:
                self._known.popitem(last=False)

    def _forget(self, token: str) -> None:
        with self._lock:
            self._known.pop(token, None)

    def _verify(self, token: str, now: datetime) -> AccessToken:
        _, claims = jwts.read(token, KINDS, lambda kid: self._token_key(kid, now))
        issued, expires = seconds_in(claims, "iat"), seconds_in(claims, "exp")
        client_id, jti = claims.get("client_id"), claims.get("jti")
        if claims.get("iss") != self.federation.gateway:
            raise Refused("token-invalid", why="iss")
        if claims.get("aud") != self.federation.gateway:
            raise Refused("token-invalid", why="aud")
        if not isinstance(client_id, str) or claims.get("sub") != client_id:
            raise Refused("token-invalid", why="client_id")
        if not isinstance(jti, str):
            raise Refused("token-invalid", why="jti")
        if issued > now.timestamp() + CLOCK_SKEW or not 0 < expires - issued <= SECONDS:
            raise Refused("token-invalid", why="iat")
        span = datetime.fromtimestamp(issued, UTC), datetime.fromtimestamp(expires, UTC)
        return AccessToken(client_id, jti, *span, _binding_in(claims), _details_in(claims), token_hash(token))

    def _token_key(self, kid: str, now: datetime) -> PublicKey | None:
        owner = kid.partition("#")[0]
        return self.federation.key(kid, KeyPurpose.TOKEN, now) if owner == self.federation.operator else None


def introspection(token: AccessToken, issuer: str) -> dict[str, object]:
    """What a verified token says, in the words of RFC 7662."""
    said: dict[str, object] = {
        "active": True,
        "iss": issuer,
        "aud": issuer,
        "sub": token.client_id,
        "client_id": token.client_id,
        "jti": token.jti,
        "iat": int((token.issued - EPOCH).total_seconds()),
        "exp": int((token.expires - EPOCH).total_seconds()),
        "token_type": token.binding.token_type,
        "cnf": {token.binding.kind: token.binding.thumbprint},
    }
    if token.details:
        said["authorization_details"] = [each.model_dump(mode="json") for each in token.details]
    return said


def _binding_in(claims: jwts.Claims) -> Binding:
    """The binding of a token; one that is bound to nothing, or to two things, is none of ours."""
    cnf = claims.get("cnf")
    if not isinstance(cnf, dict) or len(cnf) != 1:
        raise Refused("token-invalid", why="cnf")
    ((kind, value),) = cnf.items()
    if kind not in (BY_PROOF, BY_CERTIFICATE) or not isinstance(value, str) or not _THUMBPRINT.fullmatch(value):
        raise Refused("token-invalid", why="cnf")
    return Binding(kind, value)


def _details_in(claims: jwts.Claims) -> tuple[ActivityDetail, ...]:
    try:
        return details_in(claims.get("authorization_details"))
    except InvalidInput as error:
        raise Refused("token-invalid", why="authorization_details") from error
