"""Merkle proofs against the definition of RFC 6962, written as the RFC writes it."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import merkle, merkle_tree

pytestmark = pytest.mark.property

SIZES = st.integers(min_value=0, max_value=130)


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def leaves_of(size: int) -> list[bytes]:
    return [merkle.leaf_hash(f"entry {number}".encode()) for number in range(size)]


class Stored:
    """The complete subtrees by the definition."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = leaves

    def __call__(self, level: int, index: int) -> bytes:
        part = self.leaves[index << level : (index + 1) << level]
        assert len(part) == 1 << level
        return naive_root(part)


STORED = Stored(leaves_of(130))


@given(SIZES)
def test_both_roots_are_the_root_of_the_definition(size: int) -> None:
    leaves = leaves_of(size)

    assert merkle.root_of(leaves) == naive_root(leaves) == merkle_tree.root(size, STORED)


@given(SIZES.filter(bool), st.data())
def test_every_leaf_is_proved_at_its_place_and_nowhere_else(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(-1, size))
    leaves = leaves_of(size)
    root = naive_root(leaves)

    path = merkle_tree.inclusion_path(index, size, STORED)

    assert merkle.is_included(leaves[index], index, size, path, root)
    assert merkle.is_included(leaves[index], other, size, path, root) == (other == index)
    assert not merkle.is_included(merkle.leaf_hash(b"forged"), index, size, path, root)
    assert not merkle.is_included(leaves[index], index, size, [*path, root], root)
    assert not path or not merkle.is_included(leaves[index], index, size, path[:-1], root)


@given(SIZES, SIZES)
def test_a_log_that_grew_is_proved_to_have_grown(one: int, other: int) -> None:
    old, new = sorted((one, other))
    roots = naive_root(leaves_of(old)), naive_root(leaves_of(new))

    path = merkle_tree.consistency_path(old, new, STORED)

    assert merkle.is_consistent(old, roots[0], new, roots[1], path)
    assert not merkle.is_consistent(old, roots[0], new, roots[1], [*path, roots[0]])
    if old < new and old:
        assert not merkle.is_consistent(old, roots[0], new, roots[1], path[:-1])
        assert not merkle.is_consistent(old, merkle.leaf_hash(b"rewritten"), new, roots[1], path)
        assert not merkle.is_consistent(old, roots[0], new, merkle.leaf_hash(b"rewritten"), path)
        assert not merkle.is_consistent(new, roots[1], old, roots[0], path)


@given(st.integers(min_value=2, max_value=130), st.data())
def test_a_rewritten_entry_breaks_consistency(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size - 1))
    changed = data.draw(st.integers(0, old - 1))
    rewritten = leaves_of(size)
    rewritten[changed] = merkle.leaf_hash(b"rewritten")

    path = merkle_tree.consistency_path(old, size, Stored(rewritten))

    assert not merkle.is_consistent(old, naive_root(leaves_of(old)), size, naive_root(rewritten), path)


@given(SIZES, SIZES)
def test_leaves_that_are_added_make_the_tree_of_the_definition(one: int, other: int) -> None:
    old, new = sorted((one, other))
    leaves = leaves_of(new)

    first = merkle_tree.grown(0, [], leaves[:old])
    then = merkle_tree.grown(old, first.peaks, leaves[old:])

    assert merkle.root_over(first.peaks) == naive_root(leaves[:old])
    assert merkle.root_over(then.peaks) == naive_root(leaves)
    assert len(then.peaks) == new.bit_count()


@given(st.integers(0, 700), st.integers(0, 700))
def test_a_full_tile_has_the_root_of_its_leaves(one: int, other: int) -> None:
    old, new = sorted((one, other))
    leaves = leaves_of(new)

    roots = merkle_tree.grown(old, merkle_tree.grown(0, [], leaves[:old]).peaks, leaves[old:]).roots

    assert [(each.level, each.number) for each in roots] == [(0, number) for number in range(old // 256, new // 256)]
    assert all(each.root == naive_root(leaves[each.number * 256 :][:256]) for each in roots)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_a_leaf_outside_the_tree_has_no_path(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="not in the tree"):
        merkle_tree.inclusion_path(index, size, STORED)


@pytest.mark.parametrize(("old", "new"), [(-1, 3), (4, 3)])
def test_a_log_does_not_shrink(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="not within"):
        merkle_tree.consistency_path(old, new, STORED)
