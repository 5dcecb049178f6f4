"""Transactions on SQLite or PostgreSQL, with the same guarantees.

What a write transaction has locked stays as it is until it commits: on SQLite because ``BEGIN IMMEDIATE`` lets one
writer in at a time, on PostgreSQL because ``lock`` takes the row (READ COMMITTED, ``FOR UPDATE``). A commit is on disk
when it returns (WAL with synchronous=FULL; PostgreSQL's default).

Locks are taken in one order, so that no two transactions wait for each other: question, request, series, activity,
task, accounts by (source, window), head of the notices, head of the log.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, Select, Table, TypeDecorator, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.dml import UpdateBase
from typing_extensions import override

BUSY_MILLISECONDS = 30_000
CHANNEL = "saphan_changed"
"""Where PostgreSQL passes on that something changed; see ``gateway.store.wakeups``."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ON_CONNECT = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    f"PRAGMA busy_timeout={BUSY_MILLISECONDS}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",  # what is erased is overwritten, not only unlinked
)

AnyRow = Row[*tuple[Any, ...]]
AnySelect = Select[*tuple[Any, ...]]
Values = Mapping[str, object]


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant, kept as whole microseconds since 1970: exact, ordered and alike in every database."""

    impl = BigInteger
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # its signature
        """Write an instant as microseconds."""
        return None if value is None else (value - EPOCH) // timedelta(microseconds=1)

    @override
    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # its signature
        """Read an instant back."""
        return None if value is None else EPOCH + timedelta(microseconds=value)


class Reading:
    """A read transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def one(self, select: AnySelect) -> AnyRow | None:
        """The first row, if any."""
        return self._connection.execute(select).first()

    def all(self, select: AnySelect) -> Sequence[AnyRow]:
        """Every row."""
        return self._connection.execute(select).all()


class Transaction(Reading):
    """A write transaction: all of it happens, or nothing does."""

    def lock(self, select: AnySelect) -> AnyRow | None:
        """The first row, which nobody else changes until this transaction ends."""
        return self._connection.execute(select.with_for_update()).first()

    def take_free(self, select: AnySelect) -> Sequence[AnyRow]:
        """Every row that no other transaction holds, locked."""
        return self._connection.execute(select.with_for_update(skip_locked=True)).all()

    def tell(self, topic: str) -> None:
        """Wake those who wait for a topic in any process when this commits; on SQLite nobody can be told."""
        if self._connection.dialect.name == "postgresql":
            self._connection.exec_driver_sql("SELECT pg_notify(%s, %s)", (CHANNEL, topic))

    def run(self, statement: UpdateBase) -> int:
        """Run an insert, update or delete; give the number of rows that it touched."""
        return self._connection.execute(statement).rowcount

    def add(self, table: Table, rows: Sequence[Values]) -> None:
        """Insert rows."""
        if rows:
            self._connection.execute(table.insert(), [dict(row) for row in rows])

    def add_new(self, table: Table, row: Values) -> bool:
        """Insert a row unless its key is there already; whether it was new.

        On PostgreSQL this waits for a transaction that is inserting the same key.
        """
        insert = postgresql.insert if self._connection.dialect.name == "postgresql" else sqlite.insert
        key = next(iter(table.primary_key))
        statement = insert(table).values(**row).on_conflict_do_nothing().returning(key)
        return self._connection.execute(statement).first() is not None


class Store:
    """The gateway's database.

    Args:
        url: A SQLAlchemy URL, ``sqlite:///...`` or ``postgresql+psycopg://...``; its schema must be up to date
            (``gateway.store.migrate``).
    """

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)
        # SQLite's waiting writers sleep and try again; within this process they queue instead.
        self._turn = threading.Lock() if self.engine.dialect.name == "sqlite" else nullcontext()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Write; commits at the end, and takes everything back on any exception."""
        with self._turn, self.engine.connect() as connection:
            connection.execution_options(saphan_writes=True)
            with connection.begin():
                yield Transaction(connection)

    @contextmanager
    def read(self) -> Iterator[Reading]:
        """Read what is committed."""
        with self.engine.connect() as connection, connection.begin():
            yield Reading(connection)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_engine(url: str) -> Engine:
    """An engine whose SQLite connections are durable and begin their own transactions."""
    engine = create_engine(url, pool_size=8, max_overflow=32)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # The driver's own habit of opening transactions late is switched off; _begin_sqlite opens them.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ON_CONNECT:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("saphan_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
