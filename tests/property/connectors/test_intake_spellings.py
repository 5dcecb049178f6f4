"""Every date in every spelling, and every damaged province name: the right one, or refused."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.intake.cells import Circumstances, reader_of
from connectors.intake.matching import AMBIGUOUS, Matcher, is_left_of, matcher_of
from connectors.intake.thai_dates import (
    ENGLISH_MONTHS,
    SHORT_THAI_MONTHS,
    THAI_MONTHS,
    WEEKDAYS,
    Unclear,
    parse_day,
    parse_instant,
)
from connectors.intake.thai_text import MARKS, clean, guarded, letters, unguarded
from contracts.code_lists import code_list
from contracts.odcs_columns import ColumnFacts, ColumnType
from tests.intake_world import wall

pytestmark = pytest.mark.property
FIRST, LAST = date(1900, 1, 1), date(2100, 12, 31)
PROVINCES = code_list("provinces")
THAI_DIGITS = str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙")


def spellings(day: date) -> list[str]:
    be, month = day.year + 543, day.month - 1
    return [
        f"{day.day} {THAI_MONTHS[month]} {be}",
        f"{day.day} {THAI_MONTHS[month]} {be}".translate(THAI_DIGITS),
        f"{day.day} {THAI_MONTHS[month]} พ.ศ. {be}",
        f"วัน{WEEKDAYS[day.weekday()]}ที่ {day.day} {THAI_MONTHS[month]} พ.ศ. {be}",
        f"{day.day} {SHORT_THAI_MONTHS[month]} {be}",
        f"{day.day}{SHORT_THAI_MONTHS[month].replace('.', '')}{be}",
        f"{day.day}/{day.month}/{be}",
        f"{day.day:02}-{day.month:02}-{be}",
        f"{day.day}.{day.month}.{be}",
        f"{be}-{day.month:02}-{day.day:02}",
        f"{day.day} {THAI_MONTHS[month]} ค.ศ. {day.year}",
        f"{day.day}/{day.month}/{day.year}",
        day.isoformat(),
        f"{day.day} {ENGLISH_MONTHS[month].title()} {day.year}",
        f"{ENGLISH_MONTHS[month][:3].title()} {day.day}, {day.year}",
    ]


def test_every_day_of_two_centuries_is_read_back_in_every_spelling() -> None:
    day = FIRST
    while day <= LAST:
        # Every spelling of every seventeenth day, and all days in turn in one of them: seventeen shares no factor with
        # a week, and the days left out differ from these in nothing but a number.
        texts = spellings(day)
        index = (day - FIRST).days
        for text in texts if index % 17 == 0 or day.day == 29 else [texts[index % len(texts)]]:
            assert parse_day(text).day == day, text
        day += timedelta(days=1)


@given(st.dates(date(1957, 1, 1), date(2056, 12, 31)))
def test_a_short_buddhist_year_comes_back(day: date) -> None:
    short = (day.year + 543) % 100
    assert parse_day(f"{day.day} {SHORT_THAI_MONTHS[day.month - 1]} {short:02}").day == day
    text = f"{day.day}/{day.month}/{short:02}"
    if short >= 50:
        assert parse_day(text).day == day
    else:
        with pytest.raises(Unclear):
            parse_day(text)


@given(st.datetimes(wall(1900, 1, 1), wall(2100, 12, 31)))
def test_every_minute_is_read_back(at: datetime) -> None:
    for clock in (
        f"{at.hour:02}.{at.minute:02} น.",
        f"{at.hour}:{at.minute:02}",
        f"เวลา {at.hour:02}.{at.minute:02} น.",
    ):
        read = parse_instant(f"{at.day}/{at.month}/{at.year + 543} {clock}")
        assert read.at == at.replace(second=0, microsecond=0)


@given(st.text(max_size=40))
def test_any_text_is_a_day_or_is_refused(text: str) -> None:
    for parse in (parse_day, parse_instant):
        try:
            parse(text)
        except Unclear:
            continue


@given(st.text(alphabet="กขคเแา\u0e33\u0e4d\u0e48\u0e49\u0e34\u0e38\u0e39\u0e47\u0e4c \u200b\u00a0๑2a", max_size=12))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text(max_size=10))
def test_what_is_guarded_against_formulas_comes_back(text: str) -> None:
    if not text.startswith("'"):
        assert unguarded(guarded(text)) == text
    assert guarded(text)[:1] not in "=@" or not text


def test_no_province_is_what_is_left_of_another() -> None:
    names = [letters(PROVINCES.titles[code].th) for code in PROVINCES.values]
    assert not [(one, other) for one in names for other in names if one != other and is_left_of(one, other)]


@pytest.mark.parametrize("code", PROVINCES.values)
def test_every_province_is_known_in_every_form(code: str) -> None:
    thai, english = PROVINCES.titles[code].th, PROVINCES.titles[code].en
    find = matcher_of("provinces").find
    forms = [thai, f"จังหวัด{thai}", f"จ.{thai}", f"จ. {thai}", english, english.upper(), english.replace(" ", "")]
    forms += [
        f"{english} Province",
        code,
        f"TH-{code}",
        code.translate(THAI_DIGITS),
        thai.replace("\u0e33", "\u0e4d\u0e32"),
    ]
    assert {find(form) for form in forms} == {code}


@pytest.mark.parametrize("code", PROVINCES.values)
def test_a_province_without_its_tone_marks_is_still_that_province(code: str) -> None:
    thai = PROVINCES.titles[code].th
    damaged = "".join(each for each in thai if each not in "\u0e48\u0e49\u0e4a\u0e4b\u0e47\u0e4c")
    assert matcher_of("provinces").find(damaged) == code
    assert matcher_of("provinces").find(f"จังหวด{damaged}") == code


@given(st.sampled_from(PROVINCES.values), st.data())
def test_a_damaged_province_is_the_right_one_or_is_refused(code: str, data: st.DataObject) -> None:
    name = PROVINCES.titles[code].th.replace("\u0e33", "\u0e4d\u0e32")
    kept = [each for each in name if each not in MARKS or data.draw(st.booleans())]
    if data.draw(st.booleans()):
        del kept[data.draw(st.integers(0, len(kept) - 1))]
    assert matcher_of("provinces").find("".join(kept)) in (code, None, AMBIGUOUS)


def test_what_could_be_two_provinces_is_refused() -> None:
    find = matcher_of("provinces").find
    assert find("ระอง") is AMBIGUOUS  # Rayong or Ranong
    assert find("เพชรบร") is AMBIGUOUS  # Phetchaburi or Phetchabun
    assert find("เพชรบูร") == "67"
    assert find("ตก") is None
    assert find("") is None
    assert find("ก" * 500) is None


def test_the_capital_has_many_names() -> None:
    names = ("กรุงเทพฯ", "กทม.", "กรุงเทพมหานคร", "กรุงเทพ", "Bangkok", "BKK", "Krung Thep Maha Nakhon", "กรุงเทพมหานคร ")
    assert {matcher_of("provinces").find(name) for name in names} == {"10"}


def test_a_lost_digit_makes_no_other_code() -> None:
    matcher = Matcher({"R1": ["ตำรวจภูธรภาค 1"], "R10": ["ตำรวจภูธรภาค 10"]})
    assert matcher.find("ตำรวจภูธรภาค") is None
    assert matcher.find("ตารวจภูธรภาค 1") == "R1"


@pytest.mark.parametrize(
    "name", ["provinces", "tech_case_types", "sex_codes", "justice_stages", "offences", "police_commands", "age_bands"]
)
def test_every_entry_of_a_list_is_found_by_code_and_by_both_names(name: str) -> None:
    listed, matcher = code_list(name), matcher_of(name)
    for code in listed.values:
        for form in (code, listed.titles[code].th, listed.titles[code].en):
            assert matcher.find(form) == code, form


@given(st.text(max_size=30), st.sampled_from(list(ColumnType)), st.booleans())
def test_a_cell_of_any_text_is_a_value_or_a_rule(text: str, kind: ColumnType, required: bool) -> None:  # noqa: FBT001  # hypothesis gives it
    column = ColumnFacts(
        name="c", title="ค", description="", type=kind, required=required, key=False, classification=""
    )
    read = reader_of(column, Circumstances(wall(2026, 11, 21), None, b"k" * 32))(text)
    assert read.rule is None or read.value is None
    assert not (required and read.rule is None and read.value is None)
