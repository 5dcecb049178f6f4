"""An agency's own tables, strictly to be read: SQLite, DuckDB, PostgreSQL, Parquet and CSV.

A source is named by a URL. Nothing in a URL (path, host, user, password) ever stands in an error: messages name the
kind of the source and the table or column that is missing.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import quote, unquote, urlsplit

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import sqlalchemy as sa

from contracts.errors import InvalidInput, Unavailable

BATCH_ROWS = 50_000
CONNECT_SECONDS = 10
POSTGRES_PORT = 5432
SHUT = {"autoinstall_known_extensions": False, "autoload_known_extensions": False, "allow_community_extensions": False}
"""DuckDB never fetches an extension from anywhere."""

PLAIN_BYTES = frozenset(range(0x20, 0x7F)) - frozenset(b"\"'\\")
"""What stands for itself where bytes are written as text."""

_POSTGRES_SCHEMES = ("postgresql", "postgresql+psycopg")


class SourceColumn(NamedTuple):
    """A column as its table declares it: nothing of it comes from a row.

    ``type`` is the type as ODCS calls it (string, integer, number, boolean, date, timestamp), or none where the table
    does not say or holds something else. ``key`` is set when the column alone is the primary key.
    """

    name: str
    type: str | None
    required: bool
    key: bool


class Source(Protocol):
    """Where an agency's rows are read from."""

    def batches(self, table: str, columns: Sequence[str], batch_rows: int = BATCH_ROWS) -> Iterator[pa.Table]:
        """The named columns of every row, in the source's own types, at most ``batch_rows`` rows at a time.

        Raises:
            InvalidInput: ``source-mismatch``, naming the table or the column that the source lacks.
            Unavailable: ``source-unreachable``.
        """
        ...


def open_source(url: str) -> Source:
    """The source that a URL names; nothing is opened before rows are asked for.

    Args:
        url: ``sqlite:///path``, ``duckdb:///path``, ``postgresql+psycopg://...``, ``parquet:///path`` or
            ``csv:///path``. The path of the last two is a file, or a folder that holds ``<table>.parquet``. As in
            SQLAlchemy, an absolute path makes four slashes: ``sqlite:////srv/cases.db``.

    Raises:
        InvalidInput: ``setting-invalid``, for a scheme that is none of these.
    """
    return _open(url)


def describe(url: str, table: str) -> tuple[SourceColumn, ...]:
    """The columns that a table declares, in its order. No row is read; a file's own header is.

    Raises:
        InvalidInput: ``setting-invalid``; ``source-mismatch``, naming a table that the source lacks.
        Unavailable: ``source-unreachable``.
    """
    return _open(url).columns(table)


def _open(url: str) -> "_Sql | _Duck":
    scheme = urlsplit(url).scheme
    if scheme in _POSTGRES_SCHEMES:
        return _Sql("postgresql", partial(_postgres, url))
    path = file_of(url)
    match scheme:
        case "sqlite":
            return _Sql("sqlite", partial(_sqlite, path))
        case "duckdb":
            return _duckdb(path)
        case "parquet" | "csv":
            return _files(path, scheme)
        case _:
            raise InvalidInput("setting-invalid", setting="source", why="the scheme is not supported")


def place_of(url: str, table: str) -> str:
    """Which physical table a source's URL and a table's name mean, however the URL writes it.

    User, password and options are left out, so that a new password is no new place; a file is named by its real path,
    and a single file of rows is the same table under every name. Holds what errors and journals must not: digest it.

    Raises:
        InvalidInput: ``setting-invalid``, for a scheme that is not supported.
    """
    scheme = urlsplit(url).scheme
    if scheme in _POSTGRES_SCHEMES:
        address = sa.make_url(url)
        host = str(address.query.get("host", address.host or "")).lower().rstrip(".")
        port = str(address.query.get("port", address.port or POSTGRES_PORT))
        return "\n".join(("postgresql", host, port, address.database or address.username or "", table))
    path = file_of(url).resolve()
    match scheme:
        case "sqlite" | "duckdb":
            return "\n".join((scheme, str(path), table))
        case "parquet" | "csv":
            return "\n".join((scheme, str(_table_file(path, scheme, table).resolve())))
        case _:
            raise InvalidInput("setting-invalid", setting="source", why="the scheme is not supported")


def file_of(url: str) -> Path:
    """The file or folder that a URL names: relative after three slashes, absolute after four."""
    return Path(unquote(url.partition("://")[2].removeprefix("/")))


