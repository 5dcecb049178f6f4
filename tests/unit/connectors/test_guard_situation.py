"""What stands at an agency, as its guard sees it: suspensions, agreements, past questions, officers' decisions."""

from dataclasses import dataclass, field, replace

import pytest
from typing_extensions import override

from connectors.guard import Guard
from connectors.journal.entries import Used
from contracts.agreement import Approval, Every, Schedule
from contracts.approval import OfficerDecision
from contracts.canonical import digest_of
from contracts.errors import Refused, SaphanError
from contracts.lifecycle import TERMINAL, AgreementState
from contracts.suspension import Suspended
from tests import factories
from tests.connector_world import Case, Known, case
from tests.factories import NOW

pytestmark = pytest.mark.unit


@dataclass
class World:
    """CCIB, which approved the contract of the honest case."""

    situation: Known = field(default_factory=Known)

    def guard(self) -> Guard:
        contract = case().contract
        return Guard("ccib", factories.federation().federation, {contract.digest: contract}.get, self.situation)


@pytest.fixture
def world() -> World:
    return World()


def refusal_of_task(world: World, asked: Case) -> str:
    with pytest.raises(SaphanError) as raised:
        world.guard().check_task(asked.task(), NOW)
    return raised.value.code


def limited(**limits: object) -> Case:
    """The honest case under an activity with these limits."""
    honest = case()
    activity = honest.agreement.activities[0].model_copy(update=limits)
    agreement = honest.agreement.model_copy(update={"activities": (activity,)})
    return replace(honest, agreement=agreement).asking(agreement_digest=digest_of(agreement))


@pytest.mark.parametrize(
    ("situation", "code"),
    [
        (Known(suspensions=Suspended(agencies=frozenset({"ccib"}))), "agency-suspended"),
        (Known(suspensions=Suspended(agencies=frozenset({"oja"}))), "agency-suspended"),
        (Known(suspensions=Suspended(datasets=frozenset({("ccib", "tpo_complaint")}))), "dataset-suspended"),
        (Known(state=AgreementState.SUSPENDED), "agreement-not-active"),
        (Known(state=AgreementState.REVOKED), "agreement-not-active"),
    ],
)
def test_what_stands_at_the_agency_stops_a_task_whatever_the_gateway_says(
    world: World, situation: Known, code: str
) -> None:
    world.situation = situation

    assert refusal_of_task(world, case()) == code


def test_a_suspended_dataset_stops_a_task_before_anything_in_it_is_read(world: World) -> None:
    world.situation = Known(suspensions=Suspended(datasets=frozenset({("ccib", "tpo_complaint")})))

    assert refusal_of_task(world, replace(case(), document="not a document")) == "dataset-suspended"


@pytest.mark.parametrize(
    ("used", "code"), [(Used(1, 0), "schedule-exceeded"), (Used(0, 1), "activity-budget-exceeded")]
)
def test_the_agencys_own_count_binds_at_the_check_and_again_at_the_charge(world: World, used: Used, code: str) -> None:
    asked = limited(schedule=Schedule(every=Every.DAY, requests=1), nano_rho_in_all=case().request.nano_rho)
    checked = world.guard().check_task(asked.task(), NOW)
    world.guard().check_use(checked, Used(0, 0), NOW)
    with pytest.raises(Refused, match=code):
        world.guard().check_use(checked, used, NOW)

    world.situation = Known(usage=used)

    assert refusal_of_task(world, asked) == code


def test_a_request_that_an_officer_must_see_waits_is_permitted_or_is_refused(world: World) -> None:
    asked = limited(approval=Approval.EACH)
    fields = {"request_digest": digest_of(asked.request), "agency": "ccib", "reason": "x", "at": NOW}

    assert world.guard().check_task(asked.task(), NOW).awaits_officer
    world.situation = Known(decided=OfficerDecision.model_validate(fields | {"approved": True}))
    assert not world.guard().check_task(asked.task(), NOW).awaits_officer
    world.situation = Known(decided=OfficerDecision.model_validate(fields | {"approved": False}))
    assert refusal_of_task(world, asked) == "officer-refused"


def test_an_approval_that_comes_during_the_check_is_no_refusal(world: World) -> None:
    asked = limited(approval=Approval.EACH)
    fields = {"request_digest": digest_of(asked.request), "agency": "ccib", "reason": "x", "at": NOW, "approved": True}
    decisions = iter((None, OfficerDecision.model_validate(fields)))

    class Meanwhile(Known):
        @override
        def decision(self, request_digest: str) -> OfficerDecision | None:
            return next(decisions)

    world.situation = Meanwhile()

    assert world.guard().check_task(asked.task(), NOW).awaits_officer


def test_only_what_is_suspended_is_held_back(world: World) -> None:
    task = case().task()
    for suspended, held in (
        (Suspended(), False),
        (Suspended(agencies=frozenset({"rtp"}), datasets=frozenset({("ccib", "tpo_station")})), False),
        (Suspended(agencies=frozenset({"ccib"})), True),
        (Suspended(agencies=frozenset({"oja"})), True),
        (Suspended(datasets=frozenset({("ccib", "tpo_complaint")})), True),
    ):
        world.situation = Known(suspensions=suspended)
        assert world.guard().holds_back(task) is held


def test_a_question_under_an_activity_that_the_agreement_does_not_have_is_refused(world: World) -> None:
    assert refusal_of_task(world, case().asking(activity="no-such-work")) == "unknown-activity"


@pytest.mark.parametrize(
    ("state", "held", "ended"),
    [
        (AgreementState.ACTIVE, False, False),
        (AgreementState.SUSPENDED, True, False),
        (AgreementState.REVOKED, False, True),
        (AgreementState.SUPERSEDED, False, True),
    ],
)
def test_what_is_made_waits_for_a_suspended_agreement_and_never_leaves_under_one_that_ended(
    world: World, state: AgreementState, *, held: bool, ended: bool
) -> None:
    world.situation = Known(state=state)

    guard, task = world.guard(), case().task()
    assert (guard.holds_back(task), guard.state_here(task) in TERMINAL) == (held, ended)


def test_what_is_made_under_an_agreement_that_cannot_be_read_is_held_back(world: World) -> None:
    task = replace(case(), document="not a document").task()

    assert (world.guard().holds_back(task), world.guard().state_here(task) in TERMINAL) == (True, False)
