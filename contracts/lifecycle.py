"""The life of an agreement: states, acts, and who may do what, as one table of data.

An agreement's state is never a fact of its own: it is folded from signed acts. What is not in ``TABLE`` cannot happen,
and an act that the table does not admit changes nothing. The rules that keep duties apart (``policies/acts.cedar``)
say no beside it: both must agree.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, Field

from contracts.agreement import Agreement
from contracts.canonical import digest_of
from contracts.federation import KeyPurpose
from contracts.identifiers import AgencyId, Digest, Identifier, KeyId
from contracts.values import Value

ACT_KIND: Final = "agreement-act"
BANGKOK: Final = timedelta(hours=7)


class AgreementState(StrEnum):
    """Where a version of an agreement stands. ``expired`` is computed from its period and never stored."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    UNDER_REVIEW = "under_review"
    COUNTERED = "countered"
    APPROVED = "approved"
    SIGNED = "signed"
    ACTIVE = "active"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"


class Act(StrEnum):
    """What moves an agreement on. ``activate``, ``supersede`` are the gateway's, all others an agency's."""

    DRAFT = "draft"
    SUBMIT = "submit"
    REVIEW = "review"
    COUNTER = "counter"
    ACCEPT = "accept"
    APPROVE = "approve"
    SIGN = "sign"
    ACTIVATE = "activate"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    SUPERSEDE = "supersede"


class Because(StrEnum):
    """Why somebody rejects, suspends or revokes, as the log says it; words of one's own stay in the signed act."""

    SCOPE = "scope-too-wide"
    LEGAL_BASIS = "legal-basis-doubtful"
    PRIVACY = "privacy-risk"
    PRICE = "price-too-high"
    DATA = "data-not-fit"
    INCIDENT = "incident"
    ORDER = "ordered-by-authority"
    NOT_NEEDED = "no-longer-needed"
    OTHER = "other"


class AgreementAct(Value):
    """One act of one agency on one version, as its officer signs it (document kind ``agreement-act``).

    ``digest`` is that of the version's text. ``previous`` is the digest of the act before it, so that nobody acts on a
    standing that has moved meanwhile; the first act of a version that takes the place of another names that one's last.
    """

    agreement: Identifier
    version: int = Field(ge=1)
    digest: Digest
    act: Act
    agency: AgencyId
    at: AwareDatetime
    previous: Digest | None = None
    because: Because | None = None
    reason: str = Field(default="", max_length=1000)


class Role(StrEnum):
    """Who acts, seen from the version acted upon. Who drafted it has another role than the rest of the agency."""

    REQUESTER_DRAFTER = "requester-drafter"
    REQUESTER_OFFICER = "requester-officer"
    PROVIDER_DRAFTER = "provider-drafter"
    PROVIDER_OFFICER = "provider-officer"
    PROVIDER_DPO = "provider-dpo"
    GATEWAY = "gateway"


class DspState(StrEnum):
    """The states of a contract negotiation in the Dataspace Protocol 2025-1."""

    REQUESTED = "REQUESTED"
    OFFERED = "OFFERED"
    ACCEPTED = "ACCEPTED"
    AGREED = "AGREED"
    VERIFIED = "VERIFIED"
    FINALIZED = "FINALIZED"
    TERMINATED = "TERMINATED"


class Move(Value):
    """A line of the table: in ``state``, ``act`` by ``role`` leads to ``then``.

    No ``state`` is that of a version of which nothing is known yet. Where several people must do the same, the last
    of them leads to ``whole`` instead. ``dsp`` is the state of the negotiation that a dataspace would see from there
    on, if it moves at all.
    """

    state: AgreementState | None
    act: Act
    role: Role
    then: AgreementState
    whole: AgreementState | None = None
    dsp: DspState | None = None


class SignedAct(Value):
    """An act whose signature was verified, and the key that made it."""

    act: AgreementAct
    kid: KeyId
    purpose: KeyPurpose


