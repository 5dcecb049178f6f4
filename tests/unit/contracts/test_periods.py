"""Periods and the Thai fiscal year."""

from datetime import date

import pytest
from pydantic import ValidationError

from contracts.periods import Period, next_month, window_of
from tests.factories import period

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("day", "window"),
    [
        (date(2025, 9, 30), "FY2568"),
        (date(2025, 10, 1), "FY2569"),
        (date(2025, 12, 31), "FY2569"),
        (date(2026, 1, 1), "FY2569"),
        (date(2026, 9, 30), "FY2569"),
        (date(2026, 10, 1), "FY2570"),
    ],
)
def test_a_fiscal_year_runs_from_october_and_is_named_by_its_end(day: date, window: str) -> None:
    assert window_of(day) == window


def test_a_period_touches_every_window_of_its_months() -> None:
    assert period("2024-09-30", "2025-10-02").windows() == ("FY2567", "FY2568", "FY2569")
    assert period("2025-10-01", "2026-10-01").windows() == ("FY2569",)


def test_the_end_of_a_period_is_outside_it() -> None:
    assert period("2025-11-01", "2026-01-01").months() == ("2025-11", "2025-12")
    assert period("2025-11-30", "2025-12-02").months() == ("2025-11", "2025-12")
    assert period("2025-12-31", "2026-01-01").months() == ("2025-12",)


@pytest.mark.parametrize(
    ("start", "until", "whole"),
    [
        ("2025-10-01", "2025-11-01", True),
        ("2025-10-02", "2025-11-01", False),
        ("2025-10-01", "2025-11-02", False),
    ],
)
def test_whole_months_begin_and_end_on_a_first(start: str, until: str, *, whole: bool) -> None:
    assert period(start, until).is_whole_months is whole


@pytest.mark.parametrize("until", ["2025-10-01", "2025-09-30"])
def test_a_period_ends_after_it_begins(until: str) -> None:
    with pytest.raises(ValidationError, match="ends after it begins"):
        period("2025-10-01", until)


def test_a_period_is_named_from_and_until_on_the_wire() -> None:
    sent = '{"from":"2025-10-01","until":"2025-11-01"}'

    assert Period.model_validate_json(sent).model_dump_json(by_alias=True) == sent
    with pytest.raises(ValidationError):
        Period.model_validate_json('{"start":"2025-10-01","until":"2025-11-01"}')


@pytest.mark.parametrize(("start", "until"), [("1899-12-31", "2025-01-01"), ("2025-01-01", "2056-10-02")])
def test_a_period_lies_within_the_fiscal_years_that_have_a_name(start: str, until: str) -> None:
    with pytest.raises(ValidationError, match="a period lies between"):
        period(start, until)


def test_the_longest_period_can_be_counted() -> None:
    longest = period("1900-01-01", "2056-10-01")

    assert (longest.windows()[0], longest.windows()[-1]) == ("FY2443", "FY2599")
    assert longest.months()[-1] == "2056-09"


def test_december_is_followed_by_january() -> None:
    assert next_month(date(2025, 12, 31)) == date(2026, 1, 1)
    assert next_month(date(2025, 1, 31)) == date(2025, 2, 1)


def test_weeks_are_iso_weeks_and_the_edges_are_cut_by_the_period() -> None:
    assert period("2025-09-01", "2025-10-01").weeks() == ("2025-W36", "2025-W37", "2025-W38", "2025-W39", "2025-W40")
    assert period("2025-10-01", "2025-10-06").weeks() == ("2025-W40",)
    assert period("2024-12-29", "2025-01-02").weeks() == ("2024-W52", "2025-W01")