def _require_columns(table: str, wanted: Sequence[str], offered: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in offered]
    if missing:
        raise InvalidInput("source-mismatch", where=f"{table}.{missing[0]}")


class _Sql:
    """A database that SQLAlchemy reads.

    Args:
        kind: What messages call it.
        engine: Makes the engine of one reading.
    """

    def __init__(self, kind: str, engine: Callable[[], sa.Engine]) -> None:
        self._kind = kind
        self._engine = engine

    def batches(self, table: str, columns: Sequence[str], batch_rows: int = BATCH_ROWS) -> Iterator[pa.Table]:
        """See ``Source``."""
        with self._opened(table) as engine:
            yield from _read(engine, table, columns, batch_rows)

    def columns(self, table: str) -> tuple[SourceColumn, ...]:
        """See ``describe``."""
        with self._opened(table) as engine:
            inspector = sa.inspect(engine)
            key = inspector.get_pk_constraint(table)["constrained_columns"]
            return tuple(
                SourceColumn(each["name"], _sql_type(each["type"]), not each["nullable"], [each["name"]] == list(key))
                for each in inspector.get_columns(table)
            )

    @contextmanager
    def _opened(self, table: str) -> Iterator[sa.Engine]:
        try:
            engine = self._engine()
            try:
                yield engine
            finally:
                engine.dispose()
        except sa.exc.NoSuchTableError:
            raise InvalidInput("source-mismatch", where=table) from None
        except (sa.exc.SQLAlchemyError, sqlite3.Error):
            raise Unavailable("source-unreachable", source=self._kind) from None


def _read(engine: sa.Engine, table: str, columns: Sequence[str], batch_rows: int) -> Iterator[pa.Table]:
    _require_columns(table, columns, [each["name"] for each in sa.inspect(engine).get_columns(table)])
    statement = sa.table(table, *(sa.column(name) for name in columns)).select()
    with engine.connect().execution_options(stream_results=True, max_row_buffer=batch_rows) as connection:
        for rows in connection.execute(statement).partitions(batch_rows):
            yield pa.table(
                {name: _array(values) for name, values in zip(columns, zip(*rows, strict=True), strict=True)}
            )


def _sql_type(declared: object) -> str | None:
    """The first that fits; what is a date or an enumeration to Python is a kind of another to some dialects."""
    kinds: tuple[tuple[type[object], str], ...] = (
        (sa.Boolean, "boolean"),
        (sa.DateTime, "timestamp"),
        (sa.Date, "date"),
        (sa.Integer, "integer"),
        (sa.Numeric, "number"),
        (sa.String, "string"),
        (sa.Uuid, "string"),
    )
    return next((name for kind, name in kinds if isinstance(declared, kind)), None)


def _array(values: Sequence[object]) -> pa.Array:
    """Values of one column, each read alike whatever stands beside it.

    SQLite may mix types in one column, and PostgreSQL's ``numeric`` scales. One common type would write a 1 as 1.0 or
    1.00 because of somebody else's row, which would then move the labels, row keys and people of others. Where they
    are mixed, or beyond what DuckDB holds, all are text, each as the engine itself would write it.
    """
    if not _is_mixed(values):
        try:
            read = pa.array(values)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            read = None  # a number beyond 64 bits, or decimals without a common precision
        if read is not None and not pa.types.is_decimal256(read.type):
            return read
    return pa.array([_text(value) for value in values], pa.string())


def _is_mixed(values: Sequence[object]) -> bool:
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) != 1 or Decimal not in kinds:
        return len(kinds) > 1
    scales = {value.as_tuple().exponent for value in values if isinstance(value, Decimal)}
    return len(scales) > 1 or not all(isinstance(each, int) for each in scales)


def _text(value: object) -> str | None:
    """A value as DuckDB writes it."""
    match value:
        case None:
            return None
        case Decimal():
            return format(value, "f")
        case bytes():
            return "".join(chr(byte) if byte in PLAIN_BYTES else f"\\x{byte:02X}" for byte in value)
        case _:
            return str(value)


