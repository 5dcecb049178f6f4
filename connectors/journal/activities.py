"""What each activity has asked and charged, by this agency's own count.

The key is the agreement's name and the activity's, so that a new version of the agreement does not begin anew.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, distinct, func, select
from sqlalchemy.orm import Session

from connectors.journal.entries import Use, Used
from connectors.journal.prepared import AnySelect, Rows, prepared
from connectors.journal.standing_tables import ActivityUse
from connectors.journal.tables import Charged
from connectors.journal.writing import Writing
from contracts.task import Charge


def used(journal: Rows, use: Use, request_digest: str, charges: Collection[Charge]) -> Used:
    """What the activity has used, this question left out.

    A question that was counted before, for another of its contracts or before a crash, is not held against the schedule
    again: it was within it when it was counted.

    Args:
        journal: The journal, or the transaction in which the question is being charged.
        use: The activity.
        request_digest: The question.
        charges: What it would cost.
    """
    # Each look goes through all that the activity ever asked: it is had only where the agreement sets a limit.
    return Used(
        asked_in_span=0 if use.span is None else _asked_in(journal, use, request_digest, use.span),
        nano_rho_spent=_dearest(journal, use, request_digest, charges) if use.is_capped else 0,
    )


def note(t: Writing, use: Use, request_digest: str, contract_digest: str, now: datetime) -> None:
    """A question is being charged."""
    key = {"request_digest": request_digest, "contract_digest": contract_digest}
    t.add(ActivityUse, {**key, "agreement": use.agreement, "activity": use.activity, "asked_at": now})


def forget(session: Session, request_digest: str, contract_digest: str) -> None:
    """Its charge was returned: it never happened."""
    same = (ActivityUse.request_digest == request_digest) & (ActivityUse.contract_digest == contract_digest)
    session.execute(delete(ActivityUse).where(same))


def _asked_in(journal: Rows, use: Use, request_digest: str, span: tuple[datetime, datetime]) -> int:
    me = (use.agreement, use.activity, request_digest)
    if journal.rows(_counted(*me)):
        return 0
    (row,) = journal.rows(_asked(*me, *span))
    return int(row.asked)


def _dearest(journal: Rows, use: Use, request_digest: str, charges: Collection[Charge]) -> int:
    wanted = {(each.source, each.window) for each in charges}
    rows = journal.rows(_summed(use.agreement, use.activity, request_digest))
    return max((row.total for row in rows if (row.source, row.window) in wanted), default=0)


def _others(agreement: str, activity: str, request_digest: str) -> ColumnElement[bool]:
    of_activity = (ActivityUse.agreement == agreement) & (ActivityUse.activity == activity)
    return of_activity & (ActivityUse.request_digest != request_digest)


@prepared
def _counted(agreement: str, activity: str, request_digest: str) -> AnySelect:
    of_activity = (ActivityUse.agreement == agreement) & (ActivityUse.activity == activity)
    mine = of_activity & (ActivityUse.request_digest == request_digest)
    return select(ActivityUse.request_digest).where(mine).limit(1)


@prepared
def _asked(agreement: str, activity: str, request_digest: str, start: datetime, until: datetime) -> AnySelect:
    inside = (ActivityUse.asked_at >= start) & (ActivityUse.asked_at < until)
    asked = func.count(distinct(ActivityUse.request_digest)).label("asked")
    return select(asked).where(_others(agreement, activity, request_digest), inside)


@prepared
def _summed(agreement: str, activity: str, request_digest: str) -> AnySelect:
    same = and_(
        Charged.request_digest == ActivityUse.request_digest, Charged.contract_digest == ActivityUse.contract_digest
    )
    summed = select(Charged.source, Charged.window, func.sum(Charged.nano_rho).label("total")).join(ActivityUse, same)
    others = _others(agreement, activity, request_digest)
    return summed.where(others).group_by(Charged.source, Charged.window)
