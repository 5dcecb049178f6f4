"""Lists of what was published out of releases: forecasts and analyses without their figures, with how they stand."""

from typing import Final

from pydantic import AwareDatetime

from contracts.analysis import Analysis, AnalysisKind
from contracts.dataset import Text
from contracts.forecast import Forecast
from contracts.identifiers import AgencyId, Digest, Identifier, Name
from contracts.values import Value

MOST_PUBLISHED_BYTES: Final = 8 * 2**20
"""The largest forecast or analysis, in bytes of its canonical form: some thousands of series with their intervals."""


class ForecastSummary(Value):
    """One published forecast without its figures.

    ``series`` counts the finest series. ``flagged`` names the cited releases that were withdrawn or superseded (by the
    instant that was asked for, if one was), ``flagged_since`` those that were withdrawn after that instant.
    """

    id: Identifier
    title: Text
    model: str
    level: int
    months: tuple[str, ...]
    dimensions: tuple[str, ...]
    series: int
    releases: tuple[Identifier, ...]
    created: AwareDatetime
    digest: Digest
    agency: AgencyId
    published_at: AwareDatetime
    flagged: tuple[Identifier, ...] = ()
    flagged_since: tuple[Identifier, ...] = ()


class AnalysisSummary(Value):
    """One published analysis without its figures; ``flagged`` as of a forecast, ``tables`` by their names.

    ``first`` and ``last`` are the months that it was made from, ``YYYY-MM``.
    """

    id: Identifier
    kind: AnalysisKind
    title: Text
    public: bool
    first: str
    last: str
    tables: tuple[Name, ...]
    releases: tuple[Identifier, ...]
    created: AwareDatetime
    digest: Digest
    agency: AgencyId
    published_at: AwareDatetime
    flagged: tuple[Identifier, ...] = ()
    flagged_since: tuple[Identifier, ...] = ()


def summary_of_forecast(forecast: Forecast, digest: str, agency: str, at: AwareDatetime) -> ForecastSummary:
    """The line of a forecast in the list, as its agency published it at an instant."""
    return ForecastSummary(
        id=forecast.id,
        title=forecast.title,
        model=forecast.model,
        level=forecast.level,
        months=forecast.months,
        dimensions=forecast.dimensions,
        series=len(forecast.series),
        releases=tuple(sorted({each.release for each in forecast.citations})),
        created=forecast.created,
        digest=digest,
        agency=agency,
        published_at=at,
    )


def summary_of_analysis(analysis: Analysis, digest: str, agency: str, at: AwareDatetime) -> AnalysisSummary:
    """The line of an analysis in the list, as its agency published it at an instant."""
    report = analysis.report
    return AnalysisSummary(
        id=analysis.id,
        kind=report.kind,
        title=report.title,
        public=report.public,
        first=report.card.first,
        last=report.card.last,
        tables=tuple(each.name for each in report.tables),
        releases=tuple(sorted({each.release for each in analysis.citations})),
        created=analysis.created,
        digest=digest,
        agency=agency,
        published_at=at,
    )
