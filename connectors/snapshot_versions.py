"""Which versions of a dataset a snapshot went through: its lineage, which tells a restored backup from a later file.

A data version is a number that a backup counts up again: two files may both have a version 3 that remember other rows.
So each refresh, and whatever else makes a new data version, writes down a random token beside its number. The table
``saphan_versions`` only grows and goes along into every copy of the file: a snapshot has the token of a version exactly
if it is that version or was made from it, and then it remembers all that was known there.
"""

from collections.abc import Callable, Mapping
from typing import Final

import duckdb

Entropy = Callable[[int], bytes]
"""Gives that many random bytes."""

TOKEN_BYTES: Final = 16
_MAKE: Final = """
CREATE TABLE IF NOT EXISTS saphan_versions (
    dataset VARCHAR, data_version INTEGER, token VARCHAR, PRIMARY KEY (dataset, data_version))
"""
_NOTE: Final = "INSERT INTO saphan_versions VALUES ($1, $2, $3)"
_IS_THERE: Final = "SELECT 1 FROM duckdb_tables() WHERE table_name = 'saphan_versions'"
_READ: Final = "SELECT data_version, token FROM saphan_versions WHERE dataset = $1"


def note(connection: duckdb.DuckDBPyConnection, dataset: str, version: int, entropy: Entropy) -> None:
    """Write down that the dataset has a new version. One that the file has already is an error of the file.

    Args:
        connection: To the snapshot's copy.
        dataset: Whose version.
        version: Its number, from 1.
        entropy: Where the token comes from.
    """
    connection.execute(_MAKE)
    connection.execute(_NOTE, [dataset, version, entropy(TOKEN_BYTES).hex()])


def lineage(connection: duckdb.DuckDBPyConnection, dataset: str) -> Mapping[int, str]:
    """The token of each version that the dataset went through; a file from before there were tokens has none."""
    if not connection.execute(_IS_THERE).fetchall():
        return {}
    return dict(connection.execute(_READ, [dataset]).fetchall())
