"""Tiles, bundles and their paths, against the examples of C2SP tlog-tiles."""

import pytest

from contracts.errors import IntegrityError
from contracts.merkle import leaf_hash, root_of
from contracts.merkle_tree import consistency_path, inclusion_path, root
from contracts.tiles import (
    ENTRIES,
    Tile,
    from_bundle,
    node_in,
    nodes_from,
    read_path,
    tiles_of,
    to_bundle,
    width_of,
)

pytestmark = pytest.mark.unit


def leaves(size: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(size)]


def content(size: int, tile: Tile) -> bytes:
    """A tile by its definition: hashes over 256**level leaves each."""
    all_leaves, step = leaves(size), 256**tile.level
    starts = range(tile.number * 256 * step, (tile.number * 256 + tile.width) * step, step)
    return b"".join(root_of(all_leaves[start : start + step]) for start in starts)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 1234067, 256), "tile/0/x001/x234/067"),
        (Tile(63, 0, 255), "tile/63/000.p/255"),
        (Tile(ENTRIES, 999, 1), "tile/entries/999.p/1"),
        (Tile(1, 1000, 256), "tile/1/x001/000"),
    ],
)
def test_a_path_is_written_and_read_back(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert read_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/00/000",
        "tile/64/000",
        "tile/0/0",
        "tile/0/x000/000",
        "tile/0/000/000",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/07",
        "tile/0/000.p/",
        "tile/data/000",
        "tile/0/000/",
        "tile/0/\u0660\u0660\u0660",
        "tile/0/" + "x001/" * 5 + "000",
        "checkpoint",
        "",
    ],
)
def test_a_path_that_is_written_in_another_way_is_none(path: str) -> None:
    assert read_path(path) is None


def test_a_log_of_70000_entries_has_the_tiles_of_the_specification() -> None:
    tiles = list(tiles_of(70_000))
    widths = {level: [each.width for each in tiles if each.level == level] for level in (0, 1, 2, ENTRIES)}

    assert widths[0] == [256] * 273 + [112] == widths[ENTRIES]
    assert widths[1] == [256, 17]
    assert widths[2] == [1]
    assert len(tiles) == 274 * 2 + 3


@pytest.mark.parametrize(("size", "levels"), [(0, []), (1, [0, ENTRIES]), (255, [0, ENTRIES]), (256, [0, 1, ENTRIES])])
def test_a_small_log_has_few_tiles(size: int, levels: list[int]) -> None:
    assert [each.level for each in tiles_of(size)] == levels
    assert width_of(0, 1, size) <= 0


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 700])
def test_every_proof_is_made_from_tiles(size: int) -> None:
    nodes = nodes_from(size, lambda tile: content(size, tile))
    first = root_of(leaves(size))

    assert root(size, nodes) == first
    for index in {0, size // 2, size - 1}:
        naive = inclusion_path(index, size, lambda level, at: root_of(leaves(size)[at << level : (at + 1) << level]))
        assert inclusion_path(index, size, nodes) == naive


def test_a_proof_takes_a_handful_of_tiles() -> None:
    size = 1_000_000
    fetched: list[Tile] = []

    def empty(tile: Tile) -> bytes:
        fetched.append(tile)
        return bytes(32 * tile.width)

    inclusion_path(300_000, size, nodes_from(size, empty))
    taken = len(fetched)
    consistency_path(299_999, size, nodes_from(size, empty))

    assert taken <= 6
    assert len(fetched) - taken <= 6
    assert Tile(0, 300_000 // 256, 256) in fetched[:taken]


def test_a_tile_that_is_too_short_proves_nothing() -> None:
    with pytest.raises(IntegrityError, match="log-checkpoint-wrong"):
        node_in(bytes(32 * 5), 3, 0)


def test_a_tile_is_fetched_once() -> None:
    fetched: list[Tile] = []

    def fetch(tile: Tile) -> bytes:
        fetched.append(tile)
        return content(300, tile)

    nodes = nodes_from(300, fetch)
    root(300, nodes)
    inclusion_path(299, 300, nodes)

    assert len(fetched) == len(set(fetched)) == 2


def test_entries_go_into_a_bundle_and_come_out_of_it() -> None:
    entries = [b"", b"one", bytes(65_535)]

    assert to_bundle(entries)[:7] == b"\x00\x00\x00\x03one"
    assert from_bundle(to_bundle(entries)) == entries
    assert from_bundle(b"") == []
    assert from_bundle(b"\x00\x05ab") == [b"ab"]
    assert from_bundle(to_bundle([b"one"]) + b"\x00") == [b"one", b""]
