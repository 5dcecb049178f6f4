"""What anybody may check: the federation's public keys, and whether the gateway works."""

from fastapi import APIRouter
from starlette.responses import Response

from contracts.federation import Federation
from contracts.values import Value
from gateway.api.signed import AtDesk, OpenRoute, json_of

open_routes = APIRouter(route_class=OpenRoute)


class Health(Value):
    """That the gateway runs (``live``) or can serve (``ready``)."""

    status: str


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
