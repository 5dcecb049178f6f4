"""What no agreement lets happen: stale acts, wrong signers, terms that nobody offers; named, and nothing is stored."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.agreement import Agreement
from contracts.agreement_acts import AgreementProposal, signed_act
from contracts.canonical import canonical_bytes
from contracts.errors import InvalidInput, Refused
from contracts.lifecycle import Act, AgreementState
from contracts.signing import sign_document
from contracts.suspension import Order, Suspension
from gateway import agreements
from gateway.store import registry, suspensions
from tests import factories
from tests.agreement_parties import Parties, forget, refusal, stored
from tests.agreement_world import an_act, text_signed
from tests.factories import NOW
from tests.gateway_world import AGREEMENT, CONTRACT, World, new_world

pytestmark = pytest.mark.integration

NAME = "AGR-2569-008"
OTHER = f"sha-256:{'1' * 64}"


def draft(**changes: object) -> Agreement:
    return factories.agreement((CONTRACT,), **({"id": NAME} | changes))


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One gateway for all these tests, since none of them may leave anything."""
    made = new_world(f"sqlite:///{tmp_path_factory.mktemp('refusals') / 'gateway.db'}")
    yield made
    made.store.close()


@pytest.fixture
def world(gateway: World) -> Iterator[World]:
    gateway.now = NOW
    yield gateway
    forget(gateway, NAME)


@pytest.fixture
def parties(world: World) -> Parties:
    return Parties(world, NAME)


@pytest.fixture
def submitted(parties: Parties) -> Parties:
    parties.put(draft(), Act.SUBMIT)
    return parties


# ---------------------------------------------------------------- acts
def test_who_acts_on_what_moved_meanwhile_is_refused_and_told_where_it_stands(submitted: Parties) -> None:
    before = submitted.view().head
    submitted.act(Act.REVIEW, "ccib#officer-1")

    error = refusal(lambda: submitted.act(Act.WITHDRAW, "oja#officer-1", previous=before))

    assert error.code == "agreement-moved"
    assert error.details["state"] == "under_review"


def test_the_same_act_sent_again_changes_nothing(world: World, submitted: Parties) -> None:
    head, at = submitted.view().head, world.now
    first = submitted.act(Act.REVIEW, "ccib#officer-1", previous=head, at=at)
    counts = stored(world)

    assert submitted.act(Act.REVIEW, "ccib#officer-1", previous=head, at=at) == first
    assert stored(world) == counts


def test_a_colleague_who_does_alike_at_the_same_instant_is_not_taken_for_the_same_person(submitted: Parties) -> None:
    head, at = submitted.view().head, submitted.world.now
    submitted.act(Act.APPROVE, "ccib#officer-1", previous=head, at=at)

    assert refusal(lambda: submitted.act(Act.APPROVE, "ccib#dpo-1", previous=head, at=at)).code == "agreement-moved"


def test_the_same_proposal_sent_again_changes_nothing(world: World, parties: Parties) -> None:
    first = parties.put(draft(), Act.SUBMIT, at=NOW)
    counts = stored(world)

    assert parties.put(draft(), Act.SUBMIT, at=NOW) == first
    assert stored(world) == counts


@pytest.mark.parametrize(
    ("act", "kid", "code"),
    [
        (Act.APPROVE, "oja#officer-2", "requester-never-approves"),
        (Act.REJECT, "oja#officer-2", "requester-never-approves"),
        (Act.REVIEW, "oja#officer-1", "requester-never-approves"),
        (Act.WITHDRAW, "ccib#officer-1", "not-allowed"),
        (Act.APPROVE, "rtp#dpo-1", "not-a-party"),
        (Act.REVIEW, "rtp#officer-1", "not-a-party"),
        (Act.SIGN, "oja#officer-2", "act-not-allowed"),
        (Act.SIGN, "oja#officer-1", "approves-own-draft"),
        (Act.ACCEPT, "oja#officer-2", "act-not-allowed"),
        (Act.RESUME, "oja#officer-1", "act-not-allowed"),
        (Act.ACTIVATE, "oja#officer-2", "not-allowed"),
        (Act.SUPERSEDE, "ccib#officer-1", "not-allowed"),
    ],
)
def test_who_may_not_do_it_does_not(world: World, submitted: Parties, act: Act, kid: str, code: str) -> None:
    counts = stored(world)
    error = refusal(lambda: submitted.act(act, kid, text=None))

    assert code in {each.code for each in error.reasons}
    assert stored(world) == counts
    assert submitted.view().state is AgreementState.SUBMITTED


