"""The agency's own record: which contracts it approved, what each window has cost, and what left.

SQLite in WAL mode with full synchronisation: what a method wrote is on the disk when it returns. Every method is one
transaction that takes the write lock first, so that reading a balance and charging it cannot be interleaved.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from pydantic_core import from_json
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from connectors.crash import CrashPoint, Hook, carry_on
from connectors.journal import activities, series, statements
from connectors.journal.connections import Connections
from connectors.journal.departed import answered, refused
from connectors.journal.entries import Approval, Departure, Opening, Spending, Unfinished
from connectors.journal.prepared import Bound
from connectors.journal.tables import (
    Answer,
    AnswerState,
    Approved,
    Base,
    Charged,
    LeastBudget,
    Pinned,
    Refusal,
    add_missing_columns,
    engine_of,
)
from connectors.journal.writing import Writing
from contracts.canonical import canonical_bytes, digest_of, digest_of_bytes
from contracts.dataset import ContractRef, DatasetContract
from contracts.errors import InvalidInput, Refused, Spent
from contracts.identifiers import Digest
from contracts.odcs import contract_as_signed
from contracts.task import Part, Task

ANSWER_KEY: Final = ("request_digest", "contract_digest")


class Journal:
    """The journal of one connector.

    Args:
        path: The database file; it and its tables are made when absent.
        at: Called at the crash points around each commit that another party depends on.
        policy: The digest of the rules that are in force while it is open; it stands with every answer and refusal.
    """

    def __init__(self, path: Path, at: Hook = carry_on, policy: Digest | None = None) -> None:
        self._at = at
        self._policy = policy
        self._engine = engine_of(path)
        self._connections = Connections(path)
        with self._engine.begin() as connection:
            Base.metadata.create_all(connection)
            add_missing_columns(connection)
        path.chmod(0o600)

    def close(self) -> None:
        """Let go of the file."""
        self._connections.close()
        self._engine.dispose()

    def approve(self, contract: DatasetContract, document: str, place: str, now: datetime) -> None:
        """Put a contract on the agency's list; approving it again takes back its retirement.

        Args:
            contract: The contract.
            document: Its canonical text.
            place: Stands for the physical table that it is about, always the same one for the same table.
            now: The instant of approval.

        Raises:
            Refused: ``source-renamed``, when this table, or a contract of this name, was approved before under another
                source, even if it was retired since: under a new key the budget would begin anew.
        """
        with self.transaction() as session:
            _pin(session, contract, place)
            _keep_least_budget(session, contract)
            row = session.get(Approved, contract.digest)
            if row is not None:
                row.retired_at = None
                return
            session.add(
                Approved(
                    digest=contract.digest,
                    dataset=contract.id,
                    version=contract.version,
                    document=document,
                    approved_at=now,
                )
            )

    def retire(self, digest: str, now: datetime) -> None:
        """Take a contract off the list.

        Raises:
            InvalidInput: ``unknown-contract``, when it never stood there.
        """
        with self.transaction() as session:
            row = session.get(Approved, digest)
            if row is None:
                raise InvalidInput("unknown-contract", contract=digest)
            row.retired_at = now

    def approvals(self) -> tuple[Approval, ...]:
        """The agency's list, oldest approval first."""
        statement = select(Approved).where(Approved.retired_at.is_(None)).order_by(Approved.approved_at)
        with self.transaction() as session:
            return tuple(_approval(row) for row in session.scalars(statement))

    def history(self, dataset: str) -> tuple[Approval, ...]:
        """Every version of a contract that ever stood on the list, retired ones too, oldest approval first."""
        statement = select(Approved).where(Approved.dataset == dataset).order_by(Approved.approved_at)
        with self.transaction() as session:
            return tuple(_approval(row) for row in session.scalars(statement))

    def known(self, digest: str) -> Approval | None:
        """The contract of that digest if it ever stood on the list, retired or not."""
        with self.transaction() as session:
            row = session.get(Approved, digest)
            return None if row is None else _approval(row)

    def lists(self, digest: str) -> bool:
        """Whether the contract of that digest stands on the list today."""
        return bool(self.rows(statements.listed(digest)))

    def open(self, opening: Opening, now: datetime) -> Part | None:
        """Charge a question unless it was charged before, or give the part that was made for it.

        One transaction: the question is unseen and its windows have room, or it was charged already and is not charged
        again. A stored part is addressed to the task that asks now; its figures stay as they are.

        Returns:
            The stored part, or nothing when the data must be read.

        Raises:
            Refused: ``local-cap-exceeded``; what ``permit`` says of the activity; ``series-overlaps`` or
                ``series-memory-lost``; ``part-already-posted`` when the gateway acknowledged a part that is no longer
                kept.
            Unavailable: ``series-busy``.
        """
        key = (opening.request_digest, opening.task.contract.digest)
        with self.writing(CrashPoint.CHARGE_BEFORE_COMMIT, CrashPoint.CHARGE_AFTER_COMMIT) as t:
            rows = t.rows(statements.made(*key))
            if not rows:
                _charge(t, opening, self._policy, now)
                return None
            before = rows[0]
            if before.part is None and before.part_digest is not None:
                raise Refused("part-already-posted", spent=Spent.CHARGED)
            if before.part_digest is None and opening.series is not None:
                series.renew(t, opening.series)
            return _readdressed(t, key, before.part, opening.task)

    def finish(self, part: Part, now: datetime) -> Part | None:
        """Keep a part before it is posted; of two parts for one question the first stays and is returned to both.

        Returns:
            The part to post, or nothing when the question was refused meanwhile and its charge returned.
        """
        key = (part.request_digest, part.contract.digest)
        with self.writing(CrashPoint.PART_BEFORE_COMMIT, CrashPoint.PART_AFTER_COMMIT) as t:
            rows = t.rows(statements.made(*key))
            if not rows:
                return None
            if rows[0].part_digest is not None:
                return None if rows[0].part is None else Part.model_validate_json(rows[0].part)
            made = {
                "state": AnswerState.ANSWERED.value,
                "answered_at": now,
                "cells": sum(len(each.cells) for each in part.measures),
                **_stored(part),
            }
            t.change(Answer, _named(key), made)
            return part

    def refuse(self, task: Task, request_digest: str, code: str, now: datetime, *, undo: bool) -> bool:
        """Record a refusal.

        Args:
            task: What is refused.
            request_digest: The digest of the request in it.
            code: Why, as a code of the catalogue.
            now: The instant of refusal.
            undo: Whether a charge is returned if no part was ever made for the question, so that nothing left.

        Returns:
            Whether the question stays charged.
        """
        key = (request_digest, task.contract.digest)
        with self.transaction(CrashPoint.REFUSAL_BEFORE_COMMIT, CrashPoint.REFUSAL_AFTER_COMMIT) as session:
            row = session.get(Answer, key)
            if row is not None and row.part_digest is None and undo:
                _uncharge(session, row)
                row = None
            session.add(
                Refusal(
                    task_id=task.id,
                    request_digest=request_digest,
                    contract=task.contract.id,
                    code=code,
                    policy=self._policy,
                    charged=row is not None,
                    at=now,
                )
            )
            return row is not None

    def has_part(self, task: Task) -> bool:
        """Whether figures were made for a task's question: they may have left, so its charge stands."""
        key = (digest_of_bytes(task.request.body.encode()), task.contract.digest)
        with self.transaction() as session:
            row = session.get(Answer, key)
            return row is not None and row.part_digest is not None

    def settle(self, task_id: str, outcome: str, now: datetime) -> None:
        """The gateway has spoken its last word on a task: its part need not be posted again.

        Exact figures are forgotten then; protected ones, and the digest of both, are kept.
        """
        with self.writing(CrashPoint.SETTLE_BEFORE_COMMIT, CrashPoint.SETTLE_AFTER_COMMIT) as t:
            for row in t.rows(statements.answered_for(task_id)):
                key = {"request_digest": row.request_digest, "contract_digest": row.contract_digest}
                settled = {"state": AnswerState.SETTLED.value, "outcome": outcome, "settled_at": now}
                t.change(Answer, key, {**settled, "part": None} if _is_exact(row.part) else settled)

    def unfinished(self) -> tuple[Unfinished, ...]:
        """Every charged task that the gateway has not acknowledged, oldest first."""
        return tuple(
            Unfinished(_task(row.task), None if row.part is None else Part.model_validate_json(row.part))
            for row in self.rows(statements.unsettled())
        )

    def unfinished_names(self) -> frozenset[str]:
        """The names of the tasks of ``unfinished``, which cost less to find than the tasks."""
        return frozenset(row.task_id for row in self.rows(statements.unsettled_names()))

    def spending(self) -> tuple[Spending, ...]:
        """What each window of each source has cost, by source and window."""
        total = func.sum(Charged.nano_rho)
        statement = select(Charged.source, Charged.window, total).group_by(Charged.source, Charged.window)
        with self.transaction() as session:
            rows = session.execute(statement.order_by(Charged.source, Charged.window))
            return tuple(Spending(source=source, window=window, nano_rho=spent) for source, window, spent in rows)

    def departures(self) -> tuple[Departure, ...]:
        """Everything that was asked and what left, oldest first."""
        with self.transaction() as session:
            answers = [answered(row) for row in session.scalars(select(Answer))]
            refusals = [refused(row) for row in session.scalars(select(Refusal))]
        return tuple(sorted((*answers, *refusals), key=lambda each: (each.at, each.task)))

    def rows(self, bound: Bound) -> list[Any]:
        """What one statement reads, of what is committed when it runs; it takes no lock."""
        return self._connections.read(bound)

    @contextmanager
    def writing(self, before: CrashPoint | None = None, after: CrashPoint | None = None) -> Iterator[Writing]:
        """``transaction`` for prepared statements."""
        with self._connections.writing() as connection:
            yield Writing(connection)
            self._pass(before)
        self._pass(after)

    @contextmanager
    def transaction(self, before: CrashPoint | None = None, after: CrashPoint | None = None) -> Iterator[Session]:
        """One transaction, which holds the write lock from its begin; killed at its crash points when told so."""
        with Session(self._engine, expire_on_commit=False) as session:
            with session.begin():
                yield session
                session.flush()
                self._pass(before)
            self._pass(after)

    def _pass(self, point: CrashPoint | None) -> None:
        if point is not None:
            self._at(point)


