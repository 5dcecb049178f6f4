"""Agreements at the gateway: from a draft to force and to every end, on both databases, each act in the log."""

from contextlib import suppress
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.agreement import Agreement, PolicyDecision
from contracts.agreement_acts import check_history
from contracts.canonical import digest_of
from contracts.dataset import ContractRef
from contracts.errors import Refused, SaphanError
from contracts.lifecycle import Act, AgreementState, begins_at, ends_at
from contracts.retirement import ContractRetirement
from contracts.transparency import EventKind, LogEntry
from gateway import agreements, events
from gateway.agreement_moves import standing_of
from gateway.notices import notices_after
from gateway.store import contract_life, log, registry
from gateway.store.contract_life import HeldRetirement
from tests import factories
from tests.agreement_parties import Parties
from tests.factories import NOW
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


def entries(world: World) -> list[LogEntry]:
    return [each for each in world.log() if each.kind.value.startswith("agreement")]


# ---------------------------------------------------------------- into force
def test_a_proposal_that_all_approved_and_the_requester_signed_is_in_force(world: World, parties: Parties) -> None:
    submitted = parties.put(draft(), Act.SUBMIT)
    approved = [parties.act(Act.APPROVE, kid) for kid in ("ccib#officer-1", "ccib#dpo-1")]
    signed = parties.act(Act.SIGN, "oja#officer-2")

    assert (submitted.state, submitted.signed_by, submitted.document) == (AgreementState.SUBMITTED, (), "")
    assert [each.state.value for each in approved] == ["under_review", "approved"]
    assert signed.state is AgreementState.ACTIVE
    assert signed.signed_by == ("ccib#dpo-1", "ccib#officer-1", "oja#officer-2")
    assert world.exchange.agreement(NAME) == signed
    assert signed in world.exchange.agreements()
    assert [each.kind for each in entries(world)] == [
        EventKind.AGREEMENT_PROPOSED,
        EventKind.AGREEMENT_SIGNED,
        EventKind.AGREEMENT_SIGNED,
        EventKind.AGREEMENT_SIGNED,
        EventKind.AGREEMENT_ACTIVATED,
    ]


def test_the_log_names_agency_act_version_text_and_reason_and_seals_the_person(world: World, parties: Parties) -> None:
    in_force(parties)
    parties.act(Act.SUSPEND, "ccib#dpo-1", reason="the officer's own words")

    last = entries(world)[-1]
    assert (last.kind, last.agency, last.subject) == (EventKind.AGREEMENT_MOVED, "ccib", NAME)
    assert last.facts == {
        "act": "suspend",
        "version": "1",
        "digest": digest_of(draft()),
        "state": "suspended",
        "parties": "oja,ccib",
        "because": "other",
    }
    assert last.commitments.keys() == {"act", "person"}
    assert "officer" not in last.model_dump_json()
    assert entries(world)[4].agency is None  # the gateway keeps the book for nobody
    person = next(each for each in openings(world) if each.name == "person")
    assert person.digest == digest_of("ccib#dpo-1")
    assert events.commitment(person) == last.commitments["person"]


def openings(world: World) -> tuple[log.Opening, ...]:
    with world.store.read() as r:
        return log.openings(r, len(world.log()) - 1)


def test_requests_are_answered_under_it_until_somebody_stops_it(world: World, parties: Parties) -> None:
    in_force(parties)
    world.submit(factories.request(draft(), id="REQ-0001"))

    parties.act(Act.SUSPEND, "ccib#officer-2")
    with pytest.raises(Refused, match="agreement-not-active"):
        world.submit(factories.request(draft(), id="REQ-0002"))
    parties.act(Act.RESUME, "ccib#officer-1")
    world.submit(factories.request(draft(), factories.query(dimensions=("month",)), id="REQ-0003"))
    parties.act(Act.REVOKE, "oja#officer-1")
    with pytest.raises(Refused, match="agreement-not-active"):
        world.submit(factories.request(draft(), id="REQ-0004"))
    with pytest.raises(Refused, match="agreement-ended"):
        parties.act(Act.RESUME, "oja#officer-1")


def test_only_who_suspended_resumes(parties: Parties) -> None:
    in_force(parties)
    parties.act(Act.SUSPEND, "oja#officer-1")

    with pytest.raises(Refused, match="suspended-by-another"):
        parties.act(Act.RESUME, "ccib#officer-1")
    assert parties.act(Act.RESUME, "oja#officer-2").active


def test_connectors_hear_of_what_stops_an_agreement_and_of_nothing_else(world: World, parties: Parties) -> None:
    in_force(parties)
    for act in (Act.SUSPEND, Act.RESUME, Act.REVOKE):
        parties.act(act, "oja#officer-1")

    with world.store.read() as r:
        heard = [notices_after(r, agency, 0) for agency in ("ccib", "rtp")]
    history = agreements.history(world.exchange.means, "ccib", NAME)[0]
    assert [each.document for each in heard[0]] == [each.document for each in history.acts[-3:]]
    assert heard[1] == ()


@pytest.mark.parametrize(
    ("state", "act", "kid"),
    [
        ("rejected", Act.REJECT, "ccib#dpo-1"),
        ("withdrawn", Act.WITHDRAW, "oja#officer-1"),
        ("under_review", Act.REVIEW, "ccib#officer-1"),
    ],
)
def test_before_it_is_in_force_either_side_lets_it_be(parties: Parties, state: str, act: Act, kid: str) -> None:
    parties.put(draft(), Act.SUBMIT)

    assert parties.act(act, kid).state.value == state


