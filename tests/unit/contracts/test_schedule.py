"""The spans of a schedule, in Bangkok time."""

from datetime import UTC, date, datetime, timedelta

import pytest

from contracts.agreement import Every
from contracts.schedule import span_of
from tests.factories import period

pytestmark = pytest.mark.unit

AGREED = period("2025-10-15", "2026-10-15")


def bangkok(text: str) -> datetime:
    """A moment in Bangkok, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) - timedelta(hours=7)


@pytest.mark.parametrize(
    ("every", "now", "start", "until"),
    [
        (Every.DAY, "2026-01-15T10:00", "2026-01-15", "2026-01-16"),
        (Every.DAY, "2026-01-15T00:00", "2026-01-15", "2026-01-16"),
        (Every.DAY, "2026-01-15T23:59:59", "2026-01-15", "2026-01-16"),
        (Every.DAY, "2024-02-29T12:00", "2024-02-29", "2024-03-01"),
        (Every.DAY, "2025-12-31T12:00", "2025-12-31", "2026-01-01"),
        # ISO weeks begin on Monday and cross the year's end.
        (Every.WEEK, "2026-01-01T00:00", "2025-12-29", "2026-01-05"),
        (Every.WEEK, "2026-01-04T23:59:59", "2025-12-29", "2026-01-05"),
        (Every.WEEK, "2026-01-05T00:00", "2026-01-05", "2026-01-12"),
        (Every.MONTH, "2025-12-31T23:59:59", "2025-12-01", "2026-01-01"),
        (Every.MONTH, "2026-01-01T00:00", "2026-01-01", "2026-02-01"),
        (Every.MONTH, "2024-02-29T00:00", "2024-02-01", "2024-03-01"),
        # The calendar's quarters begin with those of the Thai fiscal year: October is the first of FY2569.
        (Every.QUARTER, "2025-09-30T23:59:59", "2025-07-01", "2025-10-01"),
        (Every.QUARTER, "2025-10-01T00:00", "2025-10-01", "2026-01-01"),
        (Every.QUARTER, "2025-12-31T23:59:59", "2025-10-01", "2026-01-01"),
        (Every.QUARTER, "2026-02-28T12:00", "2026-01-01", "2026-04-01"),
        (Every.QUARTER, "2026-06-30T12:00", "2026-04-01", "2026-07-01"),
        (Every.YEAR, "2025-12-31T23:59:59", "2025-01-01", "2026-01-01"),
        (Every.YEAR, "2026-01-01T00:00", "2026-01-01", "2027-01-01"),
        (Every.AGREEMENT, "2026-01-15T10:00", "2025-10-15", "2026-10-15"),
    ],
)
def test_a_span_is_the_calendars_in_bangkok(every: Every, now: str, start: str, until: str) -> None:
    assert span_of(every, bangkok(now), AGREED) == (bangkok(start), bangkok(until))


def test_the_day_changes_at_seventeen_hours_universal_time() -> None:
    before, after = (datetime(2026, 1, 15, 16, 59, tzinfo=UTC), datetime(2026, 1, 15, 17, 0, tzinfo=UTC))

    assert span_of(Every.DAY, before, AGREED)[1] == span_of(Every.DAY, after, AGREED)[0]


@pytest.mark.parametrize("every", [each for each in Every if each is not Every.AGREEMENT])
def test_spans_follow_each_other_without_gap_or_overlap_for_three_years(every: Every) -> None:
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    while moment < datetime(2027, 1, 1, tzinfo=UTC):
        start, until = span_of(every, moment, AGREED)
        assert start <= moment < until
        assert span_of(every, until, AGREED)[0] == until
        assert span_of(every, until - timedelta(microseconds=1), AGREED) == (start, until)
        moment = until


def test_the_first_instant_is_a_bangkok_midnight() -> None:
    start, _ = span_of(Every.MONTH, bangkok("2026-01-15T10:00"), AGREED)

    assert (start + timedelta(hours=7)).date() == date(2026, 1, 1)
    assert start.hour == 17
