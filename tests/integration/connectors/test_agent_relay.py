"""The loop as one of many: it keeps its leases by heartbeats, waits when asked to, and speaks the version in common."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from connectors.agent import Agent, Channel
from connectors.answer import answer
from connectors.crash import CrashPoint, Hook, carry_on
from connectors.pacing import LONGEST_PAUSE, Pace, Quiet
from contracts.calls import SignedCalls
from contracts.errors import Refused, SaphanError, Unavailable
from contracts.task import Holding, Lease, LeaseCall
from tests import factories
from tests.connector_world import PRICE, World, case
from tests.factories import ISSUER
from tests.fake_gateway import FakeGateway

pytestmark = pytest.mark.integration

CALL = LeaseCall(agency="ccib", data_versions={}, wait_seconds=0)
FAST = Pace(workers=2, wait_seconds=0, retry=timedelta(milliseconds=1), longest_retry=timedelta(milliseconds=5))


class Scene:
    """An agency's loop and its gateway, which a test bends."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder, factories.federation())
        self.world.approve()
        self.gateway = FakeGateway(self.world.keys)

    def later(self, **span: float) -> None:
        self.world.later(**span)
        self.gateway.now = self.world.now

    def channel(self) -> Channel:
        calls = SignedCalls(self.world.keys["ccib#connector-1"], "ccib", ISSUER)
        return Channel(self.gateway.line(), calls, self.world.guard(), self.world.clock)

    def agent(self, pace: Pace = FAST) -> Agent:
        channel = self.channel()
        return Agent(channel, self.world.desk(post=channel.post), self.world.clock, pace)

    def held_up(self, until: Event) -> Hook:
        """A hook that holds an answer up while it is being made."""
        return lambda point: carry_on(point) if point is not CrashPoint.CELLS_READ else _wait(until)


def _wait(until: Event) -> None:
    until.wait(10)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.world.journal.close()


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(SaphanError) as raised:
        call()
    return raised.value.code


# ------------------------------------------------------------------ heartbeats


def test_each_poll_names_what_is_being_worked_on_and_no_more_once_it_is_done(scene: Scene) -> None:
    free = Event()
    scene.gateway.tasks.append(case().leased())
    agent = scene.agent()
    agent.desk = replace(agent.desk, at=scene.held_up(free))
    with ThreadPoolExecutor(2) as pool:
        agent.turn(pool)
        agent.turn(pool)
        free.set()
        agent._running["TASK-0001"].result(10)
        agent.turn(pool)
    working = [each.working for each in scene.gateway.leases]
    assert working == [(), (Holding(task="TASK-0001", attempt=1),), ()]


def test_heartbeats_go_on_while_every_thread_is_busy(scene: Scene) -> None:
    free = Event()
    scene.gateway.tasks.append(case().leased())
    agent = scene.agent(pace=replace(FAST, workers=1))
    agent.desk = replace(agent.desk, at=scene.held_up(free))
    with ThreadPoolExecutor(1) as pool:
        agent.turn(pool)
        agent.turn(pool)
        free.set()
    assert [(each.most, len(each.working)) for each in scene.gateway.leases] == [(1, 0), (0, 1)]


