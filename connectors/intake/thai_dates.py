"""Dates, times and years as Thai agencies write them. What could be two dates is refused, never guessed.

A four-digit year from 2400 on is of the Buddhist era, an earlier one of the common era; an era that is written must
agree. A two-digit year is of the Buddhist era (65 is 2565) beside a Thai month; among numbers alone only from 50 on,
since 25 may also be 2025. Numbers stand in Thai order, day before month. Leap days follow the common era. A clock
without an offset is Bangkok's.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import Final

from connectors.intake.thai_text import clean, letters
from contracts.periods import BUDDHIST_ERA

HALF_DAY: Final = 12
DECEMBER: Final = 12
BANGKOK: Final = timezone(timedelta(hours=7))
FIRST_BUDDHIST, LAST_BUDDHIST = 2400, 2742
FIRST_COMMON, LAST_COMMON = 1800, 2199
CENTURY_OF_SHORT_YEARS: Final = 2500
SHORTEST_SURE_YEAR: Final = 50
"""Two digits below this, among numbers alone, may be of either era."""

SERIAL_DAY_0: Final = {False: datetime(1899, 12, 30), True: datetime(1904, 1, 1)}  # noqa: DTZ001  # a wall clock
"""Day 0 of a spreadsheet's running numbers, by whether it counts from 1904."""

# fmt: off
THAI_MONTHS: Final = (
    "มกราคม", "กุมภาพันธ์", "มีนาคม", "เมษายน", "พฤษภาคม", "มิถุนายน",
    "กรกฎาคม", "สิงหาคม", "กันยายน", "ตุลาคม", "พฤศจิกายน", "ธันวาคม",
)
SHORT_THAI_MONTHS: Final = (
    "ม.ค.", "ก.พ.", "มี.ค.", "เม.ย.", "พ.ค.", "มิ.ย.", "ก.ค.", "ส.ค.", "ก.ย.", "ต.ค.", "พ.ย.", "ธ.ค.",
)
ENGLISH_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)
# fmt: on
WEEKDAYS: Final = ("จันทร์", "อังคาร", "พุธ", "พฤหัสบดี", "ศุกร์", "เสาร์", "อาทิตย์")


class Unclear(ValueError):
    """A text that is no date, or may be two. ``rule`` names what is wrong with it."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        super().__init__(rule)


@dataclass(frozen=True, slots=True)
class Day:
    """A day that was read.

    ``day_first`` says that another reading, month before day, would have been a date too: numbers alone, with a year of
    the common era. A column that elsewhere puts the month first makes such days unclear.
    """

    day: date
    day_first: bool = False


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment on the Bangkok wall clock; ``has_clock`` says whether a time of day was written."""

    at: datetime
    has_clock: bool
    day_first: bool = False


def _months() -> dict[str, int]:
    named: dict[str, int] = {}
    for number in range(12):
        english = ENGLISH_MONTHS[number]
        for name in (THAI_MONTHS[number], SHORT_THAI_MONTHS[number], english, english[:3]):
            named[letters(name)] = number + 1
    return named | {"sept": 9}


