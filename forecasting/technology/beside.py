"""Complaints and cases in two columns, never one sum.

A complaint is preliminary. It becomes a case later, and is then in CRIMES as well: a sum would count it twice. So there
is a type for the two figures of a month that has no sum, and no function here takes both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.errors import InvalidInput
from contracts.release import ReleaseBody
from forecasting.cells import ESTIMATE, SIGMA, CellTable, cell_table
from forecasting.panel import MONTH
from privacy.plan import Z_95

COMPLAINTS, CASES = "tpo_complaint", "crimes_case"
ONLINE_OFFENCE = "COMP_FRAUD"
"""The offence in CRIMES that online complaints mostly become: computer-related fraud."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and the half-width of its 95 % interval."""

    value: float
    error_95: float


@dataclass(frozen=True, slots=True)
class MonthBeside:
    """One month: what was complained of, and what became or was registered as a case; either may be unknown."""

    month: str
    complaints: Figure | None
    cases: Figure | None


def beside(bodies: Sequence[ReleaseBody]) -> tuple[MonthBeside, ...]:
    """Every month that either dataset tells, oldest first."""
    complaints = _by_month(by_month(bodies, COMPLAINTS))
    cases = _by_month(by_month(bodies, CASES, {"offence": [ONLINE_OFFENCE]}))
    months = sorted({*complaints, *cases})
    return tuple(MonthBeside(month, complaints.get(month), cases.get(month)) for month in months)


def by_month(
    bodies: Sequence[ReleaseBody], dataset: str, where: dict[str, list[str]] | None = None
) -> CellTable | None:
    """The counts of one dataset by month; none if no release tells them."""
    try:
        return cell_table(bodies, dataset, "count", [MONTH], where)
    except InvalidInput:
        return None


def _by_month(table: CellTable | None) -> dict[str, Figure]:
    if table is None:
        return {}
    rows = table.frame.to_dict("records")
    return {str(row[MONTH]): Figure(float(row[ESTIMATE]), Z_95 * float(row[SIGMA])) for row in rows}
