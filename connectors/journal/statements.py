"""What the journal asks of its own tables at every task."""

from typing import Final

from sqlalchemy import func, select

from connectors.journal.prepared import AnySelect, prepared
from connectors.journal.tables import Answer, AnswerState, Approved, Charged, LeastBudget


@prepared
def listed(digest: str) -> AnySelect:
    """A contract that stands on the list today, without its text."""
    return select(Approved.digest).where(Approved.digest == digest, Approved.retired_at.is_(None))


@prepared
def made(request_digest: str, contract_digest: str) -> AnySelect:
    """The part of a question over a contract."""
    mine = (Answer.request_digest == request_digest) & (Answer.contract_digest == contract_digest)
    return select(Answer.part, Answer.part_digest).where(mine)


@prepared
def answered_for(task: str) -> AnySelect:
    """The answers to a task whose parts were made."""
    key = (Answer.request_digest, Answer.contract_digest)
    return select(*key, Answer.part).where(Answer.task_id == task, Answer.part_digest.is_not(None))


UNSETTLED: Final = (Answer.state == AnswerState.CHARGED.value) | (Answer.state == AnswerState.ANSWERED.value)
"""By what it is, not by what it is not: the index finds these few among all that ever was answered."""


@prepared
def unsettled() -> AnySelect:
    """What the gateway has not acknowledged, oldest first."""
    return select(Answer.task, Answer.part).where(UNSETTLED).order_by(Answer.opened_at)


@prepared
def unsettled_names() -> AnySelect:
    """The names of these tasks."""
    return select(Answer.task_id).where(UNSETTLED)


@prepared
def charged(source: str, window: str) -> AnySelect:
    """What a window of a source has cost, and the smallest budget of a window that the source ever had."""
    spent = func.coalesce(func.sum(Charged.nano_rho), 0).label("spent")
    least = select(LeastBudget.nano_rho).where(LeastBudget.source == source).scalar_subquery().label("least")
    return select(spent, least).where(Charged.source == source, Charged.window == window)
