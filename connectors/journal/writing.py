"""One transaction of the journal, which holds the write lock from its begin."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import DeclarativeBase

from connectors.journal.prepared import Bound, Values, insert_into, update_of


@dataclass(frozen=True, slots=True)
class Writing:
    """Prepared statements of one transaction.

    Args:
        connection: Its transaction has begun, and whoever opened it ends it.
    """

    connection: sqlite3.Connection

    def rows(self, bound: Bound) -> list[Any]:
        """What a prepared statement reads."""
        return bound.run(self.connection)

    def add(self, table: type[DeclarativeBase], row: Values) -> None:
        """Insert a row; a column that is not named is empty, whatever the table says of a default."""
        self.rows(Bound(insert_into(table, tuple(row)), row))

    def change(self, table: type[DeclarativeBase], key: Values, values: Values) -> None:
        """Write these columns of the rows that have all of the key."""
        bound = Bound(
            update_of(table, tuple(key), tuple(values)), {**{f"key_{name}": key[name] for name in key}, **values}
        )
        self.rows(bound)
