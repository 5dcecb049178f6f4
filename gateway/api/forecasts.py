"""Forecasts: published by the centre, read by everybody."""

from fastapi import APIRouter
from starlette.responses import Response

from contracts.forecast import PublishedForecast
from contracts.views import SignedText
from gateway.api.signed import AtDesk, MemberRoute, OpenRoute, Writing, json_of

open_routes = APIRouter(tags=["forecasts"], route_class=OpenRoute)
member_routes = APIRouter(tags=["forecasts"], route_class=MemberRoute)


@open_routes.get("/v1/forecasts/latest", operation_id="getLatestForecast", response_model=PublishedForecast)
def latest_forecast(desk: AtDesk) -> Response:
    """The newest forecast, flagged when a release that it cites was withdrawn."""
    return json_of(desk.exchange.latest_forecast())


@member_routes.post("/v1/forecasts", operation_id="publishForecast", response_model=PublishedForecast, status_code=201)
def publish_forecast(text: SignedText, caller: Writing, desk: AtDesk) -> Response:
    """Publish a forecast that the caller has signed and that cites the releases it came from."""
    return json_of(desk.exchange.publish_forecast(caller, text.document), 201)
