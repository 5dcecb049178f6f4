"""Writing generated rows into an agency's database: SQLite, DuckDB, PostgreSQL or Parquet."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path

import duckdb
import psycopg
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.csv  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # ships no types

from connectors.sources import SHUT, file_of
from contracts.errors import InvalidInput


def write(url: str, name: str, key: str, tables: Iterator[pa.Table]) -> int:
    """Write all tables into one, which is made anew, and give the number of rows.

    Args:
        url: As ``connectors.sources.open_source`` takes it; ``parquet:///folder`` gets the file ``<name>.parquet``.
        name: The table.
        key: Its primary key.
        tables: At least one; all have the same columns.

    Raises:
        InvalidInput: ``setting-invalid``, for a scheme that cannot be written.
    """
    match url.partition("://")[0]:
        case "sqlite":
            return _sqlite(file_of(url), name, key, tables)
        case "duckdb":
            return _duckdb(file_of(url), name, tables)
        case "parquet":
            return _parquet(file_of(url), name, tables)
        case "postgresql" | "postgresql+psycopg":
            return _postgres(url.replace("+psycopg", "", 1), name, key, tables)
        case _:
            raise InvalidInput("setting-invalid", setting="destination", why="the scheme is not supported")


def _sqlite(path: Path, name: str, key: str, tables: Iterator[pa.Table]) -> int:
    rows = 0
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f'DROP TABLE IF EXISTS "{name}"')
        for table in tables:
            if rows == 0:
                connection.execute(_definition(name, key, table.schema, _SQLITE_TYPES))
            connection.execute("BEGIN")
            marks = ", ".join("?" * table.num_columns)
            values = [_plain(column).to_pylist() for column in table.columns]
            connection.executemany(f'INSERT INTO "{name}" VALUES ({marks})', zip(*values, strict=True))  # noqa: S608  # a fixed name
            connection.execute("COMMIT")
            rows += table.num_rows
    return rows


def _duckdb(path: Path, name: str, tables: Iterator[pa.Table]) -> int:
    rows = 0
    with duckdb.connect(str(path), config=dict(SHUT)) as connection:
        for table in tables:
            relation = connection.from_arrow(table)
            if rows == 0:
                connection.execute(f'DROP TABLE IF EXISTS "{name}"')
                relation.create(name)
            else:
                relation.insert_into(name)
            rows += table.num_rows
    return rows


def _parquet(folder: Path, name: str, tables: Iterator[pa.Table]) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    first = next(tables)
    rows: int = first.num_rows
    with pq.ParquetWriter(folder / f"{name}.parquet", first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)
            rows += table.num_rows
    return rows


def _postgres(url: str, name: str, key: str, tables: Iterator[pa.Table]) -> int:
    rows = 0
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(f'DROP TABLE IF EXISTS "{name}"')
        for table in tables:
            if rows == 0:
                cursor.execute(_definition(name, key, table.schema, _POSTGRES_TYPES).encode())
            buffer = BytesIO()
            pyarrow.csv.write_csv(table, buffer, pyarrow.csv.WriteOptions(include_header=False))
            with cursor.copy(f'COPY "{name}" FROM STDIN (FORMAT csv)') as copy:
                copy.write(buffer.getbuffer())
            rows += table.num_rows
    return rows


_SQLITE_TYPES = {"bool": "BOOLEAN", "int64": "INTEGER", "double": "REAL"}
_POSTGRES_TYPES = {
    "bool": "boolean",
    "int64": "integer",
    "double": "numeric(14, 2)",
    "timestamp[s]": "timestamp",
    "date32[day]": "date",
}


def _definition(name: str, key: str, schema: pa.Schema, types: dict[str, str]) -> str:
    columns = (
        f'"{field.name}" {types.get(str(field.type), "TEXT")}{" PRIMARY KEY" if field.name == key else ""}'
        for field in schema
    )
    return f'CREATE TABLE "{name}" ({", ".join(columns)})'


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """SQLite has no type for instants: they are written as text, as a clock on the wall shows them."""
    is_time = pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)
    return column.cast(pa.string()) if is_time else column