class Step(Value):
    """An act that counted: who did it in which role, and where it led."""

    signed: SignedAct
    role: Role
    state: AgreementState


class AgreementStanding(Value):
    """What the acts of one version come to.

    ``head`` is the digest of the last act, which the next one names. ``drafters`` are the keys that wrote the text;
    ``approved`` says who of the providers has approved, ``suspended_by`` which agencies hold it suspended.
    """

    state: AgreementState | None = None
    dsp: DspState | None = None
    head: Digest | None = None
    drafters: frozenset[str] = frozenset()
    approved: frozenset[tuple[str, KeyPurpose]] = frozenset()
    suspended_by: frozenset[str] = frozenset()
    history: tuple[Step, ...] = ()


S, A, R = AgreementState, Act, Role
REQUESTER: Final = (R.REQUESTER_DRAFTER, R.REQUESTER_OFFICER)
DECIDERS: Final = (R.PROVIDER_OFFICER, R.PROVIDER_DPO)
PROVIDER: Final = (R.PROVIDER_DRAFTER, *DECIDERS)
PARTIES: Final = (*REQUESTER, *PROVIDER)
REVIEWED: Final = (S.UNDER_REVIEW, S.APPROVED)
TERMINAL: Final = frozenset({S.REJECTED, S.WITHDRAWN, S.REVOKED, S.SUPERSEDED, S.EXPIRED})
"""States that admit nothing."""

NEEDS_REASON: Final = frozenset({A.REJECT, A.SUSPEND, A.REVOKE})


def _moves(
    states: Iterable[AgreementState | None],
    act: Act,
    roles: Iterable[Role],
    then: AgreementState,
    *,
    whole: AgreementState | None = None,
    dsp: DspState | None = None,
) -> Iterator[Move]:
    listed = tuple(roles)
    return (
        Move(state=state, act=act, role=role, then=then, whole=whole, dsp=dsp) for state in states for role in listed
    )


TABLE: Final[tuple[Move, ...]] = (
    # A draft lies at the gateway, for its agency only, and may be written anew.
    *_moves((None, S.DRAFT), A.DRAFT, (R.REQUESTER_DRAFTER,), S.DRAFT),
    *_moves((None,), A.SUBMIT, (R.REQUESTER_DRAFTER,), S.SUBMITTED, dsp=DspState.REQUESTED),
    *_moves((S.DRAFT,), A.SUBMIT, REQUESTER, S.SUBMITTED, dsp=DspState.REQUESTED),
    *_moves((S.DRAFT,), A.WITHDRAW, REQUESTER, S.WITHDRAWN),
    # A counter-offer is a version of its own; the requester accepts it, then the providers' people look at it.
    *_moves((None,), A.COUNTER, (R.PROVIDER_DRAFTER,), S.COUNTERED, dsp=DspState.OFFERED),
    *_moves((S.COUNTERED,), A.ACCEPT, (R.REQUESTER_OFFICER,), S.UNDER_REVIEW, dsp=DspState.ACCEPTED),
    *_moves((S.SUBMITTED,), A.REVIEW, DECIDERS, S.UNDER_REVIEW),
    *_moves(
        (S.SUBMITTED, S.UNDER_REVIEW),
        A.APPROVE,
        DECIDERS,
        S.UNDER_REVIEW,
        whole=S.APPROVED,
        dsp=DspState.AGREED,
    ),
    *_moves((S.APPROVED,), A.SIGN, (R.REQUESTER_OFFICER,), S.SIGNED, dsp=DspState.VERIFIED),
    *_moves((S.SIGNED,), A.ACTIVATE, (R.GATEWAY,), S.ACTIVE, dsp=DspState.FINALIZED),
    # Either side may let it be until it is in force.
    *_moves((S.SUBMITTED, *REVIEWED), A.WITHDRAW, REQUESTER, S.WITHDRAWN, dsp=DspState.TERMINATED),
    *_moves((S.COUNTERED,), A.WITHDRAW, (R.REQUESTER_OFFICER,), S.WITHDRAWN, dsp=DspState.TERMINATED),
    *_moves((S.SUBMITTED,), A.REJECT, DECIDERS, S.REJECTED, dsp=DspState.TERMINATED),
    *_moves((S.COUNTERED, *REVIEWED, S.SIGNED), A.REJECT, PROVIDER, S.REJECTED, dsp=DspState.TERMINATED),
    # In force, any party stops it at once; only who suspended resumes, and nothing undoes a revocation.
    *_moves((S.ACTIVE, S.SUSPENDED), A.SUSPEND, PARTIES, S.SUSPENDED),
    *_moves((S.SUSPENDED,), A.RESUME, PARTIES, S.SUSPENDED, whole=S.ACTIVE),
    *_moves((S.SIGNED,), A.REVOKE, PARTIES, S.REVOKED, dsp=DspState.TERMINATED),
    *_moves((S.ACTIVE, S.SUSPENDED), A.REVOKE, PARTIES, S.REVOKED),
    # Another version took its place: an answer in the negotiation, or an amendment that came into force.
    *_moves((S.SUBMITTED, S.UNDER_REVIEW, S.COUNTERED, S.ACTIVE, S.SUSPENDED), A.SUPERSEDE, (R.GATEWAY,), S.SUPERSEDED),
)

