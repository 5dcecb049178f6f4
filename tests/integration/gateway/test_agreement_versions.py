"""Drafts, counter-offers and amendments: versions of one agreement, on both databases."""

import pytest

from contracts.agreement import Agreement
from contracts.errors import Refused, SaphanError
from contracts.lifecycle import Act, AgreementState, begins_at
from contracts.transparency import LogEntry
from gateway import agreements
from tests import factories
from tests.agreement_parties import Parties
from tests.gateway_world import CONTRACT, World

pytestmark = pytest.mark.integration

NAME = "AGR-2569-007"


def draft(**changes: object) -> Agreement:
    return factories.agreement((CONTRACT,), **({"id": NAME} | changes))


@pytest.fixture
def parties(world: World) -> Parties:
    return Parties(world, NAME)


def in_force(parties: Parties) -> Parties:
    parties.put(draft(), Act.SUBMIT)
    parties.agree()
    return parties


def amended(parties: Parties, **changes: object) -> Agreement:
    fields = {"version": 2, "supersedes": parties.view(version=1).digest, "retention_days": 30}
    return draft(**(fields | changes))


def entries(world: World) -> list[LogEntry]:
    return [each for each in world.log() if each.kind.value.startswith("agreement")]


# ---------------------------------------------------------------- drafts
def test_a_draft_is_its_own_agencys_and_may_be_written_anew(world: World, parties: Parties) -> None:
    parties.put(draft(), Act.DRAFT)
    again = draft(retention_days=30, drafted_by="oja#officer-2")
    parties.put(again, Act.DRAFT, previous=parties.view().head)

    assert parties.view().agreement == again
    assert len(agreements.versions(world.exchange.means, "oja", NAME)) == 1
    assert again not in [each.agreement for each in world.exchange.agreements()]
    for read in (agreements.one, agreements.versions, agreements.history):
        with pytest.raises(SaphanError, match="unknown-agreement"):
            read(world.exchange.means, "ccib", NAME)
    with pytest.raises(SaphanError, match="unknown-agreement"):
        parties.act(Act.REVIEW, "ccib#officer-1")
    assert entries(world) == []

    assert parties.act(Act.SUBMIT, "oja#officer-1").state is AgreementState.SUBMITTED
    assert parties.view("ccib").agreement == again


def test_a_discarded_draft_leaves_nothing(world: World, parties: Parties) -> None:
    parties.put(draft(), Act.DRAFT)

    assert parties.act(Act.WITHDRAW, "oja#officer-2").state is AgreementState.WITHDRAWN
    with pytest.raises(SaphanError, match="unknown-agreement"):
        parties.view()
    assert entries(world) == []
    assert parties.put(draft(), Act.SUBMIT).agreement.version == 1


def test_both_who_wrote_a_draft_are_its_drafters(parties: Parties) -> None:
    parties.put(draft(drafted_by="oja#officer-2"), Act.DRAFT)
    parties.put(draft(), Act.SUBMIT, previous=parties.view().head)
    for kid in ("ccib#officer-1", "ccib#dpo-1"):
        parties.act(Act.APPROVE, kid)

    with pytest.raises(Refused, match="approves-own-draft"):
        parties.act(Act.SIGN, "oja#officer-2")


# ---------------------------------------------------------------- counter-offers
def countered(parties: Parties, **changes: object) -> Agreement:
    fields = {"version": 2, "supersedes": parties.view().digest, "drafted_by": "ccib#officer-1", "retention_days": 7}
    return draft(**(fields | changes))


def test_a_counter_offer_takes_the_place_of_the_proposal_and_is_accepted_approved_and_signed(
    world: World, parties: Parties
) -> None:
    first = parties.put(draft(), Act.SUBMIT)
    offer = parties.put(countered(parties), Act.COUNTER, previous=first.head)
    assert (offer.state, parties.view(version=1).state) == (AgreementState.COUNTERED, AgreementState.SUPERSEDED)

    accepted = parties.act(Act.ACCEPT, "oja#officer-2")
    parties.act(Act.APPROVE, "ccib#officer-2")
    parties.act(Act.APPROVE, "ccib#dpo-1")
    signed = parties.act(Act.SIGN, "oja#officer-2")

    assert accepted.state is AgreementState.UNDER_REVIEW
    assert signed.active
    assert world.exchange.agreement(NAME).agreement.retention_days == 7


