"""The checkpoints that the gateway signed, which of them it showed to the witnesses, and their cosignatures."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from contracts.checkpoints import with_cosignatures
from gateway.store.engine import AnyRow, Reading, Transaction
from gateway.store.log_tables import log_checkpoints, log_cosignatures


@dataclass(frozen=True, slots=True)
class SavedCheckpoint:
    """A signed checkpoint; there is one for each size that was ever shown.

    ``document`` is the note under the log's key alone, ``published`` whether it was shown to everybody, ``witnesses``
    how many agencies have cosigned it.
    """

    size: int
    document: str
    signed_at: datetime
    published: bool = False
    witnesses: int = 0


def newest(r: Reading) -> SavedCheckpoint | None:
    """The checkpoint of the greatest size that was signed."""
    return _saved(r.one(select(log_checkpoints).order_by(log_checkpoints.c.size.desc()).limit(1)))


def last_published(r: Reading) -> SavedCheckpoint | None:
    """The checkpoint of the greatest size that was shown to everybody."""
    shown = select(log_checkpoints).where(log_checkpoints.c.published)
    return _saved(r.one(shown.order_by(log_checkpoints.c.size.desc()).limit(1)))


def covering(r: Reading, place: int, most: int) -> tuple[SavedCheckpoint, ...]:
    """The checkpoints that cover an entry: those first that were shown, of these those that most agencies cosigned.

    Of equal ones the newest first.

    Args:
        r: The store.
        place: The entry.
        most: How many are wanted.
    """
    found = select(log_checkpoints).where(log_checkpoints.c.size > place)
    order = (log_checkpoints.c.published.desc(), log_checkpoints.c.witnesses.desc(), log_checkpoints.c.size.desc())
    rows = (_saved(row) for row in r.all(found.order_by(*order).limit(most)))
    return tuple(each for each in rows if each is not None)


def of_size(r: Reading, size: int) -> SavedCheckpoint | None:
    """The checkpoint of one size."""
    return _saved(r.one(select(log_checkpoints).where(log_checkpoints.c.size == size)))


def save(t: Transaction, checkpoint: SavedCheckpoint) -> SavedCheckpoint:
    """Keep a checkpoint; when another process was faster with this size, its checkpoint stands."""
    row = {
        "size": checkpoint.size,
        "document": checkpoint.document,
        "signed_at": checkpoint.signed_at,
        "published": checkpoint.published,
        "witnesses": 0,
    }
    t.add_new(log_checkpoints, row)
    return of_size(t, checkpoint.size) or checkpoint


def publish(t: Transaction, size: int, document: str) -> None:
    """Show a checkpoint to everybody from now on, under this note: the same text, perhaps signed by a new key too."""
    of_this = update(log_checkpoints).where(log_checkpoints.c.size == size)
    t.run(of_this.values(published=True, document=document))


def add_cosignature(t: Transaction, size: int, agency: str, line: str, now: datetime) -> None:
    """Keep an agency's cosignature; the first that it made of a checkpoint stands."""
    t.lock(select(log_checkpoints).where(log_checkpoints.c.size == size))
    t.add_new(log_cosignatures, {"size": size, "agency": agency, "line": line, "received_at": now})
    count = select(func.count()).where(log_cosignatures.c.size == size).scalar_subquery()
    t.run(update(log_checkpoints).where(log_checkpoints.c.size == size).values(witnesses=count))


def cosigned_document(r: Reading, checkpoint: SavedCheckpoint) -> str:
    """The note of a checkpoint with every cosignature that came for it."""
    lines = select(log_cosignatures.c.line).where(log_cosignatures.c.size == checkpoint.size)
    rows = r.all(lines.order_by(log_cosignatures.c.agency))
    return with_cosignatures(checkpoint.document, (row.line for row in rows))


def _saved(row: AnyRow | None) -> SavedCheckpoint | None:
    if row is None:
        return None
    return SavedCheckpoint(row.size, row.document, row.signed_at, row.published, row.witnesses)
