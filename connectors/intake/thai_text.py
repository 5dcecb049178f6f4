"""Thai text as it should have been typed, and what survives of a name when marks are lost.

Thai letters stand in a row; vowels above and below, tone marks and the mark that silences a letter stand on them. Files
that came out of a PDF lose such marks; keyboards and converters write them in the wrong order, twice, or taken apart.
"""

import re
import unicodedata
from typing import Final

SARA_AA, NIKHAHIT, SARA_AM = "\u0e32", "\u0e4d", "\u0e33"
TONES: Final = "\u0e48-\u0e4b"
VOWEL_MARKS: Final = "\u0e31\u0e34-\u0e3a\u0e47"
MARKS: Final = frozenset(chr(code) for code in (0x0E31, *range(0x0E34, 0x0E3B), *range(0x0E47, 0x0E4F)))
"""Everything that stands above or below a letter."""

_DIGITS: Final = str.maketrans("๐๑๒๓๔๕๖๗๘๙", "0123456789")
_UNSEEN: Final = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u00ad\ufeff\x00-\x08\x0e-\x1f\x7f]")
_SPACES: Final = re.compile(r"\s+")
_FORMULA: Final = frozenset("=+-@\t\r")
_SIGNED: Final = re.compile(r"[-+]?[\d.,]+|-+")
_REPAIRS: Final = tuple(
    (re.compile(wrong), right)
    for wrong, right in (
        ("\u0e40\u0e40", "\u0e41"),  # two SARA E are one SARA AE
        (f"([{TONES}])([{VOWEL_MARKS}])", r"\2\1"),  # the vowel stands on the letter, the tone on the vowel
        (f"{NIKHAHIT}([{TONES}]?){SARA_AA}", rf"\1{SARA_AM}"),
        (f"([{TONES}]){NIKHAHIT}{SARA_AA}", rf"\1{SARA_AM}"),
        (f"{SARA_AM}([{TONES}])", rf"\1{SARA_AM}"),
        (f"([{TONES}{VOWEL_MARKS}{NIKHAHIT}\u0e4c])\\1+", r"\1"),
    )
)
_EVERY_MARK: Final = f"{TONES}{VOWEL_MARKS}{NIKHAHIT}\u0e4c"
_UNTIDY: Final = re.compile(
    rf"{_UNSEEN.pattern}|\s\s|[^\S ]|^\s|\s$|[๐-๙]|\u0e40\u0e40"
    rf"|[{_EVERY_MARK}][{_EVERY_MARK}]|{NIKHAHIT}|{SARA_AM}[{TONES}]"
)
"""Finds quickly whether anything may need cleaning; most texts need none."""


def clean(text: str) -> str:
    """The text in Unicode form NFC, one blank between words, Thai digits as ASCII, vowels and tones in their order.

    What nobody sees (zero-width characters, byte order marks, control characters) is dropped; every kind of blank is
    one blank. Cleaning twice gives the same as cleaning once.
    """
    if not _UNTIDY.search(text) and unicodedata.is_normalized("NFC", text):
        return text
    text = _SPACES.sub(" ", _UNSEEN.sub("", unicodedata.normalize("NFC", text))).strip()
    text = text.translate(_DIGITS)
    while (repaired := _repaired(text)) != text:
        text = repaired
    return text


def letters(text: str) -> str:
    """What names are compared by: no blanks, hyphens, dots or signs of abbreviation, no capitals, SARA AM taken apart.

    In two parts SARA AM can lose its ring, as it does in damaged text.
    """
    joined = re.sub(r"[\s\-_.'’`ฯ*]+", "", clean(text).casefold())
    return joined.replace(SARA_AM, NIKHAHIT + SARA_AA)


def bare(text: str) -> str:
    """The letters alone, without anything above or below them."""
    return "".join(each for each in text if each not in MARKS)


def _repaired(text: str) -> str:
    for wrong, right in _REPAIRS:
        text = wrong.sub(right, text)
    return text


def guarded(text: str) -> str:
    """The text behind an apostrophe if a spreadsheet would take it for a formula; a plain number stays as it is."""
    return f"'{text}" if text[:1] in _FORMULA and not _SIGNED.fullmatch(text) else text


def unguarded(text: str) -> str:
    """The text that was put behind an apostrophe."""
    return text[1:] if text[:1] == "'" and text[1:2] in _FORMULA else text