@pytest.mark.parametrize("kid", ["ccib#steward-1", "ccib#connector-1", "oja#client-1", "oja#log-1", "oja#token-1"])
def test_machines_and_stewards_never_act(submitted: Parties, kid: str) -> None:
    assert refusal(lambda: submitted.act(Act.SUSPEND, kid)).code == "key-unknown"


def test_the_gateways_key_acts_for_nobody(submitted: Parties) -> None:
    assert refusal(lambda: submitted.act(Act.ACTIVATE, "oja#gateway-1")).code == "key-never-acts"


def test_the_gateways_keys_of_other_members_are_not_the_gateways(world: World, submitted: Parties) -> None:
    act = an_act(draft(), Act.REVIEW, "ccib#officer-1", previous=submitted.view().head)
    two = sign_document(canonical_bytes(act), "agreement-act", world.keys["ccib#officer-1"], world.keys["ccib#dpo-1"])
    call = (world.exchange.means, submitted.caller("ccib#officer-1"), NAME)
    assert refusal(lambda: agreements.act(*call, two)).code == "signers-incomplete"
    stranger = signed_act(act, world.keys["rtp#officer-1"])
    assert refusal(lambda: agreements.act(*call, stranger)).code == "signers-incomplete"


def test_another_agency_does_not_bring_an_act(world: World, submitted: Parties) -> None:
    act = an_act(draft(), Act.REVIEW, "ccib#officer-1", previous=submitted.view().head)
    document = signed_act(act, world.keys["ccib#officer-1"])

    code = refusal(lambda: agreements.act(world.exchange.means, world.connector("rtp"), NAME, document)).code

    assert code == "not-allowed"


@pytest.mark.parametrize("seconds", [-61, 61])
def test_a_clock_that_is_more_than_a_minute_off_is_refused(world: World, parties: Parties, seconds: int) -> None:
    at = world.now + timedelta(seconds=seconds)
    counts = stored(world)

    assert refusal(lambda: parties.put(draft(), Act.SUBMIT, at=at)).code == "clock-skew"
    assert stored(world) == counts
    parties.put(draft(), Act.SUBMIT, at=world.now + timedelta(seconds=60))


@pytest.mark.parametrize("act", [Act.REJECT])
def test_rejecting_takes_a_reason(submitted: Parties, act: Act) -> None:
    assert refusal(lambda: submitted.act(act, "ccib#dpo-1", because=None)).code == "reason-missing"


def test_a_suspended_agency_moves_no_agreement(world: World, submitted: Parties) -> None:
    order = Suspension(id="SUS-0001", order=Order.SUSPEND, by="ccib", agency="ccib", at=NOW, reason="an incident")
    with world.store.transaction() as t:
        suspensions.add(t, order, "document", NOW)

    code = refusal(lambda: submitted.act(Act.APPROVE, "ccib#officer-1")).code

    with world.store.transaction() as t:
        suspensions.lift(t, order, "document", NOW)
    assert code == "agency-suspended"
    assert submitted.act(Act.APPROVE, "ccib#officer-1").state is AgreementState.UNDER_REVIEW


def test_an_act_about_another_agreement_is_refused(world: World, submitted: Parties) -> None:
    act = an_act(AGREEMENT, Act.SUSPEND, "oja#officer-1")
    document = signed_act(act, world.keys["oja#officer-1"])

    error = refusal(lambda: agreements.act(world.exchange.means, world.caller(), NAME, document))

    assert error.code == "malformed-body"
    assert refusal(lambda: submitted.act(Act.REVIEW, "ccib#dpo-1", digest=OTHER)).code == "agreement-changed"
    unknown = signed_act(an_act(draft(version=9), Act.REVIEW, "ccib#dpo-1"), world.keys["ccib#dpo-1"])
    call = (world.exchange.means, world.connector(), NAME, unknown)
    assert refusal(lambda: agreements.act(*call)).code == "unknown-agreement"


# ---------------------------------------------------------------- the signatures of the text
def test_approving_takes_the_texts_signature_and_nothing_else_does(world: World, submitted: Parties) -> None:
    act = an_act(draft(), Act.APPROVE, "ccib#officer-1", previous=submitted.view().head)
    document = signed_act(act, world.keys["ccib#officer-1"])
    call = (world.exchange.means, world.connector(), NAME, document)

    assert refusal(lambda: agreements.act(*call)).code == "text-signature-missing"
    text = text_signed(world.keys, draft(), "ccib#officer-1")
    assert refusal(lambda: submitted.act(Act.REVIEW, "ccib#officer-1", text=text)).code == "text-signature-missing"


