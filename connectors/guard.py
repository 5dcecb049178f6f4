"""What a connector believes, and why: nothing on the gateway's word alone.

An answer is the gateway's (its signature), a task is handed to this agency (its token), a question is the requester's
(its signature over the exact bytes, and the gateway's over that, for this one task), the agreement is signed by an
officer of every party, and the contract stands on this agency's own list. Then the policies decide again, about the
situation as this agency knows it: what is suspended, what the activity used, what an officer decided. Each check
refuses with its own code.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from pydantic import ValidationError

from connectors.journal.entries import Use, Used
from connectors.situation import Situation, use_of
from connectors.task_token import claims_of
from contracts.agreement import Activity, Agreement, Approval
from contracts.agreement_signatures import read_signed
from contracts.canonical import canonical_bytes, digest_of, digest_of_bytes
from contracts.chain import check_forward, message_of
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput, Refused, SaphanError, from_code
from contracts.federation import Federation, KeyPurpose, PublicKey
from contracts.fit import check_question, closed_until
from contracts.grid import Grid
from contracts.lifecycle import AgreementState
from contracts.message_signatures import Tag, verify
from contracts.remembered import remembered
from contracts.request import Request
from contracts.signature_base import Message
from contracts.signing import Resolve, payload_of
from contracts.standing import Standing
from contracts.task import Charge, Lease, LeasedTask, Task
from policies.decide import Denial, decide, details
from policies.rules import Rules, installed
from privacy.plan import plan
from privacy.series import approved_apart, series_key

REQUESTS_PATH = "/v1/requests"
CLOCK_SKEW = timedelta(seconds=30)
BANGKOK = timedelta(hours=7)
MOST_READ = 64
"""How many bodies are kept as they were read."""

APPROVAL_MISSING = "officer-approval-missing"
"""The one denial that is not final: the request waits for an officer."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A task in which everything was verified: only these values are used from here on, never the task's own.

    ``use`` is the activity that it counts for, ``standing`` what it was decided about. ``series`` is the key of its
    standing series, if it is of one; some of its ``charges`` may be paid by that already. ``awaits_officer`` says that
    all is well, but that an officer of this agency looks at each request of the activity and has not decided yet.
    """

    task: Task
    request: Request
    request_digest: str
    asking_agency: str
    agreement: Agreement
    contract: DatasetContract
    charges: tuple[Charge, ...]
    grid: Grid
    use: Use
    standing: Standing
    awaits_officer: bool = False
    series: str | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """The checks of one agency.

    Args:
        agency: Whose connector this is.
        federation: The pinned keys of all members.
        approved: Gives the contract of a digest if it stands on this agency's own list.
        situation: What stands at this agency.
        rules: This agency's own copy of the policies.
    """

    agency: str
    federation: Federation
    approved: Callable[[str], DatasetContract | None]
    situation: Situation
    rules: Rules = field(default_factory=installed)

    def check_response(self, response: Message, now: datetime) -> None:
        """Check that an answer is the gateway's, to exactly the call that it answers.

        Raises:
            Refused: ``signature-missing``, ``signature-wrong``, ``signature-stale`` or ``key-unknown``.
        """
        verify(response, Tag.RESPONSE, self._operators(KeyPurpose.GATEWAY, now), now)

    def check_delivery(self, leased: LeasedTask, now: datetime) -> None:
        """Check that the gateway handed this very task to this agency, now.

        Raises:
            Refused: ``token-invalid``, ``key-unknown`` or ``task-not-ours``.
        """
        keys = self._operators(KeyPurpose.TOKEN, now)
        claims = claims_of(leased.token, self.agency, self.federation.gateway, keys, now)
        if claims["sub"] != leased.task.id or claims["task_digest"] != task_digest(leased.task):
            raise Refused("task-not-ours")

    def check_task(self, task: Task, now: datetime) -> Checked:
        """Check everything that the task carries, whoever handed it over.

        Raises:
            Refused: With the code of the rule that says no.
            InvalidInput: When the question does not fit the contract.
        """
        if task.agency != self.agency:
            raise Refused("task-not-ours")
        self._check_not_suspended(task)
        request, signer = self._request(task, now)
        self._check_addressed(request, task)
        agreement = self._agreement(task.agreement, request, now)
        contract = self._contract(task)
        checked = self._checked(task, request, agreement, contract, signer, now)
        reasons = self._denials(checked, checked.standing, now)
        # Whatever else is wrong is refused before an officer is asked to look at it.
        if reasons - {APPROVAL_MISSING}:
            raise _denied(checked, reasons - {APPROVAL_MISSING})
        decided = self.situation.decision(checked.request_digest) if reasons else None
        # One who approved it just now is heard when the task is handed out again.
        if decided is not None and not decided.approved:
            raise Refused("officer-refused", agency=self.agency)
        return replace(checked, awaits_officer=True) if reasons else checked

    def check_use(self, checked: Checked, used: Used, now: datetime) -> None:
        """Decide again once it is certain what the activity has used: right before the charge, under its lock.

        Raises:
            Refused: ``schedule-exceeded`` or ``activity-budget-exceeded``, as ``check_task``.
        """
        reasons = self._denials(checked, _with(checked.standing, used), now)
        if reasons:
            raise _denied(checked, reasons)

    def holds_back(self, task: Task, state: AgreementState | None = None) -> bool:
        """Whether a suspension that is known here stops what was made for a task from leaving, until it is lifted.

        It is one of this agency, of the dataset, of who asked, or of the agreement itself, whose ``state_here`` is
        looked up unless it was just now.
        """
        suspended = self.situation.suspended()
        asked_by = _request_in(task.request.body).requester
        if suspended.covers(self.agency, task.contract.id) or suspended.covers(asked_by):
            return True
        return (state or self.state_here(task)) is AgreementState.SUSPENDED

    def state_here(self, task: Task) -> AgreementState:
        """Where the agreement of a task stands that was verified before it was charged; suspended when in doubt."""
        try:
            agreement, digest = _verified_before(task.agreement)
        except (SaphanError, ValidationError):
            return AgreementState.SUSPENDED
        return self.situation.state_of(agreement, digest)

    def _check_not_suspended(self, task: Task) -> None:
        suspended = self.situation.suspended()
        if suspended.covers(self.agency):
            raise Refused("agency-suspended")
        if suspended.covers(self.agency, task.contract.id):
            raise Refused("dataset-suspended")

    def _checked(
        self, task: Task, request: Request, agreement: Agreement, contract: DatasetContract, signer: str, now: datetime
    ) -> Checked:
        activity = agreement.activity(request.activity)
        if activity is None:
            raise InvalidInput("unknown-activity", agreement=agreement.id, activity=request.activity)
        closed = closed_until((now.astimezone(UTC) + BANGKOK).date())
        grid = check_question(request.query, [contract], closed)
        charges, use = plan(request.query, [contract], request.nano_rho).charges, use_of(agreement, activity, now)
        # The body is the one canonical form of the request: ``_request`` saw to that.
        digest = digest_of_bytes(task.request.body.encode())
        series = None if request.query.series is None else _series_key(request, contract, activity)
        # What the series has paid for is not held against the activity again.
        owed = charges if series is None else self.situation.owed(series, charges)
        used = self.situation.used(use, digest, owed)
        standing = self._standing(agreement, request.agreement_digest, activity, digest, used)
        return Checked(task, request, digest, signer, agreement, contract, charges, grid, use, standing, series=series)

    def _standing(
        self, agreement: Agreement, agreement_digest: str, activity: Activity, request_digest: str, used: Used
    ) -> Standing:
        """What stands at this agency about a request; a decision on it counts only where the activity wants one."""
        decided = self.situation.decision(request_digest) if activity.approval is Approval.EACH else None
        return Standing(
            # Every party signed it, _agreement saw to that; one of them may have suspended or revoked it since.
            agreement=self.situation.state_of(agreement, agreement_digest),
            suspended=self.situation.suspended(),
            officer_approved=decided is not None and decided.approved,
            at_agency=True,
            asked_in_span=used.asked_in_span,
            nano_rho_spent=used.nano_rho_spent,
        )

    def _denials(self, checked: Checked, standing: Standing, now: datetime) -> frozenset[str]:
        """What the policies say no to, as codes, in the situation as this agency knows it."""
        verdict = decide(
            checked.request,
            checked.agreement,
            standing=standing,
            contracts=[checked.contract],
            asking_agency=checked.asking_agency,
            now=now,
            rules=self.rules,
        )
        return frozenset(verdict.reasons) if isinstance(verdict, Denial) else frozenset()

    def _request(self, task: Task, now: datetime) -> tuple[Request, str]:
        """The requester's question, forwarded for this task, and the owner of the key that signed it."""
        if (task.request.method, task.request.path) != ("POST", REQUESTS_PATH):
            raise Refused("question-changed")
        forwarded = check_forward(task, self._operators(KeyPurpose.GATEWAY, now), now)
        message = message_of(task.request)
        # Freshness bound at the gateway's door; here the request's own deliver_until binds.
        verified = verify(message, Tag.REQUEST, self._members(KeyPurpose.CLIENT, now), now, at_receipt=False)
        request = _request_in(task.request.body)
        self._check_times(request, max(verified.created, forwarded.created), now)
        return request, verified.kid.partition("#")[0]

    def _check_times(self, request: Request, signed: datetime, now: datetime) -> None:
        if max(request.created, signed) > now + CLOCK_SKEW:
            raise Refused("signature-stale")
        if not request.is_deliverable(now):
            raise Refused("delivery-expired")

    def _check_addressed(self, request: Request, task: Task) -> None:
        if request.gateway != self.federation.gateway:
            raise Refused("task-not-ours")
        if task.contract not in request.contracts:
            raise Refused("question-changed")

    def _agreement(self, document: str, request: Request, now: datetime) -> Agreement:
        """The agreement that the request names, signed by exactly those who must, this agency's people among them."""
        signed = read_signed(document, self.federation, now)
        agreement = signed.agreement
        if signed.digest != request.agreement_digest or agreement.id != request.agreement:
            raise Refused("agreement-changed", agreement=request.agreement)
        if signed.missing or self.agency not in agreement.providers:
            raise Refused("signers-incomplete")
        return agreement

    def _contract(self, task: Task) -> DatasetContract:
        contract = self.approved(task.contract.digest)
        if contract is None:
            raise Refused("contract-not-approved", agency=self.agency)
        if contract.reference != task.contract or contract.agency != self.agency:
            raise Refused("task-not-ours")
        return contract

    def _members(self, purpose: KeyPurpose, now: datetime) -> Resolve:
        return lambda kid: self.federation.key(kid, purpose, now)

    def _operators(self, purpose: KeyPurpose, now: datetime) -> Resolve:
        """Keys of the gateway's operator alone: another member's key of that purpose says nothing here."""

        def resolve(kid: str) -> PublicKey | None:
            owner = kid.partition("#")[0]
            return self.federation.key(kid, purpose, now) if owner == self.federation.operator else None

        return resolve


