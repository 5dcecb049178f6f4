"""What the journal keeps of requests that wait for an officer, and of the officers' decisions."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from connectors.crash import CrashPoint
from connectors.journal.book import Journal
from connectors.journal.prepared import AnySelect, prepared
from connectors.journal.standing_tables import Decided, Pending
from contracts.approval import OfficerDecision
from contracts.errors import Refused
from contracts.request import Request
from contracts.task import Task


class PendingTask(NamedTuple):
    """A verified task whose request waits for an officer, or waited."""

    task: Task
    request: Request
    request_digest: str
    waits_since: datetime


def wait_for_officer(journal: Journal, task: Task, request_digest: str, now: datetime) -> bool:
    """Keep a verified task until an officer has decided; whether it is new. Nothing is charged."""
    request = Request.model_validate_json(task.request.body)
    key = (request_digest, task.contract.digest)
    with journal.transaction(CrashPoint.PENDING_BEFORE_COMMIT, CrashPoint.PENDING_AFTER_COMMIT) as session:
        if session.get(Pending, key) is not None:
            return False
        session.add(
            Pending(
                request_digest=request_digest,
                contract_digest=task.contract.digest,
                request_id=request.id,
                task=task.model_dump_json(by_alias=True),
                waits_since=now,
            )
        )
        return True


def pending(journal: Journal, now: datetime) -> tuple[PendingTask, ...]:
    """The tasks whose requests wait for an officer and may still be delivered, oldest first."""
    undecided = Pending.request_digest.not_in(select(Decided.request_digest))
    with journal.transaction() as session:
        rows = session.scalars(select(Pending).where(undecided).order_by(Pending.waits_since, Pending.contract_digest))
        found = tuple(_pending(row) for row in rows)
    return tuple(each for each in found if each.request.is_deliverable(now))


def decide(journal: Journal, decision: OfficerDecision, document: str, now: datetime) -> None:
    """Keep an officer's verified decision.

    Raises:
        Refused: ``request-already-decided``.
    """
    with journal.transaction(CrashPoint.DECISION_BEFORE_COMMIT, CrashPoint.DECISION_AFTER_COMMIT) as session:
        row = session.get(Decided, decision.request_digest)
        if row is not None:
            raise Refused("request-already-decided", request=decision.request_digest)
        session.add(Decided(request_digest=decision.request_digest, document=document, decided_at=now))


def decision(journal: Journal, request_digest: str) -> tuple[str, datetime] | None:
    """The document of the decision on a request, and when it was made."""
    row = next(iter(journal.rows(_decided(request_digest))), None)
    return None if row is None else (row.document, row.decided_at)


def _pending(row: Pending) -> PendingTask:
    task = Task.model_validate_json(row.task)
    request = Request.model_validate_json(task.request.body)
    return PendingTask(task, request, row.request_digest, row.waits_since)


@prepared
def _decided(request_digest: str) -> AnySelect:
    return select(Decided.document, Decided.decided_at).where(Decided.request_digest == request_digest)
