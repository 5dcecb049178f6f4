"""In which encoding and with which delimiter a text file is written, found out from the whole of it.

UTF-8 is believed only if every byte of the file is valid; UTF-16 by its mark or by where its zero bytes lie; the Thai
eight-bit sets (TIS-620, ISO 8859-11, Windows-874) only if every byte stands for something and the marks of Thai stand
on letters. What is none of these is refused: a guess would change names silently.
"""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from contracts.errors import InvalidInput

CHUNK: Final = 1 << 20
DELIMITERS: Final = (",", ";", "\t", "|")
SAMPLE: Final = 1 << 16
SAMPLE_ROWS: Final = 20
TOLERATED: Final = 0.1
"""The share of Thai bytes that may stand where Thai has none."""

_MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_UNDEFINED: Final = bytes(
    (*range(0x81, 0x85), *range(0x86, 0x91), *range(0x98, 0xA0), *range(0xDB, 0xDF), *range(0xFC, 0x100))
)
_THAI: Final = bytes(range(0xA1, 0xFC))
_ORPHANS: Final = re.compile(rb"(?<![\xa1-\xfb])[\xd1\xd4-\xda\xe7-\xee]")
_TAKEN_APART: Final = re.compile(rb"\xe0[\xb8\xb9]")


def encoding_of(path: Path) -> str:
    """The name of the codec that reads the file.

    Raises:
        InvalidInput: ``import-encoding``.
    """
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return _proven(path, name)
    if b"\0" in head:
        # The high byte of an ASCII or a Thai character is 00 or 0E: in which half of each pair do these lie?
        first = sum(head[0::2].count(byte) for byte in (b"\0", b"\x0e"))
        second = sum(head[1::2].count(byte) for byte in (b"\0", b"\x0e"))
        return _proven(path, "utf-16-be" if first > second else "utf-16-le")
    if _decodes(path, "utf-8"):
        return "utf-8"
    if _is_thai_eight_bit(path):
        return "cp874"
    raise InvalidInput("import-encoding")


def delimiter_of(path: Path, encoding: str) -> str:
    """The delimiter that gives most of the first rows the same number of columns, and the most columns."""
    with path.open(encoding=encoding, newline="") as file:
        lines = file.read(SAMPLE).splitlines(keepends=True)
    return max(DELIMITERS, key=lambda delimiter: _evenness(lines, delimiter))


def _evenness(lines: list[str], delimiter: str) -> tuple[int, int]:
    """How many rows have the most frequent width above one, and that width."""
    try:
        widths = Counter(len(row) for row in islice(csv.reader(lines, delimiter=delimiter), SAMPLE_ROWS))
    except csv.Error:
        return (0, 0)
    return max(((rows, width) for width, rows in widths.items() if width > 1), default=(0, 0))


def _proven(path: Path, name: str) -> str:
    if not _decodes(path, name):
        raise InvalidInput("import-encoding")
    return name


def _decodes(path: Path, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)()
    try:
        for chunk in _chunks(path):
            if "\0" in decoder.decode(chunk):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _is_thai_eight_bit(path: Path) -> bool:
    thai = orphans = taken_apart = 0
    for chunk in _chunks(path):
        if len(chunk.translate(None, _UNDEFINED)) != len(chunk):
            return False
        thai += len(chunk) - len(chunk.translate(None, _THAI))
        orphans += len(_ORPHANS.findall(chunk))
        taken_apart += len(_TAKEN_APART.findall(chunk))
    return thai > 0 and orphans <= TOLERATED * thai and taken_apart <= TOLERATED * thai


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
