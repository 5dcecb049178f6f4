"""The writer of the Merkle log (RFC 6962, SHA-256): entries with their hashes, and full tiles (C2SP tlog-tiles).

An entry is appended inside the transaction of what it records, under the lock of the log's head, so an entry without
its deed, or a deed without its entry, cannot be. The head keeps the right edge of the tree (its peaks): appending and
reading the root cost no more for a long log. A tile is written once, when it is full; a partial one is put together
from the rows that its hashes came with.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from operator import attrgetter

from sqlalchemy import select, tuple_, update

from contracts.canonical import canonical_bytes
from contracts.errors import InvalidInput
from contracts.merkle import leaf_hash, root_over
from contracts.merkle_tree import Node, TileRoot, consistency_path, grown, inclusion_path
from contracts.tiles import ENTRIES, MOST_ENTRY_BYTES, WIDTH, Tile, needed_tiles, nodes_from, to_bundle, width_of
from contracts.transparency import LogEntry
from gateway.store.engine import AnyRow, Reading, Transaction
from gateway.store.log_tables import log_entries, log_head, log_openings, log_tiles


@dataclass(frozen=True, slots=True)
class Opening:
    """What opens a commitment: the 256-bit salt (hexadecimal) and the digest under it; for auditors only."""

    name: str
    salt: str
    digest: str


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of the log and what opens its commitments."""

    entry: LogEntry
    openings: tuple[Opening, ...] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """The number of entries and the root over them."""

    size: int
    root: str


def lock(t: Transaction) -> None:
    """Let nobody else write to the log until this transaction ends, before it looks at what the log orders."""
    t.lock(select(log_head))


def append(t: Transaction, event: Event) -> int:
    """Write an entry and give its place; the last thing that a transaction does."""
    return append_many(t, (event,))


def append_many(t: Transaction, events: Sequence[Event]) -> int:
    """Write entries in their order, and give the place of the first; the last thing that a transaction does.

    Raises:
        InvalidInput: ``log-entry-too-large``, and nothing is done.
    """
    first = append_entries(t, [canonical_bytes(event.entry).decode() for event in events])
    opened = [(first + number, each) for number, event in enumerate(events) for each in event.openings]
    t.add(
        log_openings,
        [{"place": at, "name": each.name, "salt": each.salt, "digest": each.digest} for at, each in opened],
    )
    return first


def append_entries(t: Transaction, entries: Sequence[str]) -> int:
    """Write entries that are in their canonical form already; see ``append_many``."""
    row = _held(t.lock(select(log_head)))
    first: int = row.size
    encoded = [entry.encode() for entry in entries]
    if any(len(each) > MOST_ENTRY_BYTES for each in encoded):
        raise InvalidInput("log-entry-too-large")
    leaves = [leaf_hash(each) for each in encoded]
    growth = grown(first, _peaks(row), leaves)
    t.add(
        log_entries,
        [
            {"place": place, "entry": entry, "leaf": leaf}
            for place, (entry, leaf) in enumerate(zip(entries, leaves, strict=True), first)
        ],
    )
    for level, roots in groupby(sorted(growth.roots, key=attrgetter("level")), attrgetter("level")):
        _write_full(t, level, tuple(roots))
    edge = " ".join(each.hex() for each in growth.peaks)
    t.run(update(log_head).values(size=first + len(entries), peaks=edge))
    return first


def head(r: Reading) -> Head:
    """The log as it stands."""
    row = _held(r.one(select(log_head)))
    return Head(row.size, root_over(_peaks(row)).hex())


def path(r: Reading, place: int, size: int) -> tuple[str, ...]:
    """The inclusion path of an entry in the tree of the first ``size`` entries, lowest sibling first."""
    nodes = _nodes(r, size, partial(inclusion_path, place, size))
    return tuple(each.hex() for each in inclusion_path(place, size, nodes))


def growth_path(r: Reading, old: int, new: int) -> tuple[str, ...]:
    """The consistency path from the first ``old`` entries to the first ``new``."""
    nodes = _nodes(r, new, partial(consistency_path, old, new))
    return tuple(each.hex() for each in consistency_path(old, new, nodes))


def tile(r: Reading, wanted: Tile) -> bytes | None:
    """The content of a tile or bundle; none when the log is not so long yet."""
    if wanted.width > width_of(wanted.level, wanted.number, head(r).size):
        return None
    if wanted.level == ENTRIES:
        start = wanted.number * WIDTH
        return to_bundle(each.encode() for each in entries(r, start, start + wanted.width))
    return _hashes(r, wanted)


def entry(r: Reading, place: int) -> str:
    """The canonical bytes of an entry, as text."""
    row = r.one(select(log_entries.c.entry).where(log_entries.c.place == place))
    if row is None:
        raise LookupError(f"no log entry {place}")
    text: str = row.entry
    return text


def entries(r: Reading, start: int, end: int) -> Iterator[str]:
    """The entries from ``start`` to before ``end``."""
    wanted = (log_entries.c.place >= start) & (log_entries.c.place < end)
    return (row.entry for row in r.all(select(log_entries.c.entry).where(wanted).order_by(log_entries.c.place)))


def openings(r: Reading, place: int) -> tuple[Opening, ...]:
    """What opens the commitments of an entry."""
    rows = r.all(select(log_openings).where(log_openings.c.place == place).order_by(log_openings.c.name))
    return tuple(Opening(row.name, row.salt, row.digest) for row in rows)


def _write_full(t: Transaction, level: int, roots: Sequence[TileRoot]) -> None:
    """Write the tiles of one level that have become full."""
    tiles = ((each, Tile(level, each.number, WIDTH)) for each in roots)
    t.add(
        log_tiles,
        [
            {"level": level, "place": each.number, "hashes": _edge_hashes(t, wanted), "root": each.root}
            for each, wanted in tiles
        ],
    )


def _nodes(r: Reading, size: int, prove: partial[list[bytes]]) -> Node:
    """The nodes that a proof takes, their tiles read at once."""
    needed = needed_tiles(size, prove)
    full = {(each.level, each.number) for each in needed if each.width == WIDTH}
    rows = r.all(select(log_tiles).where(tuple_(log_tiles.c.level, log_tiles.c.place).in_(full))) if full else ()
    kept = {(row.level, row.place): row.hashes for row in rows}
    return nodes_from(size, lambda each: kept.get((each.level, each.number)) or _edge_hashes(r, each))


def _hashes(r: Reading, wanted: Tile) -> bytes:
    at = (log_tiles.c.level == wanted.level) & (log_tiles.c.place == wanted.number)
    row = r.one(select(log_tiles.c.hashes).where(at)) if wanted.width == WIDTH else None
    return _edge_hashes(r, wanted) if row is None else bytes(row.hashes)


def _edge_hashes(r: Reading, wanted: Tile) -> bytes:
    """The hashes of a tile from what they belong to: entries, or the tiles of the level below."""
    start = wanted.number * WIDTH
    if wanted.level == 0:
        place, value = log_entries.c.place, log_entries.c.leaf
        rows = r.all(select(value).where((place >= start) & (place < start + wanted.width)).order_by(place))
    else:
        place, value = log_tiles.c.place, log_tiles.c.root
        below = (log_tiles.c.level == wanted.level - 1) & (place >= start) & (place < start + wanted.width)
        rows = r.all(select(value).where(below).order_by(place))
    return b"".join(row[0] for row in rows)


def _held(row: AnyRow | None) -> AnyRow:
    if row is None:
        raise LookupError("the log has no head")
    return row


def _peaks(row: AnyRow) -> list[bytes]:
    return [bytes.fromhex(each) for each in row.peaks.split()]
