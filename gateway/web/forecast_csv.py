"""The published forecast as CSV (RFC 4180): ISO months of the Common Era, codes and both names, nothing rounded."""

import csv
from io import StringIO

from contracts.code_lists import code_list
from contracts.forecast import ForecastSeries, PublishedForecast
from gateway.web.counts import VICTIMISATION

COLUMNS = (
    *("forecast_id", "forecast_digest", "created", "model", "month", "province", "province_th", "province_en"),
    *("offence_group", "counts", "expected", "low", "high", "interval_percent", "usual", "cites_withdrawn_release"),
)


def forecast_csv(published: PublishedForecast | None) -> str:
    """One line a series and month, or the header alone. ``counts`` says ``victimisation`` or ``enforcement``."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    if published:
        for series in published.forecast.series:
            writer.writerows(_lines(published, series))
    return out.getvalue()


def _lines(published: PublishedForecast, series: ForecastSeries) -> list[tuple[object, ...]]:
    forecast = published.forecast
    province, group = series.labels.get("province", ""), series.labels.get("offence_group", "")
    title = code_list("provinces").titles.get(province)
    names = (title.th, title.en) if title else ("", "")
    counts = "victimisation" if group in VICTIMISATION else "enforcement"
    head = (forecast.id, published.digest, forecast.created.isoformat(), forecast.model)
    flagged = "yes" if published.flagged else "no"
    figures = zip(forecast.months, series.mean, series.low, series.high, series.usual, strict=True)
    return [
        (*head, month, province, *names, group, counts, mean, low, high, forecast.level, usual, flagged)
        for month, mean, low, high, usual in figures
    ]
