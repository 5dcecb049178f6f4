"""Receipts and growth of the log, and every way to forge one."""

from collections.abc import Callable, Sequence

import pytest

from contracts.canonical import canonical_bytes
from contracts.checkpoints import log_keys, sign_checkpoint
from contracts.errors import IntegrityError
from contracts.federation import KeyPurpose
from contracts.merkle import (
    EMPTY_ROOT,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    read_entry,
    root_of,
    verify_growth,
    verify_receipt,
)
from contracts.merkle_tree import consistency_path, inclusion_path
from contracts.transparency import Checkpoint, EventKind, LogEntry, Receipt
from tests.factories import NOW, federation

pytestmark = pytest.mark.unit

KEYS = federation({"oja": (KeyPurpose.LOG,), "rtp": (KeyPurpose.LOG,)})
LOG = KEYS["oja#log-1"]
LOGS = log_keys(KEYS.federation, NOW)
# RFC 6962 test data of the certificate-transparency project: the leaves and the roots of 1 to 8 of them.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def entry(number: int) -> str:
    line = LogEntry(kind=EventKind.DATA_REQUESTED, at=NOW, agency="oja", subject=f"REQ-{number:04d}")
    return canonical_bytes(line).decode()


ENTRIES = tuple(entry(number) for number in range(7))


def hashes(entries: Sequence[str]) -> list[bytes]:
    return [leaf_hash(each.encode()) for each in entries]


def stored(entries: Sequence[str]) -> Callable[[int, int], bytes]:
    leaves = hashes(entries)

    def node(level: int, index: int) -> bytes:
        return root_of(leaves[index << level : (index + 1) << level])

    return node


def checkpoint(entries: Sequence[str] = ENTRIES, **changes: object) -> Checkpoint:
    fields: dict[str, object] = {
        "origin": "gateway.example",
        "size": len(entries),
        "root": root_of(hashes(entries)).hex(),
    }
    return Checkpoint.model_validate(fields | changes)


def receipt(index: int = 3, **changes: object) -> Receipt:
    fields: dict[str, object] = {
        "index": index,
        "entry": ENTRIES[index],
        "path": tuple(each.hex() for each in inclusion_path(index, len(ENTRIES), stored(ENTRIES))),
        "checkpoint": sign_checkpoint(checkpoint(), LOG),
    }
    return Receipt.model_validate(fields | changes)


def wrong_receipt(changed: Receipt) -> IntegrityError:
    with pytest.raises(IntegrityError) as caught:
        verify_receipt(changed, LOGS)
    return caught.value


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_published_test_data(size: int) -> None:
    leaves = [leaf_hash(bytes.fromhex(each)) for each in LEAVES[:size]]

    assert root_of(leaves).hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert root_of([]) == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_an_inner_node_cannot_pass_for_an_entry() -> None:
    left, right = hashes(ENTRIES[:2])

    assert leaf_hash(left + right) != node_hash(left, right)


# ------------------------------------------------------------------ receipts
@pytest.mark.parametrize("index", range(7))
def test_every_entry_has_a_receipt_that_anybody_can_check(index: int) -> None:
    assert verify_receipt(receipt(index), LOGS) == read_entry(ENTRIES[index], index)


@pytest.mark.parametrize(
    "changes",
    [
        {"entry": entry(4)},
        {"index": 2},
        {"index": 7},
        {"path": ()},
        {"path": ("0" * 64, "0" * 64, "0" * 64)},
    ],
)
def test_a_forged_receipt_names_its_entry(changes: dict[str, object]) -> None:
    error = wrong_receipt(receipt(3).model_copy(update=changes))

    assert error.code == "log-entry-changed"
    assert error.details == {"index": str(changes.get("index", 3))}


def test_a_receipt_for_something_that_is_no_entry_is_wrong() -> None:
    entries = ("{}",)
    forged = receipt(0, entry="{}", path=(), checkpoint=sign_checkpoint(checkpoint(entries), LOG))

    assert wrong_receipt(forged).code == "log-entry-changed"


@pytest.mark.parametrize("signed", ["", sign_checkpoint(checkpoint(), KEYS["rtp#log-1"])], ids=["none", "other key"])
def test_a_receipt_stands_under_the_logs_own_checkpoint(signed: str) -> None:
    assert wrong_receipt(receipt(checkpoint=signed)).code == "log-checkpoint-wrong"


# ------------------------------------------------------------------ growth
def path(old: int, new: int) -> list[str]:
    return [each.hex() for each in consistency_path(old, new, stored(ENTRIES))]


@pytest.mark.parametrize(("old", "new"), [(0, 7), (1, 7), (4, 7), (6, 7), (7, 7), (0, 0), (3, 4)])
def test_growth_is_proved(old: int, new: int) -> None:
    verify_growth(checkpoint(ENTRIES[:old]), checkpoint(ENTRIES[:new]), path(old, new))


@pytest.mark.parametrize(
    ("old", "new", "proof"),
    [
        (checkpoint((*ENTRIES[:3], entry(99))), checkpoint(), path(4, 7)),
        (checkpoint(ENTRIES[:4]), checkpoint((entry(99), *ENTRIES[1:])), path(4, 7)),
        (checkpoint(), checkpoint(ENTRIES[:4]), path(4, 7)),
        (checkpoint(ENTRIES[:4]), checkpoint(), []),
        (checkpoint(ENTRIES[:3]), checkpoint(), []),
        (checkpoint(ENTRIES[:4]), checkpoint(), path(4, 7)[:-1]),
        (checkpoint(ENTRIES[:4]), checkpoint(), [*path(4, 7), "0" * 64]),
        (checkpoint(ENTRIES[:3]), checkpoint((*ENTRIES[:2], entry(99))), []),
        (checkpoint(), checkpoint(), ["0" * 64]),
        (checkpoint(()), checkpoint(), ["0" * 64]),
        (checkpoint((), root="0" * 64), checkpoint(), []),
        (checkpoint(ENTRIES[:4], origin="other.example"), checkpoint(), path(4, 7)),
    ],
)
def test_a_rewritten_or_shrunken_log_is_found(old: Checkpoint, new: Checkpoint, proof: list[str]) -> None:
    with pytest.raises(IntegrityError, match="log-checkpoint-wrong"):
        verify_growth(old, new, proof)


def test_a_tree_has_no_leaf_before_its_first() -> None:
    leaf = hashes(ENTRIES)[0]

    assert not is_included(leaf, -1, 1, [], leaf)
    assert not is_consistent(-1, leaf, 1, leaf, [leaf])


def test_a_path_longer_than_the_tree_is_high_proves_nothing() -> None:
    left, right, third, fourth = hashes(ENTRIES[:4])
    top = leaf_hash(b"another tree")
    grown = [third, fourth, node_hash(left, right)]

    assert is_consistent(3, root_of([left, right, third]), 4, root_of([left, right, third, fourth]), grown)
    assert not is_included(right, 0, 1, [left], node_hash(left, right))
    assert not is_consistent(
        3,
        node_hash(top, root_of([left, right, third])),
        4,
        node_hash(top, root_of([left, right, third, fourth])),
        [*grown, top],
    )


def test_a_path_shorter_than_the_tree_is_high_proves_nothing() -> None:
    leaves = hashes(ENTRIES)
    short = consistency_path(3, 7, stored(ENTRIES))[:-1]

    assert not is_included(leaves[0], 0, 7, [leaves[1]], root_of(leaves[:2]))
    assert not is_consistent(3, root_of(leaves[:3]), 7, root_of(leaves[:4]), short)
