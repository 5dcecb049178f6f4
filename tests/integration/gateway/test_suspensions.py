"""Emergency suspension at the gateway: what it stops, what it holds back, and how it ends."""

from datetime import timedelta

import pytest

from contracts.errors import InvalidInput, Refused
from contracts.federation import KeyPurpose
from contracts.request import RequestState
from contracts.signing import add_signature
from contracts.suspension import Order, Suspension, SuspensionView
from contracts.task import LeaseCall
from contracts.transparency import EventKind
from contracts.views import PreviewCall
from gateway import suspensions
from gateway.crash import CrashPoint
from gateway.store.engine import Store
from tests import factories
from tests.gateway_world import AGREEMENT, CONTRACT, Killed, World, killed_at, new_world
from tests.suspension_orders import signed_order, suspension

pytestmark = pytest.mark.integration

DAY = 86_400
ORDERED = [EventKind.SUSPENSION_ORDERED]


def send(world: World, order: Suspension, *kids: str, by: str | None = None) -> SuspensionView:
    """An order, brought by its own side unless told."""
    caller = world.caller(by or order.by, KeyPurpose.CONNECTOR)
    return suspensions.order(world.exchange.means, caller, signed_order(world.keys, order, *kids))


def lift(world: World, **changes: object) -> SuspensionView:
    return send(world, suspension(order=Order.LIFT, reason="keys were changed", **changes))


def all_of(world: World) -> tuple[SuspensionView, ...]:
    return suspensions.all_suspensions(world.exchange.means)


def refused_for(world: World, **changes: object) -> set[str]:
    with pytest.raises(Refused) as refused:
        world.submit(factories.request(AGREEMENT, **changes))
    return {reason.code for reason in refused.value.reasons}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "agency-suspended"),
        ({"dataset": "tpo_complaint"}, "dataset-suspended"),
        ({"by": "oja"}, "agency-suspended"),
        ({"by": "oja", "agency": "oja"}, "agency-suspended"),
    ],
)
def test_new_requests_are_refused_at_once_and_asked_again_after_the_lift(
    world: World, changes: dict[str, object], code: str
) -> None:
    send(world, suspension(**changes))

    assert refused_for(world) == {code}
    lift(world, **changes)
    assert world.submit(factories.request()).state is RequestState.WAITING


def test_another_agencys_suspension_stops_nobody_else(world: World) -> None:
    send(world, suspension(by="rtp", agency="rtp"))

    assert world.submit(factories.request()).state is RequestState.WAITING
    assert len(world.lease()) == 1


def test_previews_are_refused(world: World) -> None:
    call = PreviewCall(
        agreement=AGREEMENT.id,
        activity=AGREEMENT.activities[0].id,
        contracts=(CONTRACT.reference,),
        query=factories.query(),
    )
    send(world, suspension(dataset=CONTRACT.id))

    with pytest.raises(Refused, match="dataset-suspended"):
        world.exchange.preview(world.caller(), call)


@pytest.mark.parametrize("changes", [{}, {"dataset": "tpo_complaint"}, {"by": "oja", "agency": "oja"}])
def test_waiting_tasks_are_handed_out_only_after_the_lift(world: World, changes: dict[str, object]) -> None:
    world.submit(factories.request())
    send(world, suspension(**changes))

    assert world.lease() == ()
    world.restart()
    assert world.lease() == ()
    lift(world, **changes)
    assert len(world.lease()) == 1


def test_a_request_that_no_agency_was_asked_yet_is_refused(world: World) -> None:
    world.restart(killed_at(CrashPoint.AFTER_RECEIVED))
    with pytest.raises(Killed):
        world.submit(factories.request())
    world.restart()
    send(world, suspension())

    world.exchange.resume()

    status = world.exchange.status(world.caller(), "REQ-0001")
    assert status.problem is not None
    assert (status.state, status.problem.code) == (RequestState.REFUSED, "agency-suspended")
    assert (world.spent(), world.reserved()) == (0, 0)


def test_parts_that_arrive_after_the_suspension_are_released_only_after_the_lift(world: World) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()
    send(world, suspension())
    world.post(world.part(leased.task))
    world.restart().resume()
    world.later()

    held_back = world.exchange.status(world.caller(), "REQ-0001")
    lift(world)
    world.exchange.resume()
    world.later()
    released = world.exchange.status(world.caller(), "REQ-0001")

    assert (held_back.state, held_back.waiting_for) == (RequestState.WAITING, ("ccib",))
    assert released.state is RequestState.RELEASED
    assert world.spent() == 50_000_000


