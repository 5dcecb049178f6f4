"""The spans of a schedule, in Bangkok time: day, ISO week, month, quarter and year of the calendar, or the agreement.

Quarters and years are the calendar's: the quarters of the Thai fiscal year begin on the same days, its years do not.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final

from contracts.agreement import Every
from contracts.periods import Period, next_month

BANGKOK: Final = timedelta(hours=7)
"""Thailand has kept UTC+7 without daylight saving time since 1920."""

MONTHS_IN_QUARTER: Final = 3


def span_of(every: Every, now: datetime, agreed: Period) -> tuple[datetime, datetime]:
    """The present span of a schedule.

    Args:
        every: The span that the schedule counts by.
        now: The moment, aware.
        agreed: The agreement's period; it alone counts for ``agreement``.

    Returns:
        Its first instant, and the first instant behind it, in UTC.
    """
    first, behind = (agreed.start, agreed.until) if every is Every.AGREEMENT else _days(every, _bangkok_day(now))
    return _midnight(first), _midnight(behind)


def _days(every: Every, today: date) -> tuple[date, date]:
    first = _FIRST_DAY[every](today)
    if every is Every.DAY:
        return first, first + timedelta(days=1)
    if every is Every.WEEK:
        return first, first + timedelta(weeks=1)
    if every is Every.YEAR:
        return first, date(first.year + 1, 1, 1)
    behind = next_month(first)
    return first, behind if every is Every.MONTH else next_month(next_month(behind))


def _first_of_quarter(day: date) -> date:
    return date(day.year, day.month - (day.month - 1) % MONTHS_IN_QUARTER, 1)


_FIRST_DAY: Final[dict[Every, Callable[[date], date]]] = {
    Every.DAY: lambda day: day,
    Every.WEEK: lambda day: day - timedelta(days=day.weekday()),
    Every.MONTH: lambda day: day.replace(day=1),
    Every.QUARTER: _first_of_quarter,
    Every.YEAR: lambda day: date(day.year, 1, 1),
}


def _bangkok_day(moment: datetime) -> date:
    return (moment.astimezone(UTC) + BANGKOK).date()


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) - BANGKOK
