"""The OAuth 2.0 authorization server: client_credentials, clients known by private_key_jwt (RFC 7523), ES256 only.

Authlib's framework-free core does the protocol. What it leaves open is closed here: algorithms are pinned, the audience
is the issuer as one string, an assertion lives a minute at most and is accepted once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Request, grants
from authlib.oauth2.rfc6749.errors import InvalidClientError
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc.jwk import ECKey
from typing_extensions import override

from contracts.canonical import canonical_bytes
from contracts.errors import Refused
from contracts.federation import Federation, PublicKey
from gateway.caller import Caller
from gateway.identity import jwts
from gateway.identity.door import client_key
from gateway.identity.tokens import CLOCK_SKEW, LIFETIME, TokenIssuer, instant

AUTH_METHOD: Final = "private_key_jwt"
GRANT_TYPE: Final = "client_credentials"
ASSERTION_KINDS: Final = frozenset({"", "jwt", "client-authentication+jwt"})
LONGEST_ASSERTION: Final = timedelta(seconds=60)
LONGEST_JTI: Final = 128
MOST_FIELDS: Final = 8
NO_TRANSPORT: Final = "https://gateway.invalid/v1/token"
"""Authlib wants to see an https address; whether the transport is safe is for whoever runs the server to see to."""

Admit = Callable[[Caller], None]
"""Spends the caller's nonce in the store; refuses one that was spent before, by whichever gateway process."""


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What the token endpoint answers: OAuth's own JSON, not problem details, because RFC 6749 says so."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """POST /v1/token.

    Args:
        federation: Everybody's public keys.
        issuer: Signs the tokens.
        admit: Spends the identifier of an assertion, so that it is accepted once.
        clock: The present, aware UTC.
    """

    federation: Federation
    issuer: TokenIssuer
    admit: Admit
    clock: Callable[[], datetime]

    def answer(self, form: bytes) -> TokenAnswer:
        """Answer a form-encoded token request with a token or an OAuth error."""
        server = _server(self)
        try:
            fields = _fields(form)
        except ValueError:
            return _json(400, {"error": "invalid_request"})
        answer: TokenAnswer = server.create_token_response(_TokenRequest(fields))
        return answer


def _fields(form: bytes) -> dict[str, str]:
    pairs = parse_qsl(form.decode("ascii"), strict_parsing=True, max_num_fields=MOST_FIELDS)
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a parameter stands twice")
    return dict(pairs)


def _json(status: int, body: Mapping[str, object]) -> TokenAnswer:
    return TokenAnswer(status, canonical_bytes(body))


class _TokenRequest(OAuth2Request):  # type: ignore[misc]  # Authlib has no types
    """The form of a token request, already read."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("POST", NO_TRANSPORT, headers={})
        self.payload = BasicOAuth2Payload(fields)

    @property
    @override
    def form(self) -> dict[str, str]:
        fields: dict[str, str] = self.payload.data
        return fields


@dataclass(frozen=True, slots=True)
class _Client(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    """A registered key is a client of its own: the client identifier is the ``kid``."""

    key: PublicKey

    @override
    def get_client_id(self) -> str:
        return self.key.kid

    @override
    def get_allowed_scope(self, scope: str | None) -> str | None:
        # Agreements say what a client may do, so there are no scopes; asking for one is an error.
        return None if scope else ""

    @override
    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == AUTH_METHOD and endpoint == "token"

    @override
    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == GRANT_TYPE


class _Assertion(JWTBearerClientAssertion):  # type: ignore[misc]  # Authlib has no types
    """RFC 7523 client authentication, with every check that Authlib leaves to its user."""

    CLIENT_AUTH_METHOD = AUTH_METHOD

    def __init__(self, endpoint: TokenEndpoint) -> None:
        super().__init__()
        self.endpoint = endpoint

    @override
    def resolve_client_public_key(self, client: _Client) -> ECKey:
        return jwts.public_jwk(client.key)

    @override
    def process_assertion_claims(self, assertion: str, resolve_key: ECKey) -> jwts.Claims:
        now, federation = self.endpoint.clock(), self.endpoint.federation
        try:
            key, claims = jwts.read(assertion, ASSERTION_KINDS, lambda kid: client_key(federation, kid, now))
            jti = self._check(key.kid, claims, now)
            # Last, so that an assertion which is refused for another reason uses nothing up.
            self.endpoint.admit(Caller(key.kid.partition("#")[0], key.kid, key.purpose, f"jti:{jti}"))
        except Refused as refusal:
            why = refusal.details.get("why", refusal.code)
            raise InvalidClientError(description=f"assertion refused: {why}") from refusal
        return claims

    def _check(self, kid: str, claims: jwts.Claims, now: datetime) -> str:
        issued, expires = instant(claims, "iat"), instant(claims, "exp")
        jti = claims.get("jti")
        if claims.get("iss") != kid or claims.get("sub") != kid:
            raise Refused("token-invalid", why="iss")
        if claims.get("aud") != self.endpoint.federation.gateway:
            raise Refused("token-invalid", why="aud")
        if issued > now + CLOCK_SKEW or now >= expires or not timedelta(0) < expires - issued <= LONGEST_ASSERTION:
            raise Refused("token-invalid", why="exp")
        if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI:
            raise Refused("token-invalid", why="jti")
        return jti


class _ClientCredentials(grants.ClientCredentialsGrant):  # type: ignore[misc]  # Authlib has no types
    TOKEN_ENDPOINT_AUTH_METHODS = [AUTH_METHOD]  # noqa: RUF012  # the name and type that Authlib reads


class _Server(AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    """Authlib's server over plain values: no framework, no database of tokens, no signals."""

    def __init__(self, endpoint: TokenEndpoint) -> None:
        super().__init__()
        self.endpoint = endpoint

    @override
    def query_client(self, client_id: str) -> _Client | None:
        key = client_key(self.endpoint.federation, client_id, self.endpoint.clock())
        return _Client(key) if key else None

    @override
    def save_token(self, token: Mapping[str, object], request: OAuth2Request) -> None:
        """Nothing is kept: a token is checked by its signature."""

    @override
    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens."""

    @override
    def create_oauth2_request(self, request: _TokenRequest) -> _TokenRequest:
        return request

    @override
    def handle_response(self, status: int, body: dict[str, object], headers: object) -> TokenAnswer:
        return _json(status, body)


def _server(endpoint: TokenEndpoint) -> _Server:
    def token_of(client: _Client, **_: Any) -> str:  # noqa: ANN401  # Authlib's own keywords
        return endpoint.issuer.access_token(client.get_client_id(), endpoint.clock())

    server = _Server(endpoint)
    server.register_client_auth_method(AUTH_METHOD, _Assertion(endpoint))
    server.register_grant(_ClientCredentials)
    generator = BearerTokenGenerator(token_of, expires_generator=int(LIFETIME.total_seconds()))
    server.register_token_generator("default", generator)
    return server
