"""The newest published warnings as the page shows them: the analysis' own sentences, the most surprising first."""

from dataclasses import dataclass
from typing import Final

from contracts.analysis import PublishedAnalysis
from contracts.dataset import Text

TABLE: Final = "warnings"
MOST_SHOWN: Final = 6
"""Warnings on the page; all of them stand in the table that it leads to."""


@dataclass(frozen=True, slots=True)
class AreaWarnings:
    """What the page says of areas above expectation.

    Attributes:
        analysis: Its identifier.
        month: The newest month that it judged, ``YYYY-MM``.
        shown: The warnings, at most six.
        others: How many more there are.
        notes: What must be known to read them, and how often they are wrong.
        limits: What they do not say.
        flagged: The releases that it cites and that were withdrawn.
    """

    analysis: str
    month: str
    shown: tuple[Text, ...]
    others: int
    notes: tuple[Text, ...]
    limits: Text
    flagged: tuple[str, ...]


def area_warnings(published: PublishedAnalysis | None) -> AreaWarnings | None:
    """The section's content; none where no warnings were published."""
    if published is None:
        return None
    report = published.analysis.report
    said = tuple(each.text for each in report.statements)
    count = next((len(table.rows) for table in report.tables if table.name == TABLE), 0)
    return AreaWarnings(
        analysis=published.analysis.id,
        month=report.card.last,
        shown=said[: min(count, MOST_SHOWN)],
        others=max(count - MOST_SHOWN, 0),
        notes=said[count:],
        limits=report.card.limits,
        flagged=published.flagged,
    )
