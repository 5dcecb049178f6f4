"""The checkpoints that the gateway signed, which of them it showed to the witnesses, and their cosignatures."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Update, func, select, update

from contracts.checkpoints import with_cosignatures
from gateway.store.engine import AnyRow, AnySelect, Reading, Transaction
from gateway.store.log_tables import log_checkpoints, log_cosignatures
from gateway.store.prepared import prepared


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
    return _saved(r.one(_newest()))


def last_published(r: Reading) -> SavedCheckpoint | None:
    """The checkpoint of the greatest size that was shown to everybody."""
    return _saved(r.one(_last_published()))


def covering(r: Reading, place: int, most: int) -> tuple[SavedCheckpoint, ...]:
    """The checkpoints that cover an entry: those first that were shown, of these those that most agencies cosigned.

    Of equal ones the newest first.

    Args:
        r: The store.
        place: The entry.
        most: How many are wanted.
    """
    rows = (_saved(row) for row in r.all(_covering(place, most)))
    return tuple(each for each in rows if each is not None)


def of_size(r: Reading, size: int) -> SavedCheckpoint | None:
    """The checkpoint of one size."""
    return _saved(r.one(_of_size(size)))


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
    t.run(_shown(size, document))


def add_cosignature(t: Transaction, size: int, agency: str, line: str, now: datetime) -> None:
    """Keep an agency's cosignature; the first that it made of a checkpoint stands."""
    t.hold(_of_size(size))
    t.add_new(log_cosignatures, {"size": size, "agency": agency, "line": line, "received_at": now})
    t.run(_counted(size))


def cosigned_document(r: Reading, checkpoint: SavedCheckpoint) -> str:
    """The note of a checkpoint with every cosignature that came for it."""
    rows = r.all(_lines(checkpoint.size))
    return with_cosignatures(checkpoint.document, (row.line for row in rows))


def _saved(row: AnyRow | None) -> SavedCheckpoint | None:
    if row is None:
        return None
    return SavedCheckpoint(row.size, row.document, row.signed_at, row.published, row.witnesses)


@prepared
def _newest() -> AnySelect:
    return select(log_checkpoints).order_by(log_checkpoints.c.size.desc()).limit(1)


@prepared
def _last_published() -> AnySelect:
    shown = select(log_checkpoints).where(log_checkpoints.c.published)
    return shown.order_by(log_checkpoints.c.size.desc()).limit(1)


@prepared
def _covering(place: int, most: int) -> AnySelect:
    found = select(log_checkpoints).where(log_checkpoints.c.size > place)
    order = (log_checkpoints.c.published.desc(), log_checkpoints.c.witnesses.desc(), log_checkpoints.c.size.desc())
    return found.order_by(*order).limit(most)


@prepared
def _of_size(size: int) -> AnySelect:
    return select(log_checkpoints).where(log_checkpoints.c.size == size)


@prepared
def _shown(size: int, document: str) -> Update:
    return update(log_checkpoints).where(log_checkpoints.c.size == size).values(published=True, document=document)


@prepared
def _counted(size: int) -> Update:
    count = select(func.count()).where(log_cosignatures.c.size == size).scalar_subquery()
    return update(log_checkpoints).where(log_checkpoints.c.size == size).values(witnesses=count)


@prepared
def _lines(size: int) -> AnySelect:
    lines = select(log_cosignatures.c.line).where(log_cosignatures.c.size == size)
    return lines.order_by(log_cosignatures.c.agency)
