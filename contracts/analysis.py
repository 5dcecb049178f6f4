"""A published analysis: what the centre finds in releases besides forecasts, with its model card and its sources.

Warnings, crime clocks, rankings, rate ratios and evaluations differ in their figures, not in how they must be told: all
are tables with titles and units, statements in Thai and English, a card that says how they were made, and the releases
that they came from. One form serves them all, so that one register, one page and one export do.
"""

from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime, Field, model_validator

from contracts.dataset import Text
from contracts.forecast import Citation, ModelCard
from contracts.identifiers import AgencyId, Code, Digest, Identifier, Name
from contracts.values import Value

Figure = str | bool | int | float | None
"""One cell: a label, a count, a number, yes or no; None where it has no meaning. Never NaN or infinite."""


class AnalysisKind(StrEnum):
    """What an analysis is about."""

    WARNINGS = "warnings"
    CLOCK = "crime-clock"
    FACTORS = "factors"
    EVALUATION = "evaluation"
    HOLIDAYS = "holidays"
    TECHNOLOGY = "technology-crime"
    FLOW = "justice-flow"
    CASELOAD = "caseload"
    REOFFENDING = "reoffending"
    BACKTEST = "backtest"
    FAIRNESS = "fairness"
    WEEKLY = "weekly-forecast"


class Column(Value):
    """A column of a table: its name for machines, its title for people, and the unit of its figures."""

    name: Name
    title: Text
    unit: str = ""


class Table(Value):
    """A table; every row has a figure for each column."""

    name: Name
    title: Text
    columns: tuple[Column, ...] = Field(min_length=1)
    rows: tuple[tuple[Figure, ...], ...]

    @model_validator(mode="after")
    def _rows_are_whole(self) -> Self:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("every row has a figure for each column")
        return self


class Statement(Value):
    """One finding in plain words, and the codes of what a reader must know about it (``below-area-floor`` ...)."""

    text: Text
    flags: tuple[Code, ...] = ()


class Report(Value):
    """What an analysis says; nothing in it tells who made or signed it."""

    kind: AnalysisKind
    title: Text
    statements: tuple[Statement, ...]
    tables: tuple[Table, ...] = Field(min_length=1)
    card: ModelCard
    public: bool = True
    """Whether everybody may read it; else the agencies that may read the releases it cites."""


class Analysis(Value):
    """A report as the centre signs and publishes it."""

    id: Identifier
    report: Report
    citations: tuple[Citation, ...] = Field(min_length=1)
    created: AwareDatetime


class PublishedAnalysis(Value):
    """An analysis as it is fetched: flagged when a release that it cites was withdrawn or superseded.

    ``agency`` published it at ``published_at``. Asked for as of an instant, ``flagged`` names what had been withdrawn
    by then, and ``flagged_since`` what was withdrawn afterwards; else ``flagged`` names all.
    """

    analysis: Analysis
    digest: Digest
    flagged: tuple[Identifier, ...] = ()
    agency: AgencyId | None = None
    published_at: AwareDatetime | None = None
    flagged_since: tuple[Identifier, ...] = ()