MONTHS: Final = _months()
_WEEKDAY_NUMBERS: Final = {letters(name): number for number, name in enumerate(WEEKDAYS)} | {"พฤหัส": 3}
_BE, _CE = r"พ\.?\s?ศ\.?|พุทธศักราช|b\.?e\.?", r"ค\.?\s?ศ\.?|คริสต์?ศักราช|a\.?d\.?|c\.?e\.?"
_ERA: Final = rf"(?:(?P<be>{_BE})|(?P<ce>{_CE}))?"
_YEAR: Final = r"(?P<year>\d{4}|\d{2})"
_MONTH: Final = r"(?P<month>[ก-๙][ก-๙. ]*?|[a-z]{3,9}\.?)"
_WEEKDAY: Final = re.compile(r"^(?:วัน(?P<name>[ก-๙]+?))?(?:วัน)?ที่\s*(?=\d)|^วัน(?P<bare>[ก-๙]+)\s+(?=\d)")
_ORDERS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<year>\d{4})(?P<sep>[-/.])(?P<month>\d{1,2})(?P=sep)(?P<day>\d{1,2})",
        rf"(?P<day>\d{{1,2}})(?P<sep>[-/.])(?P<month>\d{{1,2}})(?P=sep){_ERA}\s*{_YEAR}",
        rf"(?P<day>\d{{1,2}})[\s\-/.]*(?:เดือน)?\s*{_MONTH}[\s\-/.,]*(?:ปี)?\s*{_ERA}\s*{_YEAR}",
        rf"{_MONTH}\s*(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s*,?\s+(?P<year>\d{{4}})",
    )
)
_COMPACT: Final = re.compile(r"\d{8}")
_MONTH_ORDERS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})",
        r"(?P<month>\d{1,2})[-/.](?P<year>\d{4})",
        rf"(?:เดือน)?\s*{_MONTH}[\s\-/.,]*(?:ปี)?\s*{_ERA}\s*{_YEAR}",
    )
)
_CLOCK: Final = re.compile(
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?:[.,](?P<part>\d{1,9}))?)?"
    r"\s*(?P<half>am|pm)?\s*(?:น\.?|นาฬิกา)?\s*(?P<offset>z|[+-]\d{2}(?::?\d{2})?)?"
)
_WITH_CLOCK: Final = re.compile(
    rf"(?P<day>.*?\S)(?:\s*เวลา\s*|[\s,]+|(?<=\d)t(?=\d))(?P<clock>{re.sub('P<[a-z]+>', ':', _CLOCK.pattern)})"
)
_FISCAL: Final = re.compile(rf"(?:ปี\s?งบ(?:ประมาณ)?|fiscal year|fy)?\s*{_ERA}\s*{_YEAR}")


@lru_cache(maxsize=100_000)
def parse_day(text: str) -> Day:
    """The day that a text writes.

    Raises:
        Unclear: ``not-a-date``; ``date-unclear``; ``date-month-first``, when only month before day makes it a date.
    """
    given = clean(text).lower()
    given, weekday = _without_weekday(given)
    if _COMPACT.fullmatch(given):
        return Day(_agreeing(_compact(given), weekday))
    for order in _ORDERS:
        if found := order.fullmatch(given):
            return _day(found, weekday)
    raise Unclear("not-a-date")


def parse_instant(text: str) -> Instant:
    """The moment that a text writes; without a time of day it is the day's beginning.

    Raises:
        Unclear: As ``parse_day``; ``not-a-time``.
    """
    given = clean(text).lower()
    # Most texts are a day without blanks and a clock: both come again and again, each is read once.
    head, _, tail = given.partition(" ")
    clock = _clock(tail) if tail else None
    if clock is None:
        found = _WITH_CLOCK.fullmatch(given)
        head, clock = (found["day"], _clock(found["clock"])) if found else (given, None)
    day = parse_day(head)
    if clock is None:
        return Instant(datetime.combine(day.day, time.min), has_clock=False, day_first=day.day_first)
    return Instant(_at(day.day, clock), has_clock=True, day_first=day.day_first)


def parse_month(text: str) -> date:
    """The first day of the month that a text writes; a whole date means its month.

    Raises:
        Unclear: ``not-a-date``, ``date-unclear``, ``date-month-first``.
    """
    given = clean(text).lower()
    for order in _MONTH_ORDERS:
        if found := order.fullmatch(given):
            return _date(_year_of(found), _month_of(found), 1)
    return parse_instant(given).at.date().replace(day=1)


def parse_fiscal_year(text: str) -> int:
    """The Buddhist year that names a fiscal year, with or without the words for it: ``ปีงบ 68`` is 2568.

    Raises:
        Unclear: ``not-a-date``, ``date-unclear``.
    """
    found = _FISCAL.fullmatch(clean(text).lower())
    if found is None:
        raise Unclear("not-a-date")
    short = len(found["year"]) == len("68") and found["ce"] is None
    return CENTURY_OF_SHORT_YEARS + int(found["year"]) if short else _year_of(found) + BUDDHIST_ERA


def of_serial(number: float, *, from_1904: bool = False) -> datetime:
    """The moment of a spreadsheet's running number of days.

    Raises:
        Unclear: ``not-a-date``, for a number that is no day of a calendar.
    """
    try:
        at = SERIAL_DAY_0[from_1904] + timedelta(days=number)
    except (OverflowError, ValueError):
        raise Unclear("not-a-date") from None
    # Days are binary fractions: whole milliseconds are what was meant.
    return at.replace(microsecond=0) + timedelta(milliseconds=round(at.microsecond / 1000))


