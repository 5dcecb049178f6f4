"""How an agreement moves: every rule that may say no, the act kept, the state folded, what follows from it.

All of it happens in one transaction with its entries of the log; ``Moves`` collects these and writes them last.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from contracts.agreement_acts import SIGNS_THE_TEXT, signed_act
from contracts.agreement_signatures import SignedAgreement, read_signed
from contracts.canonical import digest_of
from contracts.errors import Refused, SaphanError, from_code
from contracts.federation import KeyPurpose
from contracts.lifecycle import (
    Act,
    AgreementAct,
    AgreementStanding,
    AgreementState,
    SignedAct,
    admitted,
    begins_at,
    ends_at,
    fold,
    role_of,
    step,
)
from contracts.signing import joined
from contracts.suspension import Suspended
from gateway.agreement_events import acted
from gateway.agreement_terms import check_decisions
from gateway.means import Means
from gateway.notices import add_notice
from gateway.quiet_log import what_failed
from gateway.retirement import check_not_retired
from gateway.store import agreement_acts, log, registry, suspensions
from gateway.store.agreement_acts import HeldAct
from gateway.store.engine import Reading, Transaction
from gateway.store.log import Event
from gateway.store.registry import HeldAgreement
from policies.acts import denied_act

IN_FORCE: Final = (AgreementState.ACTIVE, AgreementState.SUSPENDED)
CONNECTORS_HEAR_OF: Final = frozenset({Act.SUSPEND, Act.RESUME, Act.REVOKE, Act.SUPERSEDE, Act.REJECT, Act.WITHDRAW})
"""What the providers' connectors must know of a text that somebody signed: a signature cannot be taken back, and
whoever has all of them could pass off as agreed what one of them has since refused."""

logger: Final = logging.getLogger("saphan.gateway")


@dataclass(slots=True)
class Moves:
    """The moves of one transaction.

    Args:
        t: The transaction; the versions that move are locked in it.
        means: The gateway's surroundings.
        now: The instant of all these moves.
    """

    t: Transaction
    means: Means
    now: datetime
    events: list[Event] = field(default_factory=list)

    def standing(self, held: HeldAgreement) -> AgreementStanding:
        """Where a version stands, folded from its acts."""
        return standing_of(self.t, held, self.now)

    def check(self, held: HeldAgreement, before: AgreementStanding, signed: SignedAct) -> None:
        """Every rule about who may do this, now.

        Raises:
            Refused: ``agreement-changed`` for another text, ``agreement-moved`` for a standing of before, all that the
                policies refuse, ``suspended-by-another``, ``act-not-allowed``.
        """
        act, agreement = signed.act, held.agreement
        if act.digest != held.digest:
            raise Refused("agreement-changed", agreement=agreement.id)
        state = before.state or AgreementState.DRAFT
        if before.state is not None and act.previous != before.head:
            raise Refused("agreement-moved", agreement=agreement.id, state=state.value)
        drafters = before.drafters | (self._drafters_before(held) if act.act in SIGNS_THE_TEXT else set())
        reasons = denied_act(
            act=act.act,
            agency=act.agency,
            kid=signed.kid,
            purpose=signed.purpose,
            agreement=agreement,
            state=state,
            drafters=frozenset(drafters),
            suspended=self._suspended(signed),
        )
        if reasons:
            raise from_code(reasons[0], others=reasons[1:], agreement=agreement.id)
        if admitted(before, agreement, signed) is None:
            raise _not_admitted(held, before, signed, state)

    def put(self, held: HeldAgreement, before: AgreementStanding, given: HeldAct) -> HeldAgreement:
        """Keep an act that was checked, and the state to which it leads; ``held`` has its signatures already."""
        after = step(before, held.agreement, given.signed)
        if after.state is None or after.head != digest_of(given.signed.act):
            raise LookupError("an act that does not count is not kept")
        moved = replace(held, state=after.state, head=after.head)
        registry.update_agreement(self.t, moved)
        agreement_acts.add_act(self.t, given, self.now)
        act = given.signed.act.act
        if act in CONNECTORS_HEAR_OF and held.signers:
            add_notice(self.t, given.document, self.now, held.agreement.providers)
        if after.state is not AgreementState.DRAFT:
            parties = held.agreement.parties
            self.events.append(acted(given.signed, after.state, parties, self.now, self.means.entropy))
        return moved

    def with_text(self, held: HeldAgreement, signed: SignedAct, text: str) -> HeldAgreement:
        """Add the signature of the text to the others, and verify all of them together.

        Raises:
            Refused: ``agreement-changed``; ``signers-incomplete`` when others than who acts signed it.
        """
        federation = self.means.federation
        alone = read_signed(text, federation, self.now)
        if alone.digest != held.digest:
            raise Refused("agreement-changed", agreement=held.agreement.id)
        if set(alone.signers.values()) != {signed.kid}:
            raise Refused("signers-incomplete")
        document = joined(held.document, text) if held.document else text
        all_of_them: SignedAgreement = read_signed(document, federation, self.now)
        return replace(held, document=document, signers=tuple(sorted(all_of_them.signers.values())))

    def activate(self, held: HeldAgreement) -> HeldAgreement:
        """Put a version in force whose time has come; nothing happens while something stands against it.

        What was in force under the name until now is superseded with it, also what expired meanwhile: the name has
        one version in force.
        """
        if held.state is not AgreementState.SIGNED or self.now < begins_at(held.agreement):
            return held
        if blocks(self.t, self.means, held, self.now):
            return held
        for other in registry.agreement_versions(self.t, held.agreement.id):
            if other.digest != held.digest and other.state in IN_FORCE:
                self.supersede(other)
        return self._by_gateway(held, Act.ACTIVATE, self.standing(held))

    def supersede(self, held: HeldAgreement) -> None:
        """Say that another version took the place of this one."""
        # Nothing moves what has expired but this: its acts count as if its period had not ended.
        self._by_gateway(held, Act.SUPERSEDE, standing_of(self.t, held, begins_at(held.agreement)))

    def close(self) -> None:
        """Write the entries of the log: the last thing that the transaction does."""
        for event in self.events:
            log.append(self.t, event)
        self.events.clear()

    def _suspended(self, signed: SignedAct) -> Suspended:
        """What stands suspended: the gateway keeps the book also while its operator's agency is."""
        return Suspended() if signed.purpose is KeyPurpose.GATEWAY else suspensions.standing(self.t)

    def _by_gateway(self, held: HeldAgreement, act: Act, before: AgreementStanding) -> HeldAgreement:
        given = _own_act(self.means, held, act, before.head, self.now)
        self.check(held, before, given.signed)
        return self.put(held, before, given)

    def _drafters_before(self, held: HeldAgreement) -> set[str]:
        """Who drafted the versions that this one answered in the same negotiation: their words are in it."""
        drafters: set[str] = set()
        while held.agreement.supersedes is not None:
            before = registry.agreement_text(self.t, held.agreement.supersedes)
            if before is None or len(before.signers) == len(before.agreement.required_signers):
                break
            drafters.add(before.agreement.drafted_by)
            held = before
        return drafters


