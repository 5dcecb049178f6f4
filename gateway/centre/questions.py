"""What the centre asks again and again. Activities of these names stand in its agreement."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from contracts.fit import closed_until
from contracts.periods import Period
from contracts.query import Query
from forecasting.panel import MONTH

BANGKOK: Final = timedelta(hours=7)
MONTHS_A_YEAR: Final = 12


@dataclass(frozen=True, slots=True)
class StandingQuestion:
    """One activity and its question, over the newest ``months`` closed months.

    ``contract`` is the dataset that it is put to.
    """

    activity: str
    contract: str
    measures: tuple[str, ...]
    by: tuple[str, ...]
    months: int

    def query(self, now: datetime) -> Query:
        """The question as it is asked at that instant."""
        return Query(measures=self.measures, dimensions=self.by, period=closed_period(self.months, now))


CRIMES_MONTHLY: Final = StandingQuestion(
    "crimes-monthly", "crimes_case", ("count",), (MONTH, "province", "offence_group"), 60
)
"""The input of the forecast."""

CRIMES_CLOCK: Final = StandingQuestion("crimes-clock", "crimes_case", ("count",), ("hour", "offence_group"), 12)
TPO_MONTHLY: Final = StandingQuestion(
    "tpo-monthly", "tpo_complaint", ("count", "damage_thb:sum"), (MONTH, "case_type"), 60
)
DOP_MONTHLY: Final = StandingQuestion("dop-monthly", "dop_case", ("count",), (MONTH, "type"), 60)
STANDING: Final = (CRIMES_MONTHLY, CRIMES_CLOCK, TPO_MONTHLY, DOP_MONTHLY)


def closed_period(months: int, now: datetime) -> Period:
    """The newest closed Bangkok months.

    Args:
        months: How many.
        now: The instant, aware.
    """
    until = closed_until((now.astimezone(UTC) + BANGKOK).date())
    number = until.year * MONTHS_A_YEAR + until.month - 1 - months
    start = date(number // MONTHS_A_YEAR, number % MONTHS_A_YEAR + 1, 1)
    return Period.model_validate({"from": start, "until": until})