def test_a_lost_lease_is_told_once_and_what_is_being_made_is_posted_all_the_same(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    free = Event()
    scene.gateway.tasks.append(case().leased())
    agent = scene.agent()
    agent.desk = replace(agent.desk, at=scene.held_up(free))
    with ThreadPoolExecutor(2) as pool, caplog.at_level(logging.WARNING):
        agent.turn(pool)
        scene.gateway.tasks, kept = [], list(scene.gateway.tasks)
        scene.gateway.answers = Lease(tasks=(), lost=("TASK-0001",))
        agent.turn(pool)
        scene.gateway.answers, scene.gateway.tasks = Lease(tasks=()), kept
        agent.turn(pool)
        free.set()
    assert "the lease of task TASK-0001 was lost" in caplog.text
    assert [len(each.working) for each in scene.gateway.leases] == [0, 1, 0]
    assert set(scene.gateway.parts) == {"TASK-0001"}
    assert scene.world.spent == PRICE


def test_a_task_that_is_handed_out_again_while_it_runs_beats_as_what_it_is_now(scene: Scene) -> None:
    free = Event()
    scene.gateway.tasks.append(case().leased())
    agent = scene.agent()
    agent.desk = replace(agent.desk, at=scene.held_up(free))
    with ThreadPoolExecutor(2) as pool:
        agent.turn(pool)
        scene.gateway.tasks[0] = scene.gateway.tasks[0].model_copy(update={"attempt": 5})
        agent.turn(pool)
        agent.turn(pool)
        free.set()
    assert [each.attempt for each in scene.gateway.leases[-1].working] == [5]
    assert scene.world.spent == PRICE


# ------------------------------------------------------------------ pauses


def test_a_lease_that_asks_for_a_pause_is_not_followed_by_another_before_it_is_over(scene: Scene) -> None:
    agent = scene.agent()
    agent.stop.set()  # a turn does not sleep
    scene.gateway.answers = Lease(tasks=(), pause_seconds=9)
    with ThreadPoolExecutor(1) as pool:
        for seconds in (0, 8, 1):
            scene.later(seconds=seconds)
            agent.turn(pool)
    assert len(scene.gateway.leases) == 2


def test_a_pause_has_a_ceiling(scene: Scene) -> None:
    agent = scene.agent()
    agent.stop.set()
    scene.gateway.answers = Lease(tasks=(), pause_seconds=3600)
    with ThreadPoolExecutor(1) as pool:
        agent.turn(pool)
        scene.later(seconds=LONGEST_PAUSE.total_seconds())
        agent.turn(pool)
    assert len(scene.gateway.leases) == 2


def test_after_retry_after_nothing_is_sent_until_then_and_nothing_is_lost(scene: Scene) -> None:
    scene.gateway.retry_after = "9"
    scene.gateway.problems.append(Unavailable("gateway-defect"))
    channel = scene.channel()
    assert refusal(lambda: channel.lease(CALL)) == "gateway-defect"
    desk = scene.world.desk(post=channel.post)
    assert refusal(lambda: answer(case().leased(), desk, scene.world.clock)) == "gateway-asks-to-wait"
    assert (scene.gateway.leases, scene.gateway.parts) == ([], {})
    scene.later(seconds=9)
    agent = Agent(channel, desk, scene.world.clock, FAST)
    with ThreadPoolExecutor(1) as pool:
        agent.turn(pool)
    agent._collect()
    assert set(scene.gateway.parts) == {"TASK-0001"}
    assert scene.world.spent == PRICE


def test_while_a_pause_lasts_what_ended_is_gathered(scene: Scene) -> None:
    agent = scene.agent()
    agent.stop.set()
    agent._rest = Quiet()
    agent._rest.ask(timedelta(seconds=9), scene.world.now)
    with ThreadPoolExecutor(1) as pool:
        agent._running["TASK-0009"] = pool.submit(lambda: None)
        agent._running["TASK-0009"].result(10)
        agent.turn(pool)
    assert agent._running == {}
    assert scene.gateway.leases == []


def test_a_failure_is_tried_again_after_a_wait_that_chance_shortens(scene: Scene) -> None:
    agent = scene.agent(pace=replace(FAST, retry=timedelta(seconds=8), longest_retry=timedelta(seconds=8)))
    agent.chance = lambda: 0.5
    agent._note("TASK-0009", Unavailable("gateway-unreachable"))
    assert agent._troubles["TASK-0009"].not_before == scene.world.now + timedelta(seconds=6)


# ------------------------------------------------------------------ versions


def test_a_call_names_the_versions_that_the_connector_speaks(scene: Scene) -> None:
    agent = scene.agent()
    agent.speaks = (1, 2)
    with ThreadPoolExecutor(1) as pool:
        agent.turn(pool)
    assert scene.gateway.leases[0].speaks == (1, 2)


@pytest.mark.parametrize(("version", "code"), [(2, "connector-outdated"), (1, "gateway-outdated")])
def test_a_lease_of_a_version_that_was_not_offered_is_not_read(scene: Scene, version: int, code: str) -> None:
    scene.gateway.answers = Lease(tasks=(), protocol=version)
    scene.gateway.tasks.append(case().leased())
    offers = (3,) if version == 1 else (1,)
    asked = CALL.model_copy(update={"speaks": offers})
    assert refusal(lambda: scene.channel().lease(asked)) == code
    assert scene.gateway.parts == {}


def test_a_connector_that_is_refused_for_its_version_goes_on_asking_until_somebody_upgraded(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.gateway.tasks.append(case().leased())
    scene.gateway.problems.extend(Refused("connector-outdated", connector="1", gateway="2, 3") for _ in range(3))
    agent = scene.agent()
    with ThreadPoolExecutor(2) as pool, caplog.at_level(logging.WARNING):
        for _ in range(4):
            agent.turn(pool)
    agent._collect()
    assert caplog.text.count("no lease: connector-outdated") == 3
    assert set(scene.gateway.parts) == {"TASK-0001"}
    assert scene.world.spent == PRICE
