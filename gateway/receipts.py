"""Checkpoints, receipts and the export of the log: what lets anybody check the gateway without trusting it."""

from contracts.merkle import sign_checkpoint
from contracts.transparency import Checkpoint, LogExport, Receipt
from gateway.means import Means
from gateway.store import log
from gateway.store.log import SavedCheckpoint


def checkpoint(means: Means) -> SavedCheckpoint:
    """The signed head of the log. Each size is signed once, so that no two heads of one size are ever shown."""
    with means.store.read() as r:
        head, last = log.head(r), log.last_checkpoint(r)
    if last is not None and last.size == head.size:
        return last
    claim = Checkpoint(origin=means.settings.issuer, size=head.size, root=head.root, at=means.clock())
    signed = SavedCheckpoint(head.size, sign_checkpoint(claim, means.keys.log))
    with means.store.transaction() as t:
        return log.save_checkpoint(t, signed)


def receipt(means: Means, place: int) -> Receipt:
    """The proof that an entry is in the log, under the newest checkpoint that covers it."""
    with means.store.read() as r:
        last = log.last_checkpoint(r)
    if last is None or last.size <= place:
        last = checkpoint(means)
    with means.store.read() as r:
        return Receipt(
            index=place,
            entry=log.entry(r, place),
            path=log.path(r, place, last.size),
            checkpoint=last.document,
        )


def export(means: Means) -> LogExport:
    """The whole log up to a signed checkpoint."""
    head = checkpoint(means)
    with means.store.read() as r:
        return LogExport(
            entries=log.entries(r, head.size),
            leaf_hashes=log.leaf_hashes(r, head.size),
            checkpoint=head.document,
        )
