"""The arithmetic of a growing Merkle tree: what a new entry completes, and how to prove from complete subtrees.

A complete subtree ``(level, index)`` is the hash over the ``2**level`` leaves from ``index * 2**level``. It never
changes. Everything else, the right edge, is folded from at most one of each level: the *peaks*.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from contracts.merkle import EMPTY_ROOT, node_hash

TILE_HEIGHT: Final = 8
"""A tile stands for a subtree of 256 leaves, of the tree or of the roots of the tiles below."""

Node = Callable[[int, int], bytes]
"""Gives the hash of a complete subtree by its level and index."""


class TileRoot(NamedTuple):
    """A tile that is full: its level among tiles, its number there, and its root."""

    level: int
    number: int
    root: bytes


class Growth(NamedTuple):
    """What new leaves make of a tree: its peaks, and the roots of tiles that became full, lowest first."""

    peaks: list[bytes]
    roots: list[TileRoot]


def grown(size: int, peaks: Sequence[bytes], leaves: Iterable[bytes]) -> Growth:
    """Add leaves to a tree.

    Args:
        size: The number of leaves before.
        peaks: The largest complete subtrees before, one for each bit of ``size``, the highest first.
        leaves: The hashes of the new leaves.
    """
    old, new, roots = list(peaks), [], list[TileRoot]()
    nodes, at, level = list(leaves), size, 0
    while nodes or at:
        if level and not level % TILE_HEIGHT:
            roots.extend(TileRoot(level // TILE_HEIGHT - 1, number, node) for number, node in enumerate(nodes, at))
        if at & 1:
            nodes.insert(0, old.pop())
        if len(nodes) & 1:
            new.append(nodes.pop())
        # What node_hash does, without the cost of a call for each entry.
        nodes = [sha256(b"\x01" + left + right).digest() for left, right in zip(nodes[::2], nodes[1::2], strict=True)]
        at, level = at >> 1, level + 1
    return Growth(new[::-1], roots)


def root(size: int, node: Node) -> bytes:
    """The root over the first ``size`` leaves."""
    return _span(0, size, node) if size else EMPTY_ROOT


def inclusion_path(index: int, size: int, node: Node) -> list[bytes]:
    """The path that proves leaf ``index`` under the root of ``size`` leaves, lowest sibling first."""
    if not 0 <= index < size:
        raise ValueError("the leaf is not in the tree")
    siblings = [_span(start, end, node) for start, end in _siblings(index, size)]
    return siblings[::-1]


def consistency_path(old: int, new: int, node: Node) -> list[bytes]:
    """The path that proves that a tree of ``new`` leaves begins with the tree of ``old`` (RFC 6962, section 2.1.2).

    It is empty for an empty old tree and for an equal one.
    """
    if not 0 <= old <= new:
        raise ValueError("the old tree is not within the new one")
    if old in (0, new):
        return []
    # The old tree's last complete subtree is where its right edge meets the new tree.
    width = old & -old
    siblings = [_span(start, end, node) for start, end in _siblings(old - 1, new, width)]
    if width != old:
        siblings.append(_span(old - width, old, node))
    return siblings[::-1]


def _siblings(index: int, size: int, width: int = 1) -> Iterator[tuple[int, int]]:
    """The spans beside the way from the root down to the subtree of ``width`` leaves that holds a leaf."""
    start, end = 0, size
    while end - start > width:
        middle = start + _half(end - start)
        if index < middle:
            yield middle, end
            end = middle
        else:
            yield start, middle
            start = middle


def _span(start: int, end: int, node: Node) -> bytes:
    """The hash over the leaves from ``start`` to before ``end``, which begin at a multiple of their leading subtree."""
    width = end - start
    if width & (width - 1) == 0:
        return node(width.bit_length() - 1, start // width)
    middle = start + _half(width)
    return node_hash(_span(start, middle, node), _span(middle, end, node))


def _half(width: int) -> int:
    """The largest power of two below ``width``."""
    return 1 << ((width - 1).bit_length() - 1)
