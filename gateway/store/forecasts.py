"""Published forecasts and the releases that they cite."""

from collections.abc import Sequence

from sqlalchemy import select

from contracts.forecast import Forecast, PublishedForecast
from contracts.release import ReleaseState
from gateway.store.engine import Reading, Transaction
from gateway.store.log import Event, append
from gateway.store.tables import citations, forecasts, releases


def add_forecast(t: Transaction, forecast: Forecast, digest: str, document: str, event: Event) -> bool:
    """Publish a forecast as its centre signed it; whether it is new."""
    row = {
        "id": forecast.id,
        "digest": digest,
        "agency": event.entry.agency,
        "document": document,
        "forecast": forecast.model_dump_json(by_alias=True),
        "published_at": event.entry.at,
    }
    if not t.add_new(forecasts, row):
        return False
    cited = sorted({each.release for each in forecast.citations})
    t.add(citations, [{"forecast": forecast.id, "release": each} for each in cited])
    append(t, event)
    return True


def digest_of_forecast(r: Reading, name: str) -> str | None:
    """The digest of the forecast of that identifier."""
    row = r.one(select(forecasts.c.digest).where(forecasts.c.id == name))
    return row.digest if row else None


def latest(r: Reading) -> PublishedForecast | None:
    """The forecast that was published last, flagged with every release of its that is no longer valid."""
    row = r.one(select(forecasts).order_by(forecasts.c.published_at.desc(), forecasts.c.id.desc()).limit(1))
    if row is None:
        return None
    return PublishedForecast(
        forecast=Forecast.model_validate_json(row.forecast), digest=row.digest, flagged=_flagged(r, row.id)
    )


def flagged_by(r: Reading, release: str) -> Sequence[str]:
    """The forecasts that cite a release."""
    wanted = select(citations.c.forecast).where(citations.c.release == release).order_by(citations.c.forecast)
    return [row.forecast for row in r.all(wanted)]


def _flagged(r: Reading, forecast: str) -> tuple[str, ...]:
    broken = releases.c.state != ReleaseState.VALID
    cited = select(releases.c.id).join(citations, citations.c.release == releases.c.id)
    rows = r.all(cited.where(citations.c.forecast == forecast, broken).order_by(releases.c.id))
    return tuple(row.id for row in rows)
