"""What a check says, and whether a report may be published with what all of them say."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contracts.analysis import AnalysisKind, Report, Table
from contracts.dataset import Text
from forecasting.enforcement import VICTIMISATION

SAYS_WHERE: Final = (AnalysisKind.WARNINGS, AnalysisKind.CLOCK)
"""Reports that say where or when to take care, and so where to patrol."""

GROUP: Final = "group"


class Standing(StrEnum):
    """What a check found."""

    PASSED = "passed"
    FLAGGED = "flagged"
    WITHHOLD = "withhold"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        name: How it is called: kebab-case.
        standing: What it found; unknown where no release tells.
        text: The finding in words.
        flags: What a reader of any report of these kinds must know.
        kinds: The kinds of report that it is about; all of them if empty.
    """

    name: str
    standing: Standing
    text: Text
    flags: tuple[str, ...] = ()
    kinds: tuple[AnalysisKind, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a report is published.

    Attributes:
        publish: False if any check says to withhold it.
        because: The names of the checks that say so.
        flags: What must stand beside it.
    """

    publish: bool
    because: tuple[str, ...]
    flags: tuple[str, ...]


def publishable(report: Report, checks: Sequence[Check]) -> Verdict:
    """Whether a report may be published; the report itself is looked through for enforcement counts too.

    Args:
        report: What is to be published.
        checks: What was found of the releases and forecasts that it was made from.
    """
    asked = (*(each for each in checks if not each.kinds or report.kind in each.kinds), *_own(report))
    withheld = tuple(each.name for each in asked if each.standing is Standing.WITHHOLD)
    flags = tuple(dict.fromkeys(flag for each in asked for flag in each.flags))
    return Verdict(publish=not withheld, because=withheld, flags=flags)


def _own(report: Report) -> tuple[Check, ...]:
    """A report that says where or when to take care may have no row of a group that counts arrests."""
    if report.kind not in SAYS_WHERE or not any(_has_enforcement(table) for table in report.tables):
        return ()
    text = Text(
        th="รายงานนี้มีแถวที่นับการจับกุม จึงใช้บอกพื้นที่หรือเวลาที่ควรระวังไม่ได้",
        en="The report has rows that count arrests: they never say where or when to take care.",
    )
    return (Check("enforcement-in-report", Standing.WITHHOLD, text, ("enforcement",)),)


def _has_enforcement(table: Table) -> bool:
    places = [place for place, column in enumerate(table.columns) if column.name in (GROUP, f"offence_{GROUP}")]
    return any(row[place] not in VICTIMISATION for row in table.rows for place in places)
