"""A published forecast, with the releases that it came from."""

from pydantic import AwareDatetime, Field

from contracts.dataset import Text
from contracts.identifiers import Code, Digest, Identifier
from contracts.values import Value


class Citation(Value):
    """A release that a forecast was made from."""

    release: Identifier
    digest: Digest


class ForecastSeries(Value):
    """One series: the labels that name it, and its future, oldest month first, in cases a month.

    The interval is meant to hold the coming count ``level`` times in 100. ``expected`` is what is usual for the month.
    """

    labels: dict[str, Code]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    usual: tuple[float, ...]


class Score(Value):
    """How a model did on months that it had not seen (rolling origin), over all series."""

    model: str
    mase: float | None
    wape: float | None
    coverage: float | None


class Forecast(Value):
    """A forecast as the centre signs and publishes it."""

    id: Identifier
    title: Text
    model: str
    level: int = Field(ge=50, le=99)
    months: tuple[str, ...]
    dimensions: tuple[str, ...]
    series: tuple[ForecastSeries, ...]
    scores: tuple[Score, ...]
    citations: tuple[Citation, ...] = Field(min_length=1)
    limits: Text
    created: AwareDatetime


class PublishedForecast(Value):
    """A forecast as it is fetched: flagged when a release that it cites was withdrawn."""

    forecast: Forecast
    digest: Digest
    flagged: tuple[Identifier, ...] = ()
