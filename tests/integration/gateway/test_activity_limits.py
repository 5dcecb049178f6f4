"""An activity's schedule and its ceiling for all questions together, as the gateway keeps them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from contracts.agreement import Every, Schedule
from contracts.errors import Refused
from contracts.lifecycle import AgreementState
from contracts.request import Request, RequestState
from gateway.crash import CrashPoint
from gateway.store.agreement_tables import agreements
from tests import factories
from tests.gateway_world import CONTRACT, World, new_world

pytestmark = pytest.mark.integration

PRICE = 1_000_000
Open = Callable[..., World]


@pytest.fixture
def world_with(store_url: str) -> Iterator[Open]:
    """A gateway whose only activity has these limits."""
    made: list[World] = []

    def open_world(**limits: object) -> World:
        activity = factories.activity((CONTRACT,), **limits)
        world = new_world(store_url, (CONTRACT,), factories.agreement((CONTRACT,), activities=(activity,)))
        made.append(world)
        return world

    yield open_world
    for each in made:
        each.store.close()


def question(world: World, number: int, **changes: object) -> Request:
    """A question of its own under the registered agreement."""
    query = factories.query(where={"hour": (f"{number:02d}",)})
    agreement = world.exchange.agreement("AGR-2569-001").agreement
    fields = {"id": f"REQ-1{number:03d}", "nano_rho": PRICE, "created": world.now} | changes
    return factories.request(agreement, query, **fields)


def outcome(world: World, number: int, **changes: object) -> str:
    """What became of asking it: a state, or the code of the refusal."""
    try:
        return world.submit(question(world, number, **changes)).state
    except Refused as error:
        return error.code


def twice_a_day() -> Schedule:
    return Schedule(every=Every.DAY, requests=2)


def test_a_schedule_counts_in_bangkok_days(world_with: Open) -> None:
    world = world_with(schedule=twice_a_day())
    world.now = datetime(2026, 1, 15, 16, 59, 30, tzinfo=UTC)

    before_midnight = [outcome(world, number) for number in range(3)]
    world.later(60)

    assert before_midnight == ["waiting", "waiting", "schedule-exceeded"]
    assert outcome(world, 3) == "waiting"


def test_of_two_that_are_asked_at_once_the_schedule_lets_one_through(world_with: Open) -> None:
    world = world_with(schedule=Schedule(every=Every.WEEK, requests=1))

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda number: outcome(world, number), range(6)))

    assert sorted(outcomes) == ["schedule-exceeded"] * 5 + ["waiting"]
    assert world.reserved() == PRICE


def test_of_many_that_are_asked_at_once_the_ceiling_lets_as_many_through_as_it_holds(world_with: Open) -> None:
    world = world_with(nano_rho_in_all=2 * PRICE)

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda number: outcome(world, number), range(6)))

    assert sorted(outcomes) == ["activity-budget-exceeded"] * 4 + ["waiting"] * 2
    assert world.reserved() == 2 * PRICE


def test_what_loses_the_race_under_the_lock_is_refused_in_its_status_and_costs_nothing(world_with: Open) -> None:
    world = world_with(schedule=Schedule(every=Every.DAY, requests=1))
    rival = World(world.store, world.keys)

    def a_rival_is_faster(point: CrashPoint) -> None:
        if point is CrashPoint.AFTER_RECEIVED:
            rival.submit(question(rival, 1))

    world.restart(a_rival_is_faster)
    with pytest.raises(Refused, match="schedule-exceeded"):
        world.submit(question(world, 2))

    assert world.exchange.status(world.caller(), "REQ-1002").state is RequestState.REFUSED
    assert world.reserved() == PRICE


def test_a_released_or_joined_question_is_not_counted_and_not_refused(world_with: Open) -> None:
    world = world_with(schedule=Schedule(every=Every.DAY, requests=1), nano_rho_in_all=PRICE)
    world.versions = {CONTRACT.id: 1}
    assert outcome(world, 1) == "waiting"
    joined = outcome(world, 1, id="REQ-2001")
    world.answer()
    world.later()
    repeated = world.submit(question(world, 1, id="REQ-2002"))

    assert joined == "waiting"
    assert (repeated.state, repeated.repeated) == (RequestState.RELEASED, True)
    assert outcome(world, 2) == "activity-budget-exceeded"


def test_a_question_whose_reservation_was_returned_is_not_counted(world_with: Open) -> None:
    world = world_with(schedule=Schedule(every=Every.DAY, requests=1), nano_rho_in_all=PRICE)
    assert outcome(world, 1) == "waiting"
    (leased,) = world.lease()
    world.post(world.refusal(leased.task))

    assert outcome(world, 2) == "waiting"


def test_a_charged_refusal_is_counted(world_with: Open) -> None:
    world = world_with(schedule=Schedule(every=Every.DAY, requests=1))
    assert outcome(world, 1) == "waiting"
    (leased,) = world.lease()
    world.post(world.refusal(leased.task, charged=True))

    assert outcome(world, 2) == "schedule-exceeded"


def test_the_ceiling_is_that_of_the_dearest_window_and_another_window_is_free(world_with: Open) -> None:
    world = world_with(nano_rho_in_all=PRICE)
    earlier = factories.query(period=factories.period("2024-10-01", "2025-01-01"))
    both = factories.query(period=factories.period("2025-07-01", "2026-01-01"))
    agreement = world.exchange.agreement("AGR-2569-001").agreement
    assert outcome(world, 1) == "waiting"

    later = world.submit(factories.request(agreement, earlier, id="REQ-0003", nano_rho=PRICE))
    assert later.state is RequestState.WAITING
    with pytest.raises(Refused, match="activity-budget-exceeded"):
        world.submit(factories.request(agreement, both, id="REQ-0004", nano_rho=PRICE))


def test_an_amendment_does_not_begin_the_count_anew(world_with: Open) -> None:
    world = world_with(schedule=Schedule(every=Every.AGREEMENT, requests=1))
    first = world.exchange.agreement("AGR-2569-001").agreement
    assert outcome(world, 1) == "waiting"

    with world.store.transaction() as t:
        t.run(update(agreements).values(state=AgreementState.SUPERSEDED))
    world.register((), first.model_copy(update={"version": 2, "retention_days": 100}))

    assert outcome(world, 2) == "schedule-exceeded"


def test_the_activities_of_an_agreement_count_by_themselves(store_url: str) -> None:
    limited = factories.activity((CONTRACT,), schedule=Schedule(every=Every.DAY, requests=1))
    free = factories.activity((CONTRACT,), id="other-work")
    world = new_world(store_url, (CONTRACT,), factories.agreement((CONTRACT,), activities=(limited, free)))

    assert [outcome(world, number, activity="other-work") for number in range(3)] == ["waiting"] * 3
    assert outcome(world, 4) == "waiting"
    assert outcome(world, 5) == "schedule-exceeded"
    world.store.close()