def standing_of(r: Reading, held: HeldAgreement, now: datetime) -> AgreementStanding:
    """Where a version stands, folded from its acts."""
    acts = agreement_acts.acts_of(r, held.agreement)
    return fold((each.signed for each in acts), held.agreement, now)


def blocks(r: Reading, means: Means, held: HeldAgreement, now: datetime) -> tuple[str, ...]:
    """Why a version that all have signed cannot be in force, as error codes."""
    agreement = held.agreement
    lacking = any(each.needs_policy_decision and each.policy_decision is None for each in agreement.activities)
    codes = {"policy-decision-missing"} if lacking else set()
    if _is_held_back(r, held):
        codes.add("agreement-suspended")
    try:
        check_decisions(agreement, now)
        check_not_retired(r, (ref for each in agreement.activities for ref in each.contracts))
        if read_signed(held.document, means.federation, now).missing:
            codes.add("signers-incomplete")
    except SaphanError as error:
        codes.add(error.code)
    return tuple(sorted(codes))


def _is_held_back(r: Reading, held: HeldAgreement) -> bool:
    """Whether another version is suspended: no first day may undo what a party stopped, and neither may a last one.

    Once the suspended version has ended nobody can resume it. What is signed after that is agreed anew and may begin;
    what was signed before is for the parties to reject or revoke.
    """
    others = [each for each in registry.agreement_versions(r, held.agreement.id) if each.digest != held.digest]
    stopped = [each for each in others if each.state is AgreementState.SUSPENDED]
    return bool(stopped) and agreement_acts.acts_of(r, held.agreement)[-1].signed.act.at < max(
        ends_at(each.agreement) for each in stopped
    )


def activate_due(means: Means) -> None:
    """Put every version in force whose first day has come; each tick calls it, and nothing happens twice."""
    now = means.clock()
    with means.store.read() as r:
        due = [each for each in registry.in_state(r, AgreementState.SIGNED) if begins_at(each.agreement) <= now]
        due = [each for each in due if each.state_at(now) is AgreementState.SIGNED and not blocks(r, means, each, now)]
    for each in due:
        try:
            _activate(means, each, now)
        except Exception as error:  # noqa: BLE001  # one that cannot begin must not hold up the others
            logger.error("agreement not put in force: %s", what_failed(error))  # noqa: TRY400  # a traceback holds its text


def _activate(means: Means, held: HeldAgreement, now: datetime) -> None:
    with means.store.transaction() as t:
        moves = Moves(t, means, now)
        found = _by_digest(registry.lock_versions(t, held.agreement.id), held.digest)
        if found is not None:
            moves.activate(found)
        moves.close()


def _by_digest(versions: Iterable[HeldAgreement], digest: str) -> HeldAgreement | None:
    return next((each for each in versions if each.digest == digest), None)


def _own_act(means: Means, held: HeldAgreement, act: Act, previous: str | None, now: datetime) -> HeldAct:
    """An act of the gateway itself, under its own key."""
    agreement = held.agreement
    done = AgreementAct(
        agreement=agreement.id,
        version=agreement.version,
        digest=held.digest,
        act=act,
        agency=means.federation.operator,
        at=now,
        previous=previous,
    )
    key = means.keys.gateway
    return HeldAct(SignedAct(act=done, kid=key.kid, purpose=KeyPurpose.GATEWAY), signed_act(done, key))


def _not_admitted(held: HeldAgreement, before: AgreementStanding, signed: SignedAct, state: AgreementState) -> Refused:
    act, name = signed.act, held.agreement.id
    if act.act is Act.RESUME and state is AgreementState.SUSPENDED and act.agency not in before.suspended_by:
        return Refused("suspended-by-another", agreement=name)
    role = role_of(held.agreement, signed, before.drafters)
    return Refused(
        "act-not-allowed", agreement=name, state=state.value, act=act.act.value, role=role.value if role else "-"
    )