def test_who_countered_does_not_approve_and_who_drafted_before_does_not_sign(parties: Parties) -> None:
    first = parties.put(draft(), Act.SUBMIT)
    parties.put(countered(parties), Act.COUNTER, previous=first.head)
    parties.act(Act.ACCEPT, "oja#officer-2")

    with pytest.raises(Refused, match="approves-own-draft"):
        parties.act(Act.APPROVE, "ccib#officer-1")
    parties.act(Act.APPROVE, "ccib#officer-2")
    parties.act(Act.APPROVE, "ccib#dpo-1")
    with pytest.raises(Refused, match="approves-own-draft"):
        parties.act(Act.SIGN, "oja#officer-1")


def test_the_requester_may_answer_a_counter_offer_with_a_version_of_its_own(parties: Parties) -> None:
    first = parties.put(draft(), Act.SUBMIT)
    offer = parties.put(countered(parties), Act.COUNTER, previous=first.head)
    third = draft(version=3, supersedes=offer.digest)

    parties.put(third, Act.SUBMIT, previous=offer.head)

    assert parties.view(version=2).state is AgreementState.SUPERSEDED
    for kid in ("ccib#officer-2", "ccib#dpo-1"):
        parties.act(Act.APPROVE, kid)
    assert parties.act(Act.SIGN, "oja#officer-2").active


def test_a_proposal_that_was_accepted_or_approved_is_not_countered_again(parties: Parties) -> None:
    first = parties.put(draft(), Act.SUBMIT)
    parties.put(countered(parties), Act.COUNTER, previous=first.head)
    parties.act(Act.ACCEPT, "oja#officer-2")
    again = countered(parties, version=3, drafted_by="ccib#officer-2")

    with pytest.raises(Refused, match="agreement-in-negotiation"):
        parties.put(again, Act.COUNTER, previous=parties.view().head)


# ---------------------------------------------------------------- amendments
def test_an_amendment_runs_beside_the_old_version_until_it_is_in_force(world: World, parties: Parties) -> None:
    in_force(parties)
    old, new = parties.view(), amended(parties)
    parties.put(new, Act.SUBMIT, previous=old.head)
    for kid in ("ccib#officer-1", "ccib#dpo-1"):
        parties.act(Act.APPROVE, kid)
        assert world.exchange.agreement(NAME).agreement.version == 1
    world.submit(factories.request(draft(), id="REQ-0001"))

    assert parties.act(Act.SIGN, "oja#officer-2").active
    assert parties.view(version=1).state is AgreementState.SUPERSEDED
    assert [each.facts["act"] for each in entries(world)][-2:] == ["supersede", "activate"]
    with pytest.raises(Refused, match="agreement-changed"):
        world.submit(factories.request(draft(), id="REQ-0002"))
    world.submit(factories.request(new, id="REQ-0003"))


def test_an_amendment_that_begins_later_leaves_the_old_version_until_then(world: World, parties: Parties) -> None:
    in_force(parties)
    new = amended(parties, period=factories.period("2026-02-01", "2026-10-01"))
    parties.put(new, Act.SUBMIT, previous=parties.view(version=1).head)
    parties.agree(2)
    assert world.exchange.agreement(NAME).agreement.version == 1

    world.now = begins_at(new)
    world.exchange.resume()

    assert world.exchange.agreement(NAME).agreement.version == 2
    assert parties.view(version=1).state is AgreementState.SUPERSEDED


@pytest.mark.parametrize(("act", "kid"), [(Act.REJECT, "ccib#dpo-1"), (Act.WITHDRAW, "oja#officer-1")])
def test_an_amendment_that_comes_to_nothing_leaves_the_old_version_untouched(
    world: World, parties: Parties, act: Act, kid: str
) -> None:
    in_force(parties)
    before = parties.view()
    parties.put(amended(parties), Act.SUBMIT, previous=before.head)
    parties.act(act, kid)

    assert world.exchange.agreement(NAME) == before
    world.submit(factories.request(draft(), id="REQ-0001"))
