"""What a party stopped stays stopped: no clock, no renewal and no silence undoes it, on both databases."""

from datetime import date, timedelta

import pytest

from connectors.situation import folded
from contracts.agreement import Agreement, PolicyDecision
from contracts.canonical import digest_of
from contracts.errors import Refused
from contracts.lifecycle import Act, AgreementState, SignedAct, begins_at, ends_at
from gateway import agreements, suspensions
from gateway.agreement_moves import activate_due
from gateway.notices import notices_after
from gateway.store import agreement_acts, registry
from tests import factories
from tests.agreement_parties import Parties
from tests.agreement_world import an_act, held_act
from tests.gateway_world import CONTRACT, World
from tests.suspension_orders import signed_order, suspension

pytestmark = pytest.mark.integration

NAME = "AGR-2569-007"
AMENDED = factories.period("2026-02-01", "2026-12-01")
RENEWED = factories.period("2026-10-01", "2027-10-01")


def draft(**changes: object) -> Agreement:
    return factories.agreement((CONTRACT,), **({"id": NAME} | changes))


@pytest.fixture
def parties(world: World) -> Parties:
    parties = Parties(world, NAME)
    parties.put(draft(), Act.SUBMIT)
    return parties


def signed_amendment(parties: Parties, **changes: object) -> Agreement:
    """Version 1 in force, and version 2 signed by all."""
    parties.agree()
    before = parties.view(version=1)
    amended = draft(**({"version": 2, "supersedes": before.digest, "period": AMENDED} | changes))
    parties.put(amended, Act.SUBMIT, previous=before.head)
    parties.agree(2)
    return amended


def states(parties: Parties) -> list[str]:
    return [each.state.value for each in agreements.versions(parties.world.exchange.means, "oja", NAME)]


def told(world: World, agency: str, agreement: Agreement) -> list[SignedAct]:
    """The acts on a version of whose notices an agency's connector hears, in their order."""
    with world.store.read() as r:
        documents = [each.document for each in notices_after(r, agency, 0)]
        acts = agreement_acts.acts_of(r, agreement)
    return [each.signed for each in acts if each.document in documents]


# ---------------------------------------------------------------- a clock undoes no suspension
def test_an_amendment_does_not_begin_while_the_version_before_it_is_suspended(world: World, parties: Parties) -> None:
    amended = signed_amendment(parties)
    parties.act(Act.SUSPEND, "ccib#officer-1", 1)

    world.now = begins_at(amended)
    activate_due(world.exchange.means)

    assert states(parties) == ["suspended", "signed"]
    assert parties.view(version=2).blocked == ("agreement-suspended",)
    parties.act(Act.RESUME, "ccib#dpo-1", 1)
    activate_due(world.exchange.means)
    assert states(parties) == ["superseded", "active"]


def test_the_end_of_a_suspended_version_does_not_let_its_renewal_begin(world: World, parties: Parties) -> None:
    renewed = signed_amendment(parties, period=RENEWED)
    parties.act(Act.SUSPEND, "ccib#officer-1", 1)

    world.now = begins_at(renewed)
    activate_due(world.exchange.means)

    assert states(parties) == ["expired", "signed"]
    assert parties.view(version=2).blocked == ("agreement-suspended",)


def test_what_is_agreed_after_a_suspended_version_has_ended_begins(world: World, parties: Parties) -> None:
    parties.agree()
    parties.act(Act.SUSPEND, "ccib#officer-1")
    world.now = ends_at(draft())

    parties.put(draft(version=2, period=RENEWED), Act.SUBMIT)

    assert parties.agree(2).active
    assert states(parties) == ["superseded", "active"]


# ---------------------------------------------------------------- a renewal
def test_a_renewal_takes_the_place_of_the_version_that_ended_at_that_instant(world: World, parties: Parties) -> None:
    renewed = signed_amendment(parties, period=RENEWED)
    world.now = begins_at(renewed)

    activate_due(world.exchange.means)

    with world.store.read() as r:
        assert [each.state.value for each in registry.agreement_versions(r, NAME)] == ["superseded", "active"]
    assert agreements.one(world.exchange.means, "oja", NAME).agreement == renewed


def test_a_version_that_expired_is_not_the_one_in_force(world: World, parties: Parties) -> None:
    renewed = signed_amendment(parties, period=RENEWED)
    world.now = begins_at(renewed)

    shown = agreements.one(world.exchange.means, "oja", NAME)

    assert (shown.agreement, shown.state) == (renewed, AgreementState.SIGNED)


