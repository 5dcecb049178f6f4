"""A published forecast, with the releases that it came from."""

from pydantic import AwareDatetime, Field

from contracts.dataset import Text
from contracts.identifiers import AgencyId, Code, Digest, Identifier
from contracts.values import Value


class Citation(Value):
    """A release that a forecast was made from."""

    release: Identifier
    digest: Digest


class Band(Value):
    """An interval for each coming month, meant to hold the coming count ``level`` times in 100."""

    level: int = Field(ge=50, le=99)
    low: tuple[float, ...]
    high: tuple[float, ...]


class ForecastSeries(Value):
    """One series: the labels that name it, and its future, oldest month first, in cases a month.

    The interval is meant to hold the coming count ``level`` times in 100; ``bands`` have further levels. ``usual`` is
    what is usual for the month. ``flags`` are codes of what a reader must know: see ``forecasting.flags``.
    """

    labels: dict[str, Code]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    usual: tuple[float, ...]
    bands: tuple[Band, ...] = ()
    flags: tuple[Code, ...] = ()


class Score(Value):
    """How a model did on months that it had not seen (rolling origin), over all series."""

    model: str
    mase: float | None
    wape: float | None
    coverage: float | None
    scaled_crps: float | None = None
    where: str = ""
    """The level of the hierarchy, or the group of series; all of them if empty."""


class ModelCard(Value):
    """What anybody who relies on a model must be told.

    ``data`` says what was counted and how it was protected, ``method`` how the figures were made, ``limits`` what they
    do not say. ``first`` and ``last`` are the months that they were made from, ``YYYY-MM``.
    """

    data: Text
    method: Text
    limits: Text
    first: str = Field(pattern=r"^\d{4}-\d{2}$")
    last: str = Field(pattern=r"^\d{4}-\d{2}$")
    models: tuple[str, ...] = Field(min_length=1)
    scores: tuple[Score, ...] = ()


class Forecast(Value):
    """A forecast as the centre signs and publishes it.

    ``series`` are the finest, ``upper`` the coarser levels, to which the finest add up. ``card`` says how it was made.
    """

    id: Identifier
    title: Text
    model: str
    level: int = Field(ge=50, le=99)
    months: tuple[str, ...]
    dimensions: tuple[str, ...]
    series: tuple[ForecastSeries, ...]
    upper: tuple[ForecastSeries, ...] = ()
    scores: tuple[Score, ...]
    citations: tuple[Citation, ...] = Field(min_length=1)
    limits: Text
    card: ModelCard | None = None
    created: AwareDatetime


class PublishedForecast(Value):
    """A forecast as it is fetched: flagged when a release that it cites was withdrawn or superseded.

    ``agency`` published it at ``published_at``. Asked for as of an instant, ``flagged`` names what had been withdrawn
    by then, and ``flagged_since`` what was withdrawn afterwards; else ``flagged`` names all.
    """

    forecast: Forecast
    digest: Digest
    flagged: tuple[Identifier, ...] = ()
    agency: AgencyId | None = None
    published_at: AwareDatetime | None = None
    flagged_since: tuple[Identifier, ...] = ()
