"""The store's open connections: those that lie ready, and what each transaction borrows of them.

SQLAlchemy opens connections and closes them. Between two transactions they lie here: its own pool wraps, counts and
resets a connection at each use in Python, which costs more than a small transaction itself.
"""

from contextlib import suppress
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock
from time import monotonic
from typing import Final, cast

from sqlalchemy import Connection
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor, DBAPIModule
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlalchemy.pool import PoolProxiedConnection

MOST_OPEN: Final = 40
MOST_READY: Final = 8
"""So many stay open while nobody uses them."""

WAIT_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 0.05
"""Who waits for a free connection looks so often whether one was given back."""

STATEMENT: Final = "a prepared statement"

DriverError = DBAPIModule.Error


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """An open connection: the driver's own, and SQLAlchemy's handle of it; ``age`` says before or after which cut."""

    driver: DBAPIConnection
    handle: PoolProxiedConnection
    age: int


class Connections:
    """A stack of open connections: the one used last is the one that still has everything in its caches.

    Args:
        engine: Opens them; it keeps none itself.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._places = BoundedSemaphore(MOST_OPEN)
        self._ready: list[Held] = []
        self._age = 0
        self._lock = Lock()
        self.dialect = engine.dialect
        self.errors = engine.dialect.loaded_dbapi.Error

    def take(self) -> Held:
        """An open connection, of which nobody else knows until it is given back.

        Raises:
            sqlalchemy.exc.TimeoutError: All are in use, and none came back in time.
        """
        try:
            return self._ready.pop()
        except IndexError:
            return self._awaited()

    def _awaited(self) -> Held:
        deadline = monotonic() + WAIT_SECONDS
        while monotonic() < deadline:
            with self._lock:
                if self._ready:
                    return self._ready.pop()
            # Another thread may take the last place at any moment; what is given back comes here again.
            if self._places.acquire(timeout=LOOK_SECONDS):
                return self._opened()
        raise NoneFree("no connection to the database is free")

    def give_back(self, held: Held) -> None:
        """Let others use a connection; what was not committed on it is taken back."""
        is_sound = self._is_sound(held)
        with self._lock:
            is_kept = is_sound and held.age == self._age and len(self._ready) < MOST_READY
            if is_kept:
                self._ready.append(held)
        if not is_kept:
            self._close(held)

    def close(self) -> None:
        """Close those that lie ready; one that is in use is closed when it comes back."""
        with self._lock:
            self._age += 1
            closed, self._ready = self._ready, []
        for each in closed:
            self._close(each)

    def cursor(self, held: Held) -> DBAPICursor:
        """A cursor of a connection.

        Raises:
            sqlalchemy.exc.DBAPIError: The connection was closed meanwhile.
        """
        try:
            return held.driver.cursor()
        except self.errors as error:
            raise self.told(error, held) from error

    def other(self, held: Held) -> Connection:
        """The same connection for what is not prepared; it neither begins nor ends anything by itself."""
        return Connection(self._engine, held.handle)

    def told(self, error: DriverError, held: Held) -> Exception:
        """A driver's error as SQLAlchemy's, without any value; a lost connection closes the others too."""
        if self.dialect.is_disconnect(error, held.handle, None):
            self.close()  # the others were cut off with it
        return DBAPIError.instance(STATEMENT, None, error, self.errors, hide_parameters=True)

    def _opened(self) -> Held:
        age = self._age  # before it is opened: a cut in between makes it an old one
        try:
            handle = self._engine.raw_connection()
        except BaseException:
            self._places.release()
            raise
        return Held(cast(DBAPIConnection, handle.dbapi_connection), handle, age)

    def _is_sound(self, held: Held) -> bool:
        """Whether it can be used again; what was open on it has ended."""
        if not held.handle.is_valid:  # SQLAlchemy found it lost
            self.close()
            return False
        try:
            held.driver.rollback()
        except self.errors:
            return False
        return True

    def _close(self, held: Held) -> None:
        try:
            if held.handle.is_valid:
                with suppress(self.errors):
                    held.handle.invalidate()
        finally:
            self._places.release()
