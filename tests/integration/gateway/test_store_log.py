"""The Merkle log's writer, on both databases, against the verifier that auditors use."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from contracts.checkpoints import read_checkpoint, sign_checkpoint
from contracts.errors import IntegrityError, InvalidInput
from contracts.keys import new_key
from contracts.merkle import EMPTY_ROOT, is_consistent, is_included, leaf_hash, root_of, verify_receipt
from contracts.note import read_note
from contracts.tiles import ENTRIES, MOST_ENTRY_BYTES, Tile, fold, tiles_of
from contracts.transparency import Checkpoint, EventKind, LogEntry
from gateway import receipts
from gateway.events import commitment, sealed
from gateway.store import checkpoints, log
from gateway.store.checkpoints import SavedCheckpoint
from gateway.store.engine import Store
from gateway.store.log import Event
from gateway.store.log_tables import log_entries, log_head
from tests.factories import NOW
from tests.fake_log import entries, tile_content
from tests.gateway_world import World, new_world

pytestmark = pytest.mark.integration


@pytest.fixture
def world(store_url: str) -> Iterator[World]:
    made = new_world(store_url, ())
    yield made
    made.store.close()


def event(number: int) -> Event:
    at = NOW + timedelta(seconds=number)
    return Event(LogEntry(kind=EventKind.DATA_REQUESTED, at=at, agency="oja", subject=f"REQ-{number}"))


def append(store: Store, number: int) -> int:
    with store.transaction() as t:
        return log.append(t, event(number))


def test_an_empty_log_has_the_empty_root(world: World) -> None:
    with world.store.read() as r:
        head = log.head(r)

    assert (head.size, head.root) == (0, EMPTY_ROOT.hex())
    assert world.audited() == 0


def test_every_entry_is_proved_under_every_later_head(world: World) -> None:
    leaves = []
    for number in range(13):
        assert append(world.store, number) == number
        with world.store.read() as r:
            leaves = [leaf_hash(text.encode()) for text in log.entries(r, 0, number + 1)]
            root = root_of(leaves)
            assert log.head(r).root == root.hex()
            for place, leaf in enumerate(leaves):
                path = [bytes.fromhex(each) for each in log.path(r, place, number + 1, root.hex())]
                assert is_included(leaf, place, number + 1, path, root)


def test_two_logs_of_one_length_share_no_proof(world: World, tmp_path: Path) -> None:
    other = new_world(f"sqlite:///{tmp_path / 'other.db'}")
    for each, texts in ((world, ("a", "b", "c")), (other, ("x", "y", "z"))):
        with each.store.transaction() as t:
            log.append_entries(t, texts)

    for each in (world, other, world):
        with each.store.read() as r:
            head, entry = log.head(r), log.entry(r, 1)
            path = [bytes.fromhex(part) for part in log.path(r, 1, head.size, head.root)]
        assert is_included(leaf_hash(entry.encode()), 1, head.size, path, bytes.fromhex(head.root))
    other.store.close()


def test_many_writers_make_one_gapless_log(world: World) -> None:
    with ThreadPoolExecutor(12) as pool:
        places = list(pool.map(lambda number: append(world.store, number), range(36)))

    assert sorted(places) == list(range(36))
    assert world.audited() == 36


def test_an_entry_without_its_deed_is_not_written(world: World) -> None:
    append(world.store, 0)

    def fail_after_writing() -> None:
        with world.store.transaction() as t:
            log.append(t, event(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_writing()

    with world.store.read() as r:
        assert log.head(r).size == 1


def test_a_changed_byte_in_the_database_is_named_by_the_verifier(world: World) -> None:
    for number in range(5):
        append(world.store, number)
    with world.store.transaction() as t:
        t.run(update(log_entries).where(log_entries.c.place == 3).values(entry="{}"))

    with pytest.raises(IntegrityError, match="log-entry-changed") as caught:
        world.audited()

    assert caught.value.details["index"] == "3"


def test_each_size_is_signed_once(world: World) -> None:
    append(world.store, 0)
    first = world.exchange.checkpoint()
    world.later(60)

    again = world.exchange.checkpoint()
    append(world.store, 1)
    with world.store.read() as r:
        head = log.head(r)
    claim = Checkpoint(origin="gateway.example", size=2, root=head.root)
    theirs = sign_checkpoint(claim, world.keys["oja#log-1"])
    with world.store.transaction() as t:  # another process was faster with the new size
        checkpoints.save(t, SavedCheckpoint(2, theirs, world.now))

    assert again == first
    assert world.exchange.checkpoint() == theirs
    with world.store.transaction() as t:
        assert checkpoints.save(t, SavedCheckpoint(2, "ours", world.now)).document == theirs


def test_a_receipt_waits_for_a_checkpoint_that_covers_its_entry(world: World) -> None:
    keys = world.log_keys()
    append(world.store, 0)
    world.exchange.checkpoint()
    append(world.store, 1)
    append(world.store, 2)

    old, new = receipts.receipt(world.exchange.means, 0), receipts.receipt(world.exchange.means, 2)
    newer = receipts.receipt(world.exchange.means, 0)

    assert [verify_receipt(each, keys).subject for each in (old, new, newer)] == ["REQ-0", "REQ-2", "REQ-0"]
    assert [read_checkpoint(each.checkpoint).size for each in (old, new, newer)] == [1, 3, 3]


def test_a_commitment_is_opened_by_its_salt_and_says_nothing_without(world: World) -> None:
    same = [sealed("client", f"sha-256:{'0' * 64}", world.exchange.means.entropy) for _ in range(2)]
    entry = event(0).entry.model_copy(update={"commitments": {"client": commitment(same[0])}})
    with world.store.transaction() as t:
        place = log.append(t, Event(entry, (same[0],)))

    with world.store.read() as r:
        (opened,) = log.openings(r, place)

    assert commitment(opened) == entry.commitments["client"]
    assert len(bytes.fromhex(opened.salt)) == 32
    assert commitment(same[0]) != commitment(same[1])


def test_a_log_that_lost_its_head_or_an_entry_fails_closed(world: World) -> None:
    with world.store.read() as r, pytest.raises(LookupError, match="entry 7"):
        log.entry(r, 7)
    with world.store.transaction() as t:
        t.run(delete(log_head))

    with world.store.read() as r, pytest.raises(LookupError, match="head"):
        log.head(r)
    with pytest.raises(LookupError, match="head"):
        append(world.store, 0)


def test_many_entries_are_one_append(world: World) -> None:
    append(world.store, 0)
    sealing = sealed("client", f"sha-256:{'0' * 64}", world.exchange.means.entropy)
    with world.store.transaction() as t:
        first = log.append_many(t, [event(1), Event(event(2).entry, (sealing,)), event(3)])
        assert log.append_many(t, []) == 4

    with world.store.read() as r:
        assert [len(log.openings(r, place)) for place in range(4)] == [0, 0, 1, 0]
    assert first == 1
    assert world.audited() == 4


@pytest.mark.parametrize("batches", [(256,), (255, 2), (100, 200, 300), (1, 511, 1), (700,)])
def test_tiles_are_full_wherever_an_append_ends(world: World, batches: tuple[int, ...]) -> None:
    texts = [each.decode() for each in entries(sum(batches))]
    start = 0
    for size in batches:
        with world.store.transaction() as t:
            assert log.append_entries(t, texts[start : start + size]) == start
        start += size

    with world.store.read() as r:
        for tile in tiles_of(start):
            assert log.tile(r, tile) == tile_content(entries(start), tile)
        head, places = bytes.fromhex(log.head(r).root), {0, start // 2, start - 1}
        for place in places:
            path = [bytes.fromhex(each) for each in log.path(r, place, start, head.hex())]
            assert is_included(leaf_hash(texts[place].encode()), place, start, path, head)
            old = root_of([leaf_hash(each.encode()) for each in texts[:place]])
            grown = [bytes.fromhex(each) for each in log.growth_path(r, place, start)]
            assert is_consistent(place, old, start, head, grown)


def test_an_entry_that_no_bundle_holds_is_refused_before_anything_is_done(world: World) -> None:
    with pytest.raises(InvalidInput, match="log-entry-too-large"), world.store.transaction() as t:
        log.append_entries(t, ["ok", "x" * (MOST_ENTRY_BYTES + 1)])
    with world.store.transaction() as t:
        log.append_entries(t, ["x" * MOST_ENTRY_BYTES])

    with world.store.read() as r:
        assert log.head(r).size == 1


def test_a_tile_that_the_log_does_not_reach_is_none(world: World) -> None:
    append(world.store, 0)

    with world.store.read() as r:
        assert log.tile(r, Tile(0, 0, 2)) is None
        assert log.tile(r, Tile(0, 1, 1)) is None
        assert log.tile(r, Tile(ENTRIES, 0, 1)) is not None


def test_a_level_of_tiles_above_is_full_after_65536_entries(tmp_path: Path) -> None:
    world = new_world(f"sqlite:///{tmp_path / 'gateway.db'}", ())
    texts = ["x"] * 65_536
    with world.store.transaction() as t:
        log.append_entries(t, texts)
        log.append_entries(t, ["y"])

    with world.store.read() as r:
        upper = log.tile(r, Tile(1, 0, 256))
        top = log.tile(r, Tile(2, 0, 1))
        assert upper is not None
        assert (len(upper), top) == (8192, fold(upper))
        assert log.head(r).root == root_of([leaf_hash(b"x")] * 65_536 + [leaf_hash(b"y")]).hex()
    world.store.close()


def test_a_new_key_of_the_log_signs_what_is_on_show(world: World) -> None:
    append(world.store, 0)
    before = world.exchange.checkpoint()
    new = new_key("oja#log-2")
    means = replace(world.exchange.means, keys=replace(world.exchange.means.keys, log=new))

    after = receipts.published(means)

    assert after.startswith(before)
    assert len(read_note(after).signatures) == 2
    assert receipts.published(means) == after