def test_a_suspension_between_the_look_and_the_release_still_holds_it_back(world: World) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()

    def somebody_suspends(point: CrashPoint) -> None:
        if point is CrashPoint.AFTER_ASSEMBLED:
            other = World(Store(str(world.store.engine.url.render_as_string(hide_password=False))), world.keys)
            send(other, suspension())
            other.store.close()

    world.restart(somebody_suspends)
    world.post(world.part(leased.task))
    world.later()

    assert world.exchange.status(world.caller(), "REQ-0001").state is RequestState.WAITING
    assert EventKind.DATA_RELEASED not in world.kinds()


def test_a_refusal_ends_a_request_also_while_it_is_held_back(world: World) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()
    send(world, suspension())

    world.post(world.refusal(leased.task, "agency-suspended"))
    world.later()

    assert world.exchange.status(world.caller(), "REQ-0001").state is RequestState.REFUSED
    assert (world.spent(), world.reserved()) == (0, 0)


@pytest.mark.parametrize(
    ("how_far", "spent"), [("asked", 0), ("leased", 50_000_000), ("answered", 50_000_000)], ids=str
)
def test_what_is_held_back_beyond_its_time_is_refused_and_charged_only_if_an_agency_may_have_charged(
    world: World, how_far: str, spent: int
) -> None:
    world.submit(factories.request())
    leased = world.lease() if how_far != "asked" else ()
    send(world, suspension(dataset=CONTRACT.id))
    if how_far == "answered":
        world.post(world.part(leased[0].task))

    world.later(DAY + 200)
    world.exchange.resume()
    assert world.exchange.status(world.caller(), "REQ-0001").state is RequestState.WAITING
    world.later(200)
    world.exchange.resume()
    world.exchange.resume()
    world.later()

    status = world.exchange.status(world.caller(), "REQ-0001")
    assert status.problem is not None
    assert (status.state, status.problem.code) == (RequestState.REFUSED, "dataset-suspended")
    assert (world.spent(), world.reserved()) == (spent, 0)
    assert world.kinds().count(EventKind.DATA_REFUSED) == 1


def test_a_request_that_ended_while_held_back_is_not_asked_after_the_lift_and_takes_no_late_part(world: World) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()
    send(world, suspension())
    world.later(DAY + 400)
    world.exchange.resume()
    lift(world)
    world.later(60)

    assert world.lease() == ()
    with pytest.raises(Refused, match="part-already-posted"):
        world.post(world.part(leased.task))


def test_who_joined_a_request_that_was_held_back_too_long_is_refused_for_the_suspension_itself(world: World) -> None:
    world.submit(factories.request())
    world.submit(factories.request(id="REQ-0002"))
    send(world, suspension())
    world.later(DAY + 400)

    world.exchange.resume()
    world.later()

    for name in ("REQ-0001", "REQ-0002"):
        assert world.exchange.status(world.caller(), name).state is RequestState.REFUSED
    assert (world.spent(), world.reserved()) == (0, 0)


def test_the_same_order_again_changes_nothing(world: World) -> None:
    first = send(world, suspension())
    again = send(world, suspension(), "ccib#steward-1")

    assert again == first
    assert world.kinds() == [*world.kinds()[:-1], *ORDERED]
    assert world.kinds().count(EventKind.SUSPENSION_ORDERED) == 1


def test_a_lifted_suspension_is_past_and_cannot_be_ordered_again(world: World) -> None:
    send(world, suspension())
    lift(world)
    lift(world)

    send(world, suspension())

    (only,) = all_of(world)
    assert (only.id, only.lift_reason) == ("SUS-0001", "keys were changed")
    assert only.lifted_at is not None
    assert world.kinds().count(EventKind.SUSPENSION_LIFTED) == 1
    assert world.submit(factories.request()).state is RequestState.WAITING


def test_another_suspension_under_a_lifted_name_is_refused_and_not_taken_for_one_in_force(world: World) -> None:
    send(world, suspension())
    lift(world)

    with pytest.raises(InvalidInput, match="suspension-id-reused"):
        send(world, suspension(reason="a second incident", at=factories.NOW + timedelta(seconds=3)))
    assert send(world, suspension(id="SUS-0002", reason="a second incident")).lifted_at is None
    assert refused_for(world) == {"agency-suspended"}


