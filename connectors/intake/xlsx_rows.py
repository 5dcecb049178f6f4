"""Rows of an XLSX sheet, read as a stream: the sheet is unpacked and taken apart some rows at a time.

Measured beside the readers that there are (``docs/benchmarks.md``), this is the only fast one whose memory does not
grow with the sheet.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow.compute as pc  # type: ignore[import-untyped]  # ships no types

from connectors.intake.blocks import HEADING_ROWS, LARGEST_FILE, MOST_COLUMNS, Block, Line
from connectors.intake.xlsx_cells import block_of, cells_of, portions
from connectors.intake.xlsx_parts import opened, read_book
from connectors.intake.xlsx_pieces import PIECE, pieces
from connectors.intake.xlsx_texts import shared_texts
from contracts.errors import InvalidInput

FIRST_PIECE: Final = 1 << 16
LAST_ROW: Final = 1_048_576


class XlsxRows:
    """A sheet of an XLSX workbook.

    Args:
        path: The file.
        sheet: The sheet's name; by default our template's, else the first that is shown.
    """

    def __init__(self, path: Path, sheet: str | None = None) -> None:
        self.kind = "xlsx"
        self.written_as: tuple[str, str] | None = None
        self._path = path
        with opened(path) as archive:
            self._book = read_book(archive, sheet)
            self._texts = shared_texts(archive)
        self._lengths = pc.binary_length(self._texts)
        self.from_1904 = self._book.from_1904

    def first(self) -> list[Line]:
        """See ``connectors.intake.blocks.Rows``."""
        found: list[Line] = []
        for block, _ in self._blocks(0, MOST_COLUMNS, FIRST_PIECE):
            cells = [column.to_pylist() for column in block.cells]
            for number, *line in zip(block.numbers.to_pylist(), *cells, strict=True):
                if ended := _ended(line):
                    found.append(Line(number, ended))
            if len(found) >= HEADING_ROWS:
                break
        return found[:HEADING_ROWS]

    def blocks(self, after: int, width: int) -> Iterator[tuple[Block, float]]:
        """See ``connectors.intake.blocks.Rows``."""
        yield from self._blocks(after, width, PIECE)

    def _blocks(self, after: int, width: int, piece: int) -> Iterator[tuple[Block, float]]:
        last = said = 0
        with opened(self._path) as archive:
            for rows, share in pieces(archive, self._book.sheet, "sheetData", "row", piece):
                cells = cells_of(rows, self._book.dates)
                if not len(cells.numbers):
                    continue
                if (
                    cells.numbers[0] <= last
                    or cells.numbers[-1] > LAST_ROW
                    or (cells.numbers[1:] <= cells.numbers[:-1]).any()
                ):
                    raise ValueError("rows of a sheet follow each other")
                last = int(cells.numbers[-1])
                for some, size in portions(cells, self._lengths):
                    said += size
                    if said > LARGEST_FILE:
                        raise InvalidInput("import-too-large")
                    block = block_of(some, width, self._texts, from_1904=self.from_1904)
                    yield block if some.numbers[0] > after else block.kept(some.numbers > after), share


def _ended(cells: list[str | None]) -> list[str | None]:
    """The cells of a row without the empty ones at its end."""
    while cells and not (cells[-1] or "").strip():
        cells.pop()
    return cells
