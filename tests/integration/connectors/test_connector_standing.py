"""What stands at a connector: suspensions and acts that it believes, own orders, and what it holds back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.agent import Agent, Channel
from connectors.answer import answer, resume
from connectors.crash import CrashPoint
from connectors.home import Home
from connectors.journal import notices as kept
from connectors.orders import bring_orders, lift_suspension, order_suspension, standing_orders
from contracts.calls import SignedCalls
from contracts.canonical import digest_of
from contracts.errors import InvalidInput, Refused, Unavailable
from contracts.signing import payload_of
from contracts.suspension import Order, Suspended, Suspension
from contracts.task import Notice
from tests import factories
from tests.connector_world import PRICE, Killed, World, case, contract_text, die_at
from tests.factories import ISSUER, NOW
from tests.fake_gateway import FakeGateway
from tests.standing_world import give, hear, ordered
from tests.suspension_orders import signed_order, suspension

pytestmark = pytest.mark.integration

DATASET = "tpo_complaint"
LIFTED = {"order": Order.LIFT}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, factories.federation())
    world.approve()
    world.approve(contract_text("gateway"))
    yield world
    world.journal.close()


def suspended(world: World) -> Suspended:
    return world.guard().situation.suspended()


# ------------------------------------------------------------------ what stops a task


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "agency-suspended"),
        ({"dataset": DATASET}, "dataset-suspended"),
        ({"by": "oja"}, "agency-suspended"),
        ({"by": "oja", "dataset": DATASET}, "dataset-suspended"),
        ({"by": "oja", "agency": "oja"}, "agency-suspended"),
    ],
)
def test_a_verified_suspension_refuses_uncharged_and_a_verified_lift_lets_go_on(
    world: World, changes: dict[str, object], code: str
) -> None:
    hear(world, ordered(world, **changes))
    refused = give(world)
    assert (refused.refusal, refused.charged, world.spent) == (code, False, 0)

    hear(world, ordered(world, **LIFTED, **changes), after=1)
    assert give(world).refusal is None


@pytest.mark.parametrize("changes", [{"by": "rtp", "agency": "rtp"}, {"dataset": "tpo_station"}])
def test_a_suspension_of_somebody_else_stops_nothing(world: World, changes: dict[str, object]) -> None:
    hear(world, ordered(world, **changes))

    assert give(world).refusal is None


def test_it_outlives_a_restart(world: World) -> None:
    hear(world, ordered(world))
    again = world.restarted()

    assert give(again).refusal == "agency-suspended"
    assert kept.cursor(again.journal) == 1
    again.journal.close()


def test_a_charged_task_that_is_taken_up_again_is_refused_and_its_charge_returned(world: World) -> None:
    desk = world.desk()
    good = world.snapshot.read_bytes()
    world.snapshot.unlink()
    with pytest.raises(Unavailable):
        answer(case().leased(), desk, world.clock)
    world.snapshot.write_bytes(good)
    hear(world, ordered(world, dataset=DATASET))

    resume(world.journal.unfinished()[0], world.desk(), world.clock)

    assert (world.posted[-1].refusal, world.posted[-1].charged) == ("dataset-suspended", False)
    assert (world.spent, world.journal.unfinished()) == (0, ())


@pytest.mark.parametrize("changes", [{}, {"dataset": DATASET}, {"by": "oja", "agency": "oja"}])
def test_a_part_that_was_made_is_held_back_and_leaves_unchanged_after_the_lift(
    world: World, changes: dict[str, object]
) -> None:
    world.answers.append(Unavailable("gateway-unreachable"))
    with pytest.raises(Unavailable):
        answer(case().leased(), world.desk(), world.clock)
    (unfinished,) = world.journal.unfinished()
    hear(world, ordered(world, **changes))

    resume(unfinished, world.desk(), world.clock)
    answer(case().leased(), world.desk(), world.clock)
    assert (world.posted, world.spent) == ([], PRICE)

    hear(world, ordered(world, **LIFTED, **changes), after=1)
    resume(world.journal.unfinished()[0], world.desk(), world.clock)
    assert world.posted == [unfinished.part]


def test_a_suspension_that_comes_while_an_answer_is_made_holds_it_back(world: World) -> None:
    def somebody_suspends(point: CrashPoint) -> None:
        if point is CrashPoint.CELLS_READ:
            hear(world, ordered(world))

    desk = replace(world.desk(), at=somebody_suspends)
    answer(case().leased(), desk, world.clock)

    assert world.posted == []
    assert world.journal.unfinished()[0].part is not None


# ------------------------------------------------------------------ an agreement that was stopped after a part was made


def agent_of(world: World, gateway: FakeGateway) -> Agent:
    calls = SignedCalls(world.keys["ccib#connector-1"], "ccib", ISSUER)
    channel = Channel(gateway.line(), calls, world.guard(), world.clock, world.at)
    return Agent(channel, world.desk(post=channel.post), world.clock)


def turn(agent: Agent) -> None:
    with ThreadPoolExecutor(2) as pool:
        agent.turn(pool)
    agent._collect()


def test_a_notice_that_comes_with_a_task_is_in_force_before_the_task(world: World) -> None:
    gateway = FakeGateway(world.keys, tasks=[case().leased()])
    gateway.notices.append(Notice(number=7, document=ordered(world)))
    agent = agent_of(world, gateway)

    turn(agent)
    turn(agent)

    assert gateway.parts["TASK-0001"].refusal == "agency-suspended"
    assert [each.notices_after for each in gateway.leases] == [0, 7]


def test_what_is_held_back_is_not_taken_up_again_and_again(world: World) -> None:
    gateway = FakeGateway(world.keys)
    world.answers.append(Unavailable("gateway-unreachable"))
    with pytest.raises(Unavailable):
        answer(case().leased(), world.desk(), world.clock)
    hear(world, ordered(world))
    agent = agent_of(world, gateway)

    with ThreadPoolExecutor(1) as pool:
        agent.turn(pool)
        assert agent._running == {}
    hear(world, ordered(world, **LIFTED), after=1)
    turn(agent)

    assert gateway.parts["TASK-0001"].refusal is None


def own(world: World, **changes: object) -> Suspension:
    order = suspension(**changes)
    kept.order_here(world.journal, order, signed_order(world.keys, order), world.now)
    return order


def test_an_own_order_is_in_force_at_once_and_brought_when_the_gateway_is_back(world: World) -> None:
    gateway = FakeGateway(world.keys, is_down=True)
    agent = agent_of(world, gateway)
    own(world)

    assert give(world).refusal == "agency-suspended"
    agent._send_orders()
    gateway.is_down = False
    agent._send_orders()
    assert gateway.orders == []  # it waits a little before it tries again
    world.later(seconds=1)
    gateway.now = world.now
    agent._send_orders()
    agent._send_orders()

    assert len(gateway.orders) == 1
    assert kept.unsent(world.journal) == ()


def test_an_order_that_is_never_accepted_stops_no_other_and_a_whole_agency_goes_first(world: World) -> None:
    gateway = FakeGateway(world.keys)
    agent = agent_of(world, gateway)
    bad, good = own(world, id="SUS-BAD", dataset=DATASET), own(world, id="SUS-GOOD")
    tried: list[str] = []

    def send(order: kept.OwnOrder) -> None:
        tried.append(order.order.id)
        raise InvalidInput("unknown-contract", contract=DATASET)

    assert bring_orders(world.journal, send) == dict.fromkeys(map(digest_of, (bad, good)), "unknown-contract")
    assert tried == ["SUS-GOOD", "SUS-BAD"]
    world.later(seconds=1)
    gateway.now = world.now
    later = own(world, id="SUS-LATER", dataset=DATASET)
    kept.sent(world.journal, good)
    gateway.problems.append(InvalidInput("unknown-contract", contract=DATASET))
    agent._send_orders()

    assert [each.order for each in kept.unsent(world.journal)] == [bad]
    assert [Suspension.model_validate_json(payload_of(each)) for each in gateway.orders] == [later]


def test_while_the_gateway_is_away_one_order_is_tried_not_each(world: World) -> None:
    own(world)
    own(world, id="SUS-0002")
    gateway = FakeGateway(world.keys, is_down=True)

    def send(order: kept.OwnOrder) -> None:
        agent_of(world, gateway).channel.order(order)

    assert list(bring_orders(world.journal, send).values()) == ["gateway-unreachable"]


def test_an_order_that_the_gateway_tells_of_needs_no_bringing(world: World) -> None:
    own(world)
    hear(world, ordered(world))

    assert kept.unsent(world.journal) == ()
    assert len(kept.orders(world.journal)) == 1


def order_and_bring(world: World, gateway: FakeGateway) -> None:
    own(world)
    agent_of(world, gateway)._send_orders()


ORDERING = (
    CrashPoint.ORDER_BEFORE_COMMIT,
    CrashPoint.ORDER_AFTER_COMMIT,
    CrashPoint.ORDER_BEFORE_SEND,
    CrashPoint.ORDER_AFTER_SEND,
    CrashPoint.SENT_BEFORE_COMMIT,
    CrashPoint.SENT_AFTER_COMMIT,
)


@pytest.mark.parametrize("point", ORDERING)
def test_a_kill_around_an_own_order_leaves_it_in_force_and_brought_if_it_was_acknowledged(
    world: World, point: CrashPoint
) -> None:
    gateway = FakeGateway(world.keys)
    dying = world.restarted(die_at(point))
    with pytest.raises(Killed):
        order_and_bring(dying, gateway)
    again = dying.restarted()

    stands = suspended(again).covers("ccib")
    agent_of(again, gateway)._send_orders()

    assert stands == (point is not CrashPoint.ORDER_BEFORE_COMMIT)
    assert bool(gateway.orders) == stands
    assert kept.unsent(again.journal) == ()
    again.journal.close()


def test_every_such_crash_point_is_passed_here() -> None:
    assert set(ORDERING) == {each for each in CrashPoint if each.startswith(("order", "sent"))}


def test_nobody_suspends_a_dataset_that_the_agency_does_not_have_or_lifts_what_nobody_ordered(world: World) -> None:
    home = Home(world.folder)
    home.make()
    home.save_key(world.keys["ccib#officer-1"])
    home.pin(world.keys.federation)

    with pytest.raises(InvalidInput, match="unknown-contract"):
        order_suspension(home, world.journal, suspension(dataset="tpo_complain"), ["ccib#officer-1"], NOW)
    with pytest.raises(InvalidInput, match="unknown-suspension"):
        lift_suspension(home, world.journal, "SUS-0001", "over", ["ccib#officer-1"], NOW)
    assert kept.orders(world.journal) == ()
    order_suspension(home, world.journal, suspension(dataset=DATASET), ["ccib#officer-1"], NOW)
    assert [each.id for each in standing_orders(world.journal)] == ["SUS-0001"]


def test_a_lifted_suspension_is_not_ordered_again_under_its_name_nor_lifted_before_it_was_ordered(world: World) -> None:
    home = Home(world.folder)
    home.make()
    home.pin(world.keys.federation)
    for kid in ("ccib#officer-1", "ccib#dpo-1"):
        home.save_key(world.keys[kid])
    both = ["ccib#officer-1", "ccib#dpo-1"]
    order_suspension(home, world.journal, suspension(), both[:1], NOW)

    with pytest.raises(InvalidInput, match="suspension-id-reused"):
        order_suspension(home, world.journal, suspension(dataset=DATASET), both[:1], NOW)
    with pytest.raises(Refused, match="lift-before-order"):
        lift_suspension(home, world.journal, "SUS-0001", "over", both, NOW - timedelta(seconds=1))
    assert suspended(world).covers("ccib")
    lift_suspension(home, world.journal, "SUS-0001", "over", both, NOW)
    assert standing_orders(world.journal) == ()
    with pytest.raises(InvalidInput, match="suspension-id-reused"):
        order_suspension(home, world.journal, suspension(reason="a second incident"), both[:1], NOW)


def test_a_lift_that_was_signed_before_its_suspension_lifts_nothing(world: World) -> None:
    hear(world, ordered(world, **LIFTED, at=NOW - timedelta(seconds=1)), ordered(world))

    assert give(world).refusal == "agency-suspended"
    assert [each.id for each in standing_orders(world.journal)] == ["SUS-0001"]
