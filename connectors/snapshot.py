"""The ranked snapshot: what answers are computed on, and the memory of every rank that was ever given.

Beside the answer table (see ``connectors.snapshot_schema``) the file keeps, for each dataset, ``people_<dataset>`` (the
keyed hash of a person's key and the running number) and ``ranks_<dataset>`` (the keyed hash of a row's key, person,
fiscal year, rank). A rank is given once: a row that is seen again keeps it, a row that vanishes takes it along, a row
that moves to another person or year is new there. So ``rank <= m`` bounds what one person contributes to any question
on any snapshot, whatever the agency does to its tables. Where the contract says in which cells a person's rows may
fall, ``connectors.snapshot_shape`` gives rows places in these cells in the same way, and only rows that pass take
ranks.

A row outside the contract's pilot is not imported: it gets no rank and no person gets a number for it. When a new
version of the contract widens the pilot, its rows arrive with the next refresh like any others.

A refresh works on a private copy, which replaces the snapshot when it is complete: who reads meanwhile keeps the old.
"""

import fcntl
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import duckdb

from connectors import objections, snapshot_files, snapshot_versions
from connectors import snapshot_schema as schema
from connectors.snapshot_files import Described, Parsed, Reading
from connectors.snapshot_ranking import LeftOut, Ranking
from connectors.snapshot_versions import Entropy
from connectors.sources import SHUT, Source
from contracts.dataset import DatasetContract
from contracts.errors import IntegrityError, InvalidInput, Unavailable

MEMORY_LIMIT: Final = "512MB"
SHORTEST_SECRET: Final = 16
BANGKOK: Final = timedelta(hours=7)
LONGEST_DAYS: Final = 500 * 366
"""A retention beyond this is for ever: no calendar reaches back so far."""


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """One dataset of a snapshot.

    Attributes:
        data_version: The number of refreshes of this dataset so far.
        rows: Rows in the source.
        kept_rows: Rows that answers are computed on: with a person and an instant, inside the contract's months and
            pilot, within the bound, not past the contract's retention, of nobody who is left out.
        persons: Protected persons among the rows with an instant inside the contract's months and pilot.
    """

    data_version: int
    rows: int
    kept_rows: int
    persons: int


@dataclass(frozen=True, slots=True)
class Outside:
    """How many rows lie outside the pilot under one code of its public list, none for what is in no list."""

    code: str | None
    rows: int


def refresh(
    snapshot_path: Path,
    source: Source,
    contract: DatasetContract,
    secret: bytes,
    now: datetime,
    entropy: Entropy = secrets.token_bytes,
) -> SnapshotInfo:
    """Bring one dataset of the snapshot up to date with its source.

    Args:
        snapshot_path: The DuckDB file; made (0600) if there is none.
        source: Where the rows are.
        contract: What is kept of them.
        secret: The connector's own key for the keyed hashes; the same one each time, at least 16 bytes.
        now: The instant that is noted as the refresh's; it decides whose retention is over.
        entropy: Where the token of the new version comes from; see ``connectors.snapshot_versions``.

    Raises:
        InvalidInput: ``source-mismatch``, also when the row key is missing or not unique.
        Unavailable: ``source-unreachable``; the snapshot stays as it was.
        IntegrityError: ``snapshot-damaged``, for a file that is no snapshot or was made with another secret.
    """
    if len(secret) < SHORTEST_SECRET:
        raise InvalidInput("setting-invalid", setting="secret", why=f"shorter than {SHORTEST_SECRET} bytes")
    check = schema.key_of(secret, "check")
    with only_one(snapshot_path), replacement(snapshot_path) as copy, opened(copy, read_only=False) as connection:
        connection.execute(schema.META_TABLE)
        version = _last_version(connection, contract.id, check) + 1
        connection.execute("BEGIN")
        try:
            left_out = LeftOut(objections.hashes(snapshot_path, contract.id), kept_from(contract, now))
            ranked = Ranking(connection, contract, secret, left_out).run(source)
        except InvalidInput as error:
            if "where" not in error.details:
                raise
            raise InvalidInput(error.code, contract=contract.id, where=error.details["where"]) from error
        info = SnapshotInfo(version, ranked.rows, ranked.kept_rows, ranked.persons)
        figures = [contract.id, schema.FORMAT, schema.layout_of(contract), check, *astuple(info), now.isoformat()]
        connection.execute(
            "INSERT OR REPLACE INTO saphan_snapshot VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", figures
        )
        snapshot_versions.note(connection, contract.id, version, entropy)
        connection.execute("COMMIT")
        connection.execute("CHECKPOINT")
    return info


def kept_from(contract: DatasetContract, now: datetime) -> date:
    """The first Bangkok day of events whose rows may still be held: the contract's retention is over for older ones."""
    return (now + BANGKOK).date() - timedelta(days=min(contract.retention_days, LONGEST_DAYS))


def _last_version(connection: duckdb.DuckDBPyConnection, dataset: str, check: str) -> int:
    found = connection.execute(
        "SELECT format, key_check, data_version FROM saphan_snapshot WHERE dataset = $1", [dataset]
    ).fetchall()
    if not found:
        return 0
    ((form, made_with, version),) = found
    if made_with != check or form not in (schema.FORMAT, schema.WITHOUT_SHAPES):
        raise IntegrityError("snapshot-damaged")
    return int(version)


