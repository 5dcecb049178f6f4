"""Writing made-up rows into a database, never over rows that somebody else wrote: SQLite, DuckDB, PostgreSQL, files.

What was written is marked when it is complete: in databases by a row of the table ``saphan_generated``, in Parquet by
the file's metadata, beside a CSV file by ``<name>.csv.generated``. A table without the mark, or with other rows than it
was left with, is somebody else's and stays as it is.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import duckdb
import psycopg
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.csv  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # ships no types
from psycopg import sql

from connectors.sources import SHUT, file_of
from contracts.errors import InvalidInput

MARK = "saphan_generated"


@dataclass(frozen=True, slots=True)
class Shape:
    """The table that is written.

    Attributes:
        name: Its name.
        key: Its primary key.
        required: The columns that are never empty.
    """

    name: str
    key: str
    required: frozenset[str] = frozenset()


def write(url: str, shape: Shape, tables: Iterator[pa.Table]) -> int:
    """Write all tables into one, which is made anew, and give the number of rows.

    Args:
        url: As ``connectors.sources.open_source`` takes it; ``parquet:///folder`` gets the file ``<name>.parquet``.
        shape: The table.
        tables: At least one; all have the same columns.

    Raises:
        InvalidInput: ``setting-invalid``, for a scheme that cannot be written; ``table-not-generated``.
    """
    match url.partition("://")[0]:
        case "sqlite":
            return _sqlite(file_of(url), shape, tables)
        case "duckdb":
            return _duckdb(file_of(url), shape, tables)
        case "parquet":
            return _parquet(_file(url, shape, "parquet"), shape, tables)
        case "csv":
            return _csv(_file(url, shape, "csv"), shape, tables)
        case "postgresql" | "postgresql+psycopg":
            return _postgres(url.replace("+psycopg", "", 1), shape, tables)
        case _:
            raise InvalidInput("setting-invalid", setting="destination", why="the scheme is not supported")


def _sqlite(path: Path, shape: Shape, tables: Iterator[pa.Table]) -> int:
    rows = 0
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f'CREATE TABLE IF NOT EXISTS "{MARK}" (name TEXT PRIMARY KEY, rows INTEGER)')
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [shape.name]).fetchone():
            marked = connection.execute(f"SELECT rows FROM {MARK} WHERE name = ?", [shape.name]).fetchone()  # noqa: S608  # a fixed name
            _keep_out(shape, marked, connection.execute(f'SELECT count(*) FROM "{shape.name}"').fetchone())  # noqa: S608  # the contract's name
        connection.execute(f'DROP TABLE IF EXISTS "{shape.name}"')
        for table in tables:
            if rows == 0:
                connection.execute(_definition(shape, table.schema, _SQLITE_TYPES))
            connection.execute("BEGIN")
            marks = ", ".join("?" * table.num_columns)
            values = [_plain(column).to_pylist() for column in table.columns]
            statement = f'INSERT INTO "{shape.name}" VALUES ({marks})'  # noqa: S608  # the contract's name
            connection.executemany(statement, zip(*values, strict=True))
            connection.execute("COMMIT")
            rows += table.num_rows
        connection.execute(f"INSERT OR REPLACE INTO {MARK} VALUES (?, ?)", [shape.name, rows])  # noqa: S608  # a fixed name
    return rows


def _duckdb(path: Path, shape: Shape, tables: Iterator[pa.Table]) -> int:
    rows = 0
    with duckdb.connect(str(path), config=dict(SHUT)) as connection:
        connection.execute(f"CREATE TABLE IF NOT EXISTS {MARK} (name VARCHAR PRIMARY KEY, rows BIGINT)")
        found = "SELECT 1 FROM information_schema.tables WHERE table_name = $1"
        if connection.execute(found, [shape.name]).fetchone():
            marked = connection.execute(f"SELECT rows FROM {MARK} WHERE name = $1", [shape.name]).fetchone()  # noqa: S608  # a fixed name
            _keep_out(shape, marked, connection.execute(f'SELECT count(*) FROM "{shape.name}"').fetchone())  # noqa: S608  # the contract's name
        connection.execute(f'DROP TABLE IF EXISTS "{shape.name}"')
        for table in tables:
            if rows == 0:
                connection.execute(_definition(shape, table.schema, _DUCKDB_TYPES))
            connection.from_arrow(table).insert_into(shape.name)
            rows += table.num_rows
        connection.execute(f"INSERT OR REPLACE INTO {MARK} VALUES ($1, $2)", [shape.name, rows])  # noqa: S608  # a fixed name
    return rows


def _postgres(url: str, shape: Shape, tables: Iterator[pa.Table]) -> int:
    rows = 0
    name, mark = sql.Identifier(shape.name), sql.Identifier(MARK)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE TABLE IF NOT EXISTS {} (name text PRIMARY KEY, rows bigint)").format(mark))
        if cursor.execute("SELECT 1 WHERE to_regclass(quote_ident(%s)) IS NOT NULL", [shape.name]).fetchone():
            cursor.execute(sql.SQL("SELECT rows FROM {} WHERE name = %s").format(mark), [shape.name])
            marked = cursor.fetchone()
            _keep_out(shape, marked, cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(name)).fetchone())
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(name))
        for table in tables:
            if rows == 0:
                cursor.execute(_definition(shape, table.schema, _POSTGRES_TYPES).encode())
            buffer = BytesIO()
            pyarrow.csv.write_csv(table, buffer, pyarrow.csv.WriteOptions(include_header=False))
            with cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT csv)").format(name)) as copy:
                copy.write(buffer.getbuffer())
            rows += table.num_rows
        again = "INSERT INTO {} VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET rows = excluded.rows"
        cursor.execute(sql.SQL(again).format(mark), [shape.name, rows])
    return rows


def _parquet(path: Path, shape: Shape, tables: Iterator[pa.Table]) -> int:
    if path.exists():
        marked = (pq.read_schema(path).metadata or {}).get(MARK.encode())
        _keep_out(shape, marked, shape.name.encode())
    first = next(tables)
    rows: int = first.num_rows
    schema = first.schema.with_metadata({MARK: shape.name})
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        writer.write_table(first.cast(schema))
        for table in tables:
            writer.write_table(table.cast(schema))
            rows += table.num_rows
    return rows


def _csv(path: Path, shape: Shape, tables: Iterator[pa.Table]) -> int:
    mark = path.with_name(f"{path.name}.generated")
    if path.exists():
        marked = mark.read_text(encoding="utf-8") if mark.exists() else None
        _keep_out(shape, marked, f"{shape.name} {path.stat().st_size}")
    first = next(tables)
    rows: int = first.num_rows
    with pyarrow.csv.CSVWriter(path, first.schema) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)
            rows += table.num_rows
    mark.write_text(f"{shape.name} {path.stat().st_size}", encoding="utf-8")
    return rows


def _file(url: str, shape: Shape, kind: str) -> Path:
    """The file that a URL means: itself, or the table's file in the folder that it names."""
    path = file_of(url)
    if path.suffix == f".{kind}" and not path.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        return path
    path.mkdir(parents=True, exist_ok=True)
    return path / f"{shape.name}.{kind}"


