"""Which months one request asks: closed ones, of one fiscal year, each once."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.periods import window_of
from gateway.centre.windows import Pace, period_of, requests_for, wanted_months

pytestmark = pytest.mark.unit

INSTANTS = st.datetimes(datetime(2021, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # aware below
NOVEMBER = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "months", "first", "last"),
    [
        (datetime(2026, 1, 31, 16, 59, tzinfo=UTC), 12, "2025-01", "2025-12"),
        (datetime(2026, 1, 31, 17, 0, tzinfo=UTC), 12, "2025-02", "2026-01"),
        (datetime(2026, 12, 15, tzinfo=UTC), 1, "2026-11", "2026-11"),
        (datetime(2026, 1, 1, tzinfo=UTC), 60, "2021-01", "2025-12"),
    ],
)
def test_a_month_is_closed_when_it_has_ended_in_bangkok(now: datetime, months: int, first: str, last: str) -> None:
    found = wanted_months(months, Pace.MONTH, now)

    assert (found[0], found[-1], len(found)) == (first, last, months)


def test_quarters_and_years_are_wanted_from_their_first_month() -> None:
    assert wanted_months(12, Pace.YEAR, NOVEMBER)[0] == "2025-10"
    assert wanted_months(14, Pace.YEAR, NOVEMBER)[0] == "2024-10"
    assert wanted_months(2, Pace.QUARTER, NOVEMBER)[0] == "2026-07"


def test_the_past_is_asked_by_fiscal_years_and_then_each_month_as_it_closes() -> None:
    months = wanted_months(15, Pace.MONTH, NOVEMBER)
    first = requests_for(months, Pace.MONTH)
    december = wanted_months(15, Pace.MONTH, datetime(2026, 12, 2, tzinfo=UTC))

    assert [(each.months()[0], len(each.months())) for each in first] == [
        ("2025-08", 2),
        ("2025-10", 12),
        ("2026-10", 1),
    ]
    assert [each.months() for each in requests_for(december, Pace.MONTH, months)] == [("2026-11",)]


def test_months_around_those_that_were_asked_are_asked_on_both_sides() -> None:
    months = wanted_months(12, Pace.MONTH, datetime(2026, 10, 5, tzinfo=UTC))

    asked = requests_for(months, Pace.MONTH, {"2026-01", "2026-02"})

    assert [each.months() for each in asked] == [months[:3], months[5:]]


@pytest.mark.parametrize(("pace", "size"), [(Pace.QUARTER, 3), (Pace.YEAR, 12)])
def test_a_quarter_or_year_is_asked_whole_or_not_at_all(pace: Pace, size: int) -> None:
    months = wanted_months(24, pace, NOVEMBER)

    asked = requests_for(months, pace)

    assert {len(each.months()) for each in asked} == {size}
    assert asked[-1].months()[-1] == "2026-09"
    assert requests_for(months, pace, {"2026-08"}) == asked[:-1]


@given(INSTANTS, st.integers(1, 80), st.sampled_from(Pace), st.sets(st.integers(0, 90)))
def test_every_month_is_asked_once_in_one_window_and_never_if_taken(
    now: datetime, count: int, pace: Pace, numbers: set[int]
) -> None:
    months = wanted_months(count, pace, now)
    taken = {month for place, month in enumerate(months) if place in numbers}

    asked = requests_for(months, pace, taken)

    told = [month for each in asked for month in each.months()]
    assert len(set(told)) == len(told)
    assert told == sorted(told)
    assert not set(told) & taken
    assert all(len(each.windows()) == 1 for each in asked)
    assert pace is not Pace.MONTH or set(told) == set(months) - taken
    assert all(earlier.until <= later.start for earlier, later in pairwise(asked))


def test_months_that_follow_each_other_are_one_period() -> None:
    period = period_of(("2025-11", "2025-12", "2026-01"))

    assert period.months() == ("2025-11", "2025-12", "2026-01")
    assert window_of(period.start) == "FY2569"
