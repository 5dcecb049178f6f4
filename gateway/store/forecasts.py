"""Published forecasts and the releases that they cite."""

from contracts.forecast import Forecast, PublishedForecast
from contracts.publication import ForecastSummary, summary_of_forecast
from gateway.store import publications
from gateway.store.engine import Reading, Transaction
from gateway.store.log import Event
from gateway.store.publications import Held, Look, Publication, Sort


def add_forecast(t: Transaction, forecast: Forecast, digest: str, document: str, event: Event) -> None:
    """Publish a forecast as its centre signed it."""
    summary = summary_of_forecast(forecast, digest, event.entry.agency or "", event.entry.at)
    new = Publication(
        id=forecast.id,
        sort=Sort.FORECAST,
        kind="",
        public=True,
        digest=digest,
        document=document,
        body=forecast.model_dump_json(by_alias=True),
        summary=summary.model_dump_json(by_alias=True),
        cited=summary.releases,
    )
    publications.add(t, new, event)


def latest(r: Reading, look: Look) -> PublishedForecast | None:
    """The forecast that was published last, flagged with every release of its that is no longer valid."""
    held = publications.latest(r, Sort.FORECAST, look)
    return published(held) if held else None


def find(r: Reading, name: str, look: Look) -> PublishedForecast | None:
    """The forecast of that identifier."""
    held = publications.find(r, Sort.FORECAST, name, look)
    return published(held) if held else None


def summaries(r: Reading, look: Look) -> tuple[ForecastSummary, ...]:
    """Every forecast without its figures, newest first."""
    return tuple(
        ForecastSummary.model_validate_json(text).model_copy(
            update={"flagged": flags.then, "flagged_since": flags.since}
        )
        for text, flags in publications.summaries(r, Sort.FORECAST, look)
    )


def published(held: Held) -> PublishedForecast:
    """A forecast as it is fetched."""
    return PublishedForecast(
        forecast=Forecast.model_validate_json(held.body),
        digest=held.digest,
        flagged=held.flags.then,
        agency=held.agency,
        published_at=held.published_at,
        flagged_since=held.flags.since,
    )