def read_lease(body: bytes) -> Lease:
    """The tasks in the gateway's answer, whose signature ``Guard.check_response`` has checked.

    Raises:
        InvalidInput: ``malformed-body``.
    """
    try:
        return Lease.model_validate_json(body)
    except ValidationError as error:
        raise _malformed("lease") from error


@remembered
def task_digest(task: Task) -> str:
    """The digest of a task, which its token names and its part answers: worked out once for each handed over."""
    return digest_of(task)


@lru_cache(maxsize=MOST_READ)
def _request_in(body: str) -> Request:
    """The request that a body writes in its one canonical form; the same body is read once.

    Raises:
        InvalidInput: ``malformed-body``.
    """
    try:
        request = Request.model_validate_json(body)
    except ValidationError as error:
        raise _malformed("request") from error
    # One question has one form, hence one digest: otherwise a space would be a new question.
    if canonical_bytes(request) != body.encode():
        raise _malformed("request")
    return request


@lru_cache(maxsize=16)
def _verified_before(document: str) -> tuple[Agreement, str]:
    """The agreement in a document whose signatures were verified before its task was charged, and its digest.

    It is asked several times about one task: by its exact text it is read once. Where it stands is asked each time.
    """
    agreement = Agreement.model_validate_json(payload_of(document))
    return agreement, digest_of(agreement)


def _series_key(request: Request, contract: DatasetContract, activity: Activity) -> str:
    apart = approved_apart(request.agreement_digest, activity)
    return series_key(request.query, [contract], request.nano_rho, datasets=request.contracts, apart=apart)


def _with(standing: Standing, used: Used) -> Standing:
    if (standing.asked_in_span, standing.nano_rho_spent) == (used.asked_in_span, used.nano_rho_spent):
        return standing
    counted = {"asked_in_span": used.asked_in_span, "nano_rho_spent": used.nano_rho_spent}
    return standing.model_copy(update=counted)


def _denied(checked: Checked, reasons: Collection[str]) -> SaphanError:
    first, *others = sorted(reasons)
    return from_code(first, others=others, **details(checked.request, checked.agreement))


def _malformed(where: str) -> InvalidInput:
    return InvalidInput("malformed-body", where=where)
