"""What the journal keeps of the gateway's log: the checkpoint that was last checked, and evidence against the log."""

from datetime import datetime
from typing import NamedTuple

from pydantic import AwareDatetime
from sqlalchemy import select

from connectors.journal.book import Journal
from connectors.journal.tables import Answer
from connectors.journal.witness_tables import LogEvidence, SeenCheckpoint
from contracts.request import Request
from contracts.task import Task
from contracts.values import Value


class Seen(NamedTuple):
    """The checkpoint that was last checked; ``handed_in`` when the gateway has this connector's cosignature of it."""

    size: int
    document: str
    seen_at: datetime
    handed_in: bool


class Evidence(Value):
    """Two signed checkpoints that cannot both be of a log that only grows: the earlier one, and what was shown then.

    It is settled when the agency decided to go on, for the reason that it gave.
    """

    number: int
    code: str
    seen: str
    shown: str
    at: AwareDatetime
    settled_at: AwareDatetime | None = None
    reason: str | None = None


def seen(journal: Journal) -> Seen | None:
    """The checkpoint that was last checked."""
    with journal.transaction() as session:
        row = session.get(SeenCheckpoint, 1)
        return None if row is None else Seen(row.size, row.document, row.seen_at, row.handed_in)


def see(journal: Journal, size: int, document: str, now: datetime) -> None:
    """Keep a checkpoint that was checked; from now on the log must begin with all of it."""
    with journal.transaction() as session:
        session.merge(SeenCheckpoint(only=1, size=size, document=document, seen_at=now, handed_in=False))


def handed_in(journal: Journal) -> None:
    """The gateway has the cosignature of the checkpoint that was last checked."""
    with journal.transaction() as session:
        row = session.get(SeenCheckpoint, 1)
        if row is not None:
            row.handed_in = True


def answered_between(journal: Journal, since: datetime, until: datetime) -> tuple[datetime, ...]:
    """When the requesters made the questions that this connector charged after ``since`` and not after ``until``."""
    taken = select(Answer.task).where(Answer.opened_at > since, Answer.opened_at <= until)
    with journal.transaction() as session:
        tasks = [Task.model_validate_json(each) for each in session.scalars(taken)]
    return tuple(Request.model_validate_json(each.request.body).created for each in tasks)


def keep_evidence(journal: Journal, code: str, earlier: str, shown: str, now: datetime) -> None:
    """Keep two checkpoints that contradict each other."""
    with journal.transaction() as session:
        session.add(LogEvidence(code=code, seen=earlier, shown=shown, at=now))


def evidence(journal: Journal) -> tuple[Evidence, ...]:
    """All that was ever kept, oldest first."""
    with journal.transaction() as session:
        rows = session.scalars(select(LogEvidence).order_by(LogEvidence.number))
        return tuple(
            Evidence(
                number=row.number,
                code=row.code,
                seen=row.seen,
                shown=row.shown,
                at=row.at,
                settled_at=row.settled_at,
                reason=row.reason,
            )
            for row in rows
        )


def unsettled(journal: Journal) -> Evidence | None:
    """The first evidence that the agency has not decided on."""
    return next((each for each in evidence(journal) if each.settled_at is None), None)


def settle(journal: Journal, reason: str, now: datetime) -> int:
    """Go on with the log as it is shown next, whatever was seen before; the evidence stays.

    Returns:
        How much evidence was settled.
    """
    with journal.transaction() as session:
        rows = session.scalars(select(LogEvidence).where(LogEvidence.settled_at.is_(None))).all()
        for row in rows:
            row.settled_at, row.reason = now, reason
        before = session.get(SeenCheckpoint, 1)
        if rows and before is not None:
            session.delete(before)
        return len(rows)
