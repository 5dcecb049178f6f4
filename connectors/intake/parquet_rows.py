"""Rows of a Parquet file, read as a stream; its values become the text that a person would have written."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # ships no types

from connectors.intake.blocks import BLOCK_ROWS, MOST_COLUMNS, Block, Line
from contracts.errors import InvalidInput

BANGKOK = "Asia/Bangkok"


class ParquetRows:
    """A Parquet file. Its heading is row 0, so that its first row is row 1."""

    def __init__(self, path: Path) -> None:
        self.kind = "parquet"
        self.written_as: tuple[str, str] | None = None
        self.from_1904 = False
        self._path = path

    def first(self) -> list[Line]:
        """See ``connectors.intake.blocks.Rows``."""
        with _opened(self._path) as file:
            names = file.schema_arrow.names
        if len(names) > MOST_COLUMNS:
            raise InvalidInput("import-unreadable", row=0)
        return [Line(0, names)]

    def blocks(self, after: int, width: int) -> Iterator[tuple[Block, float]]:  # noqa: ARG002  # every row has every column
        """See ``connectors.intake.blocks.Rows``."""
        done = 0
        with _opened(self._path) as file:
            rows = max(file.metadata.num_rows, 1)
            try:
                for batch in file.iter_batches(batch_size=BLOCK_ROWS, use_threads=False):
                    yield _block(batch, done), min((done + batch.num_rows) / rows, 1.0)
                    done += batch.num_rows
            except (pa.ArrowException, OSError):
                raise InvalidInput("import-unreadable", row=done + 1) from None


def _opened(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path, memory_map=False, pre_buffer=False)
    except (pa.ArrowException, OSError):
        raise InvalidInput("import-unreadable", row=0) from None


def _block(batch: pa.RecordBatch, done: int) -> Block:
    return Block(
        numbers=pa.array(range(done + 1, done + 1 + batch.num_rows), pa.int64()),
        cells=tuple(_text(column) for column in batch.columns),
        misshapen=pa.nulls(batch.num_rows, pa.string()),
    )


def _text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _text(column.dictionary_decode())
    if pa.types.is_timestamp(kind):
        local = pc.local_timestamp(column.cast(pa.timestamp("us", BANGKOK), safe=False)) if kind.tz else column
        return pc.strftime(local.cast(pa.timestamp("s"), safe=False), format="%Y-%m-%d %H:%M:%S")
    if pa.types.is_date(kind):
        return pc.strftime(column, format="%Y-%m-%d")
    if pa.types.is_floating(kind):
        return pa.array([None if each is None else _digits(each) for each in column.to_pylist()], pa.string())
    return column.cast(pa.string())


def _digits(number: float) -> str:
    return str(int(number)) if number.is_integer() else repr(number)