ANSWERS: Final = {DspState.REQUESTED: A.COUNTER, DspState.OFFERED: A.SUBMIT}
"""By which act a new version answers one that is negotiated, and takes its place at once."""

_BY_CASE: Final = {(each.state, each.act, each.role): each for each in TABLE}


def fold(acts: Iterable[SignedAct], agreement: Agreement, now: datetime) -> AgreementStanding:
    """Where a version stands at ``now``, by its acts in their order; an act that is not admitted changes nothing."""
    standing = begun(agreement)
    for each in acts:
        standing = step(standing, agreement, each)
    if standing.state not in TERMINAL and now >= ends_at(agreement):
        return standing.model_copy(update={"state": AgreementState.EXPIRED})
    return standing


def begun(agreement: Agreement) -> AgreementStanding:
    """A version of which nothing is known but its text."""
    return AgreementStanding(drafters=frozenset({agreement.drafted_by}))


def step(standing: AgreementStanding, agreement: Agreement, signed: SignedAct) -> AgreementStanding:
    """What one more act makes of it."""
    move = admitted(standing, agreement, signed)
    if move is None:
        return standing
    standing = _with_drafter(standing, signed)
    act, signer = signed.act, (signed.act.agency, signed.purpose)
    approved = standing.approved | {signer} if act.act is Act.APPROVE else standing.approved
    stopped = _suspended_by(standing, act)
    is_last = move.whole is not None and _is_last(act.act, agreement, approved, stopped)
    then = move.whole if is_last and move.whole else move.then
    has_moved = move.dsp is not None and (move.whole is None or is_last)
    return AgreementStanding(
        state=then,
        dsp=move.dsp if has_moved else standing.dsp,
        head=digest_of(act),
        drafters=standing.drafters,
        approved=approved,
        suspended_by=stopped,
        history=(*standing.history, Step(signed=signed, role=move.role, state=then)),
    )


def admitted(standing: AgreementStanding, agreement: Agreement, signed: SignedAct) -> Move | None:
    """The line of the table by which an act counts, if there is one."""
    act = signed.act
    role = role_of(agreement, signed, _with_drafter(standing, signed).drafters)
    move = _BY_CASE.get((standing.state, act.act, role)) if role else None
    if move is None or _was_done(standing, signed) or not _is_about(standing, signed, agreement):
        return None
    return move if standing.state is None or act.previous == standing.head else None


