"""The OAuth 2.0 authorization server at the level of the FAPI 2.0 Security Profile: one grant, bound tokens only.

Authlib's framework-free core does the protocol: grants, client authentication, revocation (RFC 7009), introspection
(RFC 7662), errors. What it leaves open is closed here: clients are known by private_key_jwt alone, tokens are always
bound to whoever obtained them (RFC 8705, RFC 9449), and they say for which activities they are (RFC 9396).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer, grants
from authlib.oauth2.rfc6749.errors import (
    InvalidClientError,
    InvalidRequestError,
    InvalidScopeError,
    UnsupportedGrantTypeError,
)
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from typing_extensions import override

from contracts.authorization import ActivityDetail, read_details
from contracts.calls import TOKEN_PATH
from contracts.errors import InvalidInput, Refused
from contracts.federation import KeyPurpose
from contracts.proofs import address_of
from gateway.identity.assertions import ASSERTION_TYPE, AUTH_METHOD, Assertions
from gateway.identity.oauth_calls import (
    GRANT_TYPE,
    Client,
    FormRequest,
    InvalidDetailsError,
    InvalidProofError,
    InvalidTargetError,
    OAuthAnswer,
    OAuthCall,
    answer_of,
    fields_of,
)
from gateway.identity.proofs import Target, check_proof
from gateway.identity.revocations import Revocations
from gateway.identity.tokens import (
    BY_CERTIFICATE,
    BY_PROOF,
    AccessToken,
    AccessTokens,
    Binding,
    TokenIssuer,
    introspection,
)

Spend = Callable[[str, Collection[str]], None]
"""Spends names of a client in the store, all or none; refuses any that was spent before, by whichever process."""

MayAsk = Callable[[str, ActivityDetail], bool]
"""Whether an agency is the requester of an agreement that has this activity."""


@dataclass(frozen=True, slots=True)
class OAuthEndpoints:
    """POST /v1/token, /v1/token/revoke and /v1/token/introspect; made once, used by many threads.

    Args:
        issuer: Signs the tokens.
        tokens: Reads them.
        revocations: Has them refused.
        spend: Spends the names of assertions and proofs, so that each is accepted once.
        may_ask: Says which activities an agency's token may be for.
        clock: The present, aware UTC.
    """

    issuer: TokenIssuer
    tokens: AccessTokens
    revocations: Revocations
    spend: Spend
    may_ask: MayAsk
    clock: Callable[[], datetime]
    _server: "_Server" = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Put Authlib's server together."""
        object.__setattr__(self, "_server", _Server(self))

    def answer(self, call: OAuthCall) -> OAuthAnswer:
        """Answer a request for a token with a token or an OAuth error."""
        return _answered(call, self._server.create_token_response)

    def revoke(self, call: OAuthCall) -> OAuthAnswer:
        """Have a token of the client's own agency refused from now on (RFC 7009)."""
        return _answered(call, lambda request: self._server.create_endpoint_response("revocation", request))

    def introspect(self, call: OAuthCall) -> OAuthAnswer:
        """Say what a token of the client's own agency says, and whether it is good (RFC 7662)."""
        return _answered(call, lambda request: self._server.create_endpoint_response("introspection", request))

    def spend_once(self, client: Client, *jtis: str) -> None:
        """Spend the names of the client's assertion and proof.

        Raises:
            InvalidClientError: One was spent before.
        """
        try:
            self.spend(client.key.kid, {f"jti:{each}" for each in (client.jti, *jtis)})
        except Refused as refusal:
            raise _no_client(refusal) from refusal


def _answered(call: OAuthCall, answer: Callable[[FormRequest], OAuthAnswer]) -> OAuthAnswer:
    try:
        fields = fields_of(call.form)
    except ValueError:
        return answer_of(400, {"error": "invalid_request"})
    return answer(FormRequest(fields, call))


def _no_client(refusal: Refused) -> InvalidClientError:
    return InvalidClientError(description=f"assertion refused: {refusal.details.get('why', refusal.code)}")


class _ClientCredentials(grants.ClientCredentialsGrant):  # type: ignore[misc]  # Authlib has no types
    def __init__(self, request: FormRequest, server: "_Server") -> None:
        # Not Authlib's own, which makes room for hooks and users at each call; there are none.
        self.request: Any = request
        self.server = server

    @override
    def validate_token_request(self) -> None:
        self.request.client = self.server.authenticate_client(self.request)
        # Agreements say what a client may do, so there are no scopes; asking for one is an error.
        if self.request.form.get("scope"):
            raise InvalidScopeError

    @override
    def create_token_response(self) -> tuple[int, dict[str, object], object]:
        """A token that is bound to the connection's certificate, or else to the key of the call's proof."""
        endpoints: OAuthEndpoints = self.server.endpoints
        client, form, now = self.request.client, self.request.form, endpoints.clock()
        if form.get("resource") not in (None, endpoints.issuer.issuer):
            raise InvalidTargetError(description="tokens are for this gateway alone")
        binding, jtis = self._bound(now)
        details = _details(endpoints, client, form.get("authorization_details"))
        # Last, so that what is refused for another reason uses nothing up.
        endpoints.spend_once(client, *jtis)
        issued = endpoints.issuer.access_token(client.key.kid, binding, now, details)
        token: dict[str, object] = {"access_token": issued.text, "expires_in": issued.seconds}
        token["token_type"] = binding.token_type
        if details:
            token["authorization_details"] = [each.model_dump(mode="json") for each in details]
        return 200, token, self.TOKEN_RESPONSE_HEADER

    def _bound(self, now: datetime) -> tuple[Binding, tuple[str, ...]]:
        call: OAuthCall = self.request.call
        if call.certificate is not None:
            return Binding(BY_CERTIFICATE, call.certificate), ()
        try:
            thumbprint, jti = check_proof(call.proof, self.server.target, now)
        except Refused as refusal:
            raise InvalidProofError(description=f"proof refused: {refusal.details['why']}") from refusal
        return Binding(BY_PROOF, thumbprint), (jti,)


