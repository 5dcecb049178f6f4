"""Suspensions as rows: every order that was accepted, its document, and its lift."""

from datetime import datetime
from typing import Final

from sqlalchemy import select, update

from contracts.suspension import Suspended, Suspension, SuspensionView
from gateway.store.engine import AnyRow, AnySelect, Reading, Transaction
from gateway.store.notice_tables import suspensions
from gateway.store.prepared import prepared

NOTHING: Final = Suspended()


def add(t: Transaction, order: Suspension, document: str, now: datetime) -> bool:
    """Keep an order to suspend; whether its identifier is new."""
    row = {
        "id": order.id,
        "ordered_by": order.by,
        "agency": order.agency,
        "dataset": order.dataset,
        "document": document,
        "reason": order.reason,
        "ordered_at": now,
    }
    return t.add_new(suspensions, row)


def lift(t: Transaction, order: Suspension, document: str, now: datetime) -> bool:
    """Keep an order to lift; whether its suspension still stood."""
    standing = (suspensions.c.id == order.id) & suspensions.c.lifted_at.is_(None)
    lifted = {"lift_document": document, "lift_reason": order.reason, "lifted_at": now}
    return t.run(update(suspensions).where(standing).values(**lifted)) > 0


def lock(t: Transaction, name: str) -> SuspensionView | None:
    """The suspension of that identifier, which nobody else changes until the transaction ends."""
    row = t.lock(select(suspensions).where(suspensions.c.id == name))
    return _view(row) if row else None


def standing(r: Reading) -> Suspended:
    """What is suspended now."""
    rows = r.all(_standing())
    if not rows:
        return NOTHING
    return Suspended(
        agencies=frozenset(row.agency for row in rows if row.dataset is None),
        datasets=frozenset((row.agency, row.dataset) for row in rows if row.dataset is not None),
    )


def everything(r: Reading) -> tuple[SuspensionView, ...]:
    """Every suspension, standing or past, newest first."""
    rows = r.all(select(suspensions).order_by(suspensions.c.ordered_at.desc(), suspensions.c.id))
    return tuple(_view(row) for row in rows)


def _view(row: AnyRow) -> SuspensionView:
    return SuspensionView(
        id=row.id,
        by=row.ordered_by,
        agency=row.agency,
        dataset=row.dataset,
        reason=row.reason,
        ordered_at=row.ordered_at,
        document=row.document,
        lifted_at=row.lifted_at,
        lift_reason=row.lift_reason,
        lift_document=row.lift_document,
    )


@prepared
def _standing() -> AnySelect:
    return select(suspensions.c.agency, suspensions.c.dataset).where(suspensions.c.lifted_at.is_(None))
