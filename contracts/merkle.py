"""Proofs about the log, as anybody checks them: RFC 6962 trees, receipts, exports and growth between checkpoints.

Nothing here trusts the gateway: what is proved is proved from bytes, hashes and the signature of the log's key.
``contracts.merkle_tree`` makes the proofs.
"""

import hashlib
from collections.abc import Sequence
from itertools import zip_longest

from pydantic import ValidationError

from contracts.canonical import canonical_bytes
from contracts.errors import IntegrityError, Refused
from contracts.keys import SigningKey
from contracts.signing import Resolve, sign_compact, verify_compact
from contracts.transparency import Checkpoint, LogEntry, LogExport, Receipt

CHECKPOINT_KIND = "checkpoint"
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry; its prefix keeps an entry from passing for an inner node."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, in one pass."""
    complete: list[tuple[int, bytes]] = []
    for leaf in leaf_hashes:
        level, node = 0, leaf
        while complete and complete[-1][0] == level:
            node = node_hash(complete.pop()[1], node)
            level += 1
        complete.append((level, node))
    if not complete:
        return EMPTY_ROOT
    _, root = complete.pop()
    while complete:
        root = node_hash(complete.pop()[1], root)
    return root


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether ``path`` proves that a leaf stands at ``index`` under ``root`` (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, node = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            node = node_hash(sibling, node)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and node == root


def is_consistent(old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether ``path`` proves that the new log begins with the whole old one (RFC 9162, section 2.1.4.2)."""
    if old_size == 0:
        return old_root == EMPTY_ROOT and not path
    if old_size == new_size:
        return old_root == new_root and not path
    if not 0 < old_size < new_size or not path:
        return False
    # A complete old tree is itself a node of the new one, and the path leaves it out.
    nodes = [old_root, *path] if old_size & (old_size - 1) == 0 else list(path)
    return _both_roots(old_size, new_size, nodes) == (old_root, new_root)


def _both_roots(old_size: int, new_size: int, nodes: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The old and the new root that a consistency path leads to; none if it has the wrong length."""
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            old, new = node_hash(node, old), node_hash(node, new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, node)
        place, last = place >> 1, last >> 1
    return (old, new) if last == 0 else None


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> str:
    """The checkpoint as the log's key signs it: a compact JWS."""
    return sign_compact(canonical_bytes(checkpoint), CHECKPOINT_KIND, key)


def verify_checkpoint(signed: str, resolve: Resolve, origin: str) -> Checkpoint:
    """Check who signed a checkpoint and that it is of this log.

    Raises:
        IntegrityError: ``log-checkpoint-wrong``.
    """
    try:
        checkpoint = Checkpoint.model_validate_json(verify_compact(signed, CHECKPOINT_KIND, resolve).payload)
    except (Refused, ValidationError) as error:
        raise IntegrityError("log-checkpoint-wrong") from error
    if checkpoint.origin != origin:
        raise IntegrityError("log-checkpoint-wrong")
    return checkpoint


def verify_receipt(receipt: Receipt, resolve: Resolve, origin: str) -> Checkpoint:
    """Check that the receipt's entry is in the log, where it says.

    Args:
        receipt: The entry, its place, its path and the signed checkpoint.
        resolve: Gives the log's keys.
        origin: The log that it must come from.

    Returns:
        The checkpoint under which the entry stands.

    Raises:
        IntegrityError: ``log-checkpoint-wrong`` or ``log-entry-changed``.
    """
    checkpoint = verify_checkpoint(receipt.checkpoint, resolve, origin)
    path = [bytes.fromhex(each) for each in receipt.path]
    leaf = leaf_hash(receipt.entry.encode())
    if not is_included(leaf, receipt.index, checkpoint.size, path, bytes.fromhex(checkpoint.root)):
        raise IntegrityError("log-entry-changed", index=receipt.index)
    _check_entry(receipt.entry, receipt.index)
    return checkpoint


def verify_export(export: LogExport, resolve: Resolve, origin: str) -> int:
    """Check a whole log: every entry, the tree over them and the signed checkpoint.

    Returns:
        The number of entries.

    Raises:
        IntegrityError: ``log-entry-changed`` names the first entry that is not what was recorded, or is missing;
            ``log-checkpoint-wrong`` when the entries do not lead to the checkpoint.
    """
    for index, (entry, recorded) in enumerate(zip_longest(export.entries, export.leaf_hashes)):
        if entry is None or recorded is None or leaf_hash(entry.encode()).hex() != recorded:
            raise IntegrityError("log-entry-changed", index=index)
        _check_entry(entry, index)
    checkpoint = verify_checkpoint(export.checkpoint, resolve, origin)
    root = root_of([bytes.fromhex(each) for each in export.leaf_hashes])
    if (checkpoint.size, checkpoint.root) != (len(export.entries), root.hex()):
        raise IntegrityError("log-checkpoint-wrong")
    return checkpoint.size


def verify_growth(old: Checkpoint, new: Checkpoint, path: Sequence[str]) -> None:
    """Check that nothing was rewritten between two verified checkpoints, by a consistency path in hexadecimal.

    Raises:
        IntegrityError: ``log-checkpoint-wrong``.
    """
    nodes = [bytes.fromhex(each) for each in path]
    grew = is_consistent(old.size, bytes.fromhex(old.root), new.size, bytes.fromhex(new.root), nodes)
    if not grew or old.origin != new.origin:
        raise IntegrityError("log-checkpoint-wrong")


def _check_entry(entry: str, index: int) -> None:
    try:
        LogEntry.model_validate_json(entry)
    except ValidationError as error:
        raise IntegrityError("log-entry-changed", index=index) from error
