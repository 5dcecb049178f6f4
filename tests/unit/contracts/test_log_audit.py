"""A walk through a whole log: everything that was changed is found, and named as early as it can be told."""

from collections.abc import Callable
from functools import cache

import pytest

from contracts.canonical import canonical_bytes
from contracts.errors import IntegrityError
from contracts.log_audit import check_growth, walk
from contracts.merkle import EMPTY_ROOT, leaf_hash, root_of
from contracts.tiles import ENTRIES, Tile, tiles_of, to_bundle
from contracts.transparency import Checkpoint, EventKind, LogEntry
from tests.factories import NOW

pytestmark = pytest.mark.unit

SIZE = 600
Files = dict[Tile, bytes]


@cache
def entry(number: int) -> bytes:
    return canonical_bytes(LogEntry(kind=EventKind.DATA_REQUESTED, at=NOW, agency="oja", subject=f"REQ-{number:04d}"))


@cache
def whole(size: int = SIZE) -> Files:
    entries = [entry(number) for number in range(size)]
    leaves = [leaf_hash(each) for each in entries]
    return {tile: content(entries, leaves, tile) for tile in tiles_of(size)}


def content(entries: list[bytes], leaves: list[bytes], tile: Tile) -> bytes:
    start = tile.number * 256
    if tile.level == ENTRIES:
        return to_bundle(entries[start : start + tile.width])
    step = 256**tile.level
    places = range(start * step, (start + tile.width) * step, step)
    return b"".join(root_of(leaves[at : at + step]) for at in places)


def checkpoint(size: int = SIZE, **changes: object) -> Checkpoint:
    root = root_of([leaf_hash(entry(number)) for number in range(size)]).hex()
    return Checkpoint.model_validate({"origin": "gateway.example", "size": size, "root": root} | changes)


def wrong(files: Files, signed: Checkpoint | None = None) -> IntegrityError:
    with pytest.raises(IntegrityError) as caught:
        list(walk(files.__getitem__, signed or checkpoint()))
    return caught.value


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, SIZE])
def test_a_whole_log_is_walked_through(size: int) -> None:
    files = whole(size)

    assert [each.place for each in walk(files.__getitem__, checkpoint(size))] == list(range(size))


def test_entries_come_one_by_one() -> None:
    fetched: list[Tile] = []

    def fetch(tile: Tile) -> bytes:
        fetched.append(tile)
        return whole()[tile]

    first = next(walk(fetch, checkpoint()))

    assert first.entry.subject == "REQ-0000"
    assert len(fetched) == 2


def changed(tile: Tile, edit: Callable[[bytes], bytes]) -> Files:
    return whole() | {tile: edit(whole()[tile])}


@pytest.mark.parametrize("number", [0, 255, 300, 599])
def test_a_changed_entry_is_named(number: int) -> None:
    tile = Tile(ENTRIES, number // 256, 256 if number < 512 else 88)

    error = wrong(changed(tile, lambda data: data.replace(b"REQ-%04d" % number, b"REQ-9999")))

    assert (error.code, error.details) == ("log-entry-changed", {"index": str(number)})


def test_an_entry_that_became_longer_or_shorter_is_named() -> None:
    bundle = Tile(ENTRIES, 1, 256)

    assert wrong(changed(bundle, lambda data: data.replace(b"REQ-0300", b"R"))).details == {"index": "300"}
    assert wrong(changed(bundle, lambda data: data.replace(b"REQ-0300", b"REQ-0300x"))).details == {"index": "300"}


def test_the_first_missing_or_added_entry_is_named() -> None:
    last = Tile(ENTRIES, 2, 88)

    assert wrong(changed(last, lambda data: to_bundle([entry(512), entry(513)]))).details == {"index": "514"}
    assert wrong(changed(last, lambda data: data + to_bundle([b"one more"]))).details == {"index": "600"}
    assert wrong(changed(last, lambda data: data + b"\x00")).details == {"index": "600"}


def test_an_entry_that_was_rewritten_with_its_hash_is_named_by_its_tile() -> None:
    def rewritten(files: Files, tile: Tile, number: int) -> Files:
        entries = [entry(9999) if at == number else entry(at) for at in range(SIZE)]
        leaves = [leaf_hash(each) for each in entries]
        bundle = Tile(ENTRIES, tile.number, tile.width)
        return files | {each: content(entries, leaves, each) for each in (tile, bundle)}

    assert wrong(rewritten(whole(), Tile(0, 1, 256), 300)).details == {"index": "256"}
    assert wrong(rewritten(whole(), Tile(0, 2, 88), 599)).code == "log-checkpoint-wrong"


def test_a_missing_file_is_named_by_its_first_entry() -> None:
    for tile, first in ((Tile(ENTRIES, 1, 256), "256"), (Tile(0, 2, 88), "512"), (Tile(1, 0, 2), "0")):
        files = {each: data for each, data in whole().items() if each != tile}
        assert wrong(files).details == {"index": first}


def test_a_log_that_was_cut_or_a_checkpoint_that_lies_is_found() -> None:
    assert wrong(whole(), checkpoint(root="0" * 64)).code == "log-checkpoint-wrong"
    assert wrong(whole(512), checkpoint()).details == {"index": "512"}
    assert wrong({}, checkpoint(0, root="0" * 64)).code == "log-checkpoint-wrong"


def test_what_is_no_entry_is_named_even_when_its_hash_fits() -> None:
    data = b'{"kind":"data.requested"}'
    files = {Tile(ENTRIES, 0, 1): to_bundle([data]), Tile(0, 0, 1): leaf_hash(data)}

    error = wrong(files, checkpoint(1, root=leaf_hash(data).hex()))

    assert (error.code, error.details) == ("log-entry-changed", {"index": "0"})


# ------------------------------------------------------------------ growth
@pytest.mark.parametrize("size", [0, 1, 256, 300, 599, SIZE])
def test_growth_is_proved_from_tiles(size: int) -> None:
    check_growth(whole().__getitem__, checkpoint(size), checkpoint())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (checkpoint(300, root="0" * 64), checkpoint()),
        (checkpoint(), checkpoint(300)),
        (checkpoint(SIZE, root="0" * 64), checkpoint()),
        (checkpoint(0, root="0" * 64), checkpoint()),
        (checkpoint(300), checkpoint(root="0" * 64)),
        (checkpoint(300, origin="other.example"), checkpoint()),
    ],
    ids=["rewritten", "shrunk", "same size", "empty", "the new one lies", "another log"],
)
def test_a_log_that_did_not_only_grow_is_found(old: Checkpoint, new: Checkpoint) -> None:
    with pytest.raises(IntegrityError, match="log-checkpoint-wrong"):
        check_growth(whole().__getitem__, old, new)


def test_growth_without_its_tiles_is_not_proved() -> None:
    with pytest.raises(IntegrityError, match="log-checkpoint-wrong"):
        check_growth(Files().__getitem__, checkpoint(300), checkpoint())


def test_an_empty_log_has_the_empty_root() -> None:
    assert checkpoint(0).root == EMPTY_ROOT.hex()
