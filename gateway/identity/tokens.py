"""Access tokens and task tokens (RFC 9068, ES256, five minutes, with ``kid``)."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Final, NamedTuple

from contracts.canonical import digest_of
from contracts.errors import Refused
from contracts.federation import Federation, KeyPurpose, PublicKey
from contracts.keys import SigningKey
from contracts.task import Task
from gateway.identity import jwts

ACCESS_TOKEN: Final = "at+jwt"  # noqa: S105  # a media type, not a secret
LIFETIME: Final = timedelta(minutes=5)
CLOCK_SKEW: Final = timedelta(seconds=5)
MOST_CACHED: Final = 4096
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FAR_FUTURE: Final = 2**33
"""The year 2242 in seconds: beyond it a number is no instant that anybody meant."""


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """Signs tokens in the gateway's name.

    Args:
        issuer: The gateway's issuer identifier.
        key: The gateway's key of purpose ``token``.
        new_id: Gives a fresh random ``jti``.
    """

    issuer: str
    key: SigningKey
    new_id: Callable[[], str]

    def access_token(self, client_id: str, now: datetime) -> str:
        """A token with which ``client_id`` may call this gateway for five minutes."""
        return self._token({"aud": self.issuer, "sub": client_id, "client_id": client_id}, now)

    def task_token(self, task: Task, now: datetime) -> str:
        """A token with which the connector of ``task.agency`` may believe that this gateway handed out this task."""
        claims: dict[str, object] = {"aud": task.agency, "sub": task.id, "task_digest": digest_of(task)}
        return self._token(claims, now)

    def _token(self, claims: dict[str, object], now: datetime) -> str:
        issued = int(now.timestamp())
        times = {"iat": issued, "exp": issued + int(LIFETIME.total_seconds())}
        return jwts.write({"iss": self.issuer, "jti": self.new_id(), **times, **claims}, ACCESS_TOKEN, self.key)


class _Known(NamedTuple):
    client_id: str
    expires: datetime


@dataclass(slots=True)
class AccessTokens:
    """Checks access tokens, each one's signature once.

    Verified tokens are remembered until they expire, at most ``most`` of them, the longest unused forgotten first:
    checking a known token is then a look-up.
    """

    federation: Federation
    most: int = MOST_CACHED
    _known: OrderedDict[str, _Known] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def client_of(self, token: str, now: datetime) -> str:
        """The client that the token was issued to.

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
        return known.client_id

    def __len__(self) -> int:
        """How many tokens are remembered."""
        return len(self._known)

    def _recall(self, token: str) -> _Known | None:
        with self._lock:
            known = self._known.get(token)
            if known is not None:
                self._known.move_to_end(token)
            return known

    def _remember(self, token: str, known: _Known) -> None:
        with self._lock:
            self._known[token] = known
            while len(self._known) > self.most:
                self._known.popitem(last=False)

    def _forget(self, token: str) -> None:
        with self._lock:
            self._known.pop(token, None)

    def _verify(self, token: str, now: datetime) -> _Known:
        claims = jwts.read(token, frozenset({ACCESS_TOKEN}), lambda kid: self._token_key(kid, now)).claims
        issued, expires = instant(claims, "iat"), instant(claims, "exp")
        client_id = claims.get("client_id")
        if claims.get("iss") != self.federation.gateway:
            raise Refused("token-invalid", why="iss")
        if claims.get("aud") != self.federation.gateway:
            raise Refused("token-invalid", why="aud")
        if not isinstance(client_id, str) or claims.get("sub") != client_id:
            raise Refused("token-invalid", why="client_id")
        if issued > now + CLOCK_SKEW or not timedelta(0) < expires - issued <= LIFETIME:
            raise Refused("token-invalid", why="iat")
        return _Known(client_id, expires)

    def _token_key(self, kid: str, now: datetime) -> PublicKey | None:
        owner = kid.partition("#")[0]
        return self.federation.key(kid, KeyPurpose.TOKEN, now) if owner == self.federation.operator else None


def instant(claims: jwts.Claims, name: str) -> datetime:
    """The instant in a numeric claim.

    Raises:
        Refused: ``token-invalid``, when it is missing or no plausible number of seconds.
    """
    seconds = claims.get(name)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 <= seconds < FAR_FUTURE:
        raise Refused("token-invalid", why=name)
    return EPOCH + timedelta(seconds=seconds)