def _keep_out(shape: Shape, marked: object, found: object) -> None:
    """Leave a table alone unless what was noted when it was made is still what is found."""
    if marked is None or marked != found:
        raise InvalidInput("table-not-generated", table=shape.name)


_SQLITE_TYPES = {"bool": "BOOLEAN", "int64": "INTEGER", "double": "REAL", "string": "TEXT"}
_POSTGRES_TYPES = {
    "bool": "boolean",
    "int64": "bigint",
    "double": "numeric(14, 2)",
    "timestamp[s]": "timestamp",
    "date32[day]": "date",
    "string": "text",
}
_DUCKDB_TYPES = {
    "bool": "BOOLEAN",
    "int64": "BIGINT",
    "double": "DOUBLE",
    "timestamp[s]": "TIMESTAMP",
    "date32[day]": "DATE",
    "string": "VARCHAR",
}


def _definition(shape: Shape, schema: pa.Schema, types: dict[str, str]) -> str:
    """How an engine makes the table; what it has no type for is text."""
    columns = (
        f'"{field.name}" {types.get(str(field.type), types["string"])}'
        f"{' NOT NULL' if field.name in shape.required else ''}{' PRIMARY KEY' if field.name == shape.key else ''}"
        for field in schema
    )
    return f'CREATE TABLE "{shape.name}" ({", ".join(columns)})'


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """SQLite has no type for instants: they are written as text, as a clock on the wall shows them."""
    is_time = pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)
    return column.cast(pa.string()) if is_time else column
