"""Texts in the plainest spelling, read for a whole column at once.

Columns of keys, persons, times and amounts have almost as many texts as rows. Those that are written plainly, as most
are, mean what ``connectors.intake.cells`` says they mean, and are read here without looking at each on its own; all
others, and whatever might break a rule or deserve a note, are left to it.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # ships no types

from connectors.intake.cells import EARLIEST, EMPTY, KEYED_HEX, LONGEST_TEXT, SERIAL, Circumstances
from connectors.intake.thai_dates import Unclear, parse_day, parse_instant
from contracts.odcs_columns import ColumnFacts, ColumnType

_WORDS: Final = r"^[A-Za-z0-9][A-Za-z0-9/._:-]{0,99}$"
_MAY_BE_CITIZEN: Final = r"^[0-9-]{13,}$"
_DECIMAL: Final = f"^{SERIAL}?[0-9]{{1,12}}(?:\\.[0-9]{{1,6}})?$"
_WHOLE: Final = f"^{SERIAL}?[0-9]{{1,12}}$"
_MOMENT: Final = (
    r"^(?P<day>[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4})[ T]"
    r"(?P<clock>[0-9]{1,2}[:.][0-9]{2}(?:[:.][0-9]{2})?)(?: ?น\.)?$"
)
_ANY_DAY: Final = "2025-02-25"


@dataclass(frozen=True, slots=True)
class Plainly:
    """What was read: ``values`` where ``known`` is true, which are whole, allowed and without a note."""

    known: pa.Array
    values: pa.Array


PlainReader = Callable[[pa.Array], Plainly]


def plain_reader_of(column: ColumnFacts, around: Circumstances) -> PlainReader | None:
    """The function that reads many texts of a column at once; none where a column has few different texts."""
    if column.name == around.person_column:
        return partial(_people, around.person_key)
    if column.code_list is not None or column.labels:
        return None
    match column.type:
        case ColumnType.TIMESTAMP:
            return partial(_moments, around.now)
        case ColumnType.NUMBER | ColumnType.INTEGER:
            return partial(_numbers, column)
        case ColumnType.STRING:
            return partial(_texts, min(column.longest or LONGEST_TEXT, LONGEST_TEXT))
        case _:
            return None


def _worded(texts: pa.Array) -> pa.Array:
    """Texts of letters and digits that are more than a word for nothing."""
    nothing = pc.is_in(pc.utf8_lower(texts), value_set=pa.array(sorted(EMPTY)))
    return pc.and_not(pc.match_substring_regex(texts, _WORDS), nothing)


def _texts(longest: int, texts: pa.Array) -> Plainly:
    fitting = pc.less_equal(pc.utf8_length(texts), longest)
    known = pc.and_(_worded(texts), pc.and_not(fitting, pc.match_substring_regex(texts, _MAY_BE_CITIZEN)))
    return Plainly(known, texts)


def _people(key: bytes, texts: pa.Array) -> Plainly:
    known = pc.and_not(_worded(texts), pc.match_substring_regex(texts, "-"))
    hashes = (hmac.digest(key, text.encode(), "sha256").hex()[:KEYED_HEX] for text in texts.filter(known).to_pylist())
    return _spread(known, pa.array(hashes, pa.string()))


def _numbers(column: ColumnFacts, texts: pa.Array) -> Plainly:
    is_whole = column.type is ColumnType.INTEGER
    known = pc.match_substring_regex(texts, _WHOLE if is_whole else _DECIMAL)
    digits = pc.utf8_ltrim(texts.filter(known), SERIAL)
    found = _spread(known, digits.cast(pa.int64() if is_whole else pa.float64()))
    for limit, inside in ((column.minimum, pc.greater_equal), (column.maximum, pc.less_equal)):
        if limit is not None:
            within = inside(found.values, limit).fill_null(False)  # noqa: FBT003  # Arrow's signature
            found = Plainly(pc.and_(found.known, within), found.values)
    return found


def _moments(now: datetime, texts: pa.Array) -> Plainly:
    parts = pc.extract_regex(texts, _MOMENT)
    known = parts.is_valid()
    days, clocks = (pc.struct_field(parts, name).filter(known).dictionary_encode() for name in ("day", "clock"))
    day = pa.array([_day(each) for each in days.dictionary.to_pylist()], pa.timestamp("us")).take(days.indices)
    clock = pa.array([_clock(each) for each in clocks.dictionary.to_pylist()], pa.duration("us")).take(clocks.indices)
    found = _spread(known, pc.add(day, clock))
    allowed = pc.and_(pc.greater_equal(found.values, EARLIEST), pc.less_equal(found.values, now))
    return Plainly(pc.and_(known, allowed.fill_null(False)), found.values)  # noqa: FBT003  # Arrow's signature


def _day(text: str) -> datetime | None:
    try:
        day = parse_day(text)
    except Unclear:
        return None
    return None if day.day_first else datetime.combine(day.day, datetime.min.time())


def _clock(text: str) -> timedelta | None:
    try:
        at = parse_instant(f"{_ANY_DAY} {text}").at
    except Unclear:
        return None
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)


def _spread(known: pa.Array, values: pa.Array) -> Plainly:
    """Values of the known texts, each in its place."""
    return Plainly(known, pc.replace_with_mask(pa.nulls(len(known), values.type), known, values))
