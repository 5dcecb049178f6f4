"""The loop against a gateway that speaks the real protocol: it leases, answers, posts, waits and comes back."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from connectors.agent import Agent, Channel
from connectors.answer import answer, resume
from connectors.crash import CrashPoint, Hook, carry_on
from connectors.pacing import Pace
from contracts.calls import SignedCalls
from contracts.canonical import digest_of
from contracts.errors import InvalidInput, Refused, SaphanError, Unavailable
from contracts.task import LeaseCall
from tests import factories
from tests.connector_world import PRICE, Killed, World, case, contract_text, die_at
from tests.factories import ISSUER
from tests.fake_gateway import FakeGateway

pytestmark = pytest.mark.integration

CALL = LeaseCall(agency="ccib", data_versions={}, wait_seconds=0)
FAST = Pace(workers=2, wait_seconds=0, retry=timedelta(milliseconds=1), longest_retry=timedelta(milliseconds=5))


@dataclass
class Scene:
    """An agency and its gateway."""

    world: World
    gateway: FakeGateway

    def later(self, **span: float) -> None:
        self.world.later(**span)
        self.gateway.now = self.world.now

    def channel(self, at: Hook = carry_on) -> Channel:
        calls = SignedCalls(self.world.keys["ccib#connector-1"], "ccib", ISSUER)
        return Channel(self.gateway.line(), calls, self.world.guard(), self.world.clock, at)

    def agent(self, at: Hook = carry_on, pace: Pace = FAST) -> Agent:
        channel = self.channel(at)
        return Agent(channel, self.world.desk(post=channel.post), self.world.clock, pace)

    def run_until(self, agent: Agent, is_done: Callable[[], bool], turns: int = 200) -> None:
        """Take turns until something is true."""
        with ThreadPoolExecutor(agent.pace.workers) as pool:
            for _ in range(turns):
                agent.turn(pool)
                if is_done():
                    break
                Event().wait(0.02)
        agent._collect()
        assert is_done()

    def is_settled(self) -> bool:
        return bool(self.gateway.parts) and not self.world.journal.unfinished()

    def restart(self, at: Hook = carry_on) -> None:
        self.world = self.world.restarted(at)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    world = World(tmp_path, factories.federation())
    world.approve()
    world.approve(contract_text("gateway"))
    scene = Scene(world, FakeGateway(world.keys))
    yield scene
    scene.world.journal.close()


def _wait(free: Event) -> None:
    free.wait(10)


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(SaphanError) as raised:
        call()
    return raised.value.code


# ------------------------------------------------------------------ the channel


def test_one_token_serves_many_calls_until_it_is_about_to_expire(scene: Scene) -> None:
    channel = scene.channel()
    channel.lease(CALL)
    channel.lease(CALL)
    assert scene.gateway.tokens_given == 1
    scene.later(minutes=4, seconds=45)
    channel.lease(CALL)
    assert scene.gateway.tokens_given == 2


@pytest.mark.parametrize(
    ("signer", "code"), [(None, "signature-missing"), ("oja#token-1", "key-unknown"), ("rtp#officer-1", "key-unknown")]
)
def test_a_lease_that_the_gateway_did_not_sign_is_refused(scene: Scene, signer: str | None, code: str) -> None:
    scene.gateway.signs_with = signer
    assert refusal(lambda: scene.channel().lease(CALL)) == code


def test_an_acknowledgement_that_the_gateway_did_not_sign_settles_nothing(scene: Scene) -> None:
    leased = case("gateway").leased()
    channel = scene.channel()
    scene.gateway.signs_with = None
    assert (
        refusal(lambda: answer(leased, scene.world.desk(post=channel.post), scene.world.clock)) == "signature-missing"
    )
    assert len(scene.gateway.parts) == 1
    scene.gateway.signs_with = "oja#gateway-1"
    resume(scene.world.journal.unfinished()[0], scene.world.desk(post=channel.post), scene.world.clock)
    assert scene.is_settled()


def test_a_last_word_that_the_gateway_did_not_sign_is_not_believed(scene: Scene) -> None:
    scene.gateway.signs_with = None
    scene.gateway.problems.append(InvalidInput("unknown-task"))
    assert refusal(lambda: scene.channel().lease(CALL)) == "signature-missing"


def test_a_problem_is_raised_as_the_gateway_named_it(scene: Scene) -> None:
    scene.gateway.problems.extend([Refused("token-invalid", why="expired"), InvalidInput("unknown-task")])
    channel = scene.channel()
    assert refusal(lambda: channel.lease(CALL)) == "token-invalid"
    assert refusal(lambda: channel.lease(CALL)) == "unknown-task"


def test_an_error_that_is_no_problem_document_is_named_so(scene: Scene) -> None:
    scene.gateway.problems.append(Unavailable("gateway-unreachable"))
    scene.gateway.raw_answer = b"<html>"
    assert refusal(lambda: scene.channel().lease(CALL)) == "unknown-answer"


def test_a_gateway_that_is_down_is_named_so(scene: Scene) -> None:
    scene.gateway.is_down = True
    assert refusal(lambda: scene.channel().lease(CALL)) == "gateway-unreachable"


# ------------------------------------------------------------------ the loop


def test_a_task_is_leased_answered_and_settled(scene: Scene) -> None:
    scene.gateway.tasks.append(case("gateway").leased())
    scene.run_until(scene.agent(), scene.is_settled)
    assert scene.gateway.parts["TASK-0001"].measures[0].cells == (2, 0, 2, 1)
    assert scene.gateway.leases[0].data_versions == {"tpo_complaint": 1}
    assert scene.world.spent == PRICE


def test_no_more_tasks_are_leased_than_can_be_answered_at_once(scene: Scene) -> None:
    scene.gateway.tasks.extend(
        replace(case("gateway").asking(id=f"REQ-{n:04d}"), task_id=f"TASK-{n:04d}").leased() for n in range(5)
    )
    scene.run_until(scene.agent(), lambda: len(scene.gateway.parts) == 5 and scene.is_settled())
    assert {each.most for each in scene.gateway.leases} <= {1, 2}
    assert scene.world.spent == 5 * PRICE


def test_a_refusal_is_posted_and_ends_the_task(scene: Scene) -> None:
    scene.gateway.tasks.append(case().asking(purpose="public-information").leased())
    scene.run_until(scene.agent(), scene.is_settled)
    assert scene.gateway.parts["TASK-0001"].refusal == "purpose-not-agreed"


def test_work_goes_on_when_the_gateway_returns(scene: Scene) -> None:
    scene.gateway.tasks.append(case().leased())
    scene.gateway.is_down = True
    agent = scene.agent()
    with ThreadPoolExecutor(1) as pool:
        for _ in range(3):
            agent.turn(pool)
    assert agent._failed_leases == 3
    scene.gateway.is_down = False
    scene.run_until(agent, scene.is_settled)
    assert agent._failed_leases == 0


def test_a_part_that_could_not_be_posted_is_posted_when_its_time_comes(scene: Scene) -> None:
    agent = scene.agent(pace=replace(FAST, retry=timedelta(seconds=4), longest_retry=timedelta(seconds=4)))
    with ThreadPoolExecutor(2) as pool:
        scene.gateway.tasks.append(case().leased())
        agent.turn(pool)
        scene.gateway.is_down = True
    agent._collect()
    scene.gateway.is_down = False
    if not scene.gateway.parts:
        assert set(agent._troubles) == {"TASK-0001"}
        scene.later(seconds=5)
    scene.run_until(agent, scene.is_settled)
    assert scene.world.spent == PRICE


def test_what_a_dead_process_left_unfinished_is_taken_up_before_new_work(scene: Scene) -> None:
    scene.gateway.tasks.append(case().leased())
    agent = scene.agent()
    scene.world.snapshot.unlink()
    scene.run_until(agent, lambda: bool(scene.world.journal.unfinished()))
    scene.gateway.tasks.clear()
    scene.restart()
    scene.run_until(scene.agent(), scene.is_settled)
    assert scene.gateway.parts["TASK-0001"].refusal is None
    assert scene.world.spent == PRICE


def test_a_refusal_that_could_not_be_posted_waits_for_its_task_to_be_handed_out_again(scene: Scene) -> None:
    agent = scene.agent()
    agent._note("TASK-0009", Unavailable("gateway-unreachable"))
    with ThreadPoolExecutor(1) as pool:
        agent.turn(pool)
    assert agent._troubles == {}


def test_no_task_is_leased_while_every_thread_is_busy(scene: Scene) -> None:
    agent, free = scene.agent(pace=replace(FAST, workers=1)), Event()
    with ThreadPoolExecutor(1) as pool:
        agent._running["TASK-0009"] = pool.submit(_wait, free)
        agent.turn(pool)
        free.set()
    assert [each.most for each in scene.gateway.leases] == [0]


def test_who_is_stopped_while_every_thread_is_busy_asks_for_nothing_more(scene: Scene) -> None:
    agent, free = scene.agent(pace=replace(FAST, workers=1)), Event()
    with ThreadPoolExecutor(1) as pool:
        agent._running["TASK-0009"] = pool.submit(_wait, free)
        agent.stop.set()
        free.set()
        agent.turn(pool)
    assert scene.gateway.leases == []


def test_a_task_that_is_handed_out_again_while_it_runs_is_not_begun_twice(scene: Scene) -> None:
    scene.gateway.tasks.append(case().leased())
    agent, free = scene.agent(), Event()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(_wait, free)
        agent._running["TASK-0001"] = running
        agent.turn(pool)
        assert agent._running == {"TASK-0001": running}
        free.set()
    assert len(scene.gateway.leases) == 1


def test_errors_are_logged_by_code_or_kind_and_never_by_text(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.gateway.tasks.append(case().leased())

    def break_down(point: CrashPoint) -> None:
        if point is CrashPoint.CELLS_READ and not caplog.records:
            raise ValueError("1-1037-02071-81-1")

    scene.world.at = break_down
    with caplog.at_level(logging.WARNING):
        scene.run_until(scene.agent(), scene.is_settled)
    assert "ValueError" in caplog.text
    assert "1037" not in caplog.text


def test_the_loop_ends_when_it_is_told_to(scene: Scene) -> None:
    agent = scene.agent()
    agent.stop.set()
    agent.run()
    assert scene.gateway.leases == []


def test_an_interrupt_breaks_off_a_poll_and_nothing_else(scene: Scene) -> None:
    agent = scene.agent()
    agent.interrupt()
    assert agent.stop.is_set()

    def interrupted(point: CrashPoint) -> None:
        if point is CrashPoint.LEASE_BEFORE_SEND:
            agent.interrupt()

    agent.channel.at = interrupted
    with ThreadPoolExecutor(1) as pool:
        agent.turn(pool)
    assert scene.gateway.leases == []


@pytest.mark.parametrize(
    "point",
    [
        CrashPoint.TOKEN_BEFORE_SEND,
        CrashPoint.TOKEN_AFTER_SEND,
        CrashPoint.LEASE_BEFORE_SEND,
        CrashPoint.LEASE_AFTER_SEND,
    ],
)
def test_a_kill_around_a_send_of_the_loop_loses_nothing(scene: Scene, point: CrashPoint) -> None:
    scene.gateway.tasks.append(case().leased())
    with pytest.raises(Killed), ThreadPoolExecutor(1) as pool:
        scene.agent(die_at(point)).turn(pool)
    assert scene.world.spent == 0
    scene.restart()
    scene.run_until(scene.agent(), scene.is_settled)
    assert scene.world.spent == PRICE


@pytest.mark.parametrize(
    "point", [CrashPoint.CHARGE_AFTER_COMMIT, CrashPoint.PART_AFTER_COMMIT, CrashPoint.POST_AFTER_SEND]
)
def test_a_kill_in_a_thread_ends_the_loop_and_a_restart_finishes(scene: Scene, point: CrashPoint) -> None:
    scene.gateway.tasks.append(case().leased())
    scene.restart(die_at(point))
    with pytest.raises(Killed):
        scene.run_until(scene.agent(), lambda: False)
    before = {name: digest_of(part) for name, part in scene.gateway.parts.items()}
    scene.restart()
    scene.run_until(scene.agent(), scene.is_settled)
    assert {name: digest_of(scene.gateway.parts[name]) for name in before} == before
    assert scene.world.spent == PRICE
