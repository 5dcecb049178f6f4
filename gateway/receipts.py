"""Checkpoints and receipts: what lets anybody check the gateway without trusting it."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from contracts.checkpoints import cosigned, log_keys, log_origin, sign_checkpoint, signed_again
from contracts.tiles import Tile
from contracts.transparency import Checkpoint, Receipt
from gateway.means import Means
from gateway.store import checkpoints, log
from gateway.store.checkpoints import SavedCheckpoint

PUBLISHED_FOR: Final = timedelta(seconds=40)
"""So long a checkpoint stays on show while witnesses are missing: longer than a connector's longest poll."""

COMPARED: Final = 8
"""So many of the checkpoints that cover an entry are compared; of older ones the keys would hardly stand any better."""


def checkpoint(means: Means) -> SavedCheckpoint:
    """The signed head of the log. Each size is signed once, so that no two heads of one size are ever shown.

    It goes on show at once where that is due: then whoever is given it has what the witnesses are shown.
    """
    with means.store.read() as r:
        head, last, shown = log.head(r), checkpoints.newest(r), checkpoints.last_published(r)
    if last is not None and last.size == head.size:
        return last
    claim = Checkpoint(origin=log_origin(means.settings.issuer), size=head.size, root=head.root)
    is_due = shown is None or _is_over(means, shown)
    signed = SavedCheckpoint(head.size, sign_checkpoint(claim, means.keys.log), means.clock(), is_due)
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
    """The proof that an entry is in the log, under the checkpoint that most witnesses stand by of those that cover it.

    A witness counts by the keys that are registered now, and the checkpoint bears the signature of the log's present
    key: one that was revoked must not spoil the receipts of what was released before. What witnesses never see is
    handed out only while nothing that they see covers the entry.
    """
    best = _best(means, place)
    if best is not None and not best.published:
        published(means)  # moves on where that is due
        best = _best(means, place)
    if best is None:
        best = checkpoint(means)
    with means.store.read() as r:
        stands = replace(best, document=signed_again(best.document, means.keys.log))
        return Receipt(
            index=place,
            entry=log.entry(r, place),
            path=log.path(r, place, best.size),
            checkpoint=checkpoints.cosigned_document(r, stands),
        )


def tile(means: Means, wanted: Tile) -> bytes | None:
    """The content of a tile or a bundle of entries; none when the log is not so long yet."""
    with means.store.read() as r:
        return log.tile(r, wanted)


def _best(means: Means, place: int) -> SavedCheckpoint | None:
    keys = log_keys(means.federation, means.clock())

    with means.store.read() as r:

        def standing(each: SavedCheckpoint) -> tuple[bool, int, int]:
            witnesses = cosigned(checkpoints.cosigned_document(r, each), keys) if each.witnesses else ()
            return each.published, len(witnesses), each.size

        return max(checkpoints.covering(r, place, COMPARED), key=standing, default=None)


def _is_over(means: Means, last: SavedCheckpoint) -> bool:
    now = means.clock()
    witnesses = log_keys(means.federation, now).witnesses
    awaited = {key.kid.partition("#")[0] for key in witnesses if key.is_valid(now)}
    return last.witnesses >= len(awaited) or now - last.signed_at >= PUBLISHED_FOR