class Snapshot:
    """A snapshot as it is read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def info(self, dataset: str) -> SnapshotInfo:
        """What the snapshot holds of a dataset.

        Raises:
            Unavailable: ``snapshot-missing``.
            IntegrityError: ``snapshot-damaged``.
        """
        found = self._infos().get(dataset)
        if found is None:
            raise Unavailable("snapshot-missing", contract=dataset)
        return found

    def data_versions(self) -> dict[str, int]:
        """The number of the current snapshot of each dataset; empty before the first refresh.

        Raises:
            IntegrityError: ``snapshot-damaged``.
        """
        return {dataset: info.data_version for dataset, info in self._infos().items()}

    def outside(self, dataset: str) -> tuple[Outside, ...]:
        """The rows that the pilot of the contract left out at the last refresh, by code; those without one come last.

        Only rows that would count otherwise: with a person and an instant inside the contract's months.

        Raises:
            IntegrityError: ``snapshot-damaged``.
        """
        if not self._path.exists():
            return ()
        with opened(self._path, read_only=True) as connection:
            table = schema.outside_table(dataset)
            if not connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = $1", [table]).fetchall():
                return ()
            rows = connection.table(schema.quoted(table)).order("code NULLS LAST").fetchall()
        return tuple(Outside(code, number) for code, number in rows)

    def _infos(self) -> dict[str, SnapshotInfo]:
        if not self._path.exists():
            return {}
        with opened(self._path, read_only=True) as connection:
            rows = connection.execute(
                "SELECT dataset, data_version, rows, kept_rows, persons FROM saphan_snapshot ORDER BY dataset"
            ).fetchall()
        return {dataset: SnapshotInfo(*numbers) for dataset, *numbers in rows}


class Dataset(NamedTuple):
    """A dataset of a snapshot that is open: its data version, and the token of each version before and up to that."""

    connection: duckdb.DuckDBPyConnection
    data_version: int
    lineage: Mapping[int, str]
    parsed: Parsed


@contextmanager
def opened_for(path: Path, dataset: str, layout: str) -> Iterator[Dataset]:
    """A snapshot to be read, provided the dataset was made under that layout.

    Raises:
        Unavailable: ``snapshot-missing``, also for one of an older format, until its next refresh.
        IntegrityError: ``snapshot-damaged``.
    """
    if not path.exists():
        raise Unavailable("snapshot-missing", contract=dataset)
    with _reading(path) as (connection, known, parsed):
        if dataset not in known:
            known[dataset] = (_described(connection, dataset), snapshot_versions.lineage(connection, dataset))
        found, lineage = known[dataset]
        if found is None or found.form == schema.WITHOUT_SHAPES:
            raise Unavailable("snapshot-missing", contract=dataset)
        if (found.form, found.layout) != (schema.FORMAT, layout):
            raise IntegrityError("snapshot-damaged")
        yield Dataset(connection, found.data_version, lineage, parsed)


def _described(connection: duckdb.DuckDBPyConnection, dataset: str) -> Described | None:
    row = connection.execute(
        "SELECT format, layout, data_version FROM saphan_snapshot WHERE dataset = $1", [dataset]
    ).fetchone()
    return None if row is None else Described(*row)


@contextmanager
def keeping_open(path: Path) -> Iterator[None]:
    """Keep a snapshot open between its readers in this process as long as the block lasts; it need not be there yet."""
    with snapshot_files.keeping_open(path, lambda file: _connected(file, read_only=True)):
        yield


@contextmanager
def opened(path: Path, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reaches no other file; whatever DuckDB finds wrong in the file means that it is damaged."""
    if read_only:
        with _reading(path) as reading:
            yield reading.connection
        return
    try:
        with _connected(path, read_only=False) as connection:
            yield connection
    except duckdb.Error as error:
        raise IntegrityError("snapshot-damaged") from error


@contextmanager
def _reading(path: Path) -> Iterator[Reading]:
    """A snapshot to be read, through the connection that this process keeps open if it keeps one."""
    file = snapshot_files.kept(path)
    try:
        if file is not None:
            with file.reading() as reading:
                yield reading
            return
        with _connected(path, read_only=True) as connection:
            yield Reading(connection, {}, {})
    except duckdb.Error as error:
        raise IntegrityError("snapshot-damaged") from error


def _connected(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {**SHUT, "enable_external_access": False}
    if not read_only:
        config |= {
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(path.parent / "spill"),
            "preserve_insertion_order": False,
        }
    return duckdb.connect(str(path), read_only=read_only, config=config)


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """One refresh at a time, across processes: two at once could give one rank twice."""
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def replacement(path: Path) -> Iterator[Path]:
    """A private copy of the file, which takes its place at the end; after an error nothing has changed."""
    folder = path.with_name(f".{path.name}.next")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        copy = folder / path.name
        if path.exists():
            shutil.copyfile(path, copy)
        yield copy
        copy.chmod(0o600)
        copy.replace(path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
