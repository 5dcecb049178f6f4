"""One record is one line of visible characters."""

import io
import logging

import pytest

from contracts.log_lines import LineFormatter, visible

pytestmark = pytest.mark.unit

HIDDEN = {
    "a line end that forges a record": ("x\n2026-01-01T00:00:00Z INFO saphan admin signed in", "\\n"),
    "a carriage return that overwrites a line": ("x\rok", "\\r"),
    "an escape sequence for a terminal": ("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
    "a control of the second set": ("\x9b31m\x85", "\\x9b31m\\x85"),
    "a delete": ("\x7f", "\\x7f"),
    "a mark that turns the direction": ("\u202egnp.exe\u2066\u200f\u061c", "\\u202egnp.exe\\u2066\\u200f\\u061c"),
    "a separator of lines and of paragraphs": ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
    "an invisible letter": ("a\u200bb\ufeffc", "a\\u200bb\\ufeffc"),
    "half a character": ("a\ud800b", "a\\ud800b"),
    "a tag outside the first plane": ("\U000e0041", "\\U000e0041"),
    "a backslash that would look like one of these": ("\\n", "\\\\n"),
}


def line_of(message: str, *arguments: object) -> str:
    """What a handler writes of a record."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter())
    handler.emit(logging.LogRecord("saphan.test", logging.WARNING, __file__, 1, message, arguments, None))
    return stream.getvalue()


@pytest.mark.parametrize(("hidden", "shown"), HIDDEN.values(), ids=HIDDEN.keys())
def test_what_is_not_seen_is_written_out(hidden: str, shown: str) -> None:
    assert shown in visible(hidden)
    line = line_of("asked for %s", hidden)
    assert line.count("\n") == 1
    assert line.endswith("\n")
    assert line[:-1].isprintable()


@pytest.mark.parametrize("text", ["plain words, 12.5 %", "คดีอาญา รายเดือน ก๊กที่ ๑", "naïve · ± 95"])
def test_what_is_seen_stays_as_it_is(text: str) -> None:
    assert visible(text) == text
    assert text in line_of(text.replace("%", "%%")) or text in line_of("%s", text)


def test_a_record_says_when_in_utc_how_bad_and_who() -> None:
    record = logging.makeLogRecord(
        {"created": 0.0, "levelname": "WARNING", "name": "saphan.gateway", "msg": "tick: %s", "args": ("slow",)}
    )
    assert LineFormatter().format(record) == "1970-01-01T00:00:00Z WARNING saphan.gateway tick: slow"


def test_a_traceback_is_one_line_too() -> None:
    with pytest.raises(ValueError, match="invalid literal") as caught:
        int("a\nb")
    record = logging.makeLogRecord({"msg": "defect", "exc_info": (caught.type, caught.value, caught.tb)})
    assert "\n" not in LineFormatter().format(record)
