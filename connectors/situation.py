"""What stands at this agency: its own knowledge of suspensions, agreements, past questions and officers' decisions.

All of it comes from verified documents and the agency's own journal, nothing from the gateway's word.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from connectors.journal import activities, approvals, notices, series
from connectors.journal.book import Journal
from connectors.journal.entries import Use, Used
from contracts.agreement import Activity, Agreement
from contracts.approval import OfficerDecision, read_decision
from contracts.canonical import digest_of
from contracts.federation import Federation
from contracts.lifecycle import (
    PARTIES,
    PROVIDER,
    REQUESTER,
    Act,
    AgreementAct,
    AgreementState,
    Role,
    SignedAct,
    role_of,
)
from contracts.schedule import span_of
from contracts.suspension import Suspended, suspended_by
from contracts.task import Charge

ROLES: Final = defaultdict(
    frozenset[Role],
    {
        Act.SUSPEND: frozenset(PARTIES),
        Act.RESUME: frozenset(PARTIES),
        Act.REVOKE: frozenset(PARTIES),
        # What was let be before it came into force: signatures of others do not bring it back.
        Act.REJECT: frozenset(PROVIDER),
        Act.WITHDRAW: frozenset(REQUESTER),
        # The gateway may only close this door, not open one.
        Act.SUPERSEDE: frozenset({Role.GATEWAY}),
    },
)
"""Who moves an agreement that is in force; no other act does."""


class Situation(Protocol):
    """What the guard asks before it lets the policies decide."""

    def suspended(self) -> Suspended:
        """What is suspended now."""

    def state_of(self, agreement: Agreement, digest: str) -> AgreementState:
        """Where an agreement stands that all its parties have signed."""

    def used(self, use: Use, request_digest: str, charges: Collection[Charge]) -> Used:
        """What an activity has used, this question left out."""

    def owed(self, series_key: str, charges: Collection[Charge]) -> tuple[Charge, ...]:
        """Those of the charges that a standing series has not paid yet."""

    def decision(self, request_digest: str) -> OfficerDecision | None:
        """What an officer of the agency decided on a request, if one did."""


@dataclass(frozen=True, slots=True)
class JournalSituation:
    """The situation as the journal has it.

    Args:
        journal: Keeps verified orders, acts and decisions, and counts questions.
        agency: Whose connector this is.
        federation: The pinned keys of all members.
    """

    journal: Journal
    agency: str
    federation: Federation

    def suspended(self) -> Suspended:
        """What is suspended now, here or by an order that was heard of."""
        return suspended_by(notices.orders(self.journal))

    def state_of(self, agreement: Agreement, digest: str) -> AgreementState:
        """Active, unless a party suspended or revoked it and this agency has heard of it."""
        return folded(agreement, notices.acts(self.journal, digest))

    def used(self, use: Use, request_digest: str, charges: Collection[Charge]) -> Used:
        """What an activity has used, this question left out, by this agency's own count."""
        return activities.used(self.journal, use, request_digest, charges)

    def owed(self, series_key: str, charges: Collection[Charge]) -> tuple[Charge, ...]:
        """Those of the charges that a standing series has not paid yet, by this agency's own count."""
        return series.owed(self.journal, series_key, charges)

    def decision(self, request_digest: str) -> OfficerDecision | None:
        """What an officer of the agency decided on a request; its signature is verified again.

        Raises:
            Refused, InvalidInput: When the journal holds a decision that no officer signed.
        """
        kept = approvals.decision(self.journal, request_digest)
        if kept is None:
            return None
        document, decided_at = kept
        decision = read_decision(document, self.agency, self.federation, decided_at)
        return decision if decision.request_digest == request_digest else None


def folded(agreement: Agreement, acts: Iterable[SignedAct]) -> AgreementState:
    """Where a signed agreement stands after these acts; what nobody suspended or revoked is active.

    It does not depend on the order in which acts are heard of, which is the gateway's to choose, nor on the times that
    they claim: a suspension stands until the same party resumes by an act that follows it in the chain of ``previous``.
    Where a link of the chain was not heard of, it stands. Who acts in which role is ``contracts.lifecycle``'s.
    """
    counted = [
        each for each in acts if role_of(agreement, each, frozenset({agreement.drafted_by})) in ROLES[each.act.act]
    ]
    by_act = {each.act.act for each in counted}
    if Act.REVOKE in by_act:
        return AgreementState.REVOKED
    if Act.REJECT in by_act:
        return AgreementState.REJECTED
    if Act.WITHDRAW in by_act:
        return AgreementState.WITHDRAWN
    if Act.SUPERSEDE in by_act:
        return AgreementState.SUPERSEDED
    known = {digest_of(each.act): each.act for each in counted}
    resumed = {
        (act.agency, past) for act in known.values() if act.act is Act.RESUME for past in _followed_by(act, known)
    }
    stopped = any(act.act is Act.SUSPEND and (act.agency, name) not in resumed for name, act in known.items())
    return AgreementState.SUSPENDED if stopped else AgreementState.ACTIVE


def _followed_by(act: AgreementAct, known: Mapping[str, AgreementAct]) -> Iterator[str]:
    """The digests of the known acts before this one, as far as the chain is known."""
    before = act.previous
    while before is not None and before in known:
        yield before
        before = known[before].previous


def use_of(agreement: Agreement, activity: Activity, now: datetime) -> Use:
    """The activity that a question counts for, with the present span of its schedule."""
    schedule = activity.schedule
    span = None if schedule is None else span_of(schedule.every, now, agreement.period)
    return Use(agreement.id, activity.id, span, is_capped=activity.nano_rho_in_all is not None)
