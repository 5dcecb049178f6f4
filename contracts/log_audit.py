"""A walk through a whole log, entry by entry, that trusts nothing but the checkpoint's signature.

Every entry is hashed and compared with what was recorded when it was written, every full tile with the root that the
tile above it holds, and all together with the root that was signed. What is wrong is named as early as it can be told:
an entry that does not fit its hash by its place, a tile whose hashes were changed too by the place of its first entry.
"""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from contracts.errors import IntegrityError
from contracts.merkle import EMPTY_ROOT, leaf_hash, read_entry, root_over, verify_growth
from contracts.merkle_tree import TileRoot, consistency_path, grown
from contracts.tiles import ENTRIES, HASH_BYTES, WIDTH, Fetch, Tile, from_bundle, nodes_from, width_of
from contracts.transparency import Checkpoint, LogEntry


class Placed(NamedTuple):
    """An entry of the log and its place."""

    place: int
    entry: LogEntry


def walk(fetch: Fetch, checkpoint: Checkpoint) -> Iterator[Placed]:
    """Every entry of a log in its order; what is yielded fits its hash, and the end of the walk proves the whole.

    Args:
        fetch: Gives tiles and bundles; ``LookupError`` for one that is not there.
        checkpoint: What the log's key signed.

    Raises:
        IntegrityError: ``log-entry-changed`` names the first entry that is not what was recorded, or is missing;
            ``log-checkpoint-wrong`` when the entries do not lead to the signed root. Until the walk has ended
            without one, nothing is proved.
    """
    above = _Above(fetch, checkpoint.size)
    peaks: list[bytes] = []
    for index in range((checkpoint.size + WIDTH - 1) // WIDTH):
        start, width = index * WIDTH, width_of(0, index, checkpoint.size)
        leaves = []
        for place, data in enumerate(_bundle(fetch, index, width), start):
            leaves.append(leaf_hash(data))
            yield Placed(place, read_entry(data, place))
        growth = grown(start, peaks, leaves)
        peaks = growth.peaks
        if not all(above.holds(each) for each in growth.roots):
            raise IntegrityError("log-entry-changed", index=start)
    if root_over(peaks).hex() != checkpoint.root:
        raise IntegrityError("log-checkpoint-wrong")


def check_growth(fetch: Fetch, old: Checkpoint, new: Checkpoint) -> None:
    """Prove from the tiles of a log that it only grew between two checkpoints whose signatures were verified.

    Raises:
        IntegrityError: ``log-checkpoint-wrong``, when it was rewritten, shrank, or lacks a tile for the proof.
    """
    if old.size > new.size:
        raise IntegrityError("log-checkpoint-wrong")
    if old.size == 0 and old.root != EMPTY_ROOT.hex():
        raise IntegrityError("log-checkpoint-wrong")
    prove = partial(consistency_path, old.size, new.size)
    try:
        path = prove(nodes_from(new.size, fetch))
    except LookupError as error:
        raise IntegrityError("log-checkpoint-wrong") from error
    verify_growth(old, new, [each.hex() for each in path])


def _bundle(fetch: Fetch, index: int, width: int) -> list[bytes]:
    """The entries of one bundle, each of which fits its recorded hash."""
    start = index * WIDTH
    try:
        entries = from_bundle(fetch(Tile(ENTRIES, index, width)))
        hashes = fetch(Tile(0, index, width))
    except LookupError as error:
        raise IntegrityError("log-entry-changed", index=start) from error
    for number in range(width):
        recorded = hashes[number * HASH_BYTES : (number + 1) * HASH_BYTES]
        if number >= len(entries) or leaf_hash(entries[number]) != recorded:
            raise IntegrityError("log-entry-changed", index=start + number)
    if len(entries) != width:
        raise IntegrityError("log-entry-changed", index=start + width)
    return entries


class _Above:
    """The tiles of the levels above, of which one at each level is looked at for long."""

    def __init__(self, fetch: Fetch, size: int) -> None:
        self._fetch = fetch
        self._size = size
        self._kept: dict[int, tuple[Tile, bytes]] = {}

    def holds(self, full: TileRoot) -> bool:
        """Whether the tile above a full tile holds its root."""
        level, index = full.level + 1, full.number // WIDTH
        tile = Tile(level, index, width_of(level, index, self._size))
        if self._kept.get(level, (None, b""))[0] != tile:
            try:
                self._kept[level] = (tile, self._fetch(tile))
            except LookupError:
                return False
        start = full.number % WIDTH * HASH_BYTES
        return self._kept[level][1][start : start + HASH_BYTES] == full.root
