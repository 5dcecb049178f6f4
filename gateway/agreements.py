"""Agreements as members see them, and the two calls by which they move: a new version, and an act on one.

A draft is its own agency's business: to everybody else it does not exist.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from contracts.agreement import Agreement
from contracts.agreement_acts import SIGNS_THE_TEXT, AgreementHistory, AgreementProposal, HistoryEntry, read_act
from contracts.canonical import digest_of
from contracts.errors import InvalidInput, Refused
from contracts.federation import KeyPurpose
from contracts.lifecycle import (
    ANSWERS,
    NEEDS_REASON,
    Act,
    AgreementState,
    SignedAct,
    begun,
    step,
)
from contracts.views import AgreementView
from gateway.agreement_moves import IN_FORCE, Moves, blocks, standing_of
from gateway.agreement_terms import check_terms, read_text
from gateway.caller import Caller
from gateway.means import Means
from gateway.store import agreement_acts, registry, requests
from gateway.store.agreement_acts import HeldAct
from gateway.store.engine import Reading
from gateway.store.registry import HeldAgreement

MOST_SKEW: Final = timedelta(seconds=60)
PUTS_FORWARD: Final = frozenset({Act.DRAFT, Act.SUBMIT, Act.COUNTER})
OPEN: Final = frozenset(
    {
        AgreementState.SUBMITTED,
        AgreementState.UNDER_REVIEW,
        AgreementState.COUNTERED,
        AgreementState.APPROVED,
        AgreementState.SIGNED,
    }
)
"""States of a version that may still come into force."""


def everything(means: Means, reader: str) -> tuple[AgreementView, ...]:
    """Every version of every agreement that an agency may see, oldest first."""
    now = means.clock()
    with means.store.read() as r:
        return tuple(each.view(now) for each in _visible(registry.all_agreements(r), reader))


def one(means: Means, reader: str, name: str) -> AgreementView:
    """The version in force under a name; while none is, the suspended one, and else the newest that one may see.

    Raises:
        InvalidInput: ``unknown-agreement``.
    """
    now = means.clock()
    with means.store.read() as r:
        seen = _known(registry.agreement_versions(r, name), reader, name)
        in_force = [each for state in IN_FORCE for each in reversed(seen) if each.state_at(now) is state]
        return _view(r, means, (in_force or [seen[-1]])[0], now)


def versions(means: Means, reader: str, name: str) -> tuple[AgreementView, ...]:
    """Every version of an agreement that an agency may see, oldest first.

    Raises:
        InvalidInput: ``unknown-agreement``.
    """
    now = means.clock()
    with means.store.read() as r:
        seen = _known(registry.agreement_versions(r, name), reader, name)
        return tuple(_view(r, means, each, now) for each in seen)


def history(means: Means, reader: str, name: str) -> tuple[AgreementHistory, ...]:
    """Every act on every version, each as it was signed; whoever has it folds the states anew.

    Raises:
        InvalidInput: ``unknown-agreement``.
    """
    now = means.clock()
    with means.store.read() as r:
        seen = _known(registry.agreement_versions(r, name), reader, name)
        return tuple(AgreementHistory(view=_view(r, means, each, now), acts=_entries(r, each, now)) for each in seen)


def propose(means: Means, caller: Caller, proposal: AgreementProposal) -> AgreementView:
    """Put a new version forward: as a draft, submitted, or as a counter-offer. The same again changes nothing.

    Raises:
        Refused: ``agreement-changed`` for another text of a version, or another requester's name;
            ``agreement-in-negotiation``; whatever ``Moves.check`` refuses.
        InvalidInput: ``agreement-invalid``, ``unknown-contract``, ``clock-skew``, ``malformed-body``,
            ``not-canonical``.
    """
    now = means.clock()
    agreement = read_text(proposal.agreement)
    given = _given(means, caller, proposal.act, now)
    act = given.signed.act
    if act.act not in PUTS_FORWARD or (act.agreement, act.version) != (agreement.id, agreement.version):
        raise InvalidInput("malformed-body", where="act")
    held = HeldAgreement(agreement, digest_of(agreement), "", (), AgreementState.DRAFT)
    with means.store.transaction() as t:
        requests.spend_nonce(t, caller.kid, caller.nonce, now)
        moves = Moves(t, means, now)
        known = registry.lock_versions(t, agreement.id)
        same = next((each for each in known if each.agreement.version == agreement.version), None)
        if same is not None and same.digest == held.digest and _was_done(t, same, given):
            return _view(t, means, same, now)
        _check_free(known, same, agreement)
        if act.act is not Act.DRAFT:
            check_terms(t, agreement, now)
        moved = _put_forward(moves, held, same, known, given)
        moves.close()
        return _view(t, means, moved, now)


def act(means: Means, caller: Caller, name: str, document: str, text: str | None = None) -> AgreementView:
    """Move a version by a signed act; the act that moved it last, sent again, changes nothing.

    Args:
        means: The gateway's surroundings.
        caller: The agency that acts.
        name: The agreement's identifier.
        document: The signed act.
        text: For ``approve`` and ``sign`` the agreement's text under the same key's signature.

    Raises:
        Refused: Whatever ``Moves.check`` and ``Moves.with_text`` refuse.
        InvalidInput: ``unknown-agreement``, ``clock-skew``, ``reason-missing``, ``text-signature-missing``,
            ``malformed-body``.
    """
    now = means.clock()
    given = _given(means, caller, document, now)
    done = given.signed.act
    if done.agreement != name:
        raise InvalidInput("malformed-body", where="act.agreement")
    if (done.act in SIGNS_THE_TEXT) != (text is not None):
        raise InvalidInput("text-signature-missing")
    with means.store.transaction() as t:
        requests.spend_nonce(t, caller.kid, caller.nonce, now)
        moves = Moves(t, means, now)
        known = registry.lock_versions(t, name)
        seen = _known(known, caller.agency, name)
        held = next((each for each in seen if each.agreement.version == done.version), None)
        if held is None:
            raise InvalidInput("unknown-agreement", agreement=f"{name} v{done.version}")
        if _was_done(t, held, given):
            return _view(t, means, held, now)
        moved = _move(moves, held, known, given, text)
        moves.close()
        return _view(t, means, moved, now)


def _was_done(r: Reading, held: HeldAgreement, given: HeldAct) -> bool:
    """Whether this is the act that moved the version last, sent again; two people may do alike at the same instant."""
    if held.head != digest_of(given.signed.act):
        return False
    return agreement_acts.acts_of(r, held.agreement)[-1].signed.kid == given.signed.kid


def _move(
    moves: Moves, held: HeldAgreement, known: Sequence[HeldAgreement], given: HeldAct, text: str | None
) -> HeldAgreement:
    before, done = moves.standing(held), given.signed.act
    moves.check(held, before, given.signed)
    if text is not None:
        held = moves.with_text(held, given.signed, text)
    if before.state is AgreementState.DRAFT and done.act is Act.WITHDRAW:
        return _discarded(moves, held)
    if done.act is Act.SUBMIT:
        check_terms(moves.t, held.agreement, moves.now)
        answered = _answered(moves, held.agreement, known, done.act)
        moved = moves.put(held, before, given)
        _supersede(moves, answered)
        return moved
    moved = moves.put(held, before, given)
    return moves.activate(moved) if done.act is Act.SIGN else moved


def _put_forward(
    moves: Moves, held: HeldAgreement, same: HeldAgreement | None, known: Sequence[HeldAgreement], given: HeldAct
) -> HeldAgreement:
    """Check a new version, or another text of a draft, and keep it with its act."""
    t, act = moves.t, given.signed.act
    before = begun(held.agreement)
    answered = _answered(moves, held.agreement, known, act.act)
    if same is not None:
        held = replace(held, head=same.head)
        for each in agreement_acts.acts_of(t, same.agreement):
            before = step(before, held.agreement, each.signed)
    elif act.previous != (answered.head if answered else None):
        state = answered.state.value if answered else AgreementState.DRAFT.value
        raise Refused("agreement-moved", agreement=held.agreement.id, state=state)
    moves.check(held, before, given.signed)
    if same is None:
        registry.add_agreement(t, held, moves.now)
    else:
        registry.replace_draft(t, same.digest, held)
    moved = moves.put(held, before, given)
    if act.act is not Act.DRAFT:
        _supersede(moves, answered)
    return moved


def _answered(moves: Moves, agreement: Agreement, known: Sequence[HeldAgreement], act: Act) -> HeldAgreement | None:
    """The version whose place this one takes: now, if it is being negotiated; when it is active, if it is in force.

    Raises:
        Refused: ``agreement-in-negotiation``.
        InvalidInput: ``agreement-invalid``, when ``supersedes`` names another version, or nothing is there to counter.
    """
    others = [each for each in known if each.agreement.version < agreement.version]
    found = next((each for each in others if each.state_at(moves.now) in OPEN), None)
    if found is not None:
        dsp = moves.standing(found).dsp
        answer = ANSWERS.get(dsp) if dsp else None
        if answer is not (Act.COUNTER if act is Act.COUNTER else Act.SUBMIT):
            raise Refused("agreement-in-negotiation", agreement=agreement.id)
    elif act is Act.COUNTER:
        raise InvalidInput("agreement-invalid", rule="counters-a-proposal", where="supersedes")
    else:
        found = next((each for each in others if each.state_at(moves.now) in IN_FORCE), None)
    if agreement.supersedes != (found.digest if found else None):
        raise InvalidInput("agreement-invalid", rule="supersedes-what-stands", where="supersedes")
    return found


def _supersede(moves: Moves, answered: HeldAgreement | None) -> None:
    """What was only negotiated gives way to its answer at once; what is in force stays until the new one is."""
    if answered is not None and answered.state in OPEN:
        moves.supersede(answered)


def _check_free(known: Sequence[HeldAgreement], same: HeldAgreement | None, agreement: Agreement) -> None:
    if any(each.agreement.requester != agreement.requester for each in known):
        raise Refused("agreement-changed", agreement=agreement.id)  # nobody takes another's name over
    if same is not None and same.state is not AgreementState.DRAFT:
        raise Refused("agreement-changed", agreement=agreement.id)
    newest = max((each.agreement.version for each in known if each is not same), default=0)
    if agreement.version != newest + 1:
        raise InvalidInput("agreement-invalid", rule="version-is-the-next", where="version")


def _discarded(moves: Moves, held: HeldAgreement) -> HeldAgreement:
    """A draft that is withdrawn leaves nothing: nobody else ever saw it."""
    registry.discard_draft(moves.t, held.digest)
    agreement_acts.discard_acts(moves.t, held.agreement)
    return replace(held, state=AgreementState.WITHDRAWN)


def _given(means: Means, caller: Caller, document: str, now: datetime) -> HeldAct:
    signed = read_act(document, means.federation, now)
    if caller.agency != signed.act.agency:
        raise Refused("not-allowed")
    if signed.purpose is KeyPurpose.GATEWAY:
        raise Refused("key-never-acts")
    if abs(signed.act.at - now) > MOST_SKEW:
        raise InvalidInput("clock-skew", seconds=int(MOST_SKEW.total_seconds()))
    if signed.act.act in NEEDS_REASON and signed.act.because is None:
        raise InvalidInput("reason-missing", act=signed.act.act.value)
    return HeldAct(signed, document)


def _visible(held: Iterable[HeldAgreement], reader: str) -> list[HeldAgreement]:
    return [each for each in held if each.state is not AgreementState.DRAFT or each.agreement.requester == reader]


def _known(held: Iterable[HeldAgreement], reader: str, name: str) -> list[HeldAgreement]:
    seen = _visible(held, reader)
    if not seen:
        raise InvalidInput("unknown-agreement", agreement=name)
    return seen


def _view(r: Reading, means: Means, held: HeldAgreement, now: datetime) -> AgreementView:
    view = held.view(now)
    if view.state is not AgreementState.SIGNED:
        return view
    return view.model_copy(update={"blocked": blocks(r, means, held, now)})


def _entries(r: Reading, held: HeldAgreement, now: datetime) -> tuple[HistoryEntry, ...]:
    documents: dict[SignedAct, str] = {each.signed: each.document for each in agreement_acts.acts_of(r, held.agreement)}
    return tuple(
        HistoryEntry(
            act=each.signed.act,
            digest=digest_of(each.signed.act),
            kid=each.signed.kid,
            role=each.role,
            state=each.state,
            document=documents[each.signed],
        )
        for each in standing_of(r, held, now).history
    )
