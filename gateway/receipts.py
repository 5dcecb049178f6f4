"""Checkpoints and receipts: what lets anybody check the gateway without trusting it."""

from datetime import timedelta
from typing import Final

from contracts.checkpoints import log_keys, log_origin, sign_checkpoint, signed_again
from contracts.tiles import Tile
from contracts.transparency import Checkpoint, Receipt
from gateway.means import Means
from gateway.store import checkpoints, log
from gateway.store.checkpoints import SavedCheckpoint

PUBLISHED_FOR: Final = timedelta(seconds=40)
"""So long a checkpoint stays on show while witnesses are missing: longer than a connector's longest poll."""


def checkpoint(means: Means) -> SavedCheckpoint:
    """The signed head of the log. Each size is signed once, so that no two heads of one size are ever shown."""
    with means.store.read() as r:
        head, last = log.head(r), checkpoints.newest(r)
    if last is not None and last.size == head.size:
        return last
    claim = Checkpoint(origin=log_origin(means.settings.issuer), size=head.size, root=head.root)
    signed = SavedCheckpoint(head.size, sign_checkpoint(claim, means.keys.log), means.clock())
    with means.store.transaction() as t:
        return checkpoints.save(t, signed)


def published(means: Means) -> str:
    """The checkpoint on show, with the cosignatures that came for it.

    All witnesses must meet the same one, or none would ever have all their cosignatures: it is replaced when the log
    has grown and either every witness has cosigned it or it has been on show for long enough.
    """
    with means.store.read() as r:
        head, last = log.head(r), checkpoints.last_published(r)
    if last is None or (last.size < head.size and _is_over(means, last)):
        last = checkpoint(means)
    document = signed_again(last.document, means.keys.log)
    if not last.published or document != last.document:
        with means.store.transaction() as t:
            checkpoints.publish(t, last.size, document)
    with means.store.read() as r:
        stands = checkpoints.of_size(r, last.size) or last
        return checkpoints.cosigned_document(r, stands)


def receipt(means: Means, place: int) -> Receipt:
    """The proof that an entry is in the log, under the checkpoint that most witnesses cosigned of those that cover it.

    When none covers it yet, one is signed.
    """
    with means.store.read() as r:
        best = checkpoints.best_over(r, place)
    if best is None:
        best = checkpoint(means)
    with means.store.read() as r:
        return Receipt(
            index=place,
            entry=log.entry(r, place),
            path=log.path(r, place, best.size),
            checkpoint=checkpoints.cosigned_document(r, best),
        )


def tile(means: Means, wanted: Tile) -> bytes | None:
    """The content of a tile or a bundle of entries; none when the log is not so long yet."""
    with means.store.read() as r:
        return log.tile(r, wanted)


def _is_over(means: Means, last: SavedCheckpoint) -> bool:
    now = means.clock()
    witnesses = log_keys(means.federation, now).witnesses
    awaited = {key.kid.partition("#")[0] for key in witnesses if key.is_valid(now)}
    return last.witnesses >= len(awaited) or now - last.signed_at >= PUBLISHED_FOR
