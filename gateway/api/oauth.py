"""The authorization server's endpoints and what describes them."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.calls import FORM_TYPE, INTROSPECTION_PATH, REVOCATION_PATH, TOKEN_PATH
from contracts.proofs import PROOF_HEADER
from gateway.api.desk import desk_of
from gateway.api.signed import JSON, AtDesk, body_of, certificate_of
from gateway.identity.authorization_server import OAuthEndpoints
from gateway.identity.metadata import public_keys, server_metadata
from gateway.identity.oauth_calls import OAuthAnswer, OAuthCall
from gateway.identity.token_keys import KEYS_KEPT

MOST_FORM_BYTES: Final = 2**14
FORM: Final = FORM_TYPE.encode()
PROOF: Final = PROOF_HEADER.lower().encode()
FIELDS: Final = ((b"cache-control", b"no-store"), (b"content-type", JSON.encode()))
NOT_A_FORM: Final = OAuthAnswer(400, b'{"error":"invalid_request"}')

Answer = Callable[[OAuthEndpoints, OAuthCall], OAuthAnswer]

open_routes = APIRouter(tags=["identity"])


class OAuthResponse(Response):
    """What the server answers, its header fields as they are sent: the framework would encode them at each call."""

    def __init__(self, given: OAuthAnswer) -> None:
        self.status_code = given.status
        self.body = given.body
        self.background = None
        self.raw_headers = [*FIELDS, (b"content-length", b"%d" % len(given.body))]


def _endpoint(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that takes a form and answers as OAuth says; errors as RFC 6749 says."""

    async def endpoint(request: Request) -> Response:
        given = NOT_A_FORM
        fields: Sequence[tuple[bytes, bytes]] = request.scope["headers"]
        kind = dict(reversed(fields)).get(b"content-type", b"")  # of several the first
        if kind.partition(b";")[0].strip().lower() == FORM:
            # Proofs that came more than once do not make one.
            proofs = [value.decode("latin-1") for name, value in fields if name == PROOF]
            form = await body_of(request, MOST_FORM_BYTES)
            call = OAuthCall(form, ",".join(proofs) if proofs else None, certificate_of(request))
            desk = desk_of(request)
            given = await desk.workers.run(answer, desk.oauth, call)
        return OAuthResponse(given)

    return endpoint


@open_routes.get("/.well-known/oauth-authorization-server", operation_id="getServerMetadata")
def metadata(desk: AtDesk) -> Response:
    """Authorization server metadata (RFC 8414)."""
    return JSONResponse(server_metadata(desk.door.federation.gateway))


@open_routes.get("/.well-known/jwks.json", operation_id="getTokenKeys")
def token_keys(desk: AtDesk) -> Response:
    """The public keys of access tokens and task tokens (RFC 7517); the next one is here before it signs."""
    kept = int(KEYS_KEPT.total_seconds())
    keys = public_keys(desk.oauth.issuer.keys, desk.clock())
    return JSONResponse(keys, headers={"cache-control": f"max-age={kept}"})


ROUTES: Final = (
    Route(TOKEN_PATH, _endpoint(OAuthEndpoints.answer), methods=["POST"]),
    Route(REVOCATION_PATH, _endpoint(OAuthEndpoints.revoke), methods=["POST"]),
    Route(INTROSPECTION_PATH, _endpoint(OAuthEndpoints.introspect), methods=["POST"]),
)
