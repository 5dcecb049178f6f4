"""READ FIRST: one request, straight through to one release. The steps carry the numbers of the architecture.

    (1) contracts, agreement, activity                                   gateway.question
    (2) permit or denial                                                 policies.decide
    (3) ONE transaction: nonce unseen, "requested" in the log            ``submit``
    (4) the same question on the same data version, already released?    ``_ask``: that release, no new cost
    (5) ONE transaction: budget reserved, one task per connector         ``_ask``
    (6) connectors lease their tasks and post signed parts               ``lease``, ``accept_part``
    (7) add up, protect, derive                                          gateway.finish, privacy.release
    (8) ONE transaction: budget spent, release stored, "released" logged gateway.finish
    (9) the signed release, its receipt after the next checkpoint        ``release``

Invariants, each with a test that names it:

1. No agency is asked before permit, log entry and reservation are durable.
2. A budget is never charged twice and never lost: a charge is final once a connector charged for its part, and is
   returned only when every connector signed that it did not.
3. A refusal is logged like an answer, and names every rule that said no.
4. What was released once is returned again unchanged.
5. A kill at any ``CrashPoint`` loses no acknowledged request and charges nothing twice: all waiting work is rows, and
   ``resume`` carries on with them.

Requests that ask the same while the first is out join it. If it is refused, the oldest of them is asked on its own,
because a refusal may be about who asked.

A standing series is charged once for each window: see ``privacy.series``. Its months are taken and its windows paid in
step (5), and both are settled with the charge in step (8).
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final, NoReturn

from contracts.errors import InvalidInput, SaphanError, from_code
from contracts.federation import KeyPurpose
from contracts.request import RequestState
from contracts.standing import Standing
from contracts.task import Charge, Forwarded, Lease, LeaseCall
from contracts.views import RequestStatus
from gateway import events, leasing
from gateway.agreement_moves import activate_due
from gateway.caller import Caller
from gateway.crash import CrashPoint
from gateway.finish import finish, hand_over, last_tick
from gateway.forwarding import check_answer, tasks_for
from gateway.held import end_overdue, overdue, take_up
from gateway.leasing import TaskToken
from gateway.means import Means
from gateway.parts import check_part, read_part
from gateway.question import (
    Asked,
    claim,
    contracts_of,
    digest_of_request,
    look_up,
    look_up_again,
    read_request,
    released_before,
)
from gateway.quiet_log import what_failed
from gateway.records import Records
from gateway.standing import is_limited, note_use, standing_of, standing_when_charged
from gateway.store import ledger, log, registry, relay, releases, requests
from gateway.store.engine import Transaction
from gateway.store.requests import HeldRequest, NewRequest, Outcome
from policies.decide import Denial, decide, details

logger: Final = logging.getLogger("saphan.gateway")


class Exchange(Records):
    """The gateway's work, whoever calls it over whatever wire; what is not on the line stands in ``Records``.

    Args:
        means: Store, keys, members, clock, settings.
        task_token: Signs the token that goes with a leased task.
    """

    def __init__(self, means: Means, task_token: TaskToken) -> None:
        super().__init__(means)
        self._store = means.store
        self._task_token = task_token

    def submit(self, caller: Caller, forwarded: Forwarded) -> RequestStatus:
        """Take a request as its client signed it; the same request again just says where it stands.

        Raises:
            Refused: Every rule that said no, ``budget-exceeded`` or ``request-replayed``; nothing was spent.
            InvalidInput: What does not fit the registry or the contracts, or ``request-id-reused``.
        """
        now = self.means.clock()
        request, digest = read_request(forwarded), digest_of_request(forwarded)
        with self._store.read() as r:
            is_known = requests.check_same(r, request.id, caller.agency, digest)
            # (1) Contracts, agreement, activity; does the question fit them?
            asked = None if is_known else look_up(r, request, digest, now)
            standing = standing_of(r, asked, now) if asked else Standing()
        if asked is None:
            self.admit(caller)
            return self.status(caller, request.id)
        # (2) Permit or denial.
        reasons = self._denials(caller.agency, caller.purpose, asked, standing, now)
        if not caller.covers(asked.request.agreement, asked.request.activity):
            reasons = tuple(sorted({*reasons, "activity-not-authorized"}))
        if reasons:
            self._deny(caller, asked, reasons, now)
        # (3) ONE transaction: nonce unseen, "requested" in the log.
        with self._store.transaction() as t:
            requests.spend_nonce(t, caller.kid, caller.nonce, now)
            new = NewRequest(request.id, digest, caller.agency, asked.question, forwarded)
            requests.receive(t, new, now, events.requested(asked, caller.kid, now, self.means.entropy))
            self.means.crash(CrashPoint.BEFORE_RECEIVED)
        self.means.crash(CrashPoint.AFTER_RECEIVED)
        if self._ask(asked, forwarded):
            agencies = tuple(sorted({each.agency for each in asked.contracts}))
            return RequestStatus(request=request.id, state=RequestState.WAITING, waiting_for=agencies)
        return self.status(caller, request.id)

    def _denials(
        self, agency: str, purpose: KeyPurpose, asked: Asked, standing: Standing, now: datetime
    ) -> tuple[str, ...]:
        """Every rule that says no, as codes."""
        verdict = decide(
            asked.request,
            asked.agreement.agreement,
            standing=standing,
            contracts=asked.contracts,
            asking_agency=agency,
            now=now,
        )
        reasons = set(verdict.reasons) if isinstance(verdict, Denial) else set()
        if asked.request.agreement_digest != asked.agreement.digest:
            reasons.add("agreement-changed")
        if asked.request.gateway != self.means.settings.issuer:
            reasons.add("another-gateway")
        if not asked.request.is_deliverable(now):
            reasons.add("delivery-expired")
        if purpose is not KeyPurpose.CLIENT:
            reasons.add("not-allowed")
        return tuple(sorted(reasons))

    def _deny(self, caller: Caller, asked: Asked, reasons: tuple[str, ...], now: datetime) -> NoReturn:
        with self._store.transaction() as t:
            requests.spend_nonce(t, caller.kid, caller.nonce, now)
            log.append(t, events.denied(asked, caller.kid, reasons, now, self.means.entropy))
        raise _denial(asked, reasons)

    def _ask(self, asked: Asked, forwarded: Forwarded) -> bool:
        """Steps (4) and (5), for a request that is received and not yet asked; otherwise nothing happens.

        Returns:
            Whether its agencies are being asked now.

        Raises:
            SaphanError: ``budget-exceeded``, ``series-overlaps``, ``series-busy`` or whatever else keeps it from being
                asked; the request is refused and logged so, and nothing is spent.
        """
        now, held = self.means.clock(), None
        try:
            with self._store.transaction() as t:
                requests.lock_question(t, asked.question)
                held = requests.lock_request(t, asked.request.id)
                if held is None or not requests.is_unasked(t, held):
                    return False
                # (4) The same question on the same data version: released already, or being asked?
                if self._repeat(t, held, asked, now) or self._join(t, held):
                    return False
                # (5) ONE transaction: within schedule and ceiling, budget reserved, one task for each connector.
                price = claim(t, asked)
                self._hold_to_limits(t, held, asked, price, now)
                requests.wait(t, held)
                ledger.reserve(t, held.id, price, registry.budgets(t), now)
                relay.add_tasks(t, held.id, tasks_for(self.means, forwarded, asked, now), now)
                self.means.crash(CrashPoint.BEFORE_RESERVED)
        except SaphanError as refusal:
            if held is not None:
                self._end_refused(held, asked, refusal)
            raise
        self.means.crash(CrashPoint.AFTER_RESERVED)
        return True

    def _hold_to_limits(
        self, t: Transaction, held: HeldRequest, asked: Asked, price: Sequence[Charge], now: datetime
    ) -> None:
        """Count the question for its activity. Of two that are asked at once, the second sees the first."""
        if is_limited(asked):
            standing = standing_when_charged(t, asked, price, now)
            reasons = self._denials(held.agency, KeyPurpose.CLIENT, asked, standing, now)
            if reasons:
                raise _denial(asked, reasons)
        note_use(t, asked, now)

    def _repeat(self, t: Transaction, held: HeldRequest, asked: Asked, now: datetime) -> bool:
        is_frozen = asked.request.query.series is not None
        release = released_before(t, held.question, asked.contracts, frozen=is_frozen)
        if release is None:
            return False
        requests.end(t, held, Outcome(max(now, release.available_at), release=release.id, repeated=True))
        published = asked.activity.publish and releases.make_public(t, release.id)
        log.append(t, events.repeated(asked, release.id, release.digest, now, published=published))
        return True

    @staticmethod
    def _join(t: Transaction, held: HeldRequest) -> bool:
        leader = requests.leader_of(t, held)
        if leader is None:
            return False
        requests.wait(t, held, joined_to=leader)
        return True

    def _end_refused(self, held: HeldRequest, asked: Asked | None, refusal: SaphanError) -> None:
        """Refuse a request that no connector was asked; those that joined it go on without it.

        ``asked`` is none when the request no longer fits the registry; the log then says only whose it was.
        """
        now, codes = self.means.clock(), [reason.code for reason in refusal.reasons]
        with self._store.transaction() as t:
            requests.lock_question(t, held.question)
            current = requests.lock_request(t, held.id)
            if current is None or not requests.is_unasked(t, current):
                return
            requests.end(t, current, Outcome(now, problem=refusal.problem()))
            heir = hand_over(t, current)
            about = events.refused(asked, codes, (), now) if asked else events.refused_unread(held, codes, now)
            log.append(t, about)
        self._ask_again(heir)

    def lease(self, caller: Caller, call: LeaseCall) -> Lease:
        """Step (6): hand a connector its waiting tasks; see ``gateway.leasing``."""
        return leasing.lease(self.means, self._task_token, caller, call)

    def accept_part(self, caller: Caller, task: str, forwarded: Forwarded) -> None:
        """Step (6): keep a connector's signed part, then (7) to (9) if it was the last one.

        Raises:
            InvalidInput: ``unknown-task`` or ``malformed-body``.
            IntegrityError: ``part-invalid``.
            Refused: ``part-already-posted`` or ``request-replayed``, or what is wrong with the answer's signature.
        """
        now = self.means.clock()
        part, digest = read_part(forwarded), digest_of_request(forwarded)
        with self._store.read() as r:
            held = relay.held_task(r, task)
            if held is None or caller.purpose is not KeyPurpose.CONNECTOR or held.task.agency != caller.agency:
                raise InvalidInput("unknown-task")
            (contract,) = contracts_of(r, (held.task.contract,))
        check_part(part, held, contract)
        check_answer(self.means, held, forwarded, now)
        with self._store.transaction() as t:
            requests.spend_nonce(t, caller.kid, caller.nonce, now)
            relay.accept_part(t, task, forwarded, digest, now)
            relay.note_versions(t, caller.agency, {part.contract.id: part.data_version}, now)
            self.means.crash(CrashPoint.BEFORE_PART)
        self.means.crash(CrashPoint.AFTER_PART)
        self._ask_again(finish(self.means, held.request))

    def resume(self) -> None:
        """Carry on with everything that a stopped gateway left: unasked requests, and those with every part in.

        What a suspension has held back beyond its time ends here, too, and agreements whose first day has come begin.

        It is cheap when there is nothing to do, so that every tick may call it; old nonces go on the way.
        """
        now = self.means.clock()
        activate_due(self.means)
        with self._store.read() as r:
            left, has_old_nonces = requests.unfinished(r), requests.has_old_nonces(r, now)
            too_late, left_behind = overdue(r, now), requests.left_behind(r)
        if has_old_nonces:
            with self._store.transaction() as t:
                requests.forget_nonces(t, now)
        for held in (*left, *too_late, *left_behind):
            try:
                self._ask_again(held.id)
                self._ask_again(finish(self.means, held.id))
                self._ask_again(end_overdue(self.means, held) if held in too_late else None)
                self._ask_again(take_up(self.means, held) if held in left_behind else None)
            except Exception as error:  # noqa: BLE001  # one request that cannot go on must not hold up the others
                logger.error("request not carried on: %s", what_failed(error))  # noqa: TRY400  # a traceback holds its text

    def _ask_again(self, request: str | None) -> None:
        """Ask a request that was received before, if it still may be; a refusal is its status, not this call's."""
        if request is None:
            return
        now = self.means.clock()
        with self._store.read() as r:
            held = requests.find(r, request)
            if held is None or not requests.is_unasked(r, held):
                return
        try:
            with self._store.read() as r:
                forwarded = held.forwarded
                asked = look_up_again(r, read_request(forwarded), held.digest, now)
                standing = standing_of(r, asked, now)
            reasons = self._denials(held.agency, KeyPurpose.CLIENT, asked, standing, now)
        except SaphanError as error:
            self._end_refused(held, None, error)
            return
        if reasons:
            self._end_refused(held, asked, _denial(asked, reasons))
            return
        with suppress(SaphanError):
            self._ask(asked, forwarded)

    def status(self, caller: Caller, request: str) -> RequestStatus:
        """Where a request of the caller's agency stands. Parts and outcomes show on a tick, not before.

        Raises:
            InvalidInput: ``unknown-request``.
        """
        now = self.means.clock()
        with self._store.read() as r:
            held = requests.find(r, request)
            if held is None or held.agency != caller.agency:
                raise InvalidInput("unknown-request")
            if held.available_at is None or held.available_at > now:
                told = last_tick(now, self.means.settings.tick_seconds)
                waiting_for = relay.waiting_for(r, held.joined_to or held.id, told)
                state = RequestState.WAITING if held.state is not RequestState.RECEIVED else held.state
                return RequestStatus(request=held.id, state=state, waiting_for=waiting_for)
        return RequestStatus(
            request=held.id,
            state=held.state,
            release=held.release,
            repeated=held.repeated,
            problem=held.problem,
            available_at=held.available_at,
        )


def _denial(asked: Asked, reasons: tuple[str, ...]) -> SaphanError:
    first, *others = reasons
    return from_code(first, others=others, **details(asked.request, asked.agreement.agreement))
