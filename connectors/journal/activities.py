"""What each activity has asked and charged, by this agency's own count.

The key is the agreement's name and the activity's, so that a new version of the agreement does not begin anew.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, distinct, func, select
from sqlalchemy.orm import Session

from connectors.journal.entries import Use, Used
from connectors.journal.standing_tables import ActivityUse
from connectors.journal.tables import Charged
from contracts.task import Charge


def used(session: Session, use: Use, request_digest: str, charges: Collection[Charge]) -> Used:
    """What the activity has used, this question left out.

    A question that was counted before, for another of its contracts or before a crash, is not held against the schedule
    again: it was within it when it was counted.
    """
    others = _of(use) & (ActivityUse.request_digest != request_digest)
    return Used(
        asked_in_span=0 if _is_counted(session, use, request_digest) else _asked(session, use, others),
        nano_rho_spent=_dearest(session, others, charges),
    )


def note(session: Session, use: Use, request_digest: str, contract_digest: str, now: datetime) -> None:
    """A question is being charged."""
    session.add(
        ActivityUse(
            request_digest=request_digest,
            contract_digest=contract_digest,
            agreement=use.agreement,
            activity=use.activity,
            asked_at=now,
        )
    )


def forget(session: Session, request_digest: str, contract_digest: str) -> None:
    """Its charge was returned: it never happened."""
    same = (ActivityUse.request_digest == request_digest) & (ActivityUse.contract_digest == contract_digest)
    session.execute(delete(ActivityUse).where(same))


def _is_counted(session: Session, use: Use, request_digest: str) -> bool:
    mine = _of(use) & (ActivityUse.request_digest == request_digest)
    return session.scalar(select(ActivityUse.request_digest).where(mine).limit(1)) is not None


def _asked(session: Session, use: Use, others: ColumnElement[bool]) -> int:
    if use.span is None:
        return 0
    start, until = use.span
    inside = (ActivityUse.asked_at >= start) & (ActivityUse.asked_at < until)
    return session.scalar(select(func.count(distinct(ActivityUse.request_digest))).where(others, inside)) or 0


def _dearest(session: Session, others: ColumnElement[bool], charges: Collection[Charge]) -> int:
    wanted = {(each.source, each.window) for each in charges}
    same = and_(
        Charged.request_digest == ActivityUse.request_digest, Charged.contract_digest == ActivityUse.contract_digest
    )
    summed = (
        select(Charged.source, Charged.window, func.sum(Charged.nano_rho))
        .join(ActivityUse, same)
        .where(others)
        .group_by(Charged.source, Charged.window)
    )
    spent = (total for source, window, total in session.execute(summed) if (source, window) in wanted)
    return max(spent, default=0)


def _of(use: Use) -> ColumnElement[bool]:
    return (ActivityUse.agreement == use.agreement) & (ActivityUse.activity == use.activity)
