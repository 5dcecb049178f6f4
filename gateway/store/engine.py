"""Transactions on SQLite or PostgreSQL, with the same guarantees.

What a write transaction has locked stays as it is until it commits: on SQLite because ``BEGIN IMMEDIATE`` lets one
writer in at a time, on PostgreSQL because ``lock`` takes the row (READ COMMITTED, ``FOR UPDATE``). A commit is on disk
when it returns (WAL with synchronous=FULL; PostgreSQL's default).

Locks are taken in one order, so that no two transactions wait for each other: question, request, series, activity,
task, accounts by (source, window), head of the notices, head of the log.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from types import TracebackType
from typing import Any, Self

from sqlalchemy import BigInteger, Connection, Row, Select, Table, TypeDecorator, create_engine, event, make_url
from sqlalchemy.engine import Dialect, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool
from sqlalchemy.sql.dml import UpdateBase
from typing_extensions import override

from gateway.store.commits import Commits, LightTogether, OneByOne, Together
from gateway.store.connections import Connections
from gateway.store.prepared import Bound, Given, Prepared, insert_into, insert_new, insert_newer, update_of

BUSY_MILLISECONDS = 30_000
MOST_STATEMENTS = 512
CHANNEL = "saphan_changed"
"""Where PostgreSQL passes on that something changed; see ``gateway.store.wakeups``."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
ON_CONNECT = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    f"PRAGMA busy_timeout={BUSY_MILLISECONDS}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",  # what is erased is overwritten, not only unlinked
)

LIGHT = {"sqlite": "PRAGMA synchronous=NORMAL", "postgresql": "SET synchronous_commit TO off"}
"""What makes a connection's commits visible at once and durable a moment later."""

AnyRow = Row[*tuple[Any, ...]]
AnySelect = Select[*tuple[Any, ...]]
Values = Mapping[str, object]
Tell = Callable[..., None]
"""Takes topics."""


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant, kept as whole microseconds since 1970: exact, ordered and alike in every database."""

    impl = BigInteger
    cache_ok = True

    @override
    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], int | None]:  # its signature
        """Writes an instant as microseconds."""
        return _microseconds

    @override
    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[int | None], datetime | None]:
        """Reads an instant back."""
        return _instant


def _microseconds(instant: datetime | None) -> int | None:
    return None if instant is None else (instant - EPOCH) // MICROSECOND


def _instant(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else EPOCH + timedelta(microseconds=microseconds)


class Reading:
    """A read transaction, as a context: what it has not committed at the end is taken back."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._dialect = connections.dialect

    def __enter__(self) -> Self:
        """Begin."""
        self._held = self._connections.take()
        try:
            self._cursor = self._connections.cursor(self._held)
            # PostgreSQL's driver opens a transaction with the first statement by itself.
            if self._dialect.name == "sqlite":
                self._execute("BEGIN")
        except BaseException:
            self._connections.give_back(self._held)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """End, whatever has happened."""
        try:
            self._cursor.close()
        finally:
            self._connections.give_back(self._held)

    @cached_property
    def _connection(self) -> Connection:
        """The same connection for what is not prepared; it neither begins nor ends anything by itself."""
        return self._connections.other(self._held)

    def one(self, select: AnySelect | Bound) -> AnyRow | None:
        """The first row, if any."""
        if isinstance(select, Bound):
            rows = self._rows(select.statement, select.values)
            return rows[0] if rows else None
        return self._connection.execute(select).first()

    def all(self, select: AnySelect | Bound) -> Sequence[AnyRow]:
        """Every row."""
        if isinstance(select, Bound):
            return self._rows(select.statement, select.values)
        return self._connection.execute(select).all()

    def _rows(self, statement: Prepared, values: Given) -> list[AnyRow]:
        compiled = statement.compiled(self._dialect)
        try:
            self._cursor.execute(compiled.sql, compiled.arguments(values))
            found = self._cursor.fetchall()
        except self._connections.errors as error:
            raise self._connections.told(error, self._held) from error
        return compiled.rows(found)

    def _execute(self, sql: str, arguments: Sequence[Any] = ()) -> None:
        """Run what gives no rows; the driver's errors become SQLAlchemy's, without any value."""
        try:
            self._cursor.execute(sql, arguments)
        except self._connections.errors as error:
            raise self._connections.told(error, self._held) from error