def _details(endpoints: OAuthEndpoints, client: Client, text: str | None) -> tuple[ActivityDetail, ...]:
    """The activities that a token is asked for; none when the form names none."""
    if text is None:
        return ()
    try:
        details = read_details(text)
    except InvalidInput as error:
        raise InvalidDetailsError(description="a list of saphan_activity: agreement, activity") from error
    # One answer for what does not exist and for what is others': whose it is, is not for everybody to know.
    if client.key.purpose is not KeyPurpose.CLIENT or not all(endpoints.may_ask(client.agency, one) for one in details):
        raise InvalidDetailsError(description="no activity of an agreement in which this agency asks")
    return details


class _OwnTokens:
    """What revocation and introspection share: who may ask, and about which token."""

    server: Any

    def authenticate_endpoint_client(self, request: FormRequest) -> Client:
        """The client, its assertion spent."""
        client: Client = self.server.authenticate_client(request)
        self.server.endpoints.spend_once(client)
        return client

    def check_params(self, request: FormRequest, _client: Client) -> None:
        """There must be a token; a hint of what it is helps nobody, for there is one kind (RFC 7009, section 2.1)."""
        if "token" not in request.form:
            raise InvalidRequestError

    def query_token(self, token_string: str, _hint: str | None) -> "_Held | None":
        """The token if it is good; one that is forged, expired or revoked already is none."""
        endpoints: OAuthEndpoints = self.server.endpoints
        try:
            return _Held(endpoints.tokens.read(token_string, endpoints.clock()))
        except Refused:
            return None


class _Revocation(_OwnTokens, RevocationEndpoint):  # type: ignore[misc]  # Authlib has no types
    @override
    def revoke_token(self, token: "_Held", request: FormRequest) -> None:
        endpoints: OAuthEndpoints = self.server.endpoints
        endpoints.revocations.revoke(token.token.jti, token.token.expires, endpoints.clock())


class _Introspection(_OwnTokens, IntrospectionEndpoint):  # type: ignore[misc]  # Authlib has no types
    @override
    def check_permission(self, token: "_Held", client: Client, request: FormRequest) -> bool:
        return token.check_client(client)

    @override
    def introspect_token(self, token: "_Held") -> dict[str, object]:
        return introspection(token.token, self.server.endpoints.issuer.issuer)


@dataclass(frozen=True, slots=True)
class _Held:
    """A good token as Authlib's endpoints see it."""

    token: AccessToken

    def check_client(self, client: Client) -> bool:
        """Whether it is a token of the client's own agency."""
        return self.token.agency == client.agency

    def is_expired(self) -> bool:
        return False

    def is_revoked(self) -> bool:
        return False


class _Server(AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    """Authlib's server over plain values: no framework, no database of tokens, no signals, nothing of a single call."""

    def __init__(self, endpoints: OAuthEndpoints) -> None:
        super().__init__()
        self.endpoints = endpoints
        self.assertions = Assertions(endpoints.tokens.federation, endpoints.clock)
        self.target = Target("POST", address_of(endpoints.issuer.issuer, TOKEN_PATH))
        self.register_endpoint(_Revocation)
        self.register_endpoint(_Introspection)

    @override
    def get_token_grant(self, request: FormRequest) -> _ClientCredentials:
        """The one grant there is."""
        kind = request.form.get("grant_type")
        if kind != GRANT_TYPE:
            raise UnsupportedGrantTypeError(kind)
        return _ClientCredentials(request, self)

    @override
    def authenticate_client(self, request: FormRequest) -> Client:
        """The client that a form's assertion shows: the one way there is."""
        form = request.form
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise InvalidClientError(description=f"The client cannot authenticate with methods: {[AUTH_METHOD]}")
        try:
            return Client(*self.assertions.check(form.get("client_assertion", ""), form.get("client_id")))
        except Refused as refusal:
            raise _no_client(refusal) from refusal

    @override
    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens."""

    @override
    def create_oauth2_request(self, request: FormRequest) -> FormRequest:
        return request

    @override
    def handle_response(self, status: int, body: dict[str, object], headers: object) -> OAuthAnswer:
        return answer_of(status, body)