def _pin(session: Session, contract: DatasetContract, place: str) -> None:
    documents = session.scalars(select(Approved.document).where(Approved.dataset == contract.id))
    known = {contract_as_signed(json.loads(each)).source for each in documents}
    pinned = session.get(Pinned, place)
    if pinned is None:
        session.add(Pinned(place=place, source=contract.source))
    else:
        known.add(pinned.source)
    others = sorted(known - {contract.source})
    if others:
        raise Refused("source-renamed", contract=contract.id, source=contract.source, known=others[0])


def _keep_least_budget(session: Session, contract: DatasetContract) -> None:
    """A journal from before this was kept learns it from every contract that it ever approved."""
    budget = contract.privacy.nano_rho_per_window
    least = session.get(LeastBudget, contract.source)
    if least is not None:
        least.nano_rho = min(least.nano_rho, budget)
        return
    approved = [contract_as_signed(json.loads(each)) for each in session.scalars(select(Approved.document))]
    budgets = [each.privacy.nano_rho_per_window for each in approved if each.source == contract.source]
    session.add(LeastBudget(source=contract.source, nano_rho=min([budget, *budgets])))


def _charge(t: Writing, opening: Opening, policy: Digest | None, now: datetime) -> None:
    charges = opening.charges
    if opening.series is not None:
        charges = series.owed(t, opening.series.key, charges)
        asker = series.Asker(opening.request_digest, opening.task.contract.digest)
        series.take(t, opening.series, asker)
    opening.permit(activities.used(t, opening.use, opening.request_digest, charges))
    for charge in charges:
        (window,) = t.rows(statements.charged(charge.source, charge.window))
        cap = opening.cap if window.least is None else min(opening.cap, window.least)
        if window.spent + charge.nano_rho > cap:
            raise Refused("local-cap-exceeded", source=charge.source, window=charge.window)
    task, request = opening.task, opening.request
    activities.note(t, opening.use, opening.request_digest, task.contract.digest, now)
    key = {"request_digest": opening.request_digest, "contract_digest": task.contract.digest}
    answer = {
        "task_id": task.id,
        "task": task.model_dump_json(by_alias=True),
        "contract": task.contract.id,
        "requester": request.requester,
        "activity": request.activity,
        "state": AnswerState.CHARGED.value,
        "cells": 0,
        "policy": policy,
        "opened_at": now,
    }
    t.add(Answer, {**key, **answer})
    for charge in charges:
        owed = {"source": charge.source, "window": charge.window, "nano_rho": charge.nano_rho}
        t.add(Charged, {**owed, **key, "at": now})


