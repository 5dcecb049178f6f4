"""Publishing and reading forecasts and analyses, as a part of ``gateway.client.Gateway``."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from pydantic import BaseModel

from contracts.analysis import Analysis, AnalysisKind, PublishedAnalysis
from contracts.forecast import Forecast, PublishedForecast
from contracts.publication import AnalysisSummary, ForecastSummary
from contracts.values import Value
from contracts.views import SignedText
from gateway.answers import Wire, every_page, read_value

FORECASTS: Final = "/v1/forecasts"
ANALYSES: Final = "/v1/analyses"


class Publications(ABC):
    """What a line to the gateway does with publications; the line itself comes from ``Gateway``.

    Forecasts are everybody's, so that they are read without a token. Analyses are read as the member, who may see more.
    """

    @abstractmethod
    def signed(self, value: Value, kind: str) -> SignedText:
        """A value under the own client key."""

    @abstractmethod
    def public(self, path: str) -> bytes:
        """What anybody may read there."""

    @abstractmethod
    def post(self, path: str, value: BaseModel, model: type[Wire]) -> Wire:
        """Send a value as a signed call and read the checked answer."""

    @abstractmethod
    def get(self, path: str, model: type[Wire]) -> Wire:
        """Read one value as a member."""

    @abstractmethod
    def get_all(self, path: str, model: type[Wire], name: Callable[[Wire], str] | None = None) -> tuple[Wire, ...]:
        """Read a list as a member; one that comes in pages by the ``name`` of its items."""

    # ------------------------------------------------------------ forecasts

    def publish_forecast(self, forecast: Forecast) -> PublishedForecast:
        """Publish a forecast under the own client key; the same again changes nothing.

        Raises:
            Refused: ``release-withdrawn``, ``publication-too-large``, ``not-allowed``.
            InvalidInput: ``unknown-release``, ``request-id-reused``.
        """
        return self.post(FORECASTS, self.signed(forecast, "forecast"), PublishedForecast)

    def latest_forecast(self, as_of: datetime | None = None) -> PublishedForecast:
        """The newest forecast, or the one that was it at an instant.

        Raises:
            Unavailable: ``nothing-published``.
        """
        return read_value(PublishedForecast, self.public(with_query(f"{FORECASTS}/latest", as_of=as_of)))

    def forecast(self, name: str, as_of: datetime | None = None) -> PublishedForecast:
        """One forecast by its identifier.

        Raises:
            InvalidInput: ``unknown-publication``.
        """
        return read_value(PublishedForecast, self.public(with_query(f"{FORECASTS}/{name}", as_of=as_of)))

    def forecasts(self, as_of: datetime | None = None) -> tuple[ForecastSummary, ...]:
        """Every forecast without its figures, newest first."""
        return every_page(ForecastSummary, with_query(FORECASTS, as_of=as_of), self.public, lambda each: each.id)

    def forecast_document(self, name: str) -> str:
        """A forecast as its agency signed it; ``gateway.checked_publication`` verifies it."""
        return read_value(SignedText, self.public(f"{FORECASTS}/{name}/document")).document

    # ------------------------------------------------------------ analyses

    def publish_analysis(self, analysis: Analysis) -> PublishedAnalysis:
        """Publish an analysis under the own client key; the same again changes nothing.

        A report that says ``public`` must cite public releases alone; one that does not is read by those who may read
        all releases that it cites.

        Raises:
            Refused: ``cited-release-not-public``, ``release-withdrawn``, ``publication-too-large``, ``not-allowed``.
            InvalidInput: ``unknown-release``, ``request-id-reused``, ``malformed-body``.
        """
        return self.post(ANALYSES, self.signed(analysis, "analysis"), PublishedAnalysis)

    def latest_analysis(self, kind: AnalysisKind, as_of: datetime | None = None) -> PublishedAnalysis:
        """The newest analysis of a kind that this member may read, or the one that was it at an instant.

        Raises:
            Unavailable: ``nothing-published``.
        """
        return self.get(with_query(f"{ANALYSES}/latest", kind=kind, as_of=as_of), PublishedAnalysis)

    def analysis(self, name: str, as_of: datetime | None = None) -> PublishedAnalysis:
        """One analysis by its identifier.

        Raises:
            InvalidInput: ``unknown-publication``.
        """
        return self.get(with_query(f"{ANALYSES}/{name}", as_of=as_of), PublishedAnalysis)

    def analysis_document(self, name: str) -> str:
        """An analysis as its agency signed it; ``gateway.checked_publication`` verifies it."""
        return self.get(f"{ANALYSES}/{name}/document", SignedText).document

    def analyses(self, kind: AnalysisKind | None = None, as_of: datetime | None = None) -> tuple[AnalysisSummary, ...]:
        """Every analysis (of a kind) that this member may read, without its figures, newest first."""
        return self.get_all(with_query(ANALYSES, kind=kind, as_of=as_of), AnalysisSummary, lambda each: each.id)


def with_query(path: str, **given: str | datetime | None) -> str:
    """An address with what was given of these parameters; an instant is written with its zone."""
    words = {name: each.isoformat() if isinstance(each, datetime) else each for name, each in given.items()}
    query = urlencode({name: each for name, each in words.items() if each is not None})
    return f"{path}?{query}" if query else path
