"""Rows of a Parquet file, read as a stream; its values become the text that a person would have written."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # ships no types

from connectors.intake.blocks import BLOCK_ROWS, DAMAGE, LARGEST_BLOCK, LARGEST_FILE, MOST_COLUMNS, Block, Line, tidy
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
                    for some in _portions(batch):
                        yield _block(some, done), min((done + some.num_rows) / rows, 1.0)
                        done += some.num_rows
            except (OSError, *DAMAGE):
                raise InvalidInput("import-unreadable", row=done + 1) from None


def _opened(path: Path) -> pq.ParquetFile:
    try:
        schema = pq.read_schema(path)
        # A text that stands in every row is held once.
        texts = [each.name for each in schema if pa.types.is_string(each.type) or pa.types.is_large_string(each.type)]
        file = pq.ParquetFile(path, memory_map=False, pre_buffer=False, read_dictionary=texts)
    except (OSError, *DAMAGE):
        raise InvalidInput("import-unreadable", row=0) from None
    if sum(file.metadata.row_group(each).total_byte_size for each in range(file.num_row_groups)) > LARGEST_FILE:
        raise InvalidInput("import-too-large")
    return file


def _portions(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The batch in parts whose texts are not too large to be held at once."""
    if batch.num_rows > 1 and sum(map(_weight, batch.columns)) > LARGEST_BLOCK:
        half = batch.num_rows // 2
        yield from _portions(batch.slice(0, half))
        yield from _portions(batch.slice(half))
    else:
        yield batch


def _weight(column: pa.Array) -> int:
    """The bytes of a column as text."""
    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    return int(pc.sum(pc.binary_length(_text(column.dictionary)).take(column.indices)).as_py() or 0)


def _block(batch: pa.RecordBatch, done: int) -> Block:
    return Block(
        numbers=pa.array(range(done + 1, done + 1 + batch.num_rows), pa.int64()),
        cells=tuple(_text(column) for column in batch.columns),
        misshapen=pa.nulls(batch.num_rows, pa.string()),
    )


def _text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _text(column.dictionary).take(column.indices)
    if pa.types.is_timestamp(kind):
        local = pc.local_timestamp(column.cast(pa.timestamp("us", BANGKOK), safe=False)) if kind.tz else column
        return pc.strftime(local.cast(pa.timestamp("s"), safe=False), format="%Y-%m-%d %H:%M:%S")
    if pa.types.is_date(kind):
        return pc.strftime(column, format="%Y-%m-%d")
    if pa.types.is_floating(kind):
        return pa.array([None if each is None else _digits(each) for each in column.to_pylist()], pa.string())
    return tidy(column.cast(pa.string()))


def _digits(number: float) -> str:
    return str(int(number)) if number.is_integer() else repr(number)
