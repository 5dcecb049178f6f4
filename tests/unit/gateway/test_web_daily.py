"""The average cases a day, from the nodes of a daily counter."""

from datetime import date

import pytest

from contracts.release import Release
from gateway.web.daily import CRIMES_DAILY, Daily, daily_average
from tests.web.sample import counter, withdrawn

pytestmark = pytest.mark.unit

OLD = counter(CRIMES_DAILY, date(2025, 3, 1), date(2025, 10, 1))
NEW = counter(CRIMES_DAILY, date(2025, 10, 1), date(2026, 2, 1))


def found(*releases: Release) -> Daily:
    made = daily_average(releases, CRIMES_DAILY)
    assert made is not None
    return made


def test_the_average_of_a_run_has_its_days_and_its_error() -> None:
    made = found(NEW)

    assert (made.since, made.last, made.days) == (date(2025, 10, 1), date(2026, 1, 31), 123)
    assert made.average.value == pytest.approx(100, abs=made.average.error)
    assert 0 < made.average.error < 1


def test_two_fiscal_years_are_put_together() -> None:
    made = found(OLD, NEW)

    assert (made.since, made.last, made.days) == (date(2025, 3, 1), date(2026, 1, 31), 337)


def test_only_the_newest_year_counts() -> None:
    later = counter(CRIMES_DAILY, date(2026, 2, 1), date(2026, 8, 1))
    made = found(NEW, later, OLD)

    assert (made.since, made.last, made.days) == (date(2025, 8, 1), date(2026, 7, 31), 365)


def test_missing_days_are_neither_counted_nor_divided_by() -> None:
    later = counter(CRIMES_DAILY, date(2026, 3, 1), date(2026, 4, 1))
    made = found(NEW, later)

    assert made.days == 123 + 31
    assert made.average.value == pytest.approx(100, abs=1)


def test_what_is_withdrawn_private_or_another_counter_is_not_read() -> None:
    assert daily_average([withdrawn(NEW)], CRIMES_DAILY) is None
    assert (
        daily_average([counter(CRIMES_DAILY, date(2025, 10, 1), date(2026, 2, 1), public=False)], CRIMES_DAILY) is None
    )
    assert daily_average([NEW], "tpo-daily") is None
    assert daily_average([], CRIMES_DAILY) is None
