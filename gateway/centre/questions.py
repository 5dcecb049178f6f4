"""What the centre asks again and again: standing series of its agreement's activities.

A question is known by its activity. The centre asks those that stand in its agreement and says which do not; the tables
of a family and their weights are the agreement's, never the centre's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from contracts.agreement import Activity
from contracts.periods import Period
from contracts.query import FamilyTable, Query, Series
from contracts.views import ReleaseSummary
from forecasting.enforcement import VICTIMISATION
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
        where: The codes that alone are counted, by dimension.
    """

    activity: str
    contract: str
    measures: tuple[str, ...]
    by: tuple[str, ...]
    months: int = HISTORY
    pace: Pace = Pace.MONTH
    is_counter: bool = False
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def query(self, activity: Activity, period: Period, revision: int) -> Query:
        """The question about a period, with the family of these axes if the activity has one."""
        return Query(
            measures=self.measures,
            dimensions=self.by,
            where=self.where,
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
            and asked.where == self.where
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

CRIMES_DAILY: Final = StandingQuestion(
    "crimes-daily", CRIMES, COUNT, (), YEAR, is_counter=True, where={"offence_group": VICTIMISATION}
)
FRAUDS_DAILY: Final = StandingQuestion("tpo-daily", COMPLAINTS, COUNT, (), YEAR, is_counter=True)
"""Every day of the country, for the average cases a day; arrests, which follow enforcement, are not among them."""

EM_ALERTS: Final = ("alerts_tamper:sum", "alerts_zone_exit:sum")
COMPONENTS: Final = ("ai", "apps", "ccoc", "cctv", "cpted", "partner", "sos")
"""What is scored of a Smart Safety Zone each month."""

SCORES: Final = (*(f"component_score_{each}:mean" for each in COMPONENTS), "fear_mean:mean", "trust_mean:mean")

REPORTED: Final = ("reported", "region", "offence_group")
VICTIMS: Final = {"victimised": ("Y",)}

STANDING: Final = (
    CRIMES_MONTHLY,
    CRIMES_DAILY,
    StandingQuestion("crimes-offences", CRIMES, COUNT, (MONTH, "police_region", "offence"), 2 * YEAR),
    StandingQuestion("crimes-weekly", CRIMES, COUNT, (WEEK, "police_region", "offence_group"), 3 * YEAR),
    StandingQuestion("crimes-clock", CRIMES, COUNT, (*WHEN, "police_region", "offence_group"), YEAR, Pace.YEAR),
    StandingQuestion("crimes-pilots", CRIMES, COUNT, ("ssz_station", "offence_group"), YEAR, Pace.QUARTER),
    StandingQuestion("crimes-stages", CRIMES, COUNT, (MONTH, "stage"), 2 * YEAR),
    StandingQuestion("tpo-monthly", COMPLAINTS, (*COUNT, "damage_thb:sum"), (MONTH, "case_type")),
    FRAUDS_DAILY,
    StandingQuestion("tpo-stages", COMPLAINTS, COUNT, (MONTH, "stage"), 2 * YEAR),
    StandingQuestion("dop-monthly", PROBATION, COUNT, (MONTH, "province", "type")),
    StandingQuestion("dop-results", PROBATION, COUNT, (MONTH, "type", "result"), 3 * YEAR),
    StandingQuestion("dop-reoffending", PROBATION, COUNT, ("type", "reoffended_12m"), 2 * YEAR, Pace.YEAR),
    StandingQuestion(
        "dop-em", "dop_em", (*COUNT, "alerts_tamper:sum", "alerts_zone_exit:sum"), (MONTH, "basis", "outcome")
    ),
    StandingQuestion("tpo-holds", "tpo_hold", (*COUNT, "requested_thb:sum", "frozen_thb:sum"), (MONTH, "case_type")),
    StandingQuestion("tpo-trails", "tpo_mule", (*COUNT, "amount_thb:sum"), ("hop", "exit"), YEAR, Pace.QUARTER),
    StandingQuestion("tpo-holders", "tpo_mule", ("people",), ("province",), YEAR, Pace.YEAR),
    StandingQuestion("oag-monthly", "oag_case", COUNT, (MONTH, "order"), 3 * YEAR),
    StandingQuestion("coj-monthly", "coj_case", COUNT, (MONTH, "outcome"), 3 * YEAR),
    StandingQuestion("doc-monthly", "doc_prisoner", COUNT, (MONTH, "release_kind"), 3 * YEAR),
    StandingQuestion(
        *("doc-cohorts", "doc_release_cohort", COUNT, ("returned_within", "offence_group", "age_band", "sex")),
        months=3 * YEAR,
        pace=Pace.YEAR,
    ),
    StandingQuestion(
        "cvs-reported", "cvs", COUNT, ("reported", "region", "offence_group"), pace=Pace.YEAR, where=VICTIMS
    ),
    StandingQuestion("ssz-scores", "ssz_station_month", SCORES, (MONTH,)),
)
"""In the order of importance: what comes first is asked first, should a budget be short.

The weeks go back three years: a forecast of weeks needs 104 whole ones. The pilot stations are asked by quarter
and in groups only: a zone of 0.42 km2 has a handful of cases a month.
"""
