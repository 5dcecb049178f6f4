"""What a cell's text means under its column: a value, or the rule that it breaks.

Every function here looks at one text and knows nothing of rows, so each distinct text of a batch is read once.
"""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Final

from connectors.intake.blocks import CUT
from connectors.intake.matching import AMBIGUOUS, Matcher, matcher_of
from connectors.intake.thai_dates import (
    DECEMBER,
    Unclear,
    of_cell,
    of_serial,
    parse_day,
    parse_fiscal_year,
    parse_instant,
    parse_month,
)
from connectors.intake.thai_text import clean, unguarded
from contracts.odcs_columns import ColumnFacts, ColumnType

SERIAL: Final = "\x02"
"""Stands before the digits of a spreadsheet's number that is no date by its format; no text begins with it."""

EARLIEST: Final = datetime(1900, 1, 1)  # noqa: DTZ001  # a wall clock
EARLIEST_NUMBER: Final = datetime(1950, 1, 1)  # noqa: DTZ001  # a wall clock
"""A bare number that means an earlier day is more likely a year or a count than a day."""

EMPTY: Final = frozenset({"", "-", "--", "–", "n/a", "null", "(null)", "none"})
LONGEST_TEXT: Final = 1000
EXACT_WHOLE: Final = 2**53
"""From here on a floating-point number is no whole number that can be told from its neighbours."""

FEWEST_TYPED: Final = 10_100
FEWEST_SIX_DIGITS, BEYOND_SIX_DIGITS = 100_000, 1_000_000
CITIZEN_DIGITS: Final = 13
KEYED_HEX: Final = 32
_ERROR: Final = re.compile(r"#(?:REF!|DIV/0!|VALUE!|NAME\?|NUM!|NULL!|N/A|SPILL!|CALC!)")
_NUMBER: Final = re.compile(
    r"(?P<sign>[-+−]?)(?P<whole>\d{1,3}(?:,\d{3})+|\d+)?(?P<part>\.\d*)?(?P<power>e[-+]?\d{1,3})?"
)
_SIMPLE: Final = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_UNITS: Final = re.compile(r"^(?:thb|฿)\s*|\s*(?:บาท|baht|thb|ปี|คน|ราย|คดี|เดือน|นาที|\.-)$")
_BETWEEN_DIGITS: Final = re.compile(r"[\s\-‐‑‒–—−]+")  # dashes as they are typed
_YES_NO: Final = {"Y": True, "N": False, "U": None}

Meaning = str | int | float | bool | date | datetime | None


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a cell: its value, or the broken ``rule``; ``note`` is what somebody should know of it."""

    value: Meaning = None
    rule: str | None = None
    note: str | None = None


Reader = Callable[[str], Read]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What reading depends on beside the text.

    Args:
        now: The Bangkok wall clock; no date may lie after it.
        person_column: Whose values are replaced by keyed hashes, so that no person's number is kept.
        person_key: The key of those hashes.
        from_1904: Whether the spreadsheet counts its days from 1904.
    """

    now: datetime
    person_column: str | None
    person_key: bytes
    from_1904: bool = False


def reader_of(column: ColumnFacts, around: Circumstances) -> Reader:
    """The function that reads the cells of a column."""
    return partial(_read, column, _kind(column, around))


def read_person(key: bytes, text: str) -> Read:
    """A person's number as the store keeps it, however it is spelled; a broken rule for what is none."""
    return _person(key, clean(unguarded(text)))


def _read(column: ColumnFacts, kind: Reader, text: str) -> Read:
    if text.endswith(CUT):
        return Read(rule="too-long")
    given = text if text.startswith(SERIAL) else clean(unguarded(text))
    read = _damaged(text, given) or kind(given)
    if read.rule is not None and given.lower() in EMPTY:
        return Read(rule="missing") if column.required else Read()
    if read.value is None and read.rule is None and column.required:
        return Read(rule="missing")
    return read


def _damaged(text: str, given: str) -> Read | None:
    """What no cell of any column may hold."""
    if given.startswith("#") and _ERROR.fullmatch(given):
        return Read(rule="cell-error")
    if ("\n" in text or "\r" in text) and len(text.strip().splitlines()) > 1:
        return Read(rule="line-break")
    return None


def _kind(column: ColumnFacts, around: Circumstances) -> Reader:
    if column.name == around.person_column:
        return partial(_person, around.person_key)
    match column.type:
        case ColumnType.BOOLEAN:
            reader: Reader = _yes_no
        case ColumnType.DATE:
            reader = partial(_moment, around, _month if column.name == "month" else _day)
        case ColumnType.TIMESTAMP:
            reader = partial(_moment, around, _instant)
        case ColumnType.INTEGER if column.code_list is not None:
            reader = partial(_numbered_code, matcher_of(column.code_list))
        case ColumnType.INTEGER | ColumnType.NUMBER:
            reader = partial(_number, column)
        case _:
            reader = _text_kind(column)
    return reader


def _text_kind(column: ColumnFacts) -> Reader:
    if column.code_list is not None:
        return partial(_code, matcher_of(column.code_list))
    if column.labels:
        return partial(_code, Matcher({label: (label,) for label in column.labels}))
    return partial(_text, column.longest or LONGEST_TEXT)


def _plain(text: str) -> str:
    return text.removeprefix(SERIAL)


