"""What anybody may check: the log, the federation's public keys, and whether the gateway works."""

from fastapi import APIRouter
from starlette.responses import Response

from contracts.federation import Federation
from contracts.transparency import LogExport
from contracts.values import Value
from contracts.views import SignedText
from gateway.api.signed import AtDesk, OpenRoute, json_of

open_routes = APIRouter(route_class=OpenRoute)


class Health(Value):
    """That the gateway runs (``live``) or can serve (``ready``)."""

    status: str


@open_routes.get("/v1/log/checkpoint", operation_id="getCheckpoint", tags=["log"], response_model=SignedText)
def checkpoint(desk: AtDesk) -> Response:
    """The signed head of the log: a JWS over its canonical bytes."""
    return json_of(SignedText(document=desk.exchange.checkpoint()))


@open_routes.get("/v1/log/export", operation_id="exportLog", tags=["log"], response_model=LogExport)
def export(desk: AtDesk) -> Response:
    """The whole log, to be verified elsewhere."""
    return json_of(desk.exchange.export())


@open_routes.get("/v1/federation", operation_id="getFederation", tags=["federation"], response_model=Federation)
def federation(desk: AtDesk) -> Response:
    """Every member's public keys, as this gateway has pinned them."""
    return json_of(desk.door.federation)


@open_routes.get("/health/live", operation_id="isLive", tags=["health"], response_model=Health)
def live() -> Response:
    """The process runs."""
    return json_of(Health(status="live"))


@open_routes.get("/health/ready", operation_id="isReady", tags=["health"], response_model=Health)
def ready(desk: AtDesk) -> Response:
    """The database answers."""
    desk.exchange.checkpoint()
    return json_of(Health(status="ready"))
