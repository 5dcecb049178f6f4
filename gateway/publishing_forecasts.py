"""Forecasts: published by the agency that signed them, read by everybody, now or as they stood at an instant."""

from datetime import datetime
from typing import Final

from contracts.errors import InvalidInput, Unavailable
from contracts.forecast import Forecast, PublishedForecast
from contracts.publication import ForecastSummary
from gateway import events
from gateway.caller import Caller
from gateway.means import Means
from gateway.publications import check_citations, is_known, look_of, read_signed
from gateway.store import forecasts, log, publications, requests
from gateway.store.publications import Sort

FORECAST_KIND: Final = "forecast"


def publish(means: Means, caller: Caller, document: str) -> PublishedForecast:
    """Publish a forecast that the caller's client key signed; the same again changes nothing.

    Raises:
        Refused: ``publication-too-large``; ``signature-wrong``, ``key-unknown``; ``not-allowed`` when another agency
            signed; ``release-withdrawn`` when it cites a release that is no longer valid; ``cited-release-not-public``
            when it cites one that not everybody may read, for a forecast is for everybody.
        InvalidInput: ``malformed-body``, ``not-canonical``; ``unknown-release`` when it cites what the caller cannot
            read, or with another digest; ``request-id-reused`` when its identifier stands for another publication.
    """
    now = means.clock()
    signed = read_signed(means, caller, document, FORECAST_KIND, Forecast)
    forecast = signed.value
    with means.store.transaction() as t:
        requests.spend_nonce(t, caller.kid, caller.nonce, now)
        log.lock(t)  # so that of two publications at once the later sees the earlier
        if not is_known(t, forecast.id, signed.digest):
            check_citations(t, forecast.citations, caller, now, for_everybody=True)
            event = events.forecast_published(forecast, signed.digest, caller.agency, now)
            forecasts.add_forecast(t, forecast, signed.digest, document, event)
    return one(means, forecast.id)


def one(means: Means, name: str, as_of: datetime | None = None) -> PublishedForecast:
    """The forecast of that identifier.

    Raises:
        InvalidInput: ``unknown-publication``, also when it was published after ``as_of``.
    """
    look = look_of(means, None, as_of)
    with means.store.read() as r:
        found = forecasts.find(r, name, look)
    if found is None:
        raise InvalidInput("unknown-publication", name=name)
    return found


def document_of(means: Means, name: str) -> str:
    """The forecast as it was signed: a compact JWS.

    Raises:
        InvalidInput: ``unknown-publication``.
    """
    with means.store.read() as r:
        held = publications.find(r, Sort.FORECAST, name, look_of(means, None))
    if held is None:
        raise InvalidInput("unknown-publication", name=name)
    return held.document


def latest(means: Means, as_of: datetime | None = None) -> PublishedForecast:
    """The forecast that was published last, or was the last by ``as_of``.

    Raises:
        Unavailable: ``nothing-published``.
    """
    look = look_of(means, None, as_of)
    with means.store.read() as r:
        found = forecasts.latest(r, look)
    if found is None:
        raise Unavailable("nothing-published")
    return found


def all_forecasts(means: Means, as_of: datetime | None = None) -> tuple[ForecastSummary, ...]:
    """Every forecast (that had been published by ``as_of``) without its figures, newest first."""
    look = look_of(means, None, as_of)
    with means.store.read() as r:
        return forecasts.summaries(r, look)