def role_of(agreement: Agreement, signed: SignedAct, drafters: frozenset[str]) -> Role | None:
    """The role of a signer; none for who has no say in this agreement."""
    agency, is_drafter = signed.act.agency, signed.kid in drafters
    if signed.purpose is KeyPurpose.GATEWAY:
        return Role.GATEWAY
    if signed.kid.partition("#")[0] != agency or signed.purpose not in {KeyPurpose.OFFICER, KeyPurpose.DPO}:
        return None
    if agency == agreement.requester and signed.purpose is KeyPurpose.OFFICER:
        return Role.REQUESTER_DRAFTER if is_drafter else Role.REQUESTER_OFFICER
    if agency not in agreement.providers:
        return None
    if is_drafter:
        return Role.PROVIDER_DRAFTER
    return Role.PROVIDER_OFFICER if signed.purpose is KeyPurpose.OFFICER else Role.PROVIDER_DPO


def begins_at(agreement: Agreement) -> datetime:
    """The first instant of its period."""
    return _midnight(agreement.period.start)


def ends_at(agreement: Agreement) -> datetime:
    """The first instant after its period."""
    return _midnight(agreement.period.until)


def dsp_of(acts: Sequence[Step]) -> tuple[DspState, ...]:
    """The states that a dataspace would have seen, in their order."""
    seen = (_BY_CASE[_before(acts, place), each.signed.act.act, each.role] for place, each in enumerate(acts))
    moved = zip(seen, acts, strict=True)
    return tuple(move.dsp for move, each in moved if move.dsp and (move.whole is None or each.state is move.whole))


def _before(acts: Sequence[Step], place: int) -> AgreementState | None:
    return acts[place - 1].state if place else None


def _with_drafter(standing: AgreementStanding, signed: SignedAct) -> AgreementStanding:
    """Whoever once wrote the draft stays one of its drafters, also of the text that took its place."""
    if signed.act.act is not Act.DRAFT or standing.state not in {None, AgreementState.DRAFT}:
        return standing
    return standing.model_copy(update={"drafters": standing.drafters | {signed.kid}})


def _is_about(standing: AgreementStanding, signed: SignedAct, agreement: Agreement) -> bool:
    """Whether an act is about this text.

    A draft of before had another text. This one is put forward by who drafted it, or by a colleague as it lay there:
    else somebody could write a text and give it out as another's.
    """
    act = signed.act
    if (act.agreement, act.version) != (agreement.id, agreement.version):
        return False
    if act.digest != digest_of(agreement):
        return act.act is Act.DRAFT
    if act.act is Act.SUBMIT and standing.history and standing.history[-1].signed.act.digest == act.digest:
        return True
    return act.act not in {Act.DRAFT, Act.SUBMIT} or signed.kid == agreement.drafted_by


def _was_done(standing: AgreementStanding, signed: SignedAct) -> bool:
    """Whether this signer's part is done already, or is not this agency's to do."""
    agency = signed.act.agency
    match signed.act.act:
        case Act.APPROVE:
            return (agency, signed.purpose) in standing.approved
        case Act.SUSPEND:
            return agency in standing.suspended_by
        case Act.RESUME:
            return agency not in standing.suspended_by
        case _:
            return False


def _suspended_by(standing: AgreementStanding, act: AgreementAct) -> frozenset[str]:
    if act.act is Act.SUSPEND:
        return standing.suspended_by | {act.agency}
    return standing.suspended_by - {act.agency} if act.act is Act.RESUME else standing.suspended_by


def _is_last(
    act: Act, agreement: Agreement, approved: frozenset[tuple[str, KeyPurpose]], stopped: frozenset[str]
) -> bool:
    if act is Act.RESUME:
        return not stopped
    return approved == {each for each in agreement.required_signers if each[0] != agreement.requester}


def _midnight(day: date) -> datetime:
    """The first instant of a Bangkok day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) - BANGKOK
