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
from functools import cached_property
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, Select, Table, TypeDecorator, create_engine, event
from sqlalchemy.engine import Dialect, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.sql.dml import UpdateBase
from typing_extensions import override

from gateway.store.prepared import Bound, Prepared, insert_into, insert_new, update_of

BUSY_MILLISECONDS = 30_000
CHANNEL = "saphan_changed"
"""Where PostgreSQL passes on that something changed; see ``gateway.store.wakeups``."""

PREPARED = "a prepared statement"
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

    def __init__(self, engine: Engine, driver: PoolProxiedConnection) -> None:
        self._engine = engine
        self._dialect = engine.dialect
        self._driver = driver

    @cached_property
    def _connection(self) -> Connection:
        """The same connection for what is not prepared; it neither begins nor ends anything by itself."""
        return Connection(self._engine, self._driver)

    def one(self, select: AnySelect | Bound) -> AnyRow | None:
        """The first row, if any."""
        if isinstance(select, Bound):
            return next(iter(self._run(*select)), None)
        return self._connection.execute(select).first()

    def all(self, select: AnySelect | Bound) -> Sequence[AnyRow]:
        """Every row."""
        return self._run(*select) if isinstance(select, Bound) else self._connection.execute(select).all()

    def _run(self, statement: Prepared, values: Values) -> list[AnyRow]:
        with self._cursor() as cursor:
            statement.run(cursor, self._dialect, values)
            return statement.rows(cursor, self._dialect)

    @contextmanager
    def _cursor(self) -> Iterator[DBAPICursor]:
        """The driver's cursor; its errors become SQLAlchemy's, without any value."""
        cursor, driver = self._driver.cursor(), self._dialect.loaded_dbapi
        try:
            yield cursor
        except driver.Error as error:
            if self._dialect.is_disconnect(error, self._driver, cursor):
                self._engine.dispose()  # the others were cut off with it
            raise DBAPIError.instance(PREPARED, None, error, driver.Error, hide_parameters=True) from error
        finally:
            cursor.close()


class Transaction(Reading):
    """A write transaction: all of it happens, or nothing does."""

    def lock(self, select: AnySelect | Bound) -> AnyRow | None:
        """The first row, which nobody else changes until this transaction ends."""
        if isinstance(select, Bound):
            return self.one(Bound(select.statement.locked(), select.values))
        return self._connection.execute(select.with_for_update()).first()

    def take_free(self, select: AnySelect | Bound) -> Sequence[AnyRow]:
        """Every row that no other transaction holds, locked."""
        if isinstance(select, Bound):
            return self.all(Bound(select.statement.locked(skip_locked=True), select.values))
        return self._connection.execute(select.with_for_update(skip_locked=True)).all()

    def tell(self, topic: str) -> None:
        """Wake those who wait for a topic in any process when this commits; on SQLite nobody can be told."""
        if self._dialect.name == "postgresql":
            with self._cursor() as cursor:
                cursor.execute("SELECT pg_notify(%s, %s)", (CHANNEL, topic))

    def run(self, statement: UpdateBase | Bound) -> int:
        """Run an insert, update or delete; give the number of rows that it touched."""
        if not isinstance(statement, Bound):
            return self._connection.execute(statement).rowcount
        with self._cursor() as cursor:
            statement.statement.run(cursor, self._dialect, statement.values)
            return cursor.rowcount

    def change(self, table: Table, key: Values, values: Values) -> int:
        """Write these columns of the rows that have all of the key; give their number."""
        update = update_of(table, tuple(key), tuple(values))
        return self.run(Bound(update, {**{f"key_{name}": value for name, value in key.items()}, **values}))

    def add(self, table: Table, rows: Sequence[Values]) -> None:
        """Insert rows, all with the same columns."""
        if rows:
            with self._cursor() as cursor:
                insert_into(table, tuple(rows[0])).run_many(cursor, self._dialect, rows)

    def add_new(self, table: Table, row: Values) -> bool:
        """Insert a row unless its key is there already; whether it was new.

        On PostgreSQL this waits for a transaction that is inserting the same key.
        """
        return bool(self._run(insert_new(table, tuple(row), self._dialect.name), row))


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
        with self._turn:
            driver = self.engine.raw_connection()
            try:
                _begin(self.engine, driver, "BEGIN IMMEDIATE")
                yield Transaction(self.engine, driver)
                driver.commit()
            finally:
                # The pool takes back what was not committed.
                driver.close()

    @contextmanager
    def read(self) -> Iterator[Reading]:
        """Read what is committed."""
        driver = self.engine.raw_connection()
        try:
            _begin(self.engine, driver, "BEGIN")
            yield Reading(self.engine, driver)
        finally:
            driver.close()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_engine(url: str) -> Engine:
    """An engine whose SQLite connections are durable and begin no transaction of themselves."""
    engine = create_engine(url, pool_size=8, max_overflow=32)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # The driver's own habit of opening transactions late is switched off; _begin opens them.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ON_CONNECT:
        cursor.execute(pragma)
    cursor.close()


def _begin(engine: Engine, driver: PoolProxiedConnection, how: str) -> None:
    """Open a transaction, which ends with the driver's commit or with the connection's return to the pool.

    PostgreSQL's driver opens one with the first statement by itself.
    """
    if engine.dialect.name == "sqlite":
        cursor = driver.cursor()
        cursor.execute(how)
        cursor.close()