# ---------------------------------------------------------------- when it begins and ends
def test_a_signed_agreement_begins_on_its_first_day_and_the_tick_logs_it(world: World, parties: Parties) -> None:
    later = draft(period=factories.period("2026-02-01", "2026-10-01"))
    parties.put(later, Act.SUBMIT)
    assert parties.agree().state is AgreementState.SIGNED

    world.now = begins_at(later) - timedelta(seconds=1)
    world.exchange.resume()
    assert parties.view().state is AgreementState.SIGNED
    world.now = begins_at(later)
    world.exchange.resume()
    world.exchange.resume()

    assert parties.view().active
    assert world.kinds().count(EventKind.AGREEMENT_ACTIVATED) == 1


def test_an_agreement_expires_without_anybody_doing_anything(world: World, parties: Parties) -> None:
    in_force(parties)
    world.now = ends_at(draft())

    assert parties.view().state is AgreementState.EXPIRED
    assert parties.view() in world.exchange.agreements()
    for act, kid in ((Act.SUSPEND, "ccib#dpo-1"), (Act.REVOKE, "oja#officer-1")):
        with pytest.raises(Refused, match="agreement-ended"):
            parties.act(act, kid)
    renewed = parties.put(draft(version=2, period=factories.period("2026-10-01", "2027-10-01")), Act.SUBMIT)
    assert renewed.state is AgreementState.SUBMITTED


def test_what_waited_beyond_its_period_never_begins(world: World, parties: Parties) -> None:
    parties.put(draft(period=factories.period("2026-02-01", "2026-03-01")), Act.SUBMIT)
    parties.agree()
    world.now = NOW + timedelta(days=90)
    world.exchange.resume()

    assert parties.view().state is AgreementState.EXPIRED


def linked(decision: PolicyDecision | None, **changes: object) -> Agreement:
    activity = factories.activity((CONTRACT,), linked=True, policy_decision=decision)
    return draft(activities=(activity,), **changes)


DECISION = PolicyDecision(
    number="กพยช. 1/2569", decided_on=NOW.date(), digest=f"sha-256:{'a' * 64}", body=factories.text("NCJAD")
)


def test_linked_cohorts_wait_for_their_policy_decision(world: World, parties: Parties) -> None:
    parties.put(linked(None), Act.SUBMIT)
    signed = parties.agree()
    world.exchange.resume()

    assert (signed.state, signed.blocked) == (AgreementState.SIGNED, ("policy-decision-missing",))
    assert parties.view().state is AgreementState.SIGNED
    parties.act(Act.REVOKE, "oja#officer-1")
    parties.put(linked(DECISION, version=2), Act.SUBMIT)
    assert parties.agree().active


def test_what_cites_a_contract_that_was_taken_back_does_not_begin(world: World, parties: Parties) -> None:
    parties.put(draft(), Act.SUBMIT)
    for kid in ("ccib#officer-1", "ccib#dpo-1"):
        parties.act(Act.APPROVE, kid)
    retire(world, CONTRACT.reference)

    signed = parties.act(Act.SIGN, "oja#officer-2")
    world.exchange.resume()

    assert (signed.state, signed.blocked) == (AgreementState.SIGNED, ("contract-retired",))
    assert parties.view().state is AgreementState.SIGNED


def test_nothing_is_proposed_over_a_contract_that_was_taken_back(world: World, parties: Parties) -> None:
    retire(world, CONTRACT.reference)

    with pytest.raises(Refused, match="contract-retired"):
        parties.put(draft(), Act.SUBMIT)


def retire(world: World, reference: ContractRef) -> None:
    retirement = ContractRetirement(reference=reference, agency="ccib", at=NOW, reason="replaced")
    with world.store.transaction() as t:
        held = HeldRetirement(retirement, "document", NOW)
        contract_life.add_retirement(t, held, events.contract_retired(retirement, NOW))


# ---------------------------------------------------------------- the state and its acts
START = st.sampled_from([AgreementState.SUBMITTED, AgreementState.ACTIVE])
ACTS = st.lists(
    st.tuples(
        st.sampled_from([each for each in Act if each not in {Act.DRAFT, Act.COUNTER}]),
        st.sampled_from(["oja#officer-1", "oja#officer-2", "ccib#officer-1", "ccib#dpo-1", "rtp#officer-1"]),
    ),
    max_size=12,
)


NAMES = count(100)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(START, ACTS)
def test_the_state_that_is_kept_is_what_the_acts_fold_to(
    world: World, start: AgreementState, done: list[tuple[Act, str]]
) -> None:
    name = f"AGR-2569-{next(NAMES)}"
    parties = Parties(world, name)
    parties.put(draft(id=name), Act.SUBMIT)
    if start is AgreementState.ACTIVE:
        parties.agree()
    for act, kid in done:
        with suppress(SaphanError):
            parties.act(act, kid)

    with world.store.read() as r:
        for held in registry.agreement_versions(r, name):
            standing = standing_of(r, held, world.now)
            assert (standing.state, standing.head) == (held.state, held.head)
    for history in agreements.history(world.exchange.means, "rtp", name):
        check_history(history, world.keys.federation, world.now)
