"""The writer of the Merkle log (RFC 6962, SHA-256): entries and their hashes, and full tiles (C2SP tlog-tiles).

An entry is appended inside the transaction of what it records, under the lock of the log's head, so an entry without
its deed, or a deed without its entry, cannot be. The head keeps the right edge of the tree (its peaks): appending and
reading the root cost no more for a long log. A tile is written once, when it is full; a partial one is put together
from the rows that its hashes came with.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Final

from sqlalchemy import Update, func, select, update

from contracts.canonical import canonical_bytes
from contracts.errors import InvalidInput
from contracts.merkle import leaf_hash, root_over
from contracts.merkle_tree import TileRoot, consistency_path, grown, inclusion_path
from contracts.remembered import Memory
from contracts.tiles import (
    ENTRIES,
    HASH_BYTES,
    MOST_ENTRY_BYTES,
    WIDTH,
    Tile,
    nodes_from,
    to_bundle,
    width_of,
)
from contracts.transparency import LogEntry
from gateway.store.engine import AnyRow, AnySelect, Reading, Transaction
from gateway.store.log_tables import log_entries, log_head, log_leaves, log_openings, log_tiles
from gateway.store.prepared import prepared

_tiles: Final = Memory[bytes]()
"""Those that the last receipts needed: releases that leave together stand under one checkpoint."""


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
    t.hold(_head())


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
    row = _held(t.lock(_head()))
    first: int = row.size
    encoded = [entry.encode() for entry in entries]
    if max(map(len, encoded), default=0) > MOST_ENTRY_BYTES:
        raise InvalidInput("log-entry-too-large")
    leaves = [leaf_hash(each) for each in encoded]
    growth = grown(first, _peaks(row), leaves)
    t.add(log_entries, [{"place": place, "entry": entry} for place, entry in enumerate(entries, first)])
    # One row for all hashes of an append: a column beside each entry would cost as much as hashing it.
    t.add(log_leaves, [{"place": first, "hashes": b"".join(leaves)}] if leaves else [])
    if growth.roots:
        _write_full(t, growth.roots, first, leaves)
    edge = " ".join(each.hex() for each in growth.peaks)
    t.run(_moved(first + len(entries), edge))
    return first


def head(r: Reading) -> Head:
    """The log as it stands."""
    row = _held(r.one(_head()))
    return Head(row.size, root_over(_peaks(row)).hex())


def path(r: Reading, place: int, size: int, root: str) -> tuple[str, ...]:
    """The inclusion path of an entry in the tree of the first ``size`` entries, lowest sibling first.

    ``root`` stands for that very tree, and is whatever names its root: no other tree has the same tiles.
    """
    nodes = nodes_from(size, lambda wanted: _tiles.of((), (root, wanted), lambda: _hashes(r, wanted)))
    return tuple(each.hex() for each in inclusion_path(place, size, nodes))


def growth_path(r: Reading, old: int, new: int) -> tuple[str, ...]:
    """The consistency path from the first ``old`` entries to the first ``new``."""
    return tuple(each.hex() for each in consistency_path(old, new, nodes_from(new, lambda wanted: _hashes(r, wanted))))


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
    row = r.one(_entry(place))
    if row is None:
        raise LookupError(f"no log entry {place}")
    text: str = row.entry
    return text


def entries(r: Reading, start: int, end: int) -> Iterator[str]:
    """The entries from ``start`` to before ``end``."""
    return (row.entry for row in r.all(_between(start, end)))


def openings(r: Reading, place: int) -> tuple[Opening, ...]:
    """What opens the commitments of an entry."""
    rows = r.all(select(log_openings).where(log_openings.c.place == place).order_by(log_openings.c.name))
    return tuple(Opening(row.name, row.salt, row.digest) for row in rows)


def _write_full(t: Transaction, roots: Sequence[TileRoot], first: int, leaves: Sequence[bytes]) -> None:
    """Write the tiles that have become full by the leaves from ``first``, level by level."""
    start = first // WIDTH * WIDTH
    before = _edge_hashes(t, Tile(0, first // WIDTH, first - start)) if start < first else b""
    hashes = before + b"".join(leaves)

    def content(each: TileRoot) -> bytes:
        if each.level:
            return _edge_hashes(t, Tile(each.level, each.number, WIDTH))
        at = (each.number * WIDTH - start) * HASH_BYTES
        return hashes[at : at + WIDTH * HASH_BYTES]

    for level, group in groupby(sorted(roots, key=attrgetter("level")), attrgetter("level")):
        rows = [{"level": level, "place": each.number, "hashes": content(each), "root": each.root} for each in group]
        t.add(log_tiles, rows)


def _hashes(r: Reading, wanted: Tile) -> bytes:
    row = r.one(_full_tile(wanted.level, wanted.number)) if wanted.width == WIDTH else None
    return _edge_hashes(r, wanted) if row is None else bytes(row.hashes)


def _edge_hashes(r: Reading, wanted: Tile) -> bytes:
    """The hashes of a tile from what they belong to: appends, or the tiles of the level below."""
    start = wanted.number * WIDTH
    end = start + wanted.width
    if wanted.level:
        return b"".join(row.root for row in r.all(_roots(wanted.level - 1, start, end)))
    rows = r.all(_appended(start, end))
    skipped = (start - rows[0].place) * HASH_BYTES if rows else 0
    return b"".join(row.hashes for row in rows)[skipped : skipped + wanted.width * HASH_BYTES]


@prepared
def _full_tile(level: int, number: int) -> AnySelect:
    return select(log_tiles.c.hashes).where(log_tiles.c.level == level, log_tiles.c.place == number)


@prepared
def _roots(level: int, start: int, end: int) -> AnySelect:
    place = log_tiles.c.place
    of_level = select(log_tiles.c.root).where(log_tiles.c.level == level)
    return of_level.where(place >= start, place < end).order_by(place)


@prepared
def _appended(start: int, end: int) -> AnySelect:
    """The hashes of the appends that reach into these places; the first of them may have begun before."""
    place = log_leaves.c.place
    before = select(func.max(place)).where(place <= start).scalar_subquery()
    return select(log_leaves).where(place >= before, place < end).order_by(place)


@prepared
def _between(start: int, end: int) -> AnySelect:
    place = log_entries.c.place
    return select(log_entries.c.entry).where(place >= start, place < end).order_by(place)


@prepared
def _entry(place: int) -> AnySelect:
    return select(log_entries.c.entry).where(log_entries.c.place == place)


@prepared
def _head() -> AnySelect:
    return select(log_head)


@prepared
def _moved(size: int, peaks: str) -> Update:
    return update(log_head).values(size=size, peaks=peaks)


def _held(row: AnyRow | None) -> AnyRow:
    if row is None:
        raise LookupError("the log has no head")
    return row


def _peaks(row: AnyRow) -> list[bytes]:
    return [bytes.fromhex(each) for each in row.peaks.split()]
