"""What the readers of all kinds of files give: blocks of rows whose cells are text, column by column."""

import csv
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from typing import Final, Protocol
from xml.parsers import expat
from zipfile import BadZipFile

import numpy as np
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # ships no types

from contracts.errors import InvalidInput

BLOCK_ROWS: Final = 25_000
MOST_COLUMNS: Final = 300
HEADING_ROWS: Final = 10
"""A heading stands within so many rows; above it there may be titles."""

LONGEST_CELL: Final = 2_000
"""Characters of a cell that are kept; a longer one breaks a rule anyway."""

CUT: Final = "\x03"
"""Stands behind a text that was longer; no text of a file holds it, since control characters are taken out."""

LARGEST_BLOCK: Final = 1 << 25
"""Bytes of text that are held at once: one text of a workbook may stand in a million cells."""

LARGEST_FILE: Final = 1 << 32
"""Bytes of text that a file may come to."""

DAMAGE: Final = (
    *(ValueError, TypeError, ArithmeticError, LookupError, EOFError, RuntimeError, MemoryError),
    *(zlib.error, BadZipFile, csv.Error, expat.ExpatError, pa.ArrowException, pl.exceptions.PolarsError),
)
"""What readers and writers raise over odd data. Their words may hold a value of a row, so nobody sees them."""

_CONTROLS: Final = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F]"
_IS_CONTROL: Final = np.isin(np.arange(256), [*range(9), 11, 12, *range(14, 32), 127])


@dataclass(frozen=True, slots=True)
class Line:
    """One row as it stands in a file; ``number`` counts from 1, as spreadsheets do."""

    number: int
    cells: Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of a file.

    Attributes:
        numbers: Each row's number in the file.
        cells: Arrays of text by position, none where a cell is empty.
        misshapen: None for a row that fits the heading; otherwise the cells beyond it, as text.
    """

    numbers: pa.Array
    cells: tuple[pa.Array, ...]
    misshapen: pa.Array

    def kept(self, mask: pa.Array) -> "Block":
        """The rows of the block where the mask is true."""
        return Block(
            self.numbers.filter(mask), tuple(each.filter(mask) for each in self.cells), self.misshapen.filter(mask)
        )

    def written(self) -> "Block":
        """The block without rows that are empty altogether."""
        filled = (pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(each)), 0).fill_null(False) for each in self.cells)  # noqa: FBT003  # Arrow's signature
        mask = reduce(pc.or_, filled, pc.is_valid(self.misshapen))
        return self if pc.all(mask, min_count=0).as_py() else self.kept(mask)


@contextmanager
def nothing_told(row: int = 0) -> Iterator[None]:
    """Whatever is wrong with the data inside is told as ``import-unreadable``, without a word of the data."""
    try:
        yield
    except DAMAGE:
        raise InvalidInput("import-unreadable", row=row) from None


def tidy(texts: pa.Array) -> pa.Array:
    """Texts of a file without control characters, the too long ones cut and marked."""
    data = texts.buffers()[2]
    if data is not None and _IS_CONTROL[np.frombuffer(data, np.uint8)].any():
        texts = pc.replace_substring_regex(texts, _CONTROLS, "")
    long = pc.greater(pc.binary_length(texts), LONGEST_CELL).fill_null(False)  # noqa: FBT003  # Arrow's signature
    if not pc.any(long, min_count=0).as_py():
        return texts
    long = pc.greater(pc.utf8_length(texts), LONGEST_CELL)
    kept = pc.utf8_slice_codeunits(texts, 0, LONGEST_CELL)
    return pc.if_else(long, pc.binary_join_element_wise(kept, CUT, ""), texts)


class Rows(Protocol):
    """A file of rows, which may be read more than once.

    ``kind`` is csv, xlsx or parquet; ``written_as`` says how a text file is encoded and delimited; ``from_1904`` how a
    spreadsheet counts its days.
    """

    kind: str
    written_as: tuple[str, str] | None
    from_1904: bool

    def first(self) -> list[Line]:
        """The first rows, in which the heading is looked for."""
        ...

    def blocks(self, after: int, width: int) -> Iterator[tuple[Block, float]]:
        """The rows behind row ``after``, each with ``width`` cells, and which share of the file has been read.

        Raises:
            InvalidInput: ``import-unreadable``, for a file that breaks off or contradicts itself.
        """
        ...
