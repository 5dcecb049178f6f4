"""The journal's tables, and the engine that makes every transaction a serial and durable one."""

import sqlite3
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Dialect, Engine, String, create_engine, event, inspect
from sqlalchemy.engine import Connection
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

BUSY_SECONDS = 30


class AnswerState(StrEnum):
    """Where an answer stands; it only moves downwards."""

    CHARGED = "charged"
    ANSWERED = "answered"
    SETTLED = "settled"


class Instant(TypeDecorator[datetime]):
    """An aware instant, stored as UTC text that sorts."""

    impl = String(32)
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """To UTC text."""
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

    @override
    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """From UTC text."""
        return None if value is None else datetime.fromisoformat(value)


class Base(DeclarativeBase):
    """All tables of the journal."""


class Approved(Base):
    """A contract on the agency's list; a retired one stays, with the instant."""

    __tablename__ = "approved_contract"
    digest: Mapped[str] = mapped_column(primary_key=True)
    dataset: Mapped[str]
    version: Mapped[str]
    document: Mapped[str]
    approved_at: Mapped[datetime] = mapped_column(Instant)
    retired_at: Mapped[datetime | None] = mapped_column(Instant)


class LeastBudget(Base):
    """The smallest budget of a window that any contract over a source had when it was approved: none raises it."""

    __tablename__ = "least_budget"
    source: Mapped[str] = mapped_column(primary_key=True)
    nano_rho: Mapped[int]


class Pinned(Base):
    """The name under which a physical table was first approved: the key of its budget from then on.

    ``place`` is a keyed digest of where the table is; the address itself is not kept here.
    """

    __tablename__ = "pinned_source"
    place: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]


class Charged(Base):
    """What one question cost one window of one source."""

    __tablename__ = "charge"
    source: Mapped[str] = mapped_column(primary_key=True)
    window: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[str] = mapped_column(primary_key=True)
    contract_digest: Mapped[str] = mapped_column(primary_key=True)
    nano_rho: Mapped[int]
    at: Mapped[datetime] = mapped_column(Instant)


class Answer(Base):
    """One charged question and the part that was made for it; ``policy`` is the digest of the rules that allowed it."""

    __tablename__ = "answer"
    request_digest: Mapped[str] = mapped_column(primary_key=True)
    contract_digest: Mapped[str] = mapped_column(primary_key=True)
    task_id: Mapped[str] = mapped_column(index=True)
    task: Mapped[str]
    contract: Mapped[str]
    requester: Mapped[str]
    activity: Mapped[str]
    state: Mapped[str] = mapped_column(index=True)
    part: Mapped[str | None]
    part_digest: Mapped[str | None]
    cells: Mapped[int] = mapped_column(default=0)
    outcome: Mapped[str | None]
    policy: Mapped[str | None]
    opened_at: Mapped[datetime] = mapped_column(Instant)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    settled_at: Mapped[datetime | None] = mapped_column(Instant)


class Refusal(Base):
    """One refusal; the table only grows. ``policy`` is the digest of the rules that it was decided under."""

    __tablename__ = "refusal"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    task_id: Mapped[str]
    request_digest: Mapped[str]
    contract: Mapped[str]
    code: Mapped[str]
    policy: Mapped[str | None]
    charged: Mapped[bool]
    at: Mapped[datetime] = mapped_column(Instant)


def engine_of(path: Path) -> Engine:
    """An engine on a SQLite file: WAL, full synchronisation, deleted content overwritten, write lock at begin."""
    engine = create_engine(f"sqlite+pysqlite:///{path}", connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _connected)
    event.listen(engine, "begin", _begin)
    return engine


def add_missing_columns(connection: Connection) -> None:
    """Bring the tables of an older journal up to date: columns that came later are empty for what is there."""
    seen = inspect(connection)
    for table in Base.metadata.sorted_tables:
        known = {column["name"] for column in seen.get_columns(table.name)}
        for column in table.columns:
            if column.name not in known:
                kind = column.type.compile(connection.dialect)
                connection.exec_driver_sql(f'ALTER TABLE "{table.name}" ADD COLUMN "{column.name}" {kind}')


def prepare(connection: sqlite3.Connection) -> None:
    """Set a connection up: what is committed through it is on the disk, and what is deleted is overwritten."""
    connection.isolation_level = None  # the driver opens no transaction of its own
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _connected(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    prepare(connection)


def _begin(connection: Connection) -> None:
    cursor = connection.connection.cursor()
    cursor.execute("BEGIN IMMEDIATE")
    cursor.close()
