"""Receipts, exports and growth of the log, and every way to forge one."""

from collections.abc import Callable, Sequence

import pytest

from contracts.canonical import canonical_bytes
from contracts.errors import IntegrityError
from contracts.federation import KeyPurpose
from contracts.merkle import (
    EMPTY_ROOT,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    root_of,
    sign_checkpoint,
    verify_checkpoint,
    verify_export,
    verify_growth,
    verify_receipt,
)
from contracts.merkle_tree import consistency_path, inclusion_path, new_nodes
from contracts.signing import sign_compact
from contracts.transparency import Checkpoint, EventKind, LogEntry, LogExport, Receipt
from tests.factories import ISSUER, NOW, federation

pytestmark = pytest.mark.unit

KEYS = federation()
LOG = KEYS["oja#log-1"]
LOGS = KEYS.resolve(KeyPurpose.LOG)
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
    nodes: dict[tuple[int, int], bytes] = {}

    def node(level: int, index: int) -> bytes:
        return nodes[level, index]

    for size, leaf in enumerate(hashes(entries)):
        nodes.update({(level, index): top for level, index, top in new_nodes(size, leaf, node)})
    return node


def checkpoint(entries: Sequence[str] = ENTRIES, **changes: object) -> Checkpoint:
    fields: dict[str, object] = {
        "origin": ISSUER,
        "size": len(entries),
        "root": root_of(hashes(entries)).hex(),
        "at": NOW,
    }
    return Checkpoint.model_validate(fields | changes)


def export(entries: Sequence[str] = ENTRIES, **changes: object) -> LogExport:
    fields: dict[str, object] = {
        "entries": tuple(entries),
        "leaf_hashes": tuple(each.hex() for each in hashes(entries)),
        "checkpoint": sign_checkpoint(checkpoint(entries), LOG),
    }
    return LogExport.model_validate(fields | changes)


def receipt(index: int = 3, **changes: object) -> Receipt:
    fields: dict[str, object] = {
        "index": index,
        "entry": ENTRIES[index],
        "path": tuple(each.hex() for each in inclusion_path(index, len(ENTRIES), stored(ENTRIES))),
        "checkpoint": sign_checkpoint(checkpoint(), LOG),
    }
    return Receipt.model_validate(fields | changes)


def wrong_export(changed: LogExport) -> IntegrityError:
    with pytest.raises(IntegrityError) as caught:
        verify_export(changed, LOGS, ISSUER)
    return caught.value


def wrong_receipt(changed: Receipt) -> IntegrityError:
    with pytest.raises(IntegrityError) as caught:
        verify_receipt(changed, LOGS, ISSUER)
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
    assert verify_receipt(receipt(index), LOGS, ISSUER) == checkpoint()


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


# ------------------------------------------------------------------ checkpoints
@pytest.mark.parametrize(
    "signed",
    [
        "",
        sign_checkpoint(checkpoint(origin="https://other.example"), LOG),
        sign_checkpoint(checkpoint(), KEYS["oja#gateway-1"]),
        sign_compact(canonical_bytes(checkpoint()), "release", LOG),
        sign_compact(b'{"size":7}', "checkpoint", LOG),
        sign_checkpoint(checkpoint(), LOG)[:-8] + "AAAAAAAA",
    ],
    ids=["none", "other log", "other key", "other kind", "no checkpoint", "altered"],
)
def test_a_checkpoint_is_believed_only_from_this_logs_own_key(signed: str) -> None:
    with pytest.raises(IntegrityError, match="log-checkpoint-wrong"):
        verify_checkpoint(signed, LOGS, ISSUER)
    assert wrong_receipt(receipt(checkpoint=signed)).code == "log-checkpoint-wrong"
    assert wrong_export(export(checkpoint=signed)).code == "log-checkpoint-wrong"


# ------------------------------------------------------------------ exports
@pytest.mark.parametrize("size", range(8))
def test_a_whole_log_is_verified(size: int) -> None:
    assert verify_export(export(ENTRIES[:size]), LOGS, ISSUER) == size


@pytest.mark.parametrize("index", range(7))
def test_a_changed_byte_is_found_and_its_entry_named(index: int) -> None:
    changed = list(ENTRIES)
    changed[index] = changed[index].replace("oja", "ojb")

    error = wrong_export(export(entries=ENTRIES).model_copy(update={"entries": tuple(changed)}))

    assert error.code == "log-entry-changed"
    assert error.details == {"index": str(index)}


def test_an_entry_that_was_rewritten_with_its_hash_does_not_lead_to_the_checkpoint() -> None:
    rewritten = (*ENTRIES[:3], entry(99), *ENTRIES[4:])
    forged = export(rewritten, checkpoint=sign_checkpoint(checkpoint(), LOG))

    assert wrong_export(forged).code == "log-checkpoint-wrong"


def test_the_first_missing_entry_is_named() -> None:
    whole = export()

    assert wrong_export(whole.model_copy(update={"entries": ENTRIES[:5]})).details == {"index": "5"}
    assert wrong_export(whole.model_copy(update={"leaf_hashes": whole.leaf_hashes[:4]})).details == {"index": "4"}


def test_a_log_cut_short_does_not_lead_to_the_checkpoint() -> None:
    forged = export(ENTRIES[:5], checkpoint=sign_checkpoint(checkpoint(), LOG))

    assert wrong_export(forged).code == "log-checkpoint-wrong"


def test_a_checkpoint_that_lies_about_its_size_is_wrong() -> None:
    forged = export(checkpoint=sign_checkpoint(checkpoint(size=6), LOG))

    assert wrong_export(forged).code == "log-checkpoint-wrong"


def test_what_is_no_entry_is_named_even_when_its_hash_fits() -> None:
    error = wrong_export(export((*ENTRIES[:2], '{"kind":"data.requested"}')))

    assert (error.code, error.details) == ("log-entry-changed", {"index": "2"})


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
        (checkpoint(ENTRIES[:4], origin="https://other.example"), checkpoint(), path(4, 7)),
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
