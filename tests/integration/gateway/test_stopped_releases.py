"""What was permitted and is stopped before it is released: each request by its own agency and its own agreement."""

from collections.abc import Callable, Iterator

import pytest

from contracts.agreement import Agreement, Approval
from contracts.errors import InvalidInput, Refused
from contracts.federation import KeyPurpose
from contracts.lifecycle import Act
from contracts.request import RequestState
from contracts.suspension import Order
from contracts.transparency import EventKind
from contracts.views import PreviewCall, RequestStatus
from gateway import suspensions
from gateway.crash import CrashPoint
from gateway.store.engine import Store
from tests import factories
from tests.agreement_parties import Parties
from tests.gateway_world import AGREEMENT, CONTRACT, World, new_world
from tests.suspension_orders import signed_order, suspension

pytestmark = pytest.mark.integration

PRICE = 50_000_000
DAY = 86_400
OTHERS = "AGR-2569-007"
PRIVATE = factories.agreement((CONTRACT,), activities=(factories.activity((CONTRACT,), publish=False),))
Prepare = Callable[[World], None]


def of_rtp(**changes: object) -> Agreement:
    """An agreement of another requester, over the same contract."""
    return factories.agreement((CONTRACT,), id=OTHERS, requester="rtp", drafted_by="rtp#officer-1", **changes)


def each_time(**changes: object) -> Agreement:
    """The same, where an officer approves each request."""
    return of_rtp(activities=(factories.activity((CONTRACT,), approval=Approval.EACH, publish=False),), **changes)


@pytest.fixture
def joined(store_url: str) -> Iterator[World]:
    """A private question of OJA that is out, and RTP's, whose activity publishes, that joined it."""
    world = new_world(store_url, (CONTRACT,), PRIVATE)
    world.register((), of_rtp())
    world.versions = {CONTRACT.id: 1}
    world.submit(factories.request(PRIVATE))
    assert world.submit(factories.request(of_rtp(), id="REQ-0002")).state is RequestState.WAITING
    yield world
    world.store.close()


def suspend(world: World) -> None:
    order(world, Order.SUSPEND)


def order(world: World, what: Order) -> None:
    signed = signed_order(world.keys, suspension(by="rtp", agency="rtp", order=what))
    suspensions.order(world.exchange.means, world.caller("rtp", KeyPurpose.CONNECTOR), signed)


def act(world: World, done: Act, name: str = AGREEMENT.id) -> None:
    Parties(world, name).act(done, "ccib#officer-1")


def pause(world: World) -> None:
    act(world, Act.SUSPEND, OTHERS)


def where(world: World, name: str = "REQ-0001") -> RequestStatus:
    """Where a request stands when its tick has come."""
    world.later()
    return world.exchange.status(world.caller("rtp" if name == "REQ-0002" else "oja"), name)


def code(status: RequestStatus) -> str:
    assert status.problem is not None
    return status.problem.code


# ---------------------------------------------------------------- who joined


@pytest.mark.parametrize(
    ("stop", "go_on"),
    [(suspend, lambda w: order(w, Order.LIFT)), (pause, lambda w: act(w, Act.RESUME, OTHERS))],
    ids=["agency", "agreement"],
)
def test_who_joined_and_is_suspended_waits_while_the_leader_is_answered(
    joined: World, stop: Prepare, go_on: Prepare
) -> None:
    stop(joined)
    joined.answer()
    leader, follower = where(joined), where(joined, "REQ-0002")
    joined.exchange.resume()
    still = where(joined, "REQ-0002")
    assert joined.exchange.releases(None) == ()
    assert joined.exchange.releases(joined.caller("rtp")) == ()

    go_on(joined)
    joined.exchange.resume()

    assert leader.state is RequestState.RELEASED
    assert (follower.state, still.state) == (RequestState.WAITING, RequestState.WAITING)
    after = where(joined, "REQ-0002")
    assert (after.state, after.release, after.repeated) == (RequestState.RELEASED, leader.release, True)
    assert [each.id for each in joined.exchange.releases(None)] == [leader.release]
    assert (joined.spent(), joined.reserved()) == (PRICE, 0)


