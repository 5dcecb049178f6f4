"""Dates and times as agencies write them."""

from datetime import date, datetime

import pytest

from connectors.intake.thai_dates import (
    Unclear,
    of_cell,
    of_serial,
    parse_day,
    parse_fiscal_year,
    parse_instant,
    parse_month,
)
from tests.intake_world import wall

pytestmark = pytest.mark.unit
DAY = date(2025, 2, 25)


@pytest.mark.parametrize(
    "text",
    [
        *("๒๕ กุมภาพันธ์ ๒๕๖๘", "25 กุมภาพันธ์ 2568", "25 ก.พ. 68", "25 ก.พ.68", "25กพ2568", "25/2/2568", "25-02-2568"),
        *("25.2.2568", "2568-02-25", "2025-02-25", "2025/2/25", "25/02/2025", "25 กุมภาพันธ์ พ.ศ. 2568", "25/2/68"),
        *("วันอังคารที่ 25 กุมภาพันธ์ พ.ศ. ๒๕๖๘", "วันที่ 25 ก.พ. 2568", "25 กุมภาพันธ์ ค.ศ. 2025", "25 February 2025"),
        *("Feb 25, 2025", "25-Feb-2025", "25-ก.พ.-68", "25 เดือนกุมภาพันธ์ ปี 2568", "20250225", "25680225", "25022568"),
        *("25 กุมภาพันธ์ พุทธศักราช 2568", "  25\u00a0ก.พ.\u200b 2568 ", "ที่ 25 กุมภาพันธ์ 2568"),
    ],
)
def test_a_day_is_read_in_every_spelling(text: str) -> None:
    assert parse_day(text).day == DAY


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("25/2/25", "date-unclear"),  # 2525 or 2025
        ("25 Feb 25", "date-unclear"),
        ("25 ก.พ. ค.ศ. 68", "date-unclear"),
        ("25 กุมภาพันธ์ พ.ศ. 2025", "date-unclear"),
        ("25 กุมภาพันธ์ ค.ศ. 2568", "date-unclear"),
        ("วันพุธที่ 25 กุมภาพันธ์ 2568", "date-unclear"),  # it was a Tuesday
        ("วันหยุดที่ 25 กุมภาพันธ์ 2568", "not-a-date"),
        ("2/25/2025", "date-month-first"),
        ("2/25/2568", "not-a-date"),
        ("29 กุมภาพันธ์ 2568", "not-a-date"),
        ("99022568", "not-a-date"),
        ("12345678", "not-a-date"),
        ("25 กพพ 2568", "not-a-date"),
        ("45713", "not-a-date"),
        ("25/2/999", "not-a-date"),
        ("31/4/2568", "not-a-date"),
        ("", "not-a-date"),
        ("25/2-2568", "not-a-date"),
        ("1 ม.ค. 2300", "not-a-date"),
    ],
)
def test_what_is_no_date_or_could_be_two_is_refused(text: str, rule: str) -> None:
    with pytest.raises(Unclear) as caught:
        parse_day(text)
    assert caught.value.rule == rule


def test_leap_days_follow_the_common_era() -> None:
    assert parse_day("29 ก.พ. 2567").day == date(2024, 2, 29)


def test_a_short_year_beside_a_thai_month_is_buddhist() -> None:
    assert parse_day("1 มี.ค. 65").day == date(2022, 3, 1)
    assert parse_day("1 มี.ค. 25").day == date(1982, 3, 1)


def test_numbers_of_the_common_era_that_could_be_swapped_are_marked() -> None:
    assert parse_day("02/03/2025").day_first
    assert not any(parse_day(text).day_first for text in ("25/02/2025", "03/03/2025", "02/03/2568", "2025-03-02"))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("25/2/2568 09.30 น.", wall(2025, 2, 25, 9, 30)),
        ("25 ก.พ. 2568 เวลา 9.30 น.", wall(2025, 2, 25, 9, 30)),
        ("๒๕ กุมภาพันธ์ ๒๕๖๘ เวลา ๐๙.๓๐ นาฬิกา", wall(2025, 2, 25, 9, 30)),
        ("2568-02-25T09:30:15", wall(2025, 2, 25, 9, 30, 15)),
        ("2025-02-25 09:30:15.25", wall(2025, 2, 25, 9, 30, 15, 250000)),
        ("2025-02-25T20:30:00Z", wall(2025, 2, 26, 3, 30)),
        ("2025-02-25 09:30+07:00", wall(2025, 2, 25, 9, 30)),
        ("25/2/2568 12:05 AM", wall(2025, 2, 25, 0, 5)),
        ("25/2/2568 1:05 pm", wall(2025, 2, 25, 13, 5)),
    ],
)
def test_a_time_of_day_is_bangkok_s(text: str, at: datetime) -> None:
    read = parse_instant(text)
    assert (read.at, read.has_clock) == (at, True)


def test_a_day_without_a_time_begins_the_day_and_says_so() -> None:
    read = parse_instant("25/2/2568")
    assert (read.at, read.has_clock) == (wall(2025, 2, 25), False)


@pytest.mark.parametrize("text", ["25/2/2568 24:00", "25/2/2568 09:75", "25/2/2568 13:00 pm", "2025-02-25 09:30+99:00"])
def test_an_impossible_time_is_refused(text: str) -> None:
    with pytest.raises(Unclear) as caught:
        parse_instant(text)
    assert caught.value.rule == "not-a-time"


@pytest.mark.parametrize("text", ["ก.พ. 2568", "กุมภาพันธ์ ๒๕๖๘", "2568-02", "02/2568", "2025-02", "ก.พ. 68", "25/2/2568"])
def test_a_month_is_its_first_day(text: str) -> None:
    assert parse_month(text) == date(2025, 2, 1)


@pytest.mark.parametrize(
    "text", ["ปีงบประมาณ พ.ศ. 2568", "ปีงบ 68", "ปี งบประมาณ ๒๕๖๘", "FY2568", "FY2025", "2568", "FY68"]
)
def test_a_fiscal_year_is_named_by_its_buddhist_year(text: str) -> None:
    assert parse_fiscal_year(text) == 2568


def test_no_fiscal_year_is_made_of_other_words() -> None:
    with pytest.raises(Unclear):
        parse_fiscal_year("ไตรมาส 2")


def test_running_numbers_of_spreadsheets_are_days() -> None:
    assert of_serial(45713.39583333333) == wall(2025, 2, 25, 9, 30)
    assert of_serial(44251, from_1904=True) == wall(2025, 2, 25)
    with pytest.raises(Unclear):
        of_serial(1e12)


def test_a_date_cell_with_a_buddhist_year_was_typed_so() -> None:
    assert of_cell(wall(2568, 2, 25, 9)) == wall(2025, 2, 25, 9)
    assert of_cell(wall(2025, 2, 25)) == wall(2025, 2, 25)
    with pytest.raises(Unclear):
        of_cell(wall(2568, 2, 29))  # a leap day there, none in 2025
