"""When the centre goes to work by itself: at an hour of Bangkok, each day, Monday, or first of the month."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from contracts.periods import next_month
from gateway.centre.windows import BANGKOK

WEEK = timedelta(days=7)
DAY = timedelta(days=1)


class Schedule(StrEnum):
    """How often the centre works; ``refresh`` is again and again, after a pause."""

    REFRESH = "refresh"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


def next_round(schedule: Schedule, hour: int, now: datetime) -> datetime:
    """The next instant of a schedule after ``now``.

    Args:
        schedule: Not ``refresh``, which has no instants.
        hour: 0 to 23, in Bangkok.
        now: The instant, aware.
    """
    local = (now.astimezone(UTC) + BANGKOK).replace(tzinfo=None)
    today = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    begun = {
        Schedule.DAILY: today,
        Schedule.WEEKLY: today - local.weekday() * DAY,
        Schedule.MONTHLY: today.replace(day=1),
    }[schedule]
    if begun > local:
        return _instant(begun)
    if schedule is Schedule.MONTHLY:
        first = next_month(begun.date())
        return _instant(begun.replace(year=first.year, month=first.month))
    return _instant(begun + (WEEK if schedule is Schedule.WEEKLY else DAY))


def _instant(local: datetime) -> datetime:
    return local.replace(tzinfo=UTC) - BANGKOK