def _sqlite(path: Path) -> sa.Engine:
    """A SQLite file that is opened with ``mode=ro``."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
        connection.execute("PRAGMA query_only = ON")
        return connection

    return sa.create_engine("sqlite://", creator=connect, poolclass=sa.pool.NullPool)


def _postgres(url: str) -> sa.Engine:
    """A PostgreSQL database in which every transaction begins read-only."""
    address = sa.make_url(url).set(drivername="postgresql+psycopg")
    arguments = {"options": "-c default_transaction_read_only=on", "connect_timeout": CONNECT_SECONDS}
    return sa.create_engine(address, connect_args=arguments, poolclass=sa.pool.NullPool, hide_parameters=True)


class _Duck:
    """Files that DuckDB reads.

    Args:
        kind: What messages call it.
        connect: Opens what holds a table.
        relation: The table on such a connection.
    """

    def __init__(
        self,
        kind: str,
        connect: Callable[[str], duckdb.DuckDBPyConnection],
        relation: Callable[[duckdb.DuckDBPyConnection, str], duckdb.DuckDBPyRelation],
    ) -> None:
        self._kind = kind
        self._connect = connect
        self._relation = relation

    def batches(self, table: str, columns: Sequence[str], batch_rows: int = BATCH_ROWS) -> Iterator[pa.Table]:
        """See ``Source``."""
        with self._opened(table) as (_, relation):
            _require_columns(table, columns, relation.columns)
            chosen = relation.select(*(duckdb.ColumnExpression(name) for name in columns))
            for batch in chosen.to_arrow_reader(batch_rows):
                yield pa.Table.from_batches([batch])

    def columns(self, table: str) -> tuple[SourceColumn, ...]:
        """See ``describe``."""
        with self._opened(table) as (connection, relation):
            declared = zip(relation.columns, map(str, relation.types), strict=True)
            key, required = _duck_constraints(connection, table) if self._kind == "duckdb" else ((), frozenset[str]())
            typed = self._kind != "csv"  # a CSV file declares names alone
            return tuple(
                SourceColumn(name, _duck_type(kind) if typed else None, name in required, [name] == list(key))
                for name, kind in declared
            )

    @contextmanager
    def _opened(self, table: str) -> Iterator[tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyRelation]]:
        try:
            with self._connect(table) as connection:
                yield connection, self._relation(connection, table)
        except duckdb.CatalogException:
            raise InvalidInput("source-mismatch", where=table) from None
        except (duckdb.Error, OSError):
            raise Unavailable("source-unreachable", source=self._kind) from None


def _duck_type(declared: str) -> str | None:
    kinds = {
        "boolean": "BOOLEAN",
        "timestamp": "TIMESTAMP",
        "date": "DATE",
        "integer": "(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?)",
        "number": "(DECIMAL|DOUBLE|FLOAT)",
        "string": "(VARCHAR|UUID|ENUM)",
    }
    return next((name for name, kind in kinds.items() if re.match(rf"{kind}\b", declared)), None)


def _duck_constraints(connection: duckdb.DuckDBPyConnection, table: str) -> tuple[Sequence[str], frozenset[str]]:
    """The columns of the primary key, and those that are never empty."""
    found = connection.execute(
        "SELECT constraint_type, constraint_column_names FROM duckdb_constraints() WHERE table_name = $1", [table]
    ).fetchall()
    keys = [names for kind, names in found if kind == "PRIMARY KEY"]
    required = frozenset(name for kind, names in found if kind in {"NOT NULL", "PRIMARY KEY"} for name in names)
    return (keys[0] if keys else ()), required


def _duckdb(path: Path) -> _Duck:
    """A DuckDB file, opened read-only and without access to any other file."""

    def connect(_: str) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(path), read_only=True, config={**SHUT, "enable_external_access": False})

    return _Duck("duckdb", connect, lambda connection, table: connection.table(f'"{table}"'))


def _table_file(path: Path, kind: str, table: str) -> Path:
    return path / f"{table}.{kind}" if path.is_dir() else path


def _files(path: Path, kind: str) -> _Duck:
    """Parquet or CSV, read through a DuckDB that may open this one file and no other. CSV is all text."""

    def connect(table: str) -> duckdb.DuckDBPyConnection:
        if not path.exists():
            raise FileNotFoundError
        file = _table_file(path, kind, table)
        if not file.is_file():
            raise InvalidInput("source-mismatch", where=table)
        connection = duckdb.connect(config=dict(SHUT))
        connection.execute("SET allowed_paths = $1", [[str(file)]])
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        return connection

    def relation(connection: duckdb.DuckDBPyConnection, table: str) -> duckdb.DuckDBPyRelation:
        file = str(_table_file(path, kind, table))
        if kind == "parquet":
            return connection.read_parquet(file)
        return connection.read_csv(file, all_varchar=True, header=True)

    return _Duck(kind, connect, relation)