def test_who_was_left_behind_is_asked_on_its_own_when_the_data_moved_on(joined: World) -> None:
    suspend(joined)
    joined.answer()
    joined.versions = {CONTRACT.id: 2}
    joined.lease()
    order(joined, Order.LIFT)

    joined.exchange.resume()
    joined.answer()

    assert where(joined, "REQ-0002").release not in {None, where(joined).release}
    assert joined.spent() == 2 * PRICE


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_joined_under_an_agreement_that_is_revoked_is_refused(joined: World, when: str) -> None:
    if when == "before":
        act(joined, Act.REVOKE, OTHERS)
        joined.answer()
    else:
        pause(joined)
        joined.answer()
        act(joined, Act.REVOKE, OTHERS)
        joined.exchange.resume()

    assert where(joined).state is RequestState.RELEASED
    follower = where(joined, "REQ-0002")
    assert (follower.state, code(follower), follower.release) == (RequestState.REFUSED, "agreement-not-active", None)
    assert joined.exchange.releases(None) == ()
    (refused,) = [each for each in joined.log() if each.kind is EventKind.DATA_REFUSED]
    assert (refused.subject, refused.facts["reasons"], refused.charges) == ("REQ-0002", "agreement-not-active", ())
    assert (joined.spent(), joined.reserved()) == (PRICE, 0)


def test_who_joined_under_an_agreement_that_ran_out_is_refused(store_url: str) -> None:
    short = of_rtp(period=factories.period("2025-10-01", "2026-02-01"))
    world = new_world(store_url, (CONTRACT,), PRIVATE)
    world.register((), short)
    world.submit(factories.request(PRIVATE))
    world.submit(factories.request(short, id="REQ-0002"))
    (leased,) = world.lease()
    world.later(30 * DAY)

    world.post(world.part(leased.task))

    assert where(world).state is RequestState.RELEASED
    assert code(where(world, "REQ-0002")) == "agreement-expired"
    assert world.exchange.releases(None) == ()
    world.store.close()


def test_who_was_left_behind_is_refused_when_its_time_is_over(joined: World) -> None:
    suspend(joined)
    joined.answer()
    joined.later(DAY + 400)

    joined.exchange.resume()
    joined.exchange.resume()

    assert code(where(joined, "REQ-0002")) == "agency-suspended"
    assert (joined.spent(), joined.reserved()) == (PRICE, 0)
    assert joined.kinds().count(EventKind.DATA_REFUSED) == 1


def test_who_joined_and_is_not_stopped_gets_the_release_with_the_leader(joined: World) -> None:
    joined.answer()

    assert where(joined, "REQ-0002").release == where(joined).release is not None


# ---------------------------------------------------------------- who asked


def test_nothing_is_released_under_an_agreement_that_is_revoked_and_what_was_charged_is_spent(world: World) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()
    act(world, Act.REVOKE)

    world.post(world.part(leased.task))

    status = where(world)
    assert (status.state, code(status)) == (RequestState.REFUSED, "agreement-not-active")
    assert (world.spent(), world.reserved()) == (PRICE, 0)
    assert world.exchange.releases(world.caller()) == ()
    assert EventKind.DATA_RELEASED not in world.kinds()


def test_a_request_under_a_suspended_agreement_is_finished_after_it_is_resumed(world: World) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()
    act(world, Act.SUSPEND)
    world.post(world.part(leased.task))
    world.exchange.resume()
    waits = where(world)

    act(world, Act.RESUME)
    world.exchange.resume()

    assert waits.state is RequestState.WAITING
    assert where(world).state is RequestState.RELEASED
    assert world.spent() == PRICE


def test_a_request_under_a_suspended_agreement_is_refused_when_its_time_is_over(world: World) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()
    act(world, Act.SUSPEND)
    world.post(world.part(leased.task))
    world.later(DAY + 400)

    world.exchange.resume()

    assert code(where(world)) == "agreement-not-active"
    assert (world.spent(), world.reserved()) == (PRICE, 0)


