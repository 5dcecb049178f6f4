"""The writer of the Merkle log (RFC 6962, SHA-256): entries, and every complete subtree as it is completed.

An entry is appended inside the transaction of what it records, under the lock of the log's head, so an entry without
its deed, or a deed without its entry, cannot be. The head keeps the right edge of the tree (its peaks): appending and
reading the root cost no more for a long log.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select, tuple_, update

from contracts.canonical import canonical_bytes
from contracts.merkle import leaf_hash
from contracts.merkle_tree import inclusion_path, new_nodes, root
from contracts.transparency import LogEntry
from gateway.store.engine import Reading, Transaction
from gateway.store.tables import log_checkpoints, log_entries, log_head, log_nodes, log_openings

HASH_BYTES = 32
Place = tuple[int, int]
"""A complete subtree, by level and index."""


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


@dataclass(frozen=True, slots=True)
class SavedCheckpoint:
    """A signed checkpoint; there is one for each size that was ever shown."""

    size: int
    document: str


def lock(t: Transaction) -> None:
    """Let nobody else write to the log until this transaction ends, before it looks at what the log orders."""
    t.lock(select(log_head))


def append(t: Transaction, event: Event) -> int:
    """Write an entry and give its place; the last thing that a transaction does."""
    row = t.lock(select(log_head))
    if row is None:
        raise LookupError("the log has no head")
    place: int = row.size
    peaks = _peaks(place, row.peaks)
    entry = canonical_bytes(event.entry)
    nodes = new_nodes(place, leaf_hash(entry), lambda level, index: peaks[level, index])
    peaks |= {(level, index): value for level, index, value in nodes}
    t.add(log_entries, [{"place": place, "entry": entry.decode()}])
    t.add(log_nodes, [{"level": level, "place": index, "hash": value.hex()} for level, index, value in nodes])
    t.add(
        log_openings,
        [{"place": place, "name": each.name, "salt": each.salt, "digest": each.digest} for each in event.openings],
    )
    edge = " ".join(peaks[each].hex() for each in _edge(place + 1))
    t.run(update(log_head).values(size=place + 1, peaks=edge))
    return place


def head(r: Reading) -> Head:
    """The log as it stands."""
    row = r.one(select(log_head))
    if row is None:
        raise LookupError("the log has no head")
    peaks = _peaks(row.size, row.peaks)
    return Head(row.size, root(row.size, lambda level, index: peaks[level, index]).hex())


def path(r: Reading, place: int, size: int) -> tuple[str, ...]:
    """The inclusion path of an entry in the tree of the first ``size`` entries, lowest sibling first."""
    wanted: list[Place] = []

    def note(level: int, index: int) -> bytes:
        wanted.append((level, index))
        return bytes(HASH_BYTES)

    inclusion_path(place, size, note)  # once to learn which subtrees it takes, so that one query fetches them
    stored = _stored(r, wanted)
    return tuple(each.hex() for each in inclusion_path(place, size, lambda level, index: stored[level, index]))


def entry(r: Reading, place: int) -> str:
    """The canonical bytes of an entry, as text."""
    row = r.one(select(log_entries.c.entry).where(log_entries.c.place == place))
    if row is None:
        raise LookupError(f"no log entry {place}")
    text: str = row.entry
    return text


def entries(r: Reading, size: int) -> tuple[str, ...]:
    """The first ``size`` entries."""
    rows = r.all(select(log_entries.c.entry).where(log_entries.c.place < size).order_by(log_entries.c.place))
    return tuple(row.entry for row in rows)


def leaf_hashes(r: Reading, size: int) -> tuple[str, ...]:
    """The leaf hashes of the first ``size`` entries, as they were when written."""
    leaves = (log_nodes.c.level == 0) & (log_nodes.c.place < size)
    return tuple(row.hash for row in r.all(select(log_nodes.c.hash).where(leaves).order_by(log_nodes.c.place)))


def openings(r: Reading, place: int) -> tuple[Opening, ...]:
    """What opens the commitments of an entry."""
    rows = r.all(select(log_openings).where(log_openings.c.place == place).order_by(log_openings.c.name))
    return tuple(Opening(row.name, row.salt, row.digest) for row in rows)


def last_checkpoint(r: Reading) -> SavedCheckpoint | None:
    """The checkpoint of the greatest size that was signed."""
    row = r.one(select(log_checkpoints).order_by(log_checkpoints.c.size.desc()).limit(1))
    return SavedCheckpoint(row.size, row.document) if row else None


def save_checkpoint(t: Transaction, checkpoint: SavedCheckpoint) -> SavedCheckpoint:
    """Keep a checkpoint; when another process was faster with this size, its checkpoint stands."""
    t.add_new(log_checkpoints, {"size": checkpoint.size, "document": checkpoint.document})
    row = t.one(select(log_checkpoints).where(log_checkpoints.c.size == checkpoint.size))
    return SavedCheckpoint(row.size, row.document) if row else checkpoint


def _edge(size: int) -> list[Place]:
    """The largest complete subtrees of the first ``size`` entries, one for each bit of ``size``, highest first."""
    levels = [level for level in reversed(range(size.bit_length())) if size >> level & 1]
    return [(level, (size >> level) - 1) for level in levels]


def _peaks(size: int, text: str) -> dict[Place, bytes]:
    return dict(zip(_edge(size), map(bytes.fromhex, text.split()), strict=True))


def _stored(r: Reading, wanted: list[Place]) -> Mapping[Place, bytes]:
    rows = r.all(select(log_nodes).where(tuple_(log_nodes.c.level, log_nodes.c.place).in_(wanted)))
    return {(row.level, row.place): bytes.fromhex(row.hash) for row in rows}
