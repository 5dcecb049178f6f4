"""The authorization server without HTTP or store: its memory is a test's, its clock too."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from contracts.authorization import ActivityDetail
from contracts.errors import Refused
from contracts.federation import Federation
from contracts.keys import SigningKey, new_key
from contracts.proofs import ProofKey
from contracts.signing import sign_claims
from gateway.identity.authorization_server import OAuthEndpoints
from gateway.identity.door import Door
from gateway.identity.oauth_calls import OAuthCall
from gateway.identity.revocations import Revocations
from gateway.identity.token_keys import TokenKeys
from gateway.identity.tokens import BY_CERTIFICATE, BY_PROOF, AccessTokens, Binding, TokenIssuer
from tests.factories import ISSUER, NOW, Keys, federation

CERTIFICATE = "c" * 43
"""The digest of a client certificate."""

TICK = timedelta(seconds=1)
TOKEN_ADDRESS = f"{ISSUER}/v1/token"


@dataclass
class RevokedMemory:
    """The list of revoked tokens that several processes would share; ``reads`` counts how often it was read."""

    rows: dict[str, datetime] = field(default_factory=dict)
    reads: int = 0

    def add(self, jti: str, expires: datetime, now: datetime) -> None:
        """Write down."""
        self.rows[jti] = expires

    def all(self, now: datetime) -> frozenset[str]:
        """Read."""
        self.reads += 1
        return frozenset(jti for jti, expires in self.rows.items() if expires > now)


@dataclass
class TokenWorld:
    """One process of a gateway: its authorization server and its door."""

    keys: Keys = field(default_factory=federation)
    now: datetime = NOW
    members: Federation | None = None
    signing: tuple[SigningKey, ...] = ()
    allowed: frozenset[tuple[str, str, str]] = frozenset()
    shared: RevokedMemory = field(default_factory=RevokedMemory)
    spent: set[tuple[str, str]] = field(default_factory=set)
    tokens: AccessTokens = field(init=False)
    oauth: OAuthEndpoints = field(init=False)
    door: Door = field(init=False)

    def __post_init__(self) -> None:
        numbers = count(1)
        members = self.members or self.keys.federation
        signing = self.signing or (self.keys["oja#token-1"],)
        issuer = TokenIssuer(TokenKeys(members, signing), lambda: f"jti-{next(numbers)}")
        revocations = Revocations(self.shared, TICK)
        self.tokens = AccessTokens(members, revocations.holds, is_cleared=revocations.clears)
        self.oauth = OAuthEndpoints(issuer, self.tokens, revocations, self.spend, self.may_ask, lambda: self.now)
        self.door = Door(members, self.tokens)

    def spend(self, kid: str, names: Collection[str]) -> None:
        """As the store does: all or none."""
        rows = {(kid, name) for name in names}
        if rows & self.spent:
            raise Refused("request-replayed")
        self.spent |= rows

    def may_ask(self, agency: str, detail: ActivityDetail) -> bool:
        """Only what the test allowed."""
        return (agency, detail.agreement, detail.activity) in self.allowed

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def token(self, client: str = "oja#client-1", binding: Binding | None = None) -> str:
        """A token, bound to ``CERTIFICATE`` unless said otherwise."""
        bound = binding or Binding(BY_CERTIFICATE, CERTIFICATE)
        return self.oauth.issuer.access_token(client, bound, self.now).text


def proof_key() -> ProofKey:
    """The ephemeral key of some client process."""
    return ProofKey(new_key("oja#client-9"))


def bound_to(key: ProofKey) -> Binding:
    """The binding of a token to a proof's key."""
    return Binding(BY_PROOF, key.thumbprint)


def assertion(
    key: SigningKey,
    typ: str = "JWT",
    edit: Callable[[dict[str, object]], None] = lambda claims: None,
    now: datetime = NOW,
) -> str:
    """An assertion of a client, which ``edit`` may bend before it is signed."""
    issued = int(now.timestamp())
    claims: dict[str, object] = {"iss": key.kid, "sub": key.kid, "aud": ISSUER, "jti": "once-1"}
    claims |= {"iat": issued, "exp": issued + 60}
    edit(claims)
    return sign_claims(claims, key, typ)


def call(form: bytes, proof: str | None = None, certificate: str | None = CERTIFICATE) -> OAuthCall:
    """A call over a connection with a client certificate, unless said otherwise."""
    return OAuthCall(form, proof, certificate)