class Transaction(Reading):
    """A write transaction, as a context: it commits at the end, and takes everything back on any exception."""

    def __init__(self, connections: Connections, commits: Commits, tell_here: Tell | None) -> None:
        super().__init__(connections)
        self._commits = commits
        self._tell_here = tell_here
        self._topics: dict[str, None] = {}

    @override
    def __enter__(self) -> Self:
        """Begin."""
        self._held = self._commits.begin()
        try:
            self._cursor = self._connections.cursor(self._held)
        except BaseException:
            self._commits.take_back(self._held)
            raise
        return self

    @override
    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Commit, unless there was an exception."""
        end = self._commits.commit if kind is None else self._commits.take_back
        try:
            self._cursor.close()
        except BaseException:
            end = self._commits.take_back
            raise
        finally:
            end(self._held)
        if kind is None and self._topics and self._tell_here is not None:
            self._tell_here(*self._topics)

    def lock(self, select: AnySelect | Bound) -> AnyRow | None:
        """The first row, which nobody else changes until this transaction ends."""
        if isinstance(select, Bound):
            return self.one(Bound(select.statement.locked(), select.values))
        return self._connection.execute(select.with_for_update()).first()

    def hold(self, select: Bound) -> None:
        """Let nobody else change a row until this transaction ends, without reading it.

        On SQLite nobody else writes anyway: the transaction began with ``BEGIN IMMEDIATE``.
        """
        if self._dialect.name != "sqlite":
            self.lock(select)

    def take_free(self, select: AnySelect | Bound) -> Sequence[AnyRow]:
        """Every row that no other transaction holds, locked."""
        if isinstance(select, Bound):
            return self.all(Bound(select.statement.locked(skip_locked=True), select.values))
        return self._connection.execute(select.with_for_update(skip_locked=True)).all()

    def tell(self, topic: str) -> None:
        """Wake those who wait for a topic when this commits: in any process, on SQLite in this one."""
        if self._dialect.name == "postgresql":
            self._execute("SELECT pg_notify(%s, %s)", (CHANNEL, topic))
        else:
            self._topics[topic] = None

    def run(self, statement: UpdateBase | Bound) -> int:
        """Run an insert, update or delete; give the number of rows that it touched."""
        if not isinstance(statement, Bound):
            return self._connection.execute(statement).rowcount
        compiled = statement.statement.compiled(self._dialect)
        self._execute(compiled.sql, compiled.arguments(statement.values))
        return self._cursor.rowcount

    def change(self, table: Table, key: Values, values: Values) -> int:
        """Write these columns of the rows that have all of the key; give their number."""
        return self.run(Bound(update_of(table, tuple(key), tuple(values)), (*key.values(), *values.values())))

    def add(self, table: Table, rows: Sequence[Values]) -> None:
        """Insert rows, all with the same columns."""
        if not rows:
            return
        columns = tuple(rows[0])
        compiled = insert_into(table, columns).compiled(self._dialect)
        try:
            self._cursor.executemany(
                compiled.sql, [compiled.arguments([*map(row.__getitem__, columns)]) for row in rows]
            )
        except self._connections.errors as error:
            raise self._connections.told(error, self._held) from error

    def add_new(self, table: Table, row: Values) -> bool:
        """Insert a row unless its key is there already; whether it was new.

        On PostgreSQL this waits for a transaction that is inserting the same key.
        """
        return bool(self._rows(insert_new(table, tuple(row), self._dialect.name), tuple(row.values())))

    def add_newer(self, table: Table, row: Values, column: str) -> None:
        """Insert a row, or write it over the one with its key if that has less in a column."""
        statement = insert_newer(table, tuple(row), self._dialect.name, column)
        self.run(Bound(statement, tuple(row.values())))

    def add_all_new(self, table: Table, rows: Sequence[Values]) -> bool:
        """Insert rows of which none may have a key that is there already; when one has, this transaction is over.

        On PostgreSQL this waits for a transaction that is inserting one of the keys.
        """
        try:
            self.add(table, rows)
        except IntegrityError:
            return False
        return True


class Store:
    """The gateway's database.

    Args:
        url: A SQLAlchemy URL, ``sqlite:///...`` or ``postgresql+psycopg://...``; its schema must be up to date
            (``gateway.store.migrate``).
    """

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)
        self._connections = Connections(self.engine)
        # SQLite's waiting writers sleep and try again; within this process they queue, and share their commits.
        self._light_connections = Connections(open_engine(url, is_light=True))
        if self.engine.dialect.name == "sqlite":
            together = Together(self._connections, self._light_connections)
            self.commits: Together | OneByOne = together
            self._light: Commits = LightTogether(together)
        else:
            self.commits, self._light = OneByOne(self._connections), OneByOne(self._light_connections)
        self.tell_here: Tell | None = None
        """Called with the topics of each change that is committed here, where the database does not pass them on."""

    def transaction(self) -> Transaction:
        """Write; commits at the end, and takes everything back on any exception."""
        return Transaction(self._connections, self.commits, self.tell_here)

    def light_transaction(self) -> Transaction:
        """Write what may be lost if the machine loses its power within the next moments, and in no other case.

        Every process sees it when it is committed, also after this one was killed. Nothing may be written so whose loss
        would let anything happen that was not allowed.
        """
        return Transaction(self._light_connections, self._light, self.tell_here)

    def read(self) -> Reading:
        """Read what is committed."""
        return Reading(self._connections)

    def close(self) -> None:
        """Close every connection."""
        self._connections.close()
        self._light_connections.close()


def open_engine(url: str, *, is_light: bool = False) -> Engine:
    """An engine that keeps no connection, and whose SQLite connections are durable and begin nothing of themselves.

    Args:
        url: The database.
        is_light: Whether commits need not be on disk when they return.
    """
    if make_url(url).get_backend_name() != "sqlite":
        engine = create_engine(url, poolclass=NullPool)
    else:
        # The driver keeps as many compiled statements; the least recently used one is compiled anew.
        engine = create_engine(url, poolclass=NullPool, connect_args={"cached_statements": MOST_STATEMENTS})
        event.listen(engine, "connect", _prepare_sqlite)
    if is_light:
        event.listen(engine, "connect", partial(_lighten, LIGHT[engine.dialect.name]))
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # The driver's own habit of opening transactions late is switched off; each transaction opens itself.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ON_CONNECT:
        cursor.execute(pragma)
    cursor.close()


def _lighten(how: str, connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute(how)
    cursor.close()
    connection.commit()
