"""Rows of a delimited text file, read as a stream by Arrow."""

import csv
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Final

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.csv as pa_csv  # type: ignore[import-untyped]  # ships no types

from connectors.intake.blocks import HEADING_ROWS, MOST_COLUMNS, Block, Line, nothing_told, tidy
from connectors.intake.encoding import delimiter_of, encoding_of
from contracts.errors import InvalidInput

BLOCK_BYTES: Final = 1 << 23
"""Read at once; no row may be longer."""

OtherWidth = Callable[[pa_csv.InvalidRow], str]


class CsvRows:
    """A delimited text file; encoding and delimiter are found out from the file itself."""

    def __init__(self, path: Path) -> None:
        self.kind = "csv"
        self.from_1904 = False
        self._path = path
        self._encoding = encoding_of(path)
        self._delimiter = delimiter_of(path, self._encoding)
        self.written_as: tuple[str, str] | None = (self._encoding, self._delimiter)

    def first(self) -> list[Line]:
        """See ``connectors.intake.blocks.Rows``."""
        with nothing_told(1), self._path.open(encoding=self._encoding, newline="") as file:
            rows = list(islice(csv.reader(file, delimiter=self._delimiter), HEADING_ROWS))
        if any(len(row) > MOST_COLUMNS for row in rows):
            raise InvalidInput("import-unreadable", row=1)
        return [Line(number, row) for number, row in enumerate(rows, start=1) if any(row)]

    def blocks(self, after: int, width: int) -> Iterator[tuple[Block, float]]:
        """See ``connectors.intake.blocks.Rows``."""
        others: list[pa_csv.InvalidRow] = []

        def other_width(row: pa_csv.InvalidRow) -> str:
            others.append(row)
            return "skip"

        size, number = max(self._path.stat().st_size, 1), after
        try:
            with self._path.open("rb") as file:
                for batch in self._reader(file, after, width, other_width):
                    block, number = self._block(batch.columns, others, number)
                    yield block, min(file.tell() / size, 1.0)
            if others:  # with no proper row behind them
                yield self._block([pa.array([], pa.string())] * width, others, number)[0], 1.0
        except (pa.ArrowException, UnicodeDecodeError):
            raise InvalidInput("import-unreadable", row=number + 1) from None

    def _reader(self, file: IO[bytes], after: int, width: int, other_width: OtherWidth) -> pa_csv.CSVStreamingReader:
        names = [str(place) for place in range(width)]
        return pa_csv.open_csv(
            file,
            read_options=pa_csv.ReadOptions(
                use_threads=False,  # only then are other rows numbered
                column_names=names,
                skip_rows_after_names=after,
                encoding="utf8" if self._encoding.startswith("utf-8") else self._encoding,
                block_size=BLOCK_BYTES,
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=self._delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=other_width,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )

    def _block(self, columns: list[pa.Array], others: list[pa_csv.InvalidRow], last: int) -> tuple[Block, int]:
        """The columns with the rows of another width that lie before their end, and the number of the last row."""
        odd, width, rows = sorted(others, key=lambda row: row.number), len(columns), len(columns[0])
        others.clear()
        after = last + rows + len(odd)
        numbers = np.setdiff1d(np.arange(last + 1, after + 1), [row.number for row in odd], assume_unique=True)
        lines = [self._cells(row.text) for row in odd]
        strange = [[line[place] if place < len(line) else None for line in lines] for place in range(width)]
        cells = (
            tidy(pa.concat_arrays([column, pa.array(some, pa.string())]))
            for column, some in zip(columns, strange, strict=True)
        )
        beyond = [" | ".join(line[width:]) for line in lines]
        block = Block(
            numbers=pa.array(np.concatenate([numbers, np.array([row.number for row in odd], dtype=np.int64)])),
            cells=tuple(cells),
            misshapen=tidy(pa.array([*(None,) * rows, *beyond], pa.string())),
        )
        return block, after

    def _cells(self, text: str) -> list[str]:
        try:
            return next(csv.reader([text], delimiter=self._delimiter), [])
        except csv.Error:
            return []
