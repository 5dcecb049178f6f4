"""One record of a log is one line of visible characters, whatever stands in it.

A line end in a value would forge a record, an escape sequence would speak to the terminal of whoever reads it, and a
mark that turns the direction of writing would show other text than was written (CWE-117).
"""

import logging
import time
import unicodedata
from typing import Final

from typing_extensions import override

FORMAT: Final = "%(asctime)s %(levelname)s %(name)s %(message)s"
HIDDEN: Final = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"})
"""Categories of Unicode that are not seen: controls, formats such as the marks of direction, separators of lines."""


def visible(text: str) -> str:
    """The text with everything that is not seen written as in a Python string; a backslash is doubled."""
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return "".join(_shown(each) for each in text)


def _shown(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if unicodedata.category(character) in HIDDEN:
        return character.encode("unicode_escape").decode("ascii")
    return character


class LineFormatter(logging.Formatter):
    """Time in UTC, level, name and message on one line."""

    def __init__(self) -> None:
        super().__init__(FORMAT, "%Y-%m-%dT%H:%M:%SZ")
        self.converter = time.gmtime

    @override
    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))
