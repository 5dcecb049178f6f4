"""The log as files (C2SP tlog-tiles): hashes in tiles of 256, entries in bundles of 256, each under its own path.

A full tile never changes, so anybody may keep a copy. What a proof needs is in a handful of tiles, and who has the
tiles makes every proof himself. Level 0 holds the hashes of the entries, level 1 the roots of full tiles of level 0,
and so on; a tile at the right edge is *partial*: it has fewer than 256 hashes and grows.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple

from contracts.errors import IntegrityError
from contracts.merkle_tree import TILE_HEIGHT as HEIGHT
from contracts.merkle_tree import Node

WIDTH: Final = 2**HEIGHT
HASH_BYTES: Final = 32
ENTRIES: Final = -1
"""The level of the bundles of entries, which stand beside the tiles of level 0."""

MOST_ENTRY_BYTES: Final = 2**16 - 1
"""The length of an entry is written in two bytes."""

LENGTH_BYTES: Final = 2
STEP: Final = 1000
WORTH_KEEPING: Final = 4
"""From 2**4 hashes on their root is remembered; fewer are folded as fast as they are looked up."""

MOST_KEPT: Final = 1024
HIGHEST_LEVEL: Final = 63
PATH: Final = re.compile(r"tile/(0|[1-9][0-9]?|entries)/((?:x[0-9]{3}/){0,4}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
CHECKPOINT_PATH: Final = "checkpoint"


class Tile(NamedTuple):
    """A tile, or with level ``ENTRIES`` a bundle: where it is, and how many hashes or entries it has (1 to 256)."""

    level: int
    number: int
    width: int

    @property
    def path(self) -> str:
        """Its path, without a leading slash: ``tile/0/x001/234.p/5``."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        part = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{_number(self.number)}{part}"


Fetch = Callable[[Tile], bytes]
"""Gives the content of a tile or bundle."""


def read_path(path: str) -> Tile | None:
    """The tile of a path, if the path is written as ``Tile.path`` writes it."""
    found = PATH.fullmatch(path)
    if found is None:
        return None
    level = ENTRIES if found[1] == "entries" else int(found[1])
    index = int(found[2].replace("x", "").replace("/", ""))
    tile = Tile(level, index, int(found[3] or WIDTH))
    return tile if level <= HIGHEST_LEVEL and tile.path == path else None


def width_of(level: int, index: int, size: int) -> int:
    """How many hashes a tile has in a log of ``size`` entries; nothing or less when there is no such tile."""
    return min(WIDTH, (size >> HEIGHT * max(level, 0)) - index * WIDTH)


def tiles_of(size: int) -> Iterator[Tile]:
    """Every tile and bundle of a log of that size, level by level, bundles last."""
    for level in (*range((max(size, 1).bit_length() - 1) // HEIGHT + 1), ENTRIES):
        count = size >> HEIGHT * max(level, 0)
        for index in range((count + WIDTH - 1) // WIDTH):
            yield Tile(level, index, width_of(level, index, size))


def tile_of(level: int, index: int, size: int) -> Tile:
    """The tile that holds what a node of the tree is folded from; the node is complete in a log of ``size`` entries."""
    high, inner = divmod(level, HEIGHT)
    number = (index << inner) // WIDTH
    return Tile(high, number, width_of(high, number, size))


def node_in(hashes: bytes, level: int, index: int) -> bytes:
    """A node of the tree, folded from the content of its tile.

    Raises:
        IntegrityError: ``log-checkpoint-wrong``, when the tile is too short for it.
    """
    inner = level % HEIGHT
    first = (index << inner) % WIDTH * HASH_BYTES
    part = hashes[first : first + (HASH_BYTES << inner)]
    if len(part) != HASH_BYTES << inner:
        raise IntegrityError("log-checkpoint-wrong")
    return fold(part) if inner < WORTH_KEEPING else _known(part)


@lru_cache(maxsize=MOST_KEPT)
def _known(hashes: bytes) -> bytes:
    """The root over many hashes: the paths of neighbouring entries ask for the same ones again."""
    return fold(hashes)


def fold(hashes: bytes) -> bytes:
    """The root over hashes, whose number is a power of two."""
    nodes = [hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES)]
    while len(nodes) > 1:
        # What node_hash does, without the cost of a call for each.
        nodes = [sha256(b"\x01" + left + right).digest() for left, right in zip(nodes[::2], nodes[1::2], strict=True)]
    return nodes[0]


def nodes_from(size: int, fetch: Fetch) -> Node:
    """The nodes of a log of that size, from its tiles; each tile is fetched once."""
    kept: dict[Tile, bytes] = {}

    def node(level: int, index: int) -> bytes:
        tile = tile_of(level, index, size)
        if tile not in kept:
            kept[tile] = fetch(tile)
        return node_in(kept[tile], level, index)

    return node


def to_bundle(entries: Iterable[bytes]) -> bytes:
    """Entries as a bundle: each with its length before it, in two bytes."""
    return b"".join(len(each).to_bytes(LENGTH_BYTES, "big") + each for each in entries)


def from_bundle(bundle: bytes) -> list[bytes]:
    """The entries of a bundle; of one that ends in the middle of an entry, the last is what is there of it."""
    entries, at = [], 0
    while at < len(bundle):
        start = at + LENGTH_BYTES
        at = start + int.from_bytes(bundle[at:start], "big")
        entries.append(bundle[start:at])
    return entries


def _number(index: int) -> str:
    parts = [f"{index % STEP:03d}"]
    while index >= STEP:
        index //= STEP
        parts.append(f"x{index % STEP:03d}")
    return "/".join(reversed(parts))
