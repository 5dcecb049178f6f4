"""Snapshot files kept open: opening one costs about twenty times what a small answer does.

Whoever answers for long keeps the file open. Every other reader of this process then reads through the same connection,
because DuckDB itself has one database for one file in a process. A refresh puts another file into the same place. Who
reads at that moment goes on with the old one; it is closed when the last of them is done, and only then is the new one
opened: asked before, DuckDB would hand out the old one once more.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition
from typing import Final, NamedTuple

import duckdb

Connect = Callable[[Path], duckdb.DuckDBPyConnection]
"""Opens a file to be read."""


class Described(NamedTuple):
    """What a snapshot says of one dataset: the form and the layout of its table, and its data version."""

    form: int
    layout: str
    data_version: int


Known = dict[str, tuple[Described | None, Mapping[int, str]]]
"""What was read once of a file that does not change: by dataset, its description and the tokens of its versions."""


Parsed = dict[str, duckdb.Statement]
"""Statements by their text, as DuckDB's parser read them: for a small answer the dearer half. No file changes them."""


class FileVersion(NamedTuple):
    """Tells a file from another one in its place, and from itself after somebody wrote to it."""

    device: int
    inode: int
    changed: int
    size: int


class Reading(NamedTuple):
    """A connection to a snapshot, for one thread, what is known of this very file, and statements already parsed."""

    connection: duckdb.DuckDBPyConnection
    known: Known
    parsed: Parsed


@dataclass(slots=True)
class KeptFile:
    """One snapshot file that is kept open between its readers.

    Args:
        path: The file.
        connect: Opens it.
    """

    path: Path
    connect: Connect
    _connection: duckdb.DuckDBPyConnection | None = None
    _version: FileVersion | None = None
    _known: Known = field(default_factory=dict)
    _parsed: Parsed = field(default_factory=dict)
    _idle: list[duckdb.DuckDBPyConnection] = field(default_factory=list)
    _readers: int = 0
    _is_doubted: bool = False
    _free: Condition = field(default_factory=Condition)

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """The file that stands there now; after an error of DuckDB's the next reader opens it anew.

        Raises:
            FileNotFoundError: There is none.
            duckdb.Error: It cannot be opened, or what the block raised.
        """
        reading = self._taken()
        try:
            yield reading
        except duckdb.Error:
            self._is_doubted = True
            raise
        finally:
            with self._free:
                self._idle.append(reading.connection)
                self._readers -= 1
                self._free.notify_all()

    def close(self) -> None:
        """Close the file when its last reader is done; the next reader opens it again."""
        with self._free:
            self._free.wait_for(lambda: self._readers == 0)
            self._let_go()

    def _taken(self) -> Reading:
        with self._free:
            self._free.wait_for(lambda: self._readers == 0 or self._is_current())
            connection = self._connection
            if connection is None or not self._is_current():
                connection = self._opened_anew()
            # The first statement of a new connection is dearer than the next one.
            own = self._idle.pop() if self._idle else connection.cursor()
            self._readers += 1
            return Reading(own, self._known, self._parsed)

    def _is_current(self) -> bool:
        return not self._is_doubted and self._version == version_of(self.path)

    def _opened_anew(self) -> duckdb.DuckDBPyConnection:
        self._let_go()
        # Looked at before it is opened: a file that comes in between is opened once more, never missed.
        version = version_of(self.path)
        self._connection, self._version = self.connect(self.path), version
        return self._connection

    def _let_go(self) -> None:
        for each in (*self._idle, *([] if self._connection is None else [self._connection])):
            each.close()
        self._idle.clear()
        self._connection, self._version, self._is_doubted = None, None, False
        self._known, self._parsed = {}, {}


def version_of(path: Path) -> FileVersion:
    """Which file stands at a path now.

    Raises:
        FileNotFoundError: None.
    """
    state = path.stat()
    return FileVersion(state.st_dev, state.st_ino, state.st_mtime_ns, state.st_size)


_kept: Final[dict[Path, KeptFile]] = {}
# A connection does not survive a fork: the child opens files for itself.
os.register_at_fork(after_in_child=_kept.clear)


def kept(path: Path) -> KeptFile | None:
    """The file at that path, if it is kept open in this process."""
    return _kept.get(path)


@contextmanager
def keeping_open(path: Path, connect: Connect) -> Iterator[None]:
    """Keep a file open between its readers as long as the block lasts; there need not be one yet."""
    file = _kept.setdefault(path, KeptFile(path, connect))
    try:
        yield
    finally:
        _kept.pop(path, None)
        file.close()
