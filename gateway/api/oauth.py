"""The token endpoint and what describes it."""

from typing import Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.api.desk import desk_of
from gateway.api.signed import JSON, AtDesk, body_of
from gateway.identity.authorization_server import TokenAnswer
from gateway.identity.metadata import public_keys, server_metadata

FORM: Final = "application/x-www-form-urlencoded"
MOST_FORM_BYTES: Final = 2**14
NOT_A_FORM: Final = TokenAnswer(400, b'{"error":"invalid_request"}')

open_routes = APIRouter(tags=["identity"])


async def token(request: Request) -> Response:
    """POST /v1/token: an access token for a client that signs an assertion (RFC 7523); errors as RFC 6749 says."""
    answer = NOT_A_FORM
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM:
        answer = await run_in_threadpool(desk_of(request).tokens.answer, await body_of(request, MOST_FORM_BYTES))
    return Response(answer.body, answer.status, {"cache-control": "no-store"}, JSON)


@open_routes.get("/.well-known/oauth-authorization-server", operation_id="getServerMetadata")
def metadata(desk: AtDesk) -> Response:
    """Authorization server metadata (RFC 8414)."""
    return JSONResponse(server_metadata(desk.door.federation.gateway))


@open_routes.get("/.well-known/jwks.json", operation_id="getTokenKeys")
def token_keys(desk: AtDesk) -> Response:
    """The public keys of access tokens and task tokens (RFC 7517)."""
    return JSONResponse(public_keys(desk.door.federation, desk.clock()), headers={"cache-control": "max-age=300"})


ROUTES: Final = (Route("/v1/token", token, methods=["POST"]),)
