"""How many of the people who are left out no refresh has ever met: their keys may have been mistyped."""

import uuid
from pathlib import Path

from connectors import objections
from connectors.snapshot import opened
from connectors.snapshot_schema import quoted


def unmatched(snapshot: Path, dataset: str) -> int:
    """How many people on the list of a dataset are none whom the snapshot knows; who they are is not said.

    Raises:
        InvalidInput: ``setting-invalid``, for a list that cannot be read.
        IntegrityError: ``snapshot-damaged``.
    """
    people = {uuid.UUID(each) for each in objections.hashes(snapshot, dataset)}
    if not people or not snapshot.exists():
        return len(people)
    table = f"people_{dataset}"
    with opened(snapshot, read_only=True) as connection:
        if not connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = $1", [table]).fetchall():
            return len(people)
        known = connection.execute(
            f"SELECT hash FROM {quoted(table)} WHERE hash IN (SELECT CAST(unnest($1) AS UUID))",  # noqa: S608  # a dataset's name, quoted
            [[str(each) for each in people]],
        ).fetchall()
    return len(people) - len(known)
