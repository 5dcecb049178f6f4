"""Which months one request asks: closed ones of one fiscal year, so that each window is paid by one request."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from contracts.fit import closed_until
from contracts.periods import Period, next_month, window_of

BANGKOK: Final = timedelta(hours=7)
MONTHS_A_YEAR: Final = 12
MONTHS_A_QUARTER: Final = 3


class Pace(StrEnum):
    """Which span of closed months is asked at once.

    ``month`` asks all closed months of a fiscal year that are not asked yet, and so each new one as it closes; its
    answer tells months apart. ``quarter`` and ``year`` ask whole quarters and fiscal years as one figure each, whose
    noise is that of a single month.
    """

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


def wanted_months(months: int, pace: Pace, now: datetime) -> tuple[str, ...]:
    """The newest closed Bangkok months, ``YYYY-MM``, oldest first, from the beginning of a quarter or year if so asked.

    Args:
        months: At least how many.
        pace: How they are asked.
        now: The instant, aware.
    """
    until = closed_until((now.astimezone(UTC) + BANGKOK).date())
    number = until.year * MONTHS_A_YEAR + until.month - 1 - months
    start = date(number // MONTHS_A_YEAR, number % MONTHS_A_YEAR + 1, 1)
    while pace is not Pace.MONTH and _part(start, pace) == _part(_before(start), pace):
        start = _before(start)
    return Period.model_validate({"from": start, "until": until}).months()


def requests_for(months: Sequence[str], pace: Pace, taken: Collection[str] = ()) -> tuple[Period, ...]:
    """The periods to ask so that every month is told that is not taken yet, oldest first.

    Args:
        months: Closed months that are wanted, oldest first.
        pace: How they are asked. A quarter or a year is asked when all of it is wanted and none of it is taken.
        taken: Months that were asked before, whether they were answered or not.
    """
    spans: dict[str, list[str]] = {}
    for month in months:
        spans.setdefault(_part(_first(month), pace), []).append(month)
    if pace is Pace.MONTH:
        return tuple(run for span in spans.values() for run in _runs([each for each in span if each not in taken]))
    size = MONTHS_A_QUARTER if pace is Pace.QUARTER else MONTHS_A_YEAR
    whole = (span for span in spans.values() if len(span) == size and not set(span) & set(taken))
    return tuple(period_of(span) for span in whole)


def period_of(months: Sequence[str]) -> Period:
    """The period of months that follow each other."""
    return Period.model_validate({"from": _first(months[0]), "until": next_month(_first(months[-1]))})


def _runs(months: Sequence[str]) -> list[Period]:
    """The months as periods without a gap."""
    runs: list[list[str]] = []
    for month in months:
        if runs and next_month(_first(runs[-1][-1])) == _first(month):
            runs[-1].append(month)
        else:
            runs.append([month])
    return [period_of(run) for run in runs]


def _part(day: date, pace: Pace) -> str:
    """The quarter or fiscal year that a month is asked in."""
    quarter = (day.month - 1) // MONTHS_A_QUARTER if pace is Pace.QUARTER else ""
    return f"{window_of(day)} {quarter}"


def _before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def _first(month: str) -> date:
    return date.fromisoformat(f"{month}-01")
