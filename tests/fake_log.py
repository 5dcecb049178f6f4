"""A gateway's log that can lie: whatever entries it is given, it signs and serves as if they had always been there."""

from dataclasses import dataclass, field

import httpx2

from contracts.canonical import canonical_bytes
from contracts.checkpoints import sign_checkpoint
from contracts.keys import SigningKey
from contracts.merkle import leaf_hash, root_of
from contracts.tiles import CHECKPOINT_PATH, ENTRIES, Tile, read_path, to_bundle
from contracts.transparency import Checkpoint, EventKind, LogEntry
from tests.factories import NOW
from tests.lines import line_into
from transport.line import Line

ORIGIN = "gateway.example"


def entry(number: int, agency: str = "oja") -> bytes:
    """An entry of a log."""
    line = LogEntry(kind=EventKind.DATA_REQUESTED, at=NOW, agency=agency, subject=f"REQ-{number:04d}")
    return canonical_bytes(line)


def entries(size: int, agency: str = "oja") -> list[bytes]:
    """The entries of a log of that size; those of another agency make another log."""
    return [entry(number, agency) for number in range(size)]


def tile_content(log: list[bytes], tile: Tile) -> bytes:
    """A tile or bundle of a log, by its definition."""
    start = tile.number * 256
    if tile.level == ENTRIES:
        return to_bundle(log[start : start + tile.width])
    step = 256**tile.level
    leaves = [leaf_hash(each) for each in log]
    places = range(start * step, (start + tile.width) * step, step)
    return b"".join(root_of(leaves[at : at + step]) for at in places)


@dataclass
class FakeLog:
    """Serves ``entries`` under the key; tests change the entries, or what is hidden."""

    key: SigningKey
    entries: list[bytes] = field(default_factory=list)
    hidden: tuple[str, ...] = ()
    """Paths that begin so are not shown."""

    is_down: bool = False
    asked: list[str] = field(default_factory=list)

    @property
    def checkpoint(self) -> Checkpoint:
        """What it signs."""
        root = root_of([leaf_hash(each) for each in self.entries]).hex()
        return Checkpoint(origin=ORIGIN, size=len(self.entries), root=root)

    @property
    def document(self) -> str:
        """The checkpoint as it shows it."""
        return sign_checkpoint(self.checkpoint, self.key)

    def line(self) -> Line:
        """A line whose other end is this log."""
        return line_into(self.handle)

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        """Answer one call."""
        path = request.url.path.removeprefix("/")
        self.asked.append(path)
        if self.is_down:
            raise httpx2.ConnectError("down")
        if self.hidden and path.startswith(self.hidden):
            return httpx2.Response(404)
        if path == CHECKPOINT_PATH:
            return httpx2.Response(200, content=self.document.encode())
        tile = read_path(path)
        return httpx2.Response(404) if tile is None else httpx2.Response(200, content=tile_content(self.entries, tile))