def of_cell(at: datetime) -> datetime:
    """A date cell's moment; a cell whose year is of the Buddhist era was typed so.

    Raises:
        Unclear: ``not-a-date``.
    """
    if at.year < FIRST_BUDDHIST:
        return at
    try:
        return at.replace(year=at.year - BUDDHIST_ERA)
    except ValueError:
        raise Unclear("not-a-date") from None


def _without_weekday(given: str) -> tuple[str, int | None]:
    found = _WEEKDAY.match(given)
    if found is None:
        return given, None
    name = found["name"] or found["bare"]
    if name is None:
        return given[found.end() :], None
    number = _WEEKDAY_NUMBERS.get(letters(name))
    if number is None:
        raise Unclear("not-a-date")
    return given[found.end() :], number


def _day(found: re.Match[str], weekday: int | None) -> Day:
    year, month, day = _year_of(found), _month_of(found), int(found["day"])
    common = len(found["year"]) == len("2025") and int(found["year"]) < FIRST_BUDDHIST
    either = common and found["month"].isdigit() and found.start("day") < found.start("month")
    if either and month > DECEMBER >= day:
        raise Unclear("date-month-first")
    made = _agreeing(_date(year, month, day), weekday)
    return Day(made, day_first=either and day <= DECEMBER and day != month)


def _year_of(found: re.Match[str]) -> int:
    """The year in the common era."""
    groups = found.groupdict()
    year, has_be, has_ce = int(groups["year"]), groups.get("be"), groups.get("ce")
    if len(groups["year"]) == len("65"):
        sure = has_be or not groups.get("month", "").isascii() or year >= SHORTEST_SURE_YEAR
        english = groups.get("month", "").isascii() and not groups.get("month", "").isdigit()
        if has_ce or english or not sure:
            raise Unclear("date-unclear")
        return CENTURY_OF_SHORT_YEARS + year - BUDDHIST_ERA
    if FIRST_BUDDHIST <= year <= LAST_BUDDHIST and not has_ce:
        return year - BUDDHIST_ERA
    if FIRST_COMMON <= year <= LAST_COMMON and not has_be:
        return year
    raise Unclear("date-unclear" if has_be or has_ce else "not-a-date")


def _month_of(found: re.Match[str]) -> int:
    if found["month"].isdigit():
        return int(found["month"])
    month = MONTHS.get(letters(found["month"]))
    if month is None:
        raise Unclear("not-a-date")
    return month


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise Unclear("not-a-date") from None


def _agreeing(day: date, weekday: int | None) -> date:
    if weekday is not None and day.weekday() != weekday:
        raise Unclear("date-unclear")
    return day


def _compact(digits: str) -> date:
    """Eight digits: year, month, day or day, month, year. Never both: no month and day make a year."""
    for year, month, day in ((digits[:4], digits[4:6], digits[6:]), (digits[4:], digits[2:4], digits[:2])):
        common = int(year) - (BUDDHIST_ERA if int(year) >= FIRST_BUDDHIST else 0)
        try:
            if FIRST_COMMON <= common <= LAST_COMMON:
                return date(common, int(month), int(day))
        except ValueError:
            continue
    raise Unclear("not-a-date")


@lru_cache(maxsize=100_000)
def _clock(text: str) -> tuple[time, str] | None:
    """A time of day and its offset from UTC, empty for Bangkok's; none for a text that is no clock.

    Raises:
        Unclear: ``not-a-time``, for a clock that shows what no clock shows.
    """
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    hour, half = int(found["hour"]), found["half"]
    if half is not None:
        if not 1 <= hour <= HALF_DAY:
            raise Unclear("not-a-time")
        hour = hour % HALF_DAY + (HALF_DAY if half == "pm" else 0)
    part = int((found["part"] or "0").ljust(6, "0")[:6])
    try:
        return time(hour, int(found["minute"]), int(found["second"] or 0), part), found["offset"] or ""
    except ValueError:
        raise Unclear("not-a-time") from None


def _at(day: date, clock: tuple[time, str]) -> datetime:
    at = datetime.combine(day, clock[0])
    if not clock[1]:
        return at
    try:
        there = datetime.fromisoformat(f"{at.isoformat()}{clock[1].upper()}")
        return there.astimezone(BANGKOK).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise Unclear("not-a-time") from None
