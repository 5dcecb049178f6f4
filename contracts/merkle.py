"""Proofs about the log, as anybody checks them: RFC 6962 trees, receipts and growth between checkpoints.

Nothing here trusts the gateway: what is proved is proved from bytes, hashes and the signature of the log's key.
``contracts.merkle_tree`` makes the proofs.
"""

from collections.abc import Sequence
from hashlib import sha256

from pydantic import ValidationError

from contracts.checkpoints import LogKeys, verify_checkpoint
from contracts.errors import IntegrityError
from contracts.transparency import Checkpoint, LogEntry, Receipt

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry; its prefix keeps an entry from passing for an inner node."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, in one pass."""
    complete: list[tuple[int, bytes]] = []
    for leaf in leaf_hashes:
        level, node = 0, leaf
        while complete and complete[-1][0] == level:
            node = node_hash(complete.pop()[1], node)
            level += 1
        complete.append((level, node))
    return root_over([node for _, node in complete])


def root_over(peaks: Sequence[bytes]) -> bytes:
    """The root over the largest complete subtrees of a tree, the highest first."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for each in reversed(peaks[:-1]):
        root = node_hash(each, root)
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


def verify_receipt(receipt: Receipt, keys: LogKeys) -> LogEntry:
    """Check that the receipt's entry is in the log, where it says.

    Args:
        receipt: The entry, its place, its path and the signed checkpoint.
        keys: The log that it must come from, and its keys.

    Returns:
        The entry.

    Raises:
        IntegrityError: ``log-checkpoint-wrong`` or ``log-entry-changed``.
    """
    checkpoint = verify_checkpoint(receipt.checkpoint, keys)
    path = [bytes.fromhex(each) for each in receipt.path]
    leaf = leaf_hash(receipt.entry.encode())
    if not is_included(leaf, receipt.index, checkpoint.size, path, bytes.fromhex(checkpoint.root)):
        raise IntegrityError("log-entry-changed", index=receipt.index)
    return read_entry(receipt.entry, receipt.index)


def verify_growth(old: Checkpoint, new: Checkpoint, path: Sequence[str]) -> None:
    """Check that nothing was rewritten between two verified checkpoints, by a consistency path in hexadecimal.

    Raises:
        IntegrityError: ``log-checkpoint-wrong``.
    """
    nodes = [bytes.fromhex(each) for each in path]
    grew = is_consistent(old.size, bytes.fromhex(old.root), new.size, bytes.fromhex(new.root), nodes)
    if not grew or old.origin != new.origin:
        raise IntegrityError("log-checkpoint-wrong")


def read_entry(entry: str | bytes, index: int) -> LogEntry:
    """An entry of the log from its bytes.

    Raises:
        IntegrityError: ``log-entry-changed``, when it is none.
    """
    try:
        return LogEntry.model_validate_json(entry)
    except ValidationError as error:
        raise IntegrityError("log-entry-changed", index=index) from error