@pytest.mark.parametrize(
    ("kids", "code"),
    [
        (("ccib#dpo-1",), "signers-incomplete"),
        (("ccib#officer-1", "ccib#dpo-1"), "signers-incomplete"),
        (("oja#officer-1",), "approves-own-draft"),
        (("rtp#officer-1",), "signers-incomplete"),
        (("ccib#steward-1",), "key-unknown"),
    ],
)
def test_nobodys_signature_but_the_approvers_comes_with_an_approval(
    world: World, submitted: Parties, kids: tuple[str, ...], code: str
) -> None:
    text = text_signed(world.keys, draft(), *kids)

    assert refusal(lambda: submitted.act(Act.APPROVE, "ccib#officer-1", text=text)).code == code
    assert submitted.view().document == ""


def test_the_signature_of_another_text_is_refused(world: World, submitted: Parties) -> None:
    text = text_signed(world.keys, draft(retention_days=1), "ccib#officer-1")

    assert refusal(lambda: submitted.act(Act.APPROVE, "ccib#officer-1", text=text)).code == "agreement-changed"


def test_what_lost_a_signature_at_the_gateway_is_not_put_in_force(world: World, parties: Parties) -> None:
    later = draft(period=factories.period("2026-02-01", "2026-10-01"))
    parties.put(later, Act.SUBMIT)
    parties.agree()
    bent = text_signed(world.keys, later, "ccib#officer-1", "oja#officer-2")
    with world.store.transaction() as t:
        held = registry.agreement_versions(t, NAME)[0]
        registry.update_agreement(t, replace(held, document=bent))
    world.now = NOW + timedelta(days=30)
    world.exchange.resume()

    assert parties.view().blocked == ("signers-incomplete",)
    assert parties.view().state is AgreementState.SIGNED


# ---------------------------------------------------------------- whose proposal
@pytest.mark.parametrize(
    ("act", "drafter", "kid", "code"),
    [
        (Act.SUBMIT, "oja#officer-2", "oja#officer-1", "act-not-allowed"),
        (Act.DRAFT, "oja#officer-2", "oja#officer-1", "act-not-allowed"),
        (Act.SUBMIT, "ccib#officer-1", "ccib#officer-1", "not-allowed"),
        (Act.COUNTER, "ccib#officer-1", "ccib#officer-1", "agreement-invalid"),
        (Act.REVIEW, "oja#officer-1", "oja#officer-1", "malformed-body"),
    ],
)
def test_only_who_drafted_a_version_puts_it_forward(
    parties: Parties, act: Act, drafter: str, kid: str, code: str
) -> None:
    error = refusal(lambda: parties.put(draft(drafted_by=drafter), act, kid=kid))

    assert error.code == code


def test_nobody_takes_over_the_name_of_anothers_agreement(world: World) -> None:
    parties = Parties(world, AGREEMENT.id)
    other = factories.agreement((CONTRACT,), version=2, requester="rtp", drafted_by="rtp#officer-1")

    assert refusal(lambda: parties.put(other, Act.SUBMIT)).code == "agreement-changed"


def test_a_version_has_one_text_once_it_is_submitted(submitted: Parties) -> None:
    assert refusal(lambda: submitted.put(draft(retention_days=1), Act.SUBMIT)).code == "agreement-changed"


def test_one_version_is_negotiated_at_a_time(submitted: Parties) -> None:
    second = draft(version=2, supersedes=submitted.view().digest)

    error = refusal(lambda: submitted.put(second, Act.SUBMIT, previous=submitted.view().head))

    assert error.code == "agreement-in-negotiation"


def test_an_answer_to_what_moved_meanwhile_is_refused(submitted: Parties) -> None:
    head = submitted.view().head
    offer = draft(version=2, supersedes=submitted.view().digest, drafted_by="ccib#dpo-1")
    submitted.act(Act.REVIEW, "ccib#officer-1")

    assert refusal(lambda: submitted.put(offer, Act.COUNTER, previous=head)).code == "agreement-moved"


def test_what_nobody_proposed_is_unknown(world: World, parties: Parties) -> None:
    with pytest.raises(InvalidInput, match="unknown-agreement"):
        world.exchange.agreement("AGR-9999-999")
    document = signed_act(an_act(draft(), Act.REVIEW, "ccib#dpo-1"), world.keys["ccib#dpo-1"])
    with pytest.raises(InvalidInput, match="unknown-agreement"):
        agreements.act(world.exchange.means, world.connector(), NAME, document)


def test_a_call_is_not_replayed(world: World, parties: Parties) -> None:
    caller = world.caller()
    act = signed_act(an_act(draft(), Act.SUBMIT, "oja#officer-1"), world.keys["oja#officer-1"])
    proposal = AgreementProposal(agreement=canonical_bytes(draft()).decode(), act=act)
    agreements.propose(world.exchange.means, caller, proposal)

    with pytest.raises(Refused, match="request-replayed"):
        agreements.propose(world.exchange.means, caller, proposal)
