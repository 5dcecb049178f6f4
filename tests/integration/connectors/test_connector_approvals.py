"""Requests that wait for an officer, and an activity's schedule and ceiling by the agency's own count."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.answer import answer, cap_of
from connectors.crash import CrashPoint
from connectors.home import Home
from connectors.journal import approvals
from connectors.orders import decide
from connectors.pending import pending_requests
from contracts.agreement import Approval, Every, Schedule
from contracts.approval import OfficerDecision, read_decision
from contracts.canonical import canonical_bytes, digest_of
from contracts.errors import InvalidInput, Refused, Unavailable
from contracts.signing import sign_document
from contracts.task import Part
from tests import factories
from tests.connector_world import PRICE, Case, Killed, World, case, contract_of, contract_text, die_at
from tests.factories import NOW

pytestmark = pytest.mark.integration

CONTRACT = contract_of(contract_text())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, factories.federation())
    world.approve()
    home(world)
    yield world
    world.journal.close()


def home(world: World) -> Home:
    """CCIB's home, with its people's keys and the pinned federation."""
    place = Home(world.folder)
    place.make()
    for kid in ("ccib#officer-1", "ccib#officer-2", "ccib#dpo-1", "oja#officer-1"):
        place.save_key(world.keys[kid])
    place.pin(world.keys.federation)
    return place


def under(asked: Case, **limits: object) -> Case:
    """The same question under an agreement whose activity has these limits."""
    activity = asked.agreement.activities[0].model_copy(update=limits)
    agreement = asked.agreement.model_copy(update={"activities": (activity,)})
    request = asked.request.model_copy(update={"agreement_digest": digest_of(agreement)})
    return replace(asked, agreement=agreement, request=request)


def looked_at() -> Case:
    return under(case(), approval=Approval.EACH)


def give(world: World, asked: Case) -> Part | None:
    """Hand a task out; the part that was posted for it, if any."""
    before = len(world.posted)
    answer(asked.leased(now=world.now), world.desk(), world.clock)
    return world.posted[-1] if len(world.posted) > before else None


def decided(world: World, *, approved: bool, name: str = "REQ-0001", kid: str = "ccib#officer-1") -> OfficerDecision:
    return decide(
        Home(world.folder), world.journal, name, kid, world.now, approved=approved, reason="it serves the case"
    )


# ------------------------------------------------------------------ approval: each


def test_a_request_waits_uncharged_and_unanswered_until_an_officer_approves_it(world: World) -> None:
    assert give(world, looked_at()) is None
    assert give(world, looked_at()) is None
    assert (world.spent, world.journal.unfinished(), world.journal.departures()) == (0, (), ())
    (waiting,) = approvals.pending(world.journal, world.now)
    assert waiting.request.id == "REQ-0001"

    decided(world, approved=True)
    part = give(world, looked_at())

    assert part is not None
    assert (part.refusal, world.spent) == (None, PRICE)
    assert approvals.pending(world.journal, world.now) == ()


def test_a_request_that_an_officer_refused_is_refused_uncharged(world: World) -> None:
    give(world, looked_at())
    decided(world, approved=False)

    part = give(world, looked_at())

    assert part is not None
    assert (part.refusal, part.charged, world.spent) == ("officer-refused", False, 0)


def test_an_approval_is_of_one_request_and_of_no_other(world: World) -> None:
    give(world, looked_at())
    decided(world, approved=True)

    assert give(world, looked_at().asking(id="REQ-0002")) is None
    assert give(world, looked_at().asking(nano_rho=PRICE + 1)) is None


def test_what_would_be_refused_anyway_never_waits_for_an_officer(world: World) -> None:
    part = give(world, looked_at().asking(purpose="public-information"))

    assert part is not None
    assert part.refusal == "purpose-not-agreed"
    assert approvals.pending(world.journal, world.now) == ()


def test_a_request_that_nobody_decided_in_time_is_refused(world: World) -> None:
    give(world, looked_at())
    world.later(days=1, seconds=1)

    part = give(world, looked_at())

    assert part is not None
    assert (part.refusal, part.charged) == ("delivery-expired", False)
    assert approvals.pending(world.journal, world.now) == ()
    with pytest.raises(InvalidInput, match="no-pending-request"):
        decided(world, approved=True)


def test_it_still_waits_and_stays_approved_after_a_restart(world: World) -> None:
    give(world, looked_at())
    again = world.restarted()
    assert give(again, looked_at()) is None
    decided(again, approved=True)
    third = again.restarted()

    part = give(third, looked_at())

    assert part is not None
    assert part.refusal is None
    third.journal.close()


def test_a_standing_activity_asks_no_officer(world: World) -> None:
    part = give(world, case())

    assert part is not None
    assert part.refusal is None


@pytest.mark.parametrize(
    ("kid", "error"),
    [("ccib#dpo-1", "key-unknown"), ("oja#officer-1", "signers-incomplete"), ("ccib#officer-9", "key-not-held")],
)
def test_only_an_officer_of_this_agency_decides(world: World, kid: str, error: str) -> None:
    give(world, looked_at())

    with pytest.raises((Refused, InvalidInput), match=error):
        decided(world, approved=True, kid=kid)
    assert give(world, looked_at()) is None


def test_a_decision_stands(world: World) -> None:
    give(world, looked_at())
    first = decided(world, approved=False)

    with pytest.raises(InvalidInput, match="no-pending-request"):
        decided(world, approved=True, kid="ccib#officer-2")
    changed = first.model_copy(update={"approved": True})
    with pytest.raises(Refused, match="request-already-decided"):
        approvals.decide(world.journal, changed, "a document", world.now)


def test_a_request_is_named_by_its_digest_when_two_requesters_chose_one_name(world: World) -> None:
    give(world, looked_at())
    give(world, looked_at().asking(nano_rho=PRICE + 1))
    first, _ = approvals.pending(world.journal, world.now)

    with pytest.raises(InvalidInput, match="no-pending-request"):
        decided(world, approved=True)
    assert decided(world, approved=True, name=first.request_digest).request_digest == first.request_digest


def test_a_decision_that_somebody_wrote_into_the_journal_does_not_pass(world: World) -> None:
    give(world, looked_at())
    (waiting,) = approvals.pending(world.journal, world.now)
    forged = OfficerDecision(
        request_digest=waiting.request_digest, agency="ccib", approved=True, reason="x", at=world.now
    )
    document = sign_document(canonical_bytes(forged), "request-decision", world.keys["ccib#connector-1"])
    approvals.decide(world.journal, forged, document, world.now)

    part = give(world, looked_at())

    assert part is not None
    assert (part.refusal, world.spent) == ("key-unknown", 0)


def test_a_decision_on_another_request_does_not_pass_for_this_one(world: World) -> None:
    give(world, looked_at())
    other = OfficerDecision(request_digest=f"sha-256:{'0' * 64}", agency="ccib", approved=True, reason="x", at=NOW)
    document = sign_document(canonical_bytes(other), "request-decision", world.keys["ccib#officer-1"])
    (waiting,) = approvals.pending(world.journal, world.now)
    here = other.model_copy(update={"request_digest": waiting.request_digest})
    approvals.decide(world.journal, here, document, world.now)

    assert give(world, looked_at()) is None


def test_what_is_no_decision_is_refused(world: World) -> None:
    document = sign_document(b"{}", "request-decision", world.keys["ccib#officer-1"])

    with pytest.raises(InvalidInput, match="malformed-body"):
        read_decision(document, "ccib", world.keys.federation, NOW)


def test_a_decision_that_two_signed_or_that_is_not_canonical_is_refused(world: World) -> None:
    decision = OfficerDecision(request_digest=f"sha-256:{'0' * 64}", agency="ccib", approved=True, reason="x", at=NOW)
    two = [world.keys["ccib#officer-1"], world.keys["ccib#officer-2"]]
    for document, error in (
        (sign_document(canonical_bytes(decision), "request-decision", *two), "signers-incomplete"),
        (sign_document(canonical_bytes(decision) + b" ", "request-decision", two[0]), "not-canonical"),
    ):
        with pytest.raises((Refused, InvalidInput), match=error):
            read_decision(document, "ccib", world.keys.federation, NOW)


def test_a_decision_for_another_agency_is_none_of_this_ones(world: World) -> None:
    decision = OfficerDecision(request_digest=f"sha-256:{'0' * 64}", agency="rtp", approved=True, reason="x", at=NOW)
    document = sign_document(canonical_bytes(decision), "request-decision", world.keys["ccib#officer-1"])

    with pytest.raises(Refused, match="signers-incomplete"):
        read_decision(document, "ccib", world.keys.federation, NOW)


PENDING = (CrashPoint.PENDING_BEFORE_COMMIT, CrashPoint.PENDING_AFTER_COMMIT)
DECIDING = (CrashPoint.DECISION_BEFORE_COMMIT, CrashPoint.DECISION_AFTER_COMMIT)


@pytest.mark.parametrize("point", PENDING)
def test_a_kill_while_a_request_begins_to_wait_loses_nothing(world: World, point: CrashPoint) -> None:
    dying = world.restarted(die_at(point))
    with pytest.raises(Killed):
        give(dying, looked_at())
    again = dying.restarted()

    assert give(again, looked_at()) is None
    assert len(approvals.pending(again.journal, again.now)) == 1
    again.journal.close()


@pytest.mark.parametrize("point", DECIDING)
def test_a_kill_while_an_officer_decides_leaves_a_whole_decision_or_none(world: World, point: CrashPoint) -> None:
    give(world, looked_at())
    dying = world.restarted(die_at(point))
    with pytest.raises(Killed):
        decided(dying, approved=True)
    again = dying.restarted()

    waits = bool(approvals.pending(again.journal, again.now))
    part = give(again, looked_at())

    assert waits == (point is CrashPoint.DECISION_BEFORE_COMMIT)
    assert (part is None) == waits
    again.journal.close()


def test_every_such_crash_point_is_passed_here() -> None:
    assert {*PENDING, *DECIDING} == {each for each in CrashPoint if each.startswith(("pending", "decision"))}


# ------------------------------------------------------------------ what the officer sees


def test_an_officer_sees_price_error_and_what_would_remain_and_no_figure(world: World) -> None:
    give(world, case(id="REQ-0009"))
    give(world, looked_at())

    (shown,) = pending_requests(world.journal, {CONTRACT.digest: CONTRACT}, None, world.now)

    budget = CONTRACT.privacy.nano_rho_per_window
    (window,) = shown.windows
    assert (shown.request, shown.requester, shown.purpose) == ("REQ-0001", "oja", "justice-statistics")
    assert (window.nano_rho, window.left_before, window.left_after) == (PRICE, budget - PRICE, budget - 2 * PRICE)
    assert shown.measures[0].expected_error_95 == pytest.approx(1.96 * shown.measures[0].sigma, rel=1e-3)
    assert shown.deliver_until == looked_at().request.deliver_until


def test_a_request_for_a_contract_that_was_retired_is_not_shown(world: World) -> None:
    give(world, looked_at())

    assert pending_requests(world.journal, {}, None, world.now) == ()


def test_the_agencys_own_cap_counts_when_it_is_lower() -> None:
    assert cap_of(CONTRACT, 5) == 5
    assert cap_of(CONTRACT, None) == cap_of(CONTRACT, 10**15) == CONTRACT.privacy.nano_rho_per_window


# ------------------------------------------------------------------ schedule and ceiling


def daily(requests: int = 1) -> Case:
    return under(case(), schedule=Schedule(every=Every.DAY, requests=requests))


def test_a_schedule_binds_by_the_agencys_own_count_whatever_the_gateway_says(world: World) -> None:
    codes = []
    for number in range(3):
        part = give(world, daily(2).asking(id=f"REQ-100{number}"))
        codes.append(part.refusal if part else "nothing")

    assert codes == [None, None, "schedule-exceeded"]
    assert world.spent == 2 * PRICE


def test_the_next_bangkok_day_begins_a_new_count(world: World) -> None:
    give(world, daily().asking(id="REQ-1000"))
    world.later(hours=14)

    part = give(world, daily().asking(id="REQ-1001"))

    assert part is not None
    assert part.refusal is None


def test_a_ceiling_binds_in_the_dearest_window(world: World) -> None:
    codes = []
    for number in range(3):
        part = give(world, under(case(), nano_rho_in_all=2 * PRICE).asking(id=f"REQ-100{number}"))
        codes.append(part.refusal if part else "nothing")

    assert codes == [None, None, "activity-budget-exceeded"]


def test_of_two_that_are_answered_at_once_one_is_within_the_schedule(world: World) -> None:
    desk = world.desk()
    asked = [daily().asking(id=f"REQ-100{number}").leased() for number in range(4)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda each: answer(each, desk, world.clock), asked))

    assert sorted(str(each.refusal) for each in world.posted) == ["None"] + ["schedule-exceeded"] * 3
    assert world.spent == PRICE


def test_a_question_that_was_charged_before_is_answered_though_the_schedule_is_full_now(world: World) -> None:
    desk = world.desk()
    good = world.snapshot.read_bytes()
    world.snapshot.unlink()
    first = daily().asking(id="REQ-1000", deliver_until=NOW + timedelta(days=3))
    with pytest.raises(Unavailable):
        answer(first.leased(), desk, world.clock)
    world.snapshot.write_bytes(good)
    world.later(hours=14)
    give(world, daily().asking(id="REQ-1001"))

    part = give(world, first)

    assert part is not None
    assert part.refusal is None
    assert world.spent == 2 * PRICE


def test_a_charge_that_was_returned_does_not_count(world: World) -> None:
    desk = world.desk()
    good = world.snapshot.read_bytes()
    world.snapshot.unlink()
    with pytest.raises(Unavailable):
        answer(daily().asking(id="REQ-1000").leased(), desk, world.clock)
    key = (digest_of(daily().asking(id="REQ-1000").request), CONTRACT.digest)
    world.journal.refuse(daily().asking(id="REQ-1000").task(), key[0], "dataset-suspended", world.now, undo=True)
    world.snapshot.write_bytes(good)

    part = give(world, daily().asking(id="REQ-1001"))

    assert part is not None
    assert part.refusal is None


def test_another_activity_counts_by_itself(world: World) -> None:
    give(world, case(id="REQ-1000"))
    other = case().agreement.activities[0].model_copy(update={"id": "other-work"})
    asked = daily()
    agreement = asked.agreement.model_copy(update={"activities": (*asked.agreement.activities, other)})
    request = asked.request.model_copy(update={"agreement_digest": digest_of(agreement), "activity": "other-work"})

    first = give(world, replace(asked, agreement=agreement, request=request))
    second = give(world, daily().asking(id="REQ-1001"))

    assert first is not None
    assert first.refusal is None
    assert second is not None
    assert second.refusal == "schedule-exceeded"
