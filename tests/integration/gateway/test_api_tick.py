"""The gateway carries on by itself: at its start and on every tick, also after a tick that failed."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from contracts.request import RequestState
from contracts.task import Lease, LeaseCall
from gateway.api.desk import HEARING_SECONDS
from gateway.crash import CrashPoint
from gateway.main import _tick, create_app
from gateway.settings import GatewaySettings
from tests.api_world import ApiWorld, request
from tests.gateway_world import Killed, killed_at

pytestmark = pytest.mark.integration


def test_a_request_that_was_acknowledged_before_a_kill_is_carried_on_at_the_next_start(tmp_path: Path) -> None:
    world = ApiWorld(tmp_path / "home")
    dying = world.world
    dying.restart(killed_at(CrashPoint.AFTER_RECEIVED))
    with pytest.raises(Killed):
        dying.submit(request())
    assert world.world.lease() == ()
    with TestClient(create_app(GatewaySettings(home=world.home, tick_seconds=3600.0), lambda: world.now)):
        assert [each.task.agency for each in world.world.lease()] == ["ccib"]


def test_a_tick_carries_on_and_wakes_who_waits(tmp_path: Path) -> None:
    world = ApiWorld(tmp_path / "home")
    dying = world.world
    with world.http:
        dying.restart(killed_at(CrashPoint.AFTER_RECEIVED))
        with pytest.raises(Killed):
            dying.submit(request())

        async def scene() -> None:
            ticking = asyncio.create_task(_tick(lambda: world.desk, 0.01))
            await world.desk.bell.wait(world.desk.bell.ticket(), 5)
            ticking.cancel()

        asyncio.run(scene())
        assert len(world.world.lease()) == 1
        caller = world.world.caller()
        assert world.desk.exchange.status(caller, "REQ-0001").state is RequestState.WAITING


def test_a_tick_that_fails_is_logged_without_values_and_the_next_one_comes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = ApiWorld(tmp_path / "home")

    class Broken:
        def __init__(self) -> None:
            self.tries = 0

        def resume(self) -> None:
            self.tries += 1
            raise RuntimeError("1101700203451")

    broken = Broken()
    desk = replace(world.desk, exchange=broken)  # type: ignore[arg-type]  # a defect

    async def scene() -> None:
        ticking = asyncio.create_task(_tick(lambda: desk, 0.01))
        for _ in range(2):
            await desk.bell.wait(desk.bell.ticket(), 5)
        ticking.cancel()

    asyncio.run(scene())
    assert broken.tries >= 2
    assert "RuntimeError" in caplog.text
    assert "1101700203451" not in caplog.text


def test_while_the_database_tells_of_changes_looking_again_is_rare_and_at_once_frequent_without_it(
    tmp_path: Path,
) -> None:
    desk = ApiWorld(tmp_path / "home").desk
    desk.bell.hears = lambda: True
    assert desk.next_look() == HEARING_SECONDS
    desk.bell.hears = lambda: False
    assert desk.next_look() == desk.look_again_seconds < HEARING_SECONDS


def test_where_too_many_wait_a_connector_is_answered_at_once_and_asked_to_come_back_later(tmp_path: Path) -> None:
    world = ApiWorld(tmp_path / "home")
    world.app.state.desk = replace(world.desk, most_waiting=1)
    call = LeaseCall(agency="ccib", data_versions={}, wait_seconds=20)

    def poll() -> Lease:
        return Lease.model_validate_json(world.member("ccib#connector-1").post("/v1/tasks:lease", call).content)

    with world.http, world.desk.bell.waiter():
        started = time.monotonic()
        assert poll().pause_seconds == call.wait_seconds
        assert time.monotonic() - started < call.wait_seconds
        world.world.submit(request())
        with_work = poll()
    assert (len(with_work.tasks), with_work.pause_seconds) == (1, 0)
