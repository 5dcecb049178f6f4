"""The log for everybody, in the form of C2SP tlog-tiles: the signed checkpoint, tiles of hashes, bundles of entries.

Tiles and bundles never change, so anybody between may keep them. The checkpoint does change and is never kept: a
witness that is shown an old one must be able to say so.
"""

from typing import Final

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from contracts.errors import InvalidInput
from contracts.tiles import read_path
from contracts.transparency import Cosignature
from gateway import witnesses
from gateway.api.signed import AtDesk, MemberRoute, OpenRoute, Writing

OCTETS: Final = "application/octet-stream"
FOR_GOOD: Final = {"cache-control": "public, max-age=31536000, immutable"}

open_routes = APIRouter(route_class=OpenRoute)
member_routes = APIRouter(route_class=MemberRoute)


@open_routes.get(
    "/checkpoint", operation_id="getCheckpoint", tags=["log"], response_class=PlainTextResponse, response_model=None
)
def checkpoint(desk: AtDesk) -> Response:
    """The signed head of the log with the cosignatures of its witnesses: a note (C2SP tlog-checkpoint)."""
    return PlainTextResponse(desk.exchange.checkpoint(), headers={"cache-control": "no-store"})


@open_routes.get(
    "/tile/{place:path}",
    operation_id="getLogTile",
    tags=["log"],
    response_model=None,
    responses={200: {"content": {OCTETS: {}}, "description": "the hashes or the entries"}},
)
def tile(desk: AtDesk, place: str) -> Response:
    """``{level}/{number}`` or ``entries/{number}``, at the log's right edge with ``.p/{width}`` (C2SP tlog-tiles)."""
    wanted = read_path(f"tile/{place}")
    content = None if wanted is None else desk.exchange.tile(wanted)
    if content is None:
        raise InvalidInput("unknown-address")
    return Response(content, media_type=OCTETS, headers=FOR_GOOD)


@member_routes.post("/v1/log/cosignatures", operation_id="addCosignature", tags=["log"], status_code=204)
def cosign(given: Cosignature, caller: Writing, desk: AtDesk) -> Response:
    """A connector stands by a checkpoint that it has checked: its line as C2SP tlog-cosignature writes it."""
    witnesses.take(desk.exchange.means, caller, given)
    return Response(status_code=204)