def _uncharge(session: Session, row: Answer) -> None:
    same: Sequence[ColumnElement[bool]] = (
        Charged.request_digest == row.request_digest,
        Charged.contract_digest == row.contract_digest,
    )
    for charge in session.scalars(select(Charged).where(*same)):
        session.delete(charge)
    activities.forget(session, row.request_digest, row.contract_digest)
    series.give_back(session, series.Asker(row.request_digest, row.contract_digest))
    session.delete(row)


def _readdressed(t: Writing, key: tuple[str, str], part: str | None, task: Task) -> Part | None:
    """The part that was made, if one was, as the answer to the task that asks now."""
    changes: dict[str, object] = {"task_id": task.id, "task": task.model_dump_json(by_alias=True)}
    made = None
    if part is not None:
        same = {"task": task.id, "task_digest": digest_of(task)}
        made = Part.model_validate_json(part).model_copy(update=same)
        changes |= _stored(made)
    t.change(Answer, _named(key), changes)
    return made


def _named(key: tuple[str, str]) -> dict[str, str]:
    return dict(zip(ANSWER_KEY, key, strict=True))


def _stored(part: Part) -> dict[str, object]:
    text = canonical_bytes(part)
    return {"part": text.decode(), "part_digest": digest_of_bytes(text)}


def _is_exact(part: str | None) -> bool:
    return part is not None and any(each["sigma"] is None for each in from_json(part)["measures"])


def _approval(row: Approved) -> Approval:
    reference = ContractRef(id=row.dataset, version=row.version, digest=row.digest)
    return Approval(contract=reference, document=row.document, approved_at=row.approved_at, retired_at=row.retired_at)


@lru_cache(maxsize=64)
def _task(text: str) -> Task:
    """A task is looked at again at each turn until it is settled; its text is parsed once."""
    return Task.model_validate_json(text)
