"""The trust registry, for everybody: its signed documents, their targets, and the way in for what members sign.

No token and no signature of the call is asked for: what counts are the signatures on the documents themselves.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import InvalidInput
from contracts.registry import RegistryBatch, Taken
from gateway.api.desk import desk_of
from gateway.api.errors import malformed
from gateway.api.signed import JSON, body_of, json_of
from gateway.registry.keeper import Keeper

MOST_UPDATE_BYTES: Final = 2**20
FRESH: Final = {"cache-control": "no-cache"}
FOR_GOOD: Final = {"cache-control": "public, max-age=86400, immutable"}

open_routes = APIRouter(prefix="/v1/registry", tags=["registry"])


async def _keeper(request: Request) -> Keeper:
    keeper: Keeper | None = request.app.state.keeper
    if keeper is None:
        raise InvalidInput("unknown-address")
    return keeper


AtKeeper = Annotated[Keeper, Depends(_keeper)]


@open_routes.get("/metadata/{name}", operation_id="getRegistryMetadata")
def metadata(name: str, keeper: AtKeeper) -> Response:
    """A signed document of the registry: ``timestamp.json``, or ``<version>.<role>.json`` (TUF 1.0)."""
    return _found(keeper.repository.document(name), FRESH if name == "timestamp.json" else FOR_GOOD)


@open_routes.get("/targets/{name:path}", operation_id="getRegistryTarget")
def target(name: str, keeper: AtKeeper) -> Response:
    """A target of the registry, under the name that holds its hash."""
    return _found(keeper.repository.target(name), FOR_GOOD)


@open_routes.post("/updates", operation_id="updateRegistry", response_model=Taken)
async def update(request: Request, keeper: AtKeeper) -> Response:
    """Take in what officers and registrars signed: all of it, or nothing."""
    body = await body_of(request, MOST_UPDATE_BYTES)
    try:
        batch = RegistryBatch.model_validate_json(body)
    except ValidationError as error:
        raise malformed(error.errors(include_input=False, include_url=False)) from error
    roles = await run_in_threadpool(keeper.repository.take, batch, desk_of(request).clock())
    return json_of(Taken(roles=roles))


def _found(body: bytes | None, headers: dict[str, str]) -> Response:
    if body is None:
        raise InvalidInput("unknown-address")
    return Response(body, media_type=JSON, headers=headers)
