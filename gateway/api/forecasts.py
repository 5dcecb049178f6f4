"""Forecasts: published by the centre, read by everybody, now or as they stood at an instant."""

from fastapi import APIRouter
from starlette.responses import Response

from contracts.forecast import PublishedForecast
from contracts.identifiers import Identifier
from contracts.publication import ForecastSummary
from contracts.views import SignedText
from gateway import publishing_forecasts
from gateway.api.paging import Paged
from gateway.api.publishing import AsOf, PublishingRoute
from gateway.api.signed import Anybody, AtDesk, OpenRoute, Writing, json_of

open_routes = APIRouter(tags=["forecasts"], route_class=OpenRoute)
member_routes = APIRouter(tags=["forecasts"], route_class=PublishingRoute)


@open_routes.get("/v1/forecasts", operation_id="listForecasts", response_model=list[ForecastSummary])
def list_forecasts(_caller: Anybody, desk: AtDesk, page: Paged, as_of: AsOf = None) -> Response:
    """Every forecast without its figures, newest first; ?as_of= those that had been published by then."""
    return page.of(publishing_forecasts.all_forecasts(desk.exchange.means, as_of), lambda each: each.id)


@open_routes.get("/v1/forecasts/latest", operation_id="getLatestForecast", response_model=PublishedForecast)
def latest_forecast(_caller: Anybody, desk: AtDesk, as_of: AsOf = None) -> Response:
    """The newest forecast (?as_of= then), flagged when a release that it cites was withdrawn or superseded."""
    return json_of(publishing_forecasts.latest(desk.exchange.means, as_of))


@open_routes.get("/v1/forecasts/{forecast_id}", operation_id="getForecast", response_model=PublishedForecast)
def get_forecast(forecast_id: Identifier, _caller: Anybody, desk: AtDesk, as_of: AsOf = None) -> Response:
    """One forecast, as it was published, with how the releases that it cites stand (?as_of= stood then)."""
    return json_of(publishing_forecasts.one(desk.exchange.means, forecast_id, as_of))


@open_routes.get("/v1/forecasts/{forecast_id}/document", operation_id="getForecastDocument", response_model=SignedText)
def get_forecast_document(forecast_id: Identifier, _caller: Anybody, desk: AtDesk) -> Response:
    """The forecast as its agency signed it: a compact JWS, for whoever checks the signature."""
    return json_of(SignedText(document=publishing_forecasts.document_of(desk.exchange.means, forecast_id)))


@member_routes.post("/v1/forecasts", operation_id="publishForecast", response_model=PublishedForecast, status_code=201)
def publish_forecast(text: SignedText, caller: Writing, desk: AtDesk) -> Response:
    """Publish a forecast that the caller has signed and that cites the releases it came from."""
    return json_of(publishing_forecasts.publish(desk.exchange.means, caller, text.document), 201)
