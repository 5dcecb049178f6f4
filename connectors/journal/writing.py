"""One transaction of the journal, which holds the write lock from its begin."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import Connection
from sqlalchemy.orm import DeclarativeBase, Session

from connectors.journal.prepared import Bound, Values, insert_into, update_of


@dataclass(slots=True)
class Writing:
    """Prepared statements, and a session for what is asked rarely; both see the same transaction.

    Args:
        connection: Its transaction has begun, and whoever opened it ends it.
    """

    connection: Connection
    _session: Session | None = field(default=None, init=False)

    @property
    def session(self) -> Session:
        """A session in this transaction; what is put into it is written at the end."""
        if self._session is None:
            self._session = Session(self.connection, expire_on_commit=False)
        return self._session

    def rows(self, bound: Bound) -> list[Any]:
        """What a prepared statement reads."""
        cursor = self.connection.connection.cursor()
        try:
            return bound.run(cursor)
        finally:
            cursor.close()

    def add(self, table: type[DeclarativeBase], row: Values) -> None:
        """Insert a row; a column that is not named is empty, whatever the table says of a default."""
        self.rows(Bound(insert_into(table, tuple(row)), row))

    def change(self, table: type[DeclarativeBase], key: Values, values: Values) -> None:
        """Write these columns of the rows that have all of the key."""
        bound = Bound(
            update_of(table, tuple(key), tuple(values)), {**{f"key_{name}": key[name] for name in key}, **values}
        )
        self.rows(bound)

    def flush(self) -> None:
        """Write what the session holds."""
        if self._session is not None:
            self._session.flush()
