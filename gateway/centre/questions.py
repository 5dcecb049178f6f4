"""What the centre asks again and again: standing series of its agreement's activities.

A question is known by its activity. The centre asks those that stand in its agreement and says which do not; the tables
of a family and their weights are the agreement's, never the centre's.
"""

from dataclasses import dataclass
from typing import Final

from contracts.agreement import Activity
from contracts.periods import Period
from contracts.query import FamilyTable, Query, Series
from contracts.views import ReleaseSummary
from forecasting.panel import MONTH
from gateway.centre.windows import Pace

WEEK: Final = "week"
WHEN: Final = ("hour", "weekday")
YEAR: Final = 12
HISTORY: Final = 5 * YEAR
"""Closed months that a forecast looks back on."""


@dataclass(frozen=True, slots=True)
class StandingQuestion:
    """One activity and its question, as a standing series.

    Args:
        activity: The activity of the agreement under which it is asked.
        contract: The dataset that it is put to.
        measures: What is counted.
        by: The axes of its finest table.
        months: How many of the newest closed months are wanted.
        pace: Which span of closed months one request asks.
        is_counter: Whether it counts days, by the nodes of a tree.
    """

    activity: str
    contract: str
    measures: tuple[str, ...]
    by: tuple[str, ...]
    months: int = HISTORY
    pace: Pace = Pace.MONTH
    is_counter: bool = False

    def query(self, activity: Activity, period: Period, revision: int) -> Query:
        """The question about a period, with the family of these axes if the activity has one."""
        return Query(
            measures=self.measures,
            dimensions=self.by,
            period=period,
            family=next((each for each in activity.families if sorted(self.by) in map(_axes, each.tables)), None),
            series=Series(revision=revision),
            counter=self.is_counter,
        )

    def is_answered_by(self, release: ReleaseSummary) -> bool:
        """Whether a release tells some months of it, under whichever agreement and with whichever tables."""
        asked = release.query
        return (
            asked.series is not None
            and asked.counter == self.is_counter
            and not asked.where
            and {each.id for each in release.contracts} == {self.contract}
            and sorted(asked.dimensions) == sorted(self.by)
            and set(self.measures) <= set(asked.measures)
        )


def _axes(table: FamilyTable) -> list[str]:
    return sorted(table.by)


COUNT: Final = ("count",)
CRIMES, COMPLAINTS, PROBATION = "crimes_case", "tpo_complaint", "dop_case"

CRIMES_MONTHLY: Final = StandingQuestion("crimes-monthly", CRIMES, COUNT, (MONTH, "province", "offence_group"))
"""The input of the forecast."""

CRIMES_DAILY: Final = StandingQuestion("crimes-daily", CRIMES, COUNT, (), YEAR, is_counter=True)
FRAUDS_DAILY: Final = StandingQuestion("tpo-daily", COMPLAINTS, COUNT, (), YEAR, is_counter=True)
"""Every day of the country, for the average cases a day."""

STANDING: Final = (
    CRIMES_MONTHLY,
    CRIMES_DAILY,
    StandingQuestion("crimes-offences", CRIMES, COUNT, (MONTH, "police_region", "offence"), 2 * YEAR),
    StandingQuestion("crimes-weekly", CRIMES, COUNT, (WEEK, "police_region", "offence_group"), 2 * YEAR),
    StandingQuestion(
        "crimes-clock", CRIMES, COUNT, ("hour", "weekday", "police_region", "offence_group"), YEAR, Pace.YEAR
    ),
    StandingQuestion("crimes-pilots", CRIMES, COUNT, ("ssz_station", "offence_group"), YEAR, Pace.QUARTER),
    StandingQuestion("tpo-monthly", COMPLAINTS, (*COUNT, "damage_thb:sum"), (MONTH, "case_type")),
    FRAUDS_DAILY,
    StandingQuestion("dop-monthly", PROBATION, COUNT, (MONTH, "province", "type")),
)
"""In the order of importance: what comes first is asked first, should a budget be short."""