def test_a_lift_that_is_older_than_its_suspension_does_not_count(world: World) -> None:
    send(world, suspension())

    with pytest.raises(Refused, match="lift-before-order"):
        lift(world, at=factories.NOW - timedelta(seconds=1))
    assert refused_for(world) == {"agency-suspended"}


@pytest.mark.parametrize("changes", [{"dataset": "tpo_complaint"}, {"by": "oja"}])
def test_an_identifier_stands_for_one_suspension(world: World, changes: dict[str, object]) -> None:
    send(world, suspension())

    with pytest.raises(InvalidInput, match="suspension-id-reused"):
        send(world, suspension(**changes))
    with pytest.raises(InvalidInput, match="suspension-id-reused"):
        lift(world, **changes)
    assert refused_for(world) == {"agency-suspended"}


def test_what_nobody_ordered_is_not_lifted(world: World) -> None:
    with pytest.raises(InvalidInput, match="unknown-suspension"):
        lift(world)


def test_one_person_does_not_lift(world: World) -> None:
    send(world, suspension())
    order = suspension(order=Order.LIFT)

    with pytest.raises(Refused, match="suspension-signers-wrong"):
        send(world, order, "ccib#officer-1")
    assert refused_for(world) == {"agency-suspended"}


def test_an_order_is_brought_by_its_own_side(world: World) -> None:
    with pytest.raises(Refused, match="not-allowed"):
        send(world, suspension(), by="rtp")
    assert all_of(world) == ()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"dataset": "tpo_complain"}, "unknown-contract"),
        ({"by": "oja", "agency": "nobody"}, "not-allowed"),
        ({"by": "oja", "agency": "rtp", "dataset": "tpo_complaint"}, "unknown-contract"),
    ],
)
def test_a_mistyped_name_does_not_pass_for_a_suspension(world: World, changes: dict[str, object], error: str) -> None:
    with pytest.raises((InvalidInput, Refused), match=error):
        send(world, suspension(**changes))
    assert all_of(world) == ()


def test_every_connector_hears_of_it_by_its_next_lease(world: World) -> None:
    send(world, suspension())
    lift(world)

    for agency in ("ccib", "rtp"):
        call = LeaseCall(agency=agency, data_versions={}, wait_seconds=0)
        notices = world.exchange.lease(world.connector(agency), call).notices
        assert [each.document for each in notices] == [all_of(world)[0].document, all_of(world)[0].lift_document]


def test_the_log_says_who_suspended_what_and_why(world: World) -> None:
    send(world, suspension(by="oja", dataset=CONTRACT.id))

    entry = world.log()[-1]

    assert (entry.kind, entry.agency, entry.subject) == (EventKind.SUSPENSION_ORDERED, "oja", "SUS-0001")
    assert {name: entry.facts[name] for name in ("agency", "dataset", "reason")} == {
        "agency": "ccib",
        "dataset": CONTRACT.id,
        "reason": "keys may be stolen",
    }


@pytest.mark.parametrize("point", [CrashPoint.BEFORE_SUSPENDED, CrashPoint.AFTER_SUSPENDED])
def test_a_kill_while_an_order_comes_in_leaves_all_of_it_or_nothing(world: World, point: CrashPoint) -> None:
    world.restart(killed_at(point))
    with pytest.raises(Killed):
        send(world, suspension())
    world.restart()

    call = LeaseCall(agency="ccib", data_versions={}, wait_seconds=0)
    heard = len(world.exchange.lease(world.connector(), call).notices)
    logged = world.kinds().count(EventKind.SUSPENSION_ORDERED)

    whole = int(point is CrashPoint.AFTER_SUSPENDED)
    assert (len(all_of(world)), heard, logged) == (whole, whole, whole)
    send(world, suspension())
    assert len(all_of(world)) == 1


def test_two_signatures_may_be_gathered_one_after_the_other(world: World) -> None:
    send(world, suspension())
    first = signed_order(world.keys, suspension(order=Order.LIFT), "ccib#dpo-1")
    both = add_signature(first, "suspension", world.keys["ccib#officer-1"])

    assert suspensions.order(world.exchange.means, world.connector(), both).lifted_at is not None


def test_agencies_of_one_question_stand_still_together(store_url: str) -> None:
    other = factories.contract(id="tpo_station", agency="rtp", version="1.0.0")
    agreement = factories.agreement((CONTRACT, other))
    world = new_world(store_url, (CONTRACT, other), agreement)
    world.submit(factories.request(agreement))
    send(world, suspension(by="rtp", agency="rtp"))

    assert world.lease("ccib") == ()
    assert world.lease("rtp") == ()
    world.store.close()
