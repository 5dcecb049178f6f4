"""Where imported rows live: a DuckDB file in the connector's home, which is the agency's source for refreshes.

An import works on a private copy that takes the file's place when it is complete and on the disk: it happened as a
whole or not at all, whatever ends it in between, and a refresh that reads meanwhile keeps the old file.

Every row remembers the import that wrote it. A file that comes again is applied as the import that it was at first: it
adds what is missing and never undoes what a later file corrected.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types

from connectors.home import Home
from connectors.intake.blocks import Block
from connectors.intake.checking import NUMBERS
from connectors.snapshot_schema import quoted
from connectors.sources import SHUT
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput
from contracts.odcs_columns import ColumnFacts, ColumnType

FILE: Final = "import.duckdb"
MEMORY_LIMIT: Final = "512MB"
IMPORT: Final = "saphan_import"
FETCH_ROWS: Final = 5_000

SQL_TYPES: Final[Mapping[ColumnType, str]] = {
    ColumnType.STRING: "VARCHAR",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.NUMBER: "DOUBLE",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.DATE: "DATE",
    ColumnType.TIMESTAMP: "TIMESTAMP",
}
JOURNAL: Final = """
CREATE TABLE IF NOT EXISTS saphan_imports (
    number INTEGER, applied_as INTEGER, dataset VARCHAR, file_digest VARCHAR, contract_digest VARCHAR,
    imported_at VARCHAR, rows BIGINT, added BIGINT, replaced BIGINT, unchanged BIGINT, rejected BIGINT,
    outside_pilot BIGINT)
"""
PEOPLE: Final = "CREATE TABLE IF NOT EXISTS saphan_people (key_check VARCHAR)"


@dataclass(frozen=True, slots=True)
class Merged:
    """What an import did: rows that are new, that took the place of older ones, and that were there already."""

    added: int
    replaced: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One import in the store's own journal."""

    number: int
    applied_as: int
    dataset: str
    file_digest: str
    contract_digest: str
    imported_at: str
    rows: int
    added: int
    replaced: int
    unchanged: int
    rejected: int
    outside_pilot: int