def _text(longest: int, given: str) -> Read:
    text = _plain(given)
    if text.lower() in EMPTY:
        return Read(rule="missing")
    if len(text) > longest:
        return Read(rule="too-long")
    return Read(text, note="citizen-number" if _is_citizen_number(text) else None)


def _person(key: bytes, given: str) -> Read:
    """A person's number, hashed at once; blanks and hyphens inside a citizen number do not make another person."""
    text = _plain(given)
    if text.lower() in EMPTY:
        return Read(rule="missing")
    joined = _BETWEEN_DIGITS.sub("", text)
    number = joined if joined.isascii() and joined.isdecimal() and len(joined) == CITIZEN_DIGITS else text
    return Read(hmac.digest(key, number.encode(), "sha256").hex()[:KEYED_HEX])


def _code(matcher: Matcher, given: str) -> Read:
    found = matcher.find(_plain(given))
    if found is AMBIGUOUS:
        return Read(rule="code-unclear")
    return Read(found) if isinstance(found, str) else Read(rule="code-unknown")


def _numbered_code(matcher: Matcher, given: str) -> Read:
    """A code that is a whole number, such as a phase or a fiscal year."""
    year = _fiscal_year(_plain(given))
    read = _code(matcher, given if year is None else str(int(year)))
    if isinstance(read.value, str):
        return Read(int(read.value)) if read.value.isdecimal() else Read(rule="code-unknown")
    return read


def _yes_no(given: str) -> Read:
    found = matcher_of("yes_no").find(_plain(given))
    return Read(_YES_NO[found]) if isinstance(found, str) else Read(rule="not-yes-no")


def _number(column: ColumnFacts, given: str) -> Read:
    number = _fiscal_year(_plain(given)) if column.type is ColumnType.INTEGER else None
    if number is None:
        number = _decimal(_plain(given))
    if number is None:
        return Read(rule="not-a-number")
    if abs(number) >= EXACT_WHOLE:
        return Read(rule="too-large" if number > 0 else "too-small")
    if column.type is ColumnType.INTEGER and number != int(number):
        return Read(rule="not-whole")
    if column.minimum is not None and number < column.minimum:
        return Read(rule="too-small")
    if column.maximum is not None and number > column.maximum:
        return Read(rule="too-large")
    return Read(int(number) if column.type is ColumnType.INTEGER else number)


def _decimal(text: str) -> float | None:
    if _SIMPLE.fullmatch(text):
        return float(text)
    found = _NUMBER.fullmatch(_UNITS.sub("", text.lower()))
    if found is None or (found["whole"] is None and not (found["part"] or "").strip(".")):
        return None
    return float(found[0].replace(",", "").replace("−", "-"))


def _fiscal_year(given: str) -> float | None:
    """The number of a fiscal year that is written with its words; plain numbers are left to the reader of numbers."""
    if given[:1].isdigit() or not given:
        return None
    try:
        return float(parse_fiscal_year(given))
    except Unclear:
        return None


def _moment(around: Circumstances, parse: Callable[[str], Read], given: str) -> Read:
    try:
        read = Read(_of_number(_plain(given), around)) if given.startswith(SERIAL) else parse(given)
    except Unclear as unclear:
        return Read(rule=unclear.rule)
    if not isinstance(read.value, datetime):
        return read
    if read.value < EARLIEST:
        return Read(rule="date-too-old")
    if read.value > around.now:
        return Read(rule="date-future")
    return read if parse is _instant else Read(read.value.date(), note=read.note)


def _of_number(digits: str, around: Circumstances) -> datetime:
    try:
        number = float(digits)
    except ValueError:
        raise Unclear("not-a-date") from None
    if _may_be_typed(number):
        raise Unclear("date-unclear")
    at = of_cell(of_serial(number, from_1904=around.from_1904))
    if at < EARLIEST_NUMBER:
        raise Unclear("not-a-date")
    return at


def _may_be_typed(number: float) -> bool:
    """Whether a number may be a day that was typed as ddmmyy, with or without a zero before it.

    Every running number of six digits is in doubt: as such it lies beyond the year 2173, or in the Buddhist era.
    """
    if not number.is_integer() or not FEWEST_TYPED <= number < FEWEST_SIX_DIGITS:
        return FEWEST_SIX_DIGITS <= number < BEYOND_SIX_DIGITS
    return 1 <= int(number) // 100 % 100 <= DECEMBER


def _day(given: str) -> Read:
    try:
        day = parse_day(given)
        return Read(datetime.combine(day.day, datetime.min.time()), note="day-first-assumed" if day.day_first else None)
    except Unclear as unclear:
        if unclear.rule != "not-a-date":
            raise
    at = parse_instant(given)
    return Read(at.at, note="day-first-assumed" if at.day_first else None)


def _month(given: str) -> Read:
    return Read(datetime.combine(parse_month(given), datetime.min.time()))


def _instant(given: str) -> Read:
    at = parse_instant(given)
    if at.day_first:
        return Read(at.at, note="day-first-assumed")
    return Read(at.at, note=None if at.has_clock else "time-missing")


def _is_citizen_number(text: str) -> bool:
    """Whether a text is thirteen digits whose last one is the check digit of a citizen number."""
    digits = text.replace("-", "").replace(" ", "")
    if not (digits.isascii() and digits.isdecimal() and len(digits) == CITIZEN_DIGITS and digits[0] in "12345678"):
        return False
    total = sum(int(digit) * (CITIZEN_DIGITS - place) for place, digit in enumerate(digits[:-1]))
    return (11 - total % 11) % 10 == int(digits[-1])
