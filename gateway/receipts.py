"""Checkpoints and receipts: what lets anybody check the gateway without trusting it."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from contracts.checkpoints import cosigned, log_keys, log_origin, sign_checkpoint, signed_again
from contracts.keys import SigningKey
from contracts.remembered import Memory
from contracts.tiles import Tile
from contracts.transparency import Checkpoint, Receipt
from gateway.means import Means
from gateway.store import checkpoints, log
from gateway.store.checkpoints import SavedCheckpoint
from gateway.store.engine import Reading

PUBLISHED_FOR: Final = timedelta(seconds=40)
"""So long a checkpoint stays on show while witnesses are missing: longer than a connector's longest poll."""

COMPARED: Final = 8
"""So many of the checkpoints that cover an entry are compared; of older ones the keys would hardly stand any better."""

_counts: Final = Memory[int]()
_notes: Final = Memory[str]()


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
    document = _signed_again(last.document, means.keys.log)
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
    with means.store.read() as r:
        best = _best(means, r, place)
        if best is not None and best.published:
            return _receipt(means, r, place, best)
    if best is not None:
        published(means)  # moves on where that is due
        with means.store.read() as r:
            best = _best(means, r, place)
    best = best or checkpoint(means)
    with means.store.read() as r:
        return _receipt(means, r, place, best)


def tile(means: Means, wanted: Tile) -> bytes | None:
    """The content of a tile or a bundle of entries; none when the log is not so long yet."""
    with means.store.read() as r:
        return log.tile(r, wanted)


def _receipt(means: Means, r: Reading, place: int, best: SavedCheckpoint) -> Receipt:
    stands = replace(best, document=_signed_again(best.document, means.keys.log))
    return Receipt(
        index=place,
        entry=log.entry(r, place),
        path=log.path(r, place, best.size, best.document),
        checkpoint=checkpoints.cosigned_document(r, stands),
    )


def _best(means: Means, r: Reading, place: int) -> SavedCheckpoint | None:
    best, stands = None, (False, -1, -1)
    for each in checkpoints.covering(r, place, COMPARED):
        # They come in the order of what they would stand at most, if every cosignature still counts.
        if stands >= (each.published, each.witnesses, each.size):
            break
        standing = each.published, _standing_by(means, r, each), each.size
        if standing > stands:
            best, stands = each, standing
    return best


def _standing_by(means: Means, r: Reading, each: SavedCheckpoint) -> int:
    """How many witnesses stand by a checkpoint; counted once for one note under one state of the registered keys."""
    if not each.witnesses:
        return 0
    document = checkpoints.cosigned_document(r, each)

    def count() -> int:
        return len(cosigned(document, log_keys(means.federation, means.clock())))

    return _counts.of((means.federation,), document, count)


def _signed_again(document: str, key: SigningKey) -> str:
    """Signed once by one key: its signatures of one text are all alike (RFC 8032)."""
    return _notes.of((key,), document, lambda: signed_again(document, key))


def _is_over(means: Means, last: SavedCheckpoint) -> bool:
    now = means.clock()
    witnesses = log_keys(means.federation, now).witnesses
    awaited = {key.kid.partition("#")[0] for key in witnesses if key.is_valid(now)}
    return last.witnesses >= len(awaited) or now - last.signed_at >= PUBLISHED_FOR
