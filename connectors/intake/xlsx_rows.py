"""Rows of an XLSX sheet, read as a stream.

Measured beside the readers that there are (``docs/benchmarks.md``), expat's stream is as fast as the fastest of them, and
the only fast one whose memory does not grow with the sheet.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from connectors.intake.blocks import BLOCK_ROWS, HEADING_ROWS, MOST_COLUMNS, Block, Line
from connectors.intake.xlsx_cells import Cells, Collector, block_of
from connectors.intake.xlsx_parts import CHUNK, guarded_parser, opened, read_book

Start = Callable[[str, list[str]], None]


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
        self.from_1904 = self._book.from_1904

    def first(self) -> list[Line]:
        """See ``connectors.intake.blocks.Rows``."""
        for block, _ in self.blocks(0, MOST_COLUMNS, HEADING_ROWS):
            some = [column.slice(0, HEADING_ROWS).to_pylist() for column in block.cells]
            numbers = block.numbers.slice(0, HEADING_ROWS).to_pylist()
            lines = (_ended(cells) for cells in zip(*some, strict=True))
            return [Line(number, cells) for number, cells in zip(numbers, lines, strict=True) if cells]
        return []

    def blocks(self, after: int, width: int, at_once: int = BLOCK_ROWS) -> Iterator[tuple[Block, float]]:
        """See ``connectors.intake.blocks.Rows``."""
        with opened(self._path) as archive:
            collector = Collector(self._book.dates, at_once)
            parser = guarded_parser()
            parser.ordered_attributes = True

            def first(name: str, _: list[str]) -> None:
                # Only a sheet whose root has a prefix pays for taking it off.
                parser.StartElementHandler = _unprefixed(collector.start) if ":" in name else collector.start

            parser.StartElementHandler = first
            with archive.open(self._book.sheet) as file:
                while chunk := file.read(CHUNK):
                    parser.CharacterDataHandler = collector.events.append
                    parser.Parse(chunk, False)  # noqa: FBT003  # expat's own signature
                    for cells in collector.fold():
                        yield self._block(cells, after, width), min(file.tell() / max(self._book.sheet_bytes, 1), 1.0)
                parser.Parse(b"", True)  # noqa: FBT003  # expat's own signature
            if (cells := collector.rest()).numbers:
                yield self._block(cells, after, width), 1.0

    def _block(self, cells: Cells, after: int, width: int) -> Block:
        block = block_of(cells, width, self._book.texts, from_1904=self.from_1904)
        if cells.numbers[0] > after:
            return block
        return block.kept([number > after for number in cells.numbers])


def _unprefixed(start: Start) -> Start:
    return lambda name, attributes: start(name.rpartition(":")[2], attributes)


def _ended(cells: tuple[str | None, ...]) -> tuple[str | None, ...]:
    """The cells of a row without the empty ones at its end."""
    while cells and not (cells[-1] or "").strip():
        cells = cells[:-1]
    return cells
