"""Rows of the snapshot whose retention is over: counted, deleted, counted again."""

import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from string import Template
from typing import Final

import duckdb

from connectors import snapshot_schema as schema
from connectors import snapshot_versions
from connectors.snapshot import Snapshot, kept_from, only_one, opened, replacement
from connectors.snapshot_versions import Entropy
from contracts.dataset import DatasetContract

_OLD: Final = Template("FROM $rows WHERE event_day < DATE '$kept_from'")
_DIGESTS: Final = Template("""
SELECT sha256('$dataset|' || person || '|' || fiscal_year || '|' || rank || '|' || event_day || '|' || rowid) AS digest
$old ORDER BY event_day, digest
""")
_SPAN: Final = Template("SELECT min(event_day), max(event_day) $old")
_BUMP: Final = """
UPDATE saphan_snapshot SET data_version = data_version + 1, kept_rows = kept_rows - $1, refreshed_at = $2
WHERE dataset = $3 RETURNING data_version
"""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was, or would be, deleted of one dataset: a digest for each row, the days they span, and what is left."""

    digests: tuple[str, ...] = ()
    oldest: datetime | None = None
    newest: datetime | None = None
    left: int = 0


def prune(
    path: Path,
    contract: DatasetContract,
    now: datetime,
    *,
    dry_run: bool,
    entropy: Entropy = secrets.token_bytes,
) -> Pruned:
    """Delete the rows of one dataset whose retention is over; ranks and people stay, so that nothing resets.

    Other answers follow from fewer rows, so the dataset gets a new data version, as by a refresh.

    Args:
        path: The snapshot's file.
        contract: Whose rows; it says for how long they are held.
        now: The instant.
        dry_run: Only look.
        entropy: Where the token of the new version comes from.

    Raises:
        IntegrityError: ``snapshot-damaged``.
    """
    if contract.id not in Snapshot(path).data_versions():
        return Pruned()
    names = {"rows": schema.quoted(schema.rows_table(contract.id)), "kept_from": kept_from(contract, now).isoformat()}
    old = _OLD.substitute(names)
    with only_one(path):
        with opened(path, read_only=True) as connection:
            found = _found(connection, contract.id, old)
        if not found.digests or dry_run:
            return found
        with replacement(path) as copy, opened(copy, read_only=False) as connection:
            connection.execute("BEGIN")
            connection.execute(f"DELETE {old}")
            figures = [len(found.digests), now.isoformat(), contract.id]
            ((version,),) = connection.execute(_BUMP, figures).fetchall()
            snapshot_versions.note(connection, contract.id, version, entropy)
            connection.execute("COMMIT")
            connection.execute("CHECKPOINT")
            left = len(_found(connection, contract.id, old).digests)
    return Pruned(found.digests, found.oldest, found.newest, left)


def _found(connection: duckdb.DuckDBPyConnection, dataset: str, old: str) -> Pruned:
    digests = connection.execute(_DIGESTS.substitute(dataset=dataset, old=old)).fetchall()
    ((oldest, newest),) = connection.execute(_SPAN.substitute(old=old)).fetchall()
    listed = tuple(f"sha-256:{digest}" for (digest,) in digests)
    return Pruned(listed, _start(oldest), _start(newest), len(listed))


def _start(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)