@pytest.mark.parametrize("done", [Act.SUSPEND, Act.REVOKE])
def test_an_act_between_the_look_and_the_release_still_stops_it(world: World, done: Act) -> None:
    world.submit(factories.request())
    (leased,) = world.lease()

    def somebody_acts(point: CrashPoint) -> None:
        if point is CrashPoint.AFTER_ASSEMBLED:
            other = World(Store(str(world.store.engine.url.render_as_string(hide_password=False))), world.keys)
            act(other, done)
            other.store.close()

    world.restart(somebody_acts)
    world.post(world.part(leased.task))
    world.restart().resume()

    expected = RequestState.WAITING if done is Act.SUSPEND else RequestState.REFUSED
    assert where(world).state is expected
    assert EventKind.DATA_RELEASED not in world.kinds()


# ---------------------------------------------------------------- an officer's approval of each request


@pytest.mark.parametrize("is_released", [True, False])
@pytest.mark.parametrize("asks_first", ["standing", "each"])
def test_what_an_officer_approves_one_by_one_neither_joins_nor_repeats_what_others_asked(
    store_url: str,
    is_released: bool,  # noqa: FBT001  # a parameter of the test
    asks_first: str,
) -> None:
    world = new_world(store_url, (CONTRACT,), PRIVATE)
    world.register((), each_time())
    world.versions = {CONTRACT.id: 1}
    both = [factories.request(PRIVATE), factories.request(each_time(), id="REQ-0002")]
    first, second = both if asks_first == "standing" else reversed(both)
    world.submit(first)
    leased = len(world.lease()) if not is_released else 0
    if is_released:
        world.answer()
        world.later()

    later = world.submit(second)

    assert (later.state, later.release) == (RequestState.WAITING, None)
    assert len(world.lease()) == 1
    assert world.spent() + world.reserved() == 2 * PRICE
    assert leased == int(not is_released)
    world.store.close()


def test_what_an_officer_approved_is_given_again_under_the_same_activity(store_url: str) -> None:
    world = new_world(store_url, (CONTRACT,), each_time())
    world.versions = {CONTRACT.id: 1}
    world.submit(factories.request(each_time()))
    world.answer()
    world.later()
    call = PreviewCall(
        agreement=OTHERS,
        activity=each_time().activities[0].id,
        contracts=(CONTRACT.reference,),
        query=factories.query(),
        nano_rho=PRICE,
    )

    again = world.submit(factories.request(each_time(), id="REQ-0002"))

    assert (again.state, again.repeated) == (RequestState.RELEASED, True)
    assert world.exchange.preview(world.caller("rtp"), call).already_released == again.release
    world.store.close()


# ---------------------------------------------------------------- drafts


@pytest.mark.parametrize("agency", ["rtp", "ccib", "oja"])
def test_a_draft_answers_a_question_as_if_there_were_no_such_agreement(world: World, agency: str) -> None:
    draft = factories.agreement((CONTRACT,), id=OTHERS)
    Parties(world, OTHERS).put(draft, Act.DRAFT)
    before = world.kinds()

    for name in (OTHERS, "AGR-NONE-1"):
        asked = factories.request(draft, id=f"REQ-{name}", requester=agency, agreement=name)
        with pytest.raises(InvalidInput, match="unknown-agreement"):
            world.submit(asked, world.caller(agency))
    assert world.kinds() == before


@pytest.mark.parametrize("agency", ["rtp", "ccib"])
def test_a_draft_answers_a_preview_as_if_there_were_no_such_agreement(world: World, agency: str) -> None:
    draft = factories.agreement((CONTRACT,), id=OTHERS)
    call = PreviewCall(
        agreement=OTHERS,
        activity=draft.activities[0].id,
        contracts=(CONTRACT.reference,),
        query=factories.query(),
    )
    Parties(world, OTHERS).put(draft, Act.DRAFT)

    with pytest.raises(InvalidInput, match="unknown-agreement"):
        world.exchange.preview(world.caller(agency), call)


def test_what_was_submitted_is_known_and_refused(world: World) -> None:
    submitted = factories.agreement((CONTRACT,), id=OTHERS)
    Parties(world, OTHERS).put(submitted, Act.SUBMIT)

    with pytest.raises(Refused, match="agreement-not-active"):
        world.submit(factories.request(submitted))
