"""The authorization server's endpoints and what describes them."""

from collections.abc import Awaitable, Callable
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
NO_STORE: Final = {"cache-control": "no-store"}
NOT_A_FORM: Final = OAuthAnswer(400, b'{"error":"invalid_request"}')

Answer = Callable[[OAuthEndpoints, OAuthCall], OAuthAnswer]

open_routes = APIRouter(tags=["identity"])


def _endpoint(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that takes a form and answers as OAuth says; errors as RFC 6749 says."""

    async def endpoint(request: Request) -> Response:
        given = NOT_A_FORM
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM_TYPE:
            # Proofs that came more than once do not make one.
            proofs = request.headers.getlist(PROOF_HEADER)
            form = await body_of(request, MOST_FORM_BYTES)
            call = OAuthCall(form, ",".join(proofs) if proofs else None, certificate_of(request))
            desk = desk_of(request)
            given = await desk.workers.run(answer, desk.oauth, call)
        return Response(given.body, given.status, NO_STORE, JSON)

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
