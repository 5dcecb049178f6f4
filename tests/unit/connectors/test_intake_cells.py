"""What a cell means under its column."""

from datetime import date

import pytest

from connectors.intake.cells import SERIAL, Circumstances, Read, reader_of
from contracts.odcs_columns import ColumnFacts, ColumnType
from tests.intake_world import wall

pytestmark = pytest.mark.unit
NOW = wall(2026, 11, 21, 12)
AROUND = Circumstances(NOW, "person", b"k" * 32)


def column(kind: ColumnType, **facts: object) -> ColumnFacts:
    given = {"name": "c", "title": "คอลัมน์", "description": "", "required": False, "key": False, "classification": ""}
    return ColumnFacts.model_validate({**given, "type": kind, **facts})


def read(kind: ColumnType, text: str, **facts: object) -> Read:
    return reader_of(column(kind, **facts), AROUND)(text)


@pytest.mark.parametrize("text", ["", " ", "-", "N/A", "null", "\u200b"])
def test_an_empty_cell_is_missing_only_where_it_is_required(text: str) -> None:
    for kind in ColumnType:
        assert read(kind, text) == Read() or (kind is ColumnType.STRING and read(kind, text).value is None)
        assert read(kind, text, required=True).rule == "missing"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(
            ("๑๒,๓๔๕.๕๐", 12345.5),
            ("12,345.50 บาท", 12345.5),
            ("฿100", 100.0),
            ("-5", -5.0),
            ("−5", -5.0),
            ("1e3", 1000.0),
        ),
        *((f"{SERIAL}42560.95", 42560.95), (".5", 0.5), ("5.", 5.0), ("1,000,000.-", 1_000_000.0)),
    ],
)
def test_a_number_is_read_as_it_is_written(text: str, number: float) -> None:
    assert read(ColumnType.NUMBER, text) == Read(number)


@pytest.mark.parametrize("text", ["12,34", "abc", ".", "1.2.3", "nan", "inf", "12-3", "สิบ"])
def test_what_is_no_number_is_refused(text: str) -> None:
    assert read(ColumnType.NUMBER, text).rule == "not-a-number"


def test_whole_numbers_and_ranges_are_held_to() -> None:
    assert read(ColumnType.INTEGER, "35 ปี", minimum=0, maximum=110) == Read(35)
    assert read(ColumnType.INTEGER, "35.5").rule == "not-whole"
    assert read(ColumnType.INTEGER, "-1", minimum=0).rule == "too-small"
    assert read(ColumnType.INTEGER, "111", maximum=110).rule == "too-large"
    assert read(ColumnType.INTEGER, "9" * 30).rule == "too-large"
    assert read(ColumnType.NUMBER, "-" + "9" * 30).rule == "too-small"


def test_a_fiscal_year_may_have_its_words() -> None:
    assert read(ColumnType.INTEGER, "ปีงบประมาณ 2568") == Read(2568)
    assert read(ColumnType.INTEGER, "ปีงบ ๒๕๖๘", code_list="fiscal_years") == Read(2568)
    assert read(ColumnType.INTEGER, "2568", code_list="fiscal_years") == Read(2568)
    assert read(ColumnType.INTEGER, "1999", code_list="fiscal_years").rule == "code-unknown"


def test_codes_are_found_by_name_and_refused_when_unclear() -> None:
    assert read(ColumnType.STRING, "จ.ตาก", code_list="provinces") == Read("63")
    assert read(ColumnType.STRING, "ระอง", code_list="provinces").rule == "code-unclear"
    assert read(ColumnType.STRING, "ดาวอังคาร", code_list="provinces").rule == "code-unknown"
    assert read(ColumnType.STRING, f"{SERIAL}10", code_list="provinces") == Read("10")
    assert read(ColumnType.STRING, "red", labels=("red", "blue")) == Read("red")


def test_yes_and_no_have_many_words() -> None:
    assert [read(ColumnType.BOOLEAN, text).value for text in ("ใช่", "ไม่ใช่", "true", "0", "Yes", "ไม่ทราบ")] == [
        *(True, False, True, False, True, None),
    ]
    assert read(ColumnType.BOOLEAN, "อาจจะ").rule == "not-yes-no"
    assert read(ColumnType.BOOLEAN, "ไม่ทราบ", required=True).rule == "missing"


def test_dates_lie_between_1900_and_now() -> None:
    assert read(ColumnType.DATE, "25/2/2568") == Read(date(2025, 2, 25))
    assert read(ColumnType.DATE, "25/2/2568 09.30 น.") == Read(date(2025, 2, 25))
    assert read(ColumnType.DATE, "22/11/2569").rule == "date-future"
    assert read(ColumnType.DATE, "1/1/2400").rule == "date-too-old"
    assert read(ColumnType.DATE, "2/25/2025").rule == "date-month-first"
    assert read(ColumnType.TIMESTAMP, "21/11/2569 12.01 น.").rule == "date-future"
    assert read(ColumnType.TIMESTAMP, "25/2/2568").note == "time-missing"
    assert read(ColumnType.TIMESTAMP, "2/3/2025 09:30").note == "day-first-assumed"
    assert read(ColumnType.DATE, "2/3/2025 09:30").note == "day-first-assumed"
    assert read(ColumnType.DATE, "ก.พ. 2568", name="month") == Read(date(2025, 2, 1))
    assert read(ColumnType.DATE, "ก.พ. 2568").rule == "not-a-date"


def test_a_bare_number_is_a_day_only_in_a_spreadsheet() -> None:
    assert read(ColumnType.TIMESTAMP, f"{SERIAL}45713.5").value == wall(2025, 2, 25, 12)
    assert read(ColumnType.TIMESTAMP, "45713").rule == "not-a-date"
    assert read(ColumnType.DATE, f"{SERIAL}250268").rule == "date-unclear"
    assert read(ColumnType.DATE, f"{SERIAL}2568").rule == "not-a-date"
    assert read(ColumnType.DATE, f"{SERIAL}abc").rule == "not-a-date"


def test_a_person_s_number_is_hashed_and_its_spelling_does_not_matter() -> None:
    hashed = [read(ColumnType.STRING, text, name="person").value for text in ("1-1007-01234-56-7", "1100701234567")]
    assert hashed[0] == hashed[1]
    assert len(str(hashed[0])) == 32
    assert "1100701234567" not in str(hashed[0])
    assert read(ColumnType.STRING, "P-1", name="person") != read(ColumnType.STRING, "P1", name="person")
    other = Circumstances(NOW, "person", b"o" * 32)
    assert reader_of(column(ColumnType.STRING, name="person"), other)("1100701234567").value != hashed[0]
    assert read(ColumnType.STRING, "-", name="person", required=True).rule == "missing"


def test_a_citizen_number_where_none_belongs_is_noted() -> None:
    digits = [int(each) for each in "110070123456"]
    check = (11 - sum(digit * (13 - place) for place, digit in enumerate(digits)) % 11) % 10
    assert read(ColumnType.STRING, f"110070123456{check}").note == "citizen-number"
    assert read(ColumnType.STRING, f"110070123456{(check + 1) % 10}").note is None


def test_texts_are_cleaned_and_bounded() -> None:
    assert read(ColumnType.STRING, " ๑๒/๒๕๖๘\u200b ") == Read("12/2568")
    assert read(ColumnType.STRING, "'=1+1") == Read("=1+1")
    assert read(ColumnType.STRING, "ก" * 11, longest=10).rule == "too-long"
    assert read(ColumnType.STRING, "#REF!").rule == "cell-error"
    assert read(ColumnType.STRING, "a\nb").rule == "line-break"
