"""``saphan forecast list`` and ``show``: what was published, now or as it stood at an instant."""

from typing import Annotated

import typer
from rich.console import Group
from rich.table import Table

from contracts.forecast import Forecast, ForecastSeries, PublishedForecast
from contracts.publication import AnalysisSummary, ForecastSummary
from gateway.checked_publication import signer_of
from saphan.as_of import AsOf, instant_of
from saphan.client_commands import HomeOption, connected
from saphan.output import AsJson, say, show, show_all, table_of

LATEST = "latest"
SHOWN_SERIES = 20

ForecastName = Annotated[str, typer.Argument(metavar="ID", help="The forecast's identifier; the newest one by itself.")]


def list_forecasts(*, as_of: AsOf = None, home: HomeOption = None, as_json: AsJson = False) -> None:
    """List published forecasts, newest first; those that cite a withdrawn release are flagged."""
    with connected(home, as_json=as_json) as (gateway, _):
        found = gateway.forecasts(instant_of(as_of, gateway.now()))
        show_all(found, lambda: _list_table(found), as_json=as_json)


def show_forecast(
    name: ForecastName = LATEST, *, as_of: AsOf = None, home: HomeOption = None, as_json: AsJson = False
) -> None:
    """Show one published forecast, checked against the key that signed it."""
    with connected(home, as_json=as_json) as (gateway, _):
        at = instant_of(as_of, gateway.now())
        found = gateway.latest_forecast(at) if name == LATEST else gateway.forecast(name, at)
        kid = signer_of(found, gateway.forecast_document(found.forecast.id), gateway.federation)
        show(found, lambda: _shown(found, kid), as_json=as_json)
        warn_of_flags(found.flagged, found.flagged_since)


def warn_of_flags(flagged: tuple[str, ...], since: tuple[str, ...]) -> None:
    """Say on standard error that what was shown cites releases that no longer stand."""
    if flagged:
        names = ", ".join(flagged)
        say(f"อ้างผลเผยแพร่ที่ถูกถอนหรือแทนที่แล้ว โปรดอย่าใช้อ้างอิง · cites releases that no longer stand: {names}")
    if since:
        names = ", ".join(since)
        say(f"หลังเวลาที่ระบุมีผลเผยแพร่ถูกถอนหรือแทนที่ · withdrawn since that instant: {names}")


def standing_of(summary: ForecastSummary | AnalysisSummary) -> str:
    """In a list: whether the publication may be relied on."""
    if summary.flagged:
        return f"FLAGGED · {', '.join(summary.flagged)}"
    return f"flagged since · {', '.join(summary.flagged_since)}" if summary.flagged_since else "valid"


def _list_table(found: tuple[ForecastSummary, ...]) -> Table:
    table = table_of("id", "title", "published", "months", "series", "by", "state", figures=("series",))
    for each in found:
        months = f"{each.months[0]} - {each.months[-1]}" if each.months else "-"
        published = f"{each.published_at:%Y-%m-%d %H:%M}"
        title = f"{each.title.th} · {each.title.en}"
        table.add_row(each.id, title, published, months, f"{each.series:,}", each.agency, standing_of(each))
    return table


def _shown(found: PublishedForecast, kid: str) -> Group:
    forecast = found.forecast
    about = table_of("", "", title=f"{forecast.title.th} · {forecast.title.en}")
    published = f"{found.published_at:%Y-%m-%d %H:%M}" if found.published_at else "-"
    about.add_row("id", forecast.id)
    about.add_row("published", f"{published}, signed by {kid}, checked")
    about.add_row("model", forecast.model)
    about.add_row("releases", ", ".join(each.release for each in forecast.citations))
    about.add_row("limits", f"{forecast.limits.th}\n{forecast.limits.en}")
    return Group(about, "", _series_table(forecast))


def _series_table(forecast: Forecast) -> Table:
    title = f"{forecast.level} % interval; the first {SHOWN_SERIES} of {len(forecast.series):,} series (--json has all)"
    table = table_of("series", "flags", *forecast.months, figures=forecast.months, title=title)
    for each in forecast.series[:SHOWN_SERIES]:
        table.add_row(" ".join(each.labels.values()), " ".join(each.flags), *_figures(each))
    return table


def _figures(series: ForecastSeries) -> tuple[str, ...]:
    rows = zip(series.mean, series.low, series.high, strict=True)
    return tuple(f"{mean:,.1f} ({low:,.0f}-{high:,.0f})" for mean, low, high in rows)