class Session:
    """One import on a private copy of the store.

    Args:
        connection: To the copy.
        table: The contract's table.
        columns: The contract's columns.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[ColumnFacts]) -> None:
        self._connection = connection
        self._table = quoted(table)
        self._columns = columns
        self._key = next(quoted(each.name) for each in columns if each.key)
        connection.execute(JOURNAL)
        self._make_table(table)
        self._staged: list[str] = []
        self.is_left = False

    def leave_as_it_was(self) -> None:
        """The store needs no change: the copy is thrown away."""
        self.is_left = True

    def require_people(self, check: str) -> None:
        """Note which secret people are kept under; with another one each of them would be somebody else.

        Raises:
            InvalidInput: ``import-people-secret``.
        """
        self._connection.execute(PEOPLE)
        found = self._connection.execute("SELECT key_check FROM saphan_people").fetchall()
        if not found:
            self._connection.execute("INSERT INTO saphan_people VALUES ($1)", [check])
        elif found != [(check,)]:
            raise InvalidInput("import-people-secret")

    def stage(self, accepted: pa.Table) -> None:
        """Take rows in, to be merged at the end."""
        self._staged = self._insert("staged", accepted)

    def reject(self, block: Block, errors: pa.Array) -> None:
        """Keep rejected rows as they stand in the file, with what is wrong with them."""
        self._insert("rejected", _listed(block, errors))

    def set_aside(self, block: Block) -> None:
        """Keep rows outside the pilot area as they stand in the file."""
        self._insert("outside", _listed(block, pa.nulls(len(block.numbers), pa.string())))

    def repeated(self) -> pa.Array:
        """The row numbers of staged rows that share their key with another; these are no longer staged."""
        if not self._staged:
            return pa.array([], pa.int64())
        shared = f"SELECT {self._key} FROM staged GROUP BY {self._key} HAVING count(*) > 1"  # noqa: S608  # names of the contract, quoted
        found = self._connection.execute(
            f"DELETE FROM staged WHERE {self._key} IN ({shared}) RETURNING {NUMBERS}"  # noqa: S608  # names of the contract, quoted
        ).fetchall()
        return pa.array([number for (number,) in found], pa.int64())

    def listed(self, kind: str) -> Iterator[tuple[int, str | None, tuple[str | None, ...]]]:
        """Number, errors and cells of the rows that were rejected or set aside, in the order of the file."""
        if not self._has(kind):
            return
        cursor = self._connection.execute(f"SELECT * FROM {kind} ORDER BY {NUMBERS}")  # noqa: S608  # one of two constants
        while rows := cursor.fetchmany(FETCH_ROWS):
            for number, errors, *cells in rows:
                yield number, errors, tuple(cells)

    def applied_as(self, dataset: str, file_digest: str) -> tuple[int, int]:
        """The number of this import, and of the first one of the same file."""
        (last,) = self._one("SELECT coalesce(max(number), 0) FROM saphan_imports", [])
        (first,) = self._one(
            "SELECT min(applied_as) FROM saphan_imports WHERE dataset = $1 AND file_digest = $2", [dataset, file_digest]
        )
        return last + 1, first or last + 1

    def merge(self, applied_as: int) -> Merged:
        """Bring the staged rows into the table, by key."""
        if not self._staged:
            return Merged(0, 0, 0)
        given = [quoted(name) for name in self._staged if name != NUMBERS]
        same = " AND ".join(f"s.{name} IS NOT DISTINCT FROM t.{name}" for name in given)
        self._connection.execute(
            "CREATE OR REPLACE TEMP TABLE fates AS "  # noqa: S608  # names of the contract, quoted
            f"SELECT s.{self._key} AS key, CASE WHEN t.{self._key} IS NULL THEN 'added' "
            f"WHEN t.{IMPORT} > {applied_as} OR ({same}) THEN 'unchanged' ELSE 'replaced' END AS fate "
            f"FROM staged AS s LEFT JOIN {self._table} AS t ON t.{self._key} = s.{self._key}"
        )
        # A column that the file lacks keeps what a replaced row had.
        kept = ", ".join(f"{'s' if quoted(each.name) in given else 't'}.{quoted(each.name)}" for each in self._columns)
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE incoming AS SELECT {kept} FROM staged AS s "  # noqa: S608  # names of the contract, quoted
            f"JOIN fates AS f ON f.key = s.{self._key} AND f.fate <> 'unchanged' "
            f"LEFT JOIN {self._table} AS t ON t.{self._key} = s.{self._key}"
        )
        self._connection.execute(
            f"DELETE FROM {self._table} WHERE {self._key} IN (SELECT key FROM fates WHERE fate = 'replaced')"  # noqa: S608  # names of the contract, quoted
        )
        names = ", ".join(quoted(each.name) for each in self._columns)
        self._connection.execute(
            f"INSERT INTO {self._table} ({names}, {IMPORT}) SELECT {names}, {applied_as} FROM incoming"  # noqa: S608  # names of the contract, quoted
        )
        counts = dict(self._connection.execute("SELECT fate, count(*) FROM fates GROUP BY fate").fetchall())
        return Merged(counts.get("added", 0), counts.get("replaced", 0), counts.get("unchanged", 0))

    def note(self, entry: Entry) -> None:
        """Write the import into the journal."""
        self._connection.execute(
            "INSERT INTO saphan_imports VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            [getattr(entry, name) for name in Entry.__slots__],
        )

    def _make_table(self, table: str) -> None:
        columns = ", ".join(f"{quoted(each.name)} {SQL_TYPES[each.type]}" for each in self._columns)
        self._connection.execute(f"CREATE TABLE IF NOT EXISTS {self._table} ({columns}, {IMPORT} INTEGER)")
        there = {name: str(kind) for name, kind, *_ in self._connection.execute(f"DESCRIBE {self._table}").fetchall()}
        for each in self._columns:
            kind = SQL_TYPES[each.type]
            if each.name not in there:
                self._connection.execute(f"ALTER TABLE {self._table} ADD COLUMN {quoted(each.name)} {kind}")
            elif there[each.name] != kind:
                raise InvalidInput("import-store-differs", where=f"{table}.{each.name}")

    def _insert(self, name: str, rows: pa.Table) -> list[str]:
        if not rows.num_rows:
            return list(rows.column_names) if self._has(name) else []
        self._connection.register("rows_in", rows)
        if self._has(name):
            self._connection.execute(f"INSERT INTO {name} SELECT * FROM rows_in")  # noqa: S608  # one of three constants
        else:
            self._connection.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM rows_in")  # noqa: S608  # one of three constants
        self._connection.unregister("rows_in")
        return list(rows.column_names)

    def _has(self, name: str) -> bool:
        (found,) = self._one("SELECT count(*) FROM duckdb_tables() WHERE temporary AND table_name = $1", [name])
        return bool(found)

    def _one(self, statement: str, values: list[object]) -> tuple[int, ...]:
        (row,) = self._connection.execute(statement, values).fetchall()
        return tuple(row)


class _LeftAsItWas(Exception):  # not an error that anybody sees
    """Ends a session whose copy is not to be kept."""


@contextmanager
def session(path: Path, table: str, columns: Sequence[ColumnFacts]) -> Iterator[Session]:
    """One import at a time, on a copy that replaces the store unless an error ends it.

    Raises:
        InvalidInput: ``import-store-damaged``; ``import-store-differs``, for a table made under another contract.
    """
    with _only_one(path), _replacement(path) as copy:
        try:
            with duckdb.connect(str(copy), config=_config(copy)) as connection:
                connection.execute("BEGIN")
                opened = Session(connection, table, columns)
                yield opened
                if opened.is_left:
                    raise _LeftAsItWas
                connection.execute("COMMIT")
                connection.execute("CHECKPOINT")
        except duckdb.Error:
            raise InvalidInput("import-store-damaged") from None


def imports(path: Path) -> tuple[Entry, ...]:
    """The imports so far, oldest first.

    Raises:
        InvalidInput: ``import-store-damaged``.
    """
    with _read_only(path) as connection:
        if connection is None:
            return ()
        rows = connection.execute("SELECT * FROM saphan_imports ORDER BY number").fetchall()
    return tuple(Entry(*row) for row in rows)


def people_check(path: Path) -> str | None:
    """The check value of the secret under which people are kept; none before the first import.

    Raises:
        InvalidInput: ``import-store-damaged``.
    """
    with _read_only(path) as connection:
        if connection is None or not _has_table(connection, "saphan_people"):
            return None
        found = connection.execute("SELECT key_check FROM saphan_people").fetchall()
    return None if not found else str(found[0][0])


def prune_imported(home: Home, contract: DatasetContract, keep_from: date, *, dry_run: bool = False) -> tuple[str, ...]:
    """Delete the imported rows of a contract whose event lies before a day; rows without an event stay.

    Args:
        home: The connector's home.
        contract: Whose rows.
        keep_from: The first Bangkok day whose rows are kept (``connectors.snapshot.kept_from``).
        dry_run: Only look.

    Returns:
        A digest of each row that was, or would be, deleted, the oldest first; none for a home without a store.

    Raises:
        InvalidInput: ``import-store-damaged``; then nothing was deleted.
    """
    path = home.path / FILE
    event, key = quoted(contract.event_time), quoted(contract.row_key)
    old = f"FROM {quoted(contract.table)} WHERE CAST({event} AS DATE) < CAST($1 AS DATE)"
    day = keep_from.isoformat()
    with _only_one(path):
        with _read_only(path) as connection:
            if connection is None or not _has_table(connection, contract.table):
                return ()
            text = f"'{contract.id}|' || {key} || '|' || {event} || '|' || {IMPORT}"
            found = connection.execute(
                f"SELECT sha256({text}) AS digest {old} ORDER BY {event}, digest",  # names of the contract, quoted
                [day],
            ).fetchall()
        if found and not dry_run:
            with (
                _replacement(path) as copy,
                _told_damaged(),
                duckdb.connect(str(copy), config=_config(copy)) as writable,
            ):
                writable.execute(f"DELETE {old}", [day])
                writable.execute("CHECKPOINT")
    return tuple(f"sha-256:{digest}" for (digest,) in found)


@contextmanager
def _told_damaged() -> Iterator[None]:
    try:
        yield
    except duckdb.Error:
        raise InvalidInput("import-store-damaged") from None


@contextmanager
def _read_only(path: Path) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """A connection that changes nothing; none while there is no store."""
    if not path.exists():
        yield None
        return
    config: dict[str, str | bool | int | float | list[str]] = {**SHUT, "enable_external_access": False}
    with _told_damaged(), duckdb.connect(str(path), read_only=True, config=config) as connection:
        yield connection


def _has_table(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    found = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = $1", [table]).fetchall()
    return bool(found)


def _listed(block: Block, errors: pa.Array) -> pa.Table:
    cells = {f"c{place}": each for place, each in enumerate(block.cells)}
    return pa.table({NUMBERS: block.numbers, "errors": errors, **cells})


def _config(copy: Path) -> dict[str, str | bool | int | float | list[str]]:
    return {
        **SHUT,
        "enable_external_access": False,
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(copy.parent / "spill"),
        "preserve_insertion_order": False,
    }


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """One import at a time, across processes."""
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _replacement(path: Path) -> Iterator[Path]:
    """A private copy of the file, which takes its place at the end, on the disk; after an error nothing has changed."""
    folder = path.with_name(f".{path.name}.next")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        copy = folder / path.name
        if path.exists():
            shutil.copyfile(path, copy)
        try:
            yield copy
        except _LeftAsItWas:
            return
        copy.chmod(0o600)
        _sync(copy)
        copy.replace(path)
        _sync(path.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