# ---------------------------------------------------------------- what connectors are told before it is in force
@pytest.mark.parametrize(
    ("act", "kid", "state"),
    [
        (Act.REJECT, "ccib#officer-2", AgreementState.REJECTED),
        (Act.WITHDRAW, "oja#officer-1", AgreementState.WITHDRAWN),
    ],
)
def test_connectors_hear_that_a_text_which_somebody_signed_was_let_be(
    world: World, parties: Parties, act: Act, kid: str, state: AgreementState
) -> None:
    for signer in ("ccib#officer-1", "ccib#dpo-1"):
        parties.act(Act.APPROVE, signer)

    parties.act(act, kid)

    heard = told(world, "ccib", draft())
    assert [each.act.act for each in heard] == [act]
    assert folded(draft(), heard) is state
    assert told(world, "rtp", draft()) == []


def test_connectors_hear_of_a_revocation_before_the_first_day(world: World, parties: Parties) -> None:
    amended = signed_amendment(parties)

    parties.act(Act.REVOKE, "oja#officer-1", 2)

    assert [each.act.act for each in told(world, "ccib", amended)] == [Act.REVOKE]


def test_connectors_hear_that_a_text_which_somebody_signed_was_countered(world: World, parties: Parties) -> None:
    before = parties.act(Act.APPROVE, "ccib#dpo-1")
    offer = draft(version=2, supersedes=before.digest, drafted_by="ccib#officer-1", retention_days=7)

    parties.put(offer, Act.COUNTER, previous=before.head)

    assert [each.act.act for each in told(world, "ccib", draft())] == [Act.SUPERSEDE]


def test_of_a_text_that_nobody_signed_no_connector_hears(world: World, parties: Parties) -> None:
    parties.act(Act.REJECT, "ccib#officer-1")

    assert told(world, "ccib", draft()) == []


@pytest.mark.parametrize(("act", "kid"), [(Act.REJECT, "oja#officer-1"), (Act.WITHDRAW, "ccib#officer-1")])
def test_a_connector_takes_neither_from_the_other_side(world: World, act: Act, kid: str) -> None:
    other = {Act.REJECT: "ccib#officer-1", Act.WITHDRAW: "oja#officer-1"}[act]
    made = _signed(world, act, kid)

    assert folded(draft(), [made]) is AgreementState.ACTIVE
    assert folded(draft(), [made, _signed(world, act, other)]) is not AgreementState.ACTIVE


# ---------------------------------------------------------------- whom others stopped
def test_a_suspended_agency_still_stops_its_own_agreements(world: World, parties: Parties) -> None:
    parties.agree()
    order = suspension(id="SUS-1", by="oja", agency="ccib")
    suspensions.order(world.exchange.means, world.caller("oja"), signed_order(world.keys, order))

    assert parties.act(Act.SUSPEND, "ccib#officer-1").state is AgreementState.SUSPENDED
    with pytest.raises(Refused, match="agency-suspended"):
        parties.act(Act.RESUME, "ccib#officer-1")
    assert parties.act(Act.REVOKE, "ccib#dpo-1").state is AgreementState.REVOKED


# ---------------------------------------------------------------- decisions that nobody has taken yet
def decided(on: date, **changes: object) -> Agreement:
    decision = PolicyDecision(
        number="1/2569", decided_on=on, digest=digest_of(draft()), body=factories.text("the commission")
    )
    may = factories.activity((CONTRACT,), linked=True, policy_decision=decision)
    return draft(**({"id": "AGR-2569-008", "activities": (may,)} | changes))


def test_a_policy_decision_of_tomorrow_is_refused_and_of_today_in_bangkok_is_not(world: World) -> None:
    parties = Parties(world, "AGR-2569-008")
    world.now = world.now.replace(hour=18)  # 01:00 of the next day in Bangkok
    today = world.now.date() + timedelta(days=1)

    with pytest.raises(Refused, match="policy-decision-to-come"):
        parties.put(decided(today + timedelta(days=1)), Act.SUBMIT)
    parties.put(decided(today), Act.SUBMIT)
    assert parties.agree().active


def test_a_version_whose_decision_is_to_come_does_not_begin(world: World) -> None:
    parties = Parties(world, "AGR-2569-008")
    before, day = world.now, date(2026, 2, 2)
    world.now = begins_at(draft(period=factories.period(day.isoformat(), "2026-10-01")))
    parties.put(decided(day, period=factories.period("2026-02-01", "2026-10-01")), Act.SUBMIT)
    world.now = before
    # As if the text had come in before the rule was there, or by a clock that was fast.
    parties.agree()
    world.now = begins_at(parties.view().agreement)
    activate_due(world.exchange.means)

    assert parties.view().blocked == ("policy-decision-to-come",)
    world.now += timedelta(days=1)
    activate_due(world.exchange.means)
    assert parties.view().active


def _signed(world: World, act: Act, kid: str) -> SignedAct:
    return held_act(world.keys, an_act(draft(), act, kid), kid).signed
