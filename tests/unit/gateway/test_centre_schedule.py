"""When the centre works by itself, in Bangkok's time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.centre.main import pause
from gateway.centre.schedule import Schedule, next_round
from gateway.centre.settings import CentreSettings
from tests.centre_world import SETTINGS

pytestmark = pytest.mark.unit

SATURDAY = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)
"""Half past one in the afternoon in Bangkok."""


@pytest.mark.parametrize(
    ("schedule", "hour", "expected"),
    [
        (Schedule.DAILY, 14, datetime(2026, 11, 21, 7, 0, tzinfo=UTC)),
        (Schedule.DAILY, 6, datetime(2026, 11, 21, 23, 0, tzinfo=UTC)),
        (Schedule.WEEKLY, 6, datetime(2026, 11, 22, 23, 0, tzinfo=UTC)),
        (Schedule.MONTHLY, 0, datetime(2026, 11, 30, 17, 0, tzinfo=UTC)),
    ],
)
def test_the_next_round_is_at_an_hour_of_bangkok(schedule: Schedule, hour: int, expected: datetime) -> None:
    assert next_round(schedule, hour, SATURDAY) == expected


def test_december_is_followed_by_january() -> None:
    assert next_round(Schedule.MONTHLY, 6, datetime(2026, 12, 5, tzinfo=UTC)) == datetime(2026, 12, 31, 23, tzinfo=UTC)


@given(
    st.sampled_from([Schedule.DAILY, Schedule.WEEKLY, Schedule.MONTHLY]),
    st.integers(0, 23),
    st.datetimes(datetime(2025, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # aware by zone
)
def test_the_next_round_is_ahead_and_at_its_hour(schedule: Schedule, hour: int, now: datetime) -> None:
    found = next_round(schedule, hour, now)
    local = found + timedelta(hours=7)

    longest = {Schedule.DAILY: 1, Schedule.WEEKLY: 7, Schedule.MONTHLY: 31}[schedule]
    assert timedelta(0) < found - now <= timedelta(days=longest)
    assert (local.hour, local.minute, local.second) == (hour, 0, 0)
    assert schedule is not Schedule.WEEKLY or local.weekday() == 0
    assert schedule is not Schedule.MONTHLY or local.day == 1


def test_what_could_not_be_had_is_tried_again_before_the_next_round_of_the_schedule() -> None:
    def settings(**given: object) -> CentreSettings:
        return CentreSettings.model_validate({**SETTINGS, "refresh_seconds": 600.0, **given})

    daily = settings(schedule="daily", hour=14)
    assert pause(daily, SATURDAY, is_whole=True) == 1800
    assert pause(daily, SATURDAY, is_whole=False) == 600
    assert pause(settings(), SATURDAY, is_whole=True) == 600
