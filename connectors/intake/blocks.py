"""What the readers of all kinds of files give: blocks of rows whose cells are text, column by column."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final, Protocol

import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # ships no types

BLOCK_ROWS: Final = 25_000
MOST_COLUMNS: Final = 300
HEADING_ROWS: Final = 10
"""A heading stands within so many rows; above it there may be titles."""


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
