"""Read first: one leased task becomes one signed part, or a signed refusal.

(a) guard     who asks, who agreed, does this agency's own list allow it, is nothing suspended; then, where the
              activity says ``approval: each``, the request waits here, uncharged, until an officer has decided
(b) charge    ONE transaction of the journal: the question is new and its windows have room, or it was charged before
(c) count     one SQL statement on the ranked snapshot: exact cells over the declared key set
(d) protect   noise here, if the contract says so
(e) deliver   write the part to the journal, then post it under this agency's signature, then note the acknowledgement

Whatever dies between two steps is taken up again by ``resume``: nothing is charged twice, and of one question no second
draw of noise is ever posted, because the part is journaled before it leaves. What cannot be read now is read later:
an error of the snapshot is raised, and the task stays charged and unfinished.

A suspension stops a task wherever it stands: before the data are read it is refused and its charge returned; a part
that was made already is held back, and leaves after the lift. Of an agreement that was revoked no figure leaves any
more: what was made is forgotten, its charge stands, and a refusal leaves in its place.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from connectors import compile as compiler
from connectors.crash import CrashPoint, Hook, carry_on
from connectors.guard import Checked, Guard, task_digest
from connectors.journal import approvals
from connectors.journal.book import Journal
from connectors.journal.entries import Claim, Opening, Unfinished
from connectors.snapshot_memory import memory_of
from contracts.canonical import digest_of_bytes
from contracts.dataset import DatasetContract, ProtectAt
from contracts.errors import InvalidInput, Refused, SaphanError, Unavailable
from contracts.lifecycle import TERMINAL
from contracts.task import LeasedTask, Part, Task
from privacy.release import exact_part, protect

LAST_WORDS: Final = frozenset({"unknown-task", "part-already-posted", "part-invalid", "task-not-ours"})
"""What the gateway may answer to a part that no second posting would change."""

ACKNOWLEDGED: Final = "acknowledged"
NOT_ACTIVE: Final = "agreement-not-active"
SUSPENDED: Final = frozenset({"agency-suspended", "dataset-suspended"})

log = logging.getLogger("saphan.connector")


@dataclass(frozen=True, slots=True)
class Desk:
    """What answering needs.

    Args:
        guard: Verifies tasks.
        journal: Remembers, charges and keeps parts.
        snapshot: The ranked snapshot's file.
        data_versions: The number of the current snapshot of each dataset.
        post: Sends a part, signed as the answer to its task's forward, and returns when the gateway's signed word on it
            is here.
        cap_nano_rho: The agency's own cap of each window, below its contracts' budgets; none when they suffice.
        at: Called at each crash point.
    """

    guard: Guard
    journal: Journal
    snapshot: Path
    data_versions: Callable[[], dict[str, int]]
    post: Callable[[Part, Task], None]
    cap_nano_rho: int | None = None
    at: Hook = carry_on


def answer(leased: LeasedTask, desk: Desk, clock: Callable[[], datetime]) -> None:
    """Answer a task that was just leased.

    Raises:
        Unavailable: The data cannot be read or the gateway cannot be reached now; try again.
        IntegrityError: ``snapshot-damaged``; try again after the snapshot was built anew.
    """
    try:
        # (a) Is it the gateway that hands this very task to us?
        desk.guard.check_delivery(leased, clock())
    except (Refused, InvalidInput) as error:
        # Not proven to be the gateway's: it may not undo anything either.
        _deliver(_refusal(leased.task, error.code, desk, clock(), undo=False), leased.task, desk, clock)
        return
    _answer_delivered(leased.task, desk, clock)


def resume(unfinished: Unfinished, desk: Desk, clock: Callable[[], datetime]) -> None:
    """Carry on with a task that the journal holds: its delivery was checked before it was charged.

    Raises:
        Unavailable, IntegrityError: As ``answer``.
    """
    _answer_delivered(unfinished.task, desk, clock)


def _answer_delivered(task: Task, desk: Desk, clock: Callable[[], datetime]) -> None:
    try:
        # (a) Is it the requester's own question, agreed by all parties and allowed by us?
        checked = desk.guard.check_task(task, clock())
        if checked.awaits_officer:
            # Uncharged and unanswered: the gateway hands the task out again until an officer has decided.
            if approvals.wait_for_officer(desk.journal, task, checked.request_digest, clock()):
                log.info("request %s waits for an officer: saphan connector requests", checked.request.id)
            return
        # (b) Charged now, charged before, or answered before.
        opening = _opening(checked, desk, clock)
        part = desk.journal.open(opening, clock())
    except (Refused, InvalidInput) as error:
        _say_no(task, error.code, desk, clock)
        return
    if part is None:
        # Steps (c) and (d): count, and protect where the contract says so.
        made = _part(checked, opening.series, desk, clock)
        # (e) First the journal.
        part = desk.journal.finish(made, clock())
    if part is not None:
        _deliver(part, task, desk, clock)


def _say_no(task: Task, code: str, desk: Desk, clock: Callable[[], datetime]) -> None:
    """Refuse a task, unless its part was made in time or is held back; a part that must not leave is done with."""
    made = next((each.part for each in desk.journal.unfinished() if each.task == task), None)
    if made is not None and _was_made_in_time(made, task, desk):
        _deliver(made, task, desk, clock)
        return
    if _is_held_back(task, code, desk):
        return
    if made is not None:
        # Settled first: whatever becomes of the refusal, the figures are not taken up again.
        desk.journal.settle(task.id, code, clock())
    _deliver(_refusal(task, code, desk, clock(), undo=True), task, desk, clock)


def _was_made_in_time(part: Part, task: Task, desk: Desk) -> bool:
    """Whether all that is known today says yes to what was made, but that its time has passed since.

    It is charged, and an outage must not decide what becomes of it. A key that was revoked since, a contract that was
    taken off the list or a suspension do.
    """
    try:
        desk.guard.check_task(task, part.finished)
    except (Refused, InvalidInput):
        return False
    return True


def _is_held_back(task: Task, code: str, desk: Desk) -> bool:
    """Whether a task that is refused now has a part already, which leaves once a suspension is over."""
    if code not in SUSPENDED | {NOT_ACTIVE} or not desk.journal.has_part(task):
        return False
    return code in SUSPENDED or desk.guard.holds_back(task)


def _opening(checked: Checked, desk: Desk, clock: Callable[[], datetime]) -> Opening:
    return Opening(
        task=checked.task,
        request=checked.request,
        request_digest=checked.request_digest,
        charges=checked.charges,
        cap=cap_of(checked.contract, desk.cap_nano_rho),
        use=checked.use,
        permit=lambda used: desk.guard.check_use(checked, used, clock()),
        series=_claim(checked, desk),
    )


def _claim(checked: Checked, desk: Desk) -> Claim | None:
    """What a question takes of its standing series, and the memory of the snapshot by which it would be counted now."""
    if checked.series is None:
        return None
    memory = memory_of(desk.snapshot, checked.contract)
    months = checked.request.query.period.months()
    return Claim(checked.series, checked.contract.source, months, memory.data_version, memory.lineage)


def _check_counted_by(claim: Claim | None, exact: compiler.Exact, contract: DatasetContract) -> None:
    """Check that what the journal wrote down of the snapshot is what was read; otherwise the task is taken up again.

    Raises:
        Unavailable: ``snapshot-renewed``.
    """
    if claim is not None and (exact.data_version, exact.token) != (claim.data_version, claim.token):
        raise Unavailable("snapshot-renewed", contract=contract.id)


def cap_of(contract: DatasetContract, cap_nano_rho: int | None) -> int:
    """What a window of a contract's source may cost here: its budget, or the agency's own cap below it, in nano-rho."""
    budget = contract.privacy.nano_rho_per_window
    return budget if cap_nano_rho is None else min(budget, cap_nano_rho)


def _part(checked: Checked, claim: Claim | None, desk: Desk, clock: Callable[[], datetime]) -> Part:
    query, contract = checked.request.query, checked.contract
    # (c) One statement, exact cells.
    statement = compiler.compile_query(query, contract, checked.grid)
    exact = compiler.answer(desk.snapshot, statement, query, checked.grid)
    desk.at(CrashPoint.CELLS_READ)
    _check_counted_by(claim, exact, contract)
    # (d) Protected here, or left to the trusted centre.
    if contract.privacy.protect_at is ProtectAt.CONNECTOR:
        measures = protect(exact.cells, contract, query, checked.request.nano_rho)
    else:
        measures = exact_part(exact.cells, query)
    return Part(
        task=checked.task.id,
        task_digest=task_digest(checked.task),
        agency=desk.guard.agency,
        contract=contract.reference,
        request_digest=checked.request_digest,
        data_version=exact.data_version,
        charged=True,
        measures=measures,
        finished=clock(),
    )


def _refusal(task: Task, code: str, desk: Desk, now: datetime, *, undo: bool) -> Part:
    """A refusal is a part too: signed, recorded, and true about what was charged."""
    request_digest = digest_of_bytes(task.request.body.encode())
    charged = desk.journal.refuse(task, request_digest, code, now, undo=undo)
    return Part(
        task=task.id,
        task_digest=task_digest(task),
        agency=desk.guard.agency,
        contract=task.contract,
        request_digest=request_digest,
        data_version=desk.data_versions().get(task.contract.id, 0),
        charged=charged,
        refusal=code,
        finished=now,
    )


def _deliver(part: Part, task: Task, desk: Desk, clock: Callable[[], datetime]) -> None:
    """(e) Post the part, and note the gateway's last word on it. What a suspension holds back stays in the journal."""
    if part.refusal is None:
        state = desk.guard.state_here(task)
        if state in TERMINAL:
            # Settled first: whatever becomes of the refusal, the figures are not taken up again.
            desk.journal.settle(part.task, NOT_ACTIVE, clock())
            part = _refusal(task, NOT_ACTIVE, desk, clock(), undo=False)
        elif desk.guard.holds_back(task, state):
            return
    desk.at(CrashPoint.POST_BEFORE_SEND)
    outcome = ACKNOWLEDGED
    try:
        desk.post(part, task)
    except SaphanError as error:
        if error.code not in LAST_WORDS:
            raise
        outcome = error.code
    desk.at(CrashPoint.POST_AFTER_SEND)
    if part.refusal is None:
        desk.journal.settle(part.task, outcome, clock())
