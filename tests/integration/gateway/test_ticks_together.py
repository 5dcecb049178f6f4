"""Several processes tick at once over one database: what one has done the others find done."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from contracts.request import RequestState
from contracts.transparency import EventKind
from gateway.crash import CrashPoint
from gateway.exchange import Exchange
from tests import factories
from tests.gateway_world import Killed, World, killed_at

pytestmark = pytest.mark.integration

PROCESSES, REQUESTS, PRICE = 4, 6, 1_000_000


def together(world: World, step: Callable[[Exchange], object]) -> list[object]:
    """Let several processes do the same at the same moment."""
    exchanges, start = [world.restart() for _ in range(PROCESSES)], Barrier(PROCESSES)

    def one(exchange: Exchange) -> object:
        start.wait(10)
        return step(exchange)

    with ThreadPoolExecutor(PROCESSES) as pool:
        return list(pool.map(one, exchanges))


def asked(world: World, crash: CrashPoint) -> None:
    """Requests whose gateway died at that point of each."""
    for number in range(REQUESTS):
        query = factories.query(where={"hour": (f"{number:02d}",)})
        request = factories.request(id=f"REQ-2{number:03d}", query=query, nano_rho=PRICE)
        world.restart(killed_at(crash))
        with pytest.raises(Killed):
            world.submit(request)


def states(world: World) -> set[RequestState]:
    world.later(2)
    names = (f"REQ-2{number:03d}" for number in range(REQUESTS))
    return {world.exchange.status(world.caller(), name).state for name in names}


def test_requests_that_were_left_unasked_are_asked_once(world: World) -> None:
    asked(world, CrashPoint.AFTER_RECEIVED)
    together(world, Exchange.resume)
    leased = [world.lease() for _ in range(REQUESTS)]
    assert sum(len(each) for each in leased) == REQUESTS
    assert world.reserved() == REQUESTS * PRICE


def test_requests_with_every_part_in_are_released_and_charged_once(world: World) -> None:
    asked(world, CrashPoint.AFTER_RESERVED)
    world.restart(killed_at(CrashPoint.AFTER_PART))
    for leased in [task for _ in range(REQUESTS) for task in world.lease()]:
        with pytest.raises(Killed):
            world.post(world.part(leased.task))
    together(world, Exchange.resume)
    assert states(world) == {RequestState.RELEASED}
    assert Counter(world.kinds())[EventKind.DATA_RELEASED] == REQUESTS
    assert (world.spent(), world.reserved()) == (REQUESTS * PRICE, 0)


def test_processes_that_show_the_log_at_once_show_one_and_the_same(world: World) -> None:
    world.submit(factories.request())
    shown = together(world, Exchange.checkpoint)
    assert len(set(map(str, shown))) == 1
