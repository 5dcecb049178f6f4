"""A connector under the trust registry: it follows changes between turns, and does nothing under one that fails."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from connectors.agent import Agent, Channel
from connectors.guard import Guard
from connectors.home import Home
from connectors.pacing import Pace
from connectors.registry import Followed, known_federation, live_registry
from connectors.shelf import Shelf
from connectors.situation import JournalSituation
from contracts.calls import SignedCalls
from contracts.errors import IntegrityError, InvalidInput, SaphanError, Unavailable
from contracts.federation import Federation, KeyPurpose, Member
from contracts.registry import Registry
from tests import factories
from tests.connector_world import PRICE, World, case, contract_text
from tests.factories import ISSUER, NOW
from tests.fake_gateway import FakeGateway
from tests.registry_world import home_with, in_order
from transport.line import Line
from trust.live import EVERY, LiveRegistry

pytestmark = pytest.mark.integration

FAST = Pace(workers=2, wait_seconds=0, retry=timedelta(milliseconds=1), longest_retry=timedelta(milliseconds=5))


@dataclass
class Scene:
    """An agency, its gateway, and the registry that it follows."""

    world: World
    gateway: FakeGateway
    given: Registry | SaphanError
    calls_made: int = 0

    def fetch(self, _: datetime) -> Registry:
        if isinstance(self.given, SaphanError):
            raise self.given
        return self.given

    def registry(self, federation: Federation | None = None, hours: float = 48) -> Registry:
        return Registry(federation or self.world.keys.federation, self.world.now + timedelta(hours=hours), {}, 1)

    def agent(self) -> Agent:
        def guard_of(federation: Federation) -> Guard:
            situation = JournalSituation(self.world.journal, "ccib", federation)
            return Guard("ccib", federation, Shelf(self.world.journal).approved, situation)

        def calls_of(federation: Federation) -> SignedCalls:
            self.calls_made += 1
            return SignedCalls(self.world.keys["ccib#connector-1"], "ccib", federation.gateway)

        followed = Followed(LiveRegistry(self.fetch, self.fetch), guard_of, calls_of)
        federation = followed.live.refresh(self.world.now)
        calls = calls_of(federation)
        channel = Channel(self.gateway.line(), calls, guard_of(federation), self.world.clock, followed=followed)
        return Agent(channel, self.world.desk(post=channel.post), self.world.clock, FAST)

    def later(self, span: timedelta) -> None:
        self.world.now += span
        self.gateway.now = self.world.now

    def turns(self, agent: Agent, number: int = 5) -> None:
        with ThreadPoolExecutor(agent.pace.workers) as pool:
            for _ in range(number):
                agent.turn(pool)
                Event().wait(0.02)
        agent._collect()

    def until_settled(self, agent: Agent) -> None:
        for _ in range(100):
            self.turns(agent, 1)
            if self.gateway.parts and not self.world.journal.unfinished():
                return
        raise AssertionError("it was never settled")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    world = World(tmp_path, factories.federation())
    world.approve()
    world.approve(contract_text("gateway"))
    made = Scene(world, FakeGateway(world.keys), Unavailable("gateway-unreachable"))
    made.given = made.registry()
    yield made
    made.world.journal.close()


def without(federation: Federation, agency: str) -> Federation:
    """The federation after its officers let a member go."""
    left = tuple(each for each in federation.members if each.agency != agency)
    return federation.model_copy(update={"members": left})


def revoked(federation: Federation, kid: str) -> Federation:
    """The federation after a key was revoked."""

    def changed(member: Member) -> Member:
        keys = tuple(each.model_copy(update={"revoked": True}) if each.kid == kid else each for each in member.keys)
        return member.model_copy(update={"keys": keys})

    return federation.model_copy(update={"members": tuple(changed(each) for each in federation.members)})


DOUBTS = [
    IntegrityError("registry-rolled-back", why="x"),
    IntegrityError("registry-forged", why="x"),
    IntegrityError("registry-content", rule="x", where="y"),
    Unavailable("registry-expired", what="timestamp.json"),
]


@pytest.mark.parametrize("doubt", DOUBTS, ids=lambda each: each.code)
def test_under_a_registry_in_doubt_nothing_is_leased_and_a_good_one_brings_the_work_back(
    scene: Scene, doubt: SaphanError
) -> None:
    agent = scene.agent()
    scene.given = doubt
    scene.later(EVERY)
    scene.gateway.tasks.append(case("gateway").leased())
    scene.turns(agent)
    assert scene.gateway.leases == []
    assert scene.gateway.tokens_given == 0
    assert scene.world.spent == 0
    scene.given = scene.registry()
    scene.later(EVERY)
    scene.until_settled(agent)
    assert scene.world.spent == PRICE


def test_what_was_charged_is_kept_while_the_registry_is_expired_and_posted_once_after_it(scene: Scene) -> None:
    agent = scene.agent()
    scene.gateway.tasks.append(case("gateway").leased())
    agent.desk = replace(agent.desk, post=_lost)
    scene.turns(agent, 3)
    (unfinished,) = scene.world.journal.unfinished()
    assert unfinished.part is not None
    agent.desk = replace(agent.desk, post=agent.channel.post)
    scene.given = Unavailable("gateway-unreachable")
    # The registry outlasts the gateway by two days; then the part stays where it is.
    scene.later(timedelta(hours=48))
    leases = len(scene.gateway.leases)
    scene.turns(agent)
    assert scene.gateway.parts == {}
    assert len(scene.gateway.leases) == leases
    assert scene.world.journal.unfinished() == (unfinished,)
    assert scene.world.spent == PRICE
    scene.given = scene.registry()
    scene.later(timedelta(seconds=1))
    scene.until_settled(agent)
    assert scene.world.spent == PRICE


def _lost(*_: object) -> None:
    raise Unavailable("gateway-unreachable")


def test_a_call_that_is_ready_while_the_registry_expires_is_not_sent(scene: Scene) -> None:
    agent = scene.agent()
    agent.channel.lease(agent._lease_call(1))
    given = scene.gateway.tokens_given
    scene.later(timedelta(hours=48))
    with pytest.raises(Unavailable, match="registry-expired"):
        agent.channel.lease(agent._lease_call(1))
    assert (len(scene.gateway.leases), scene.gateway.tokens_given) == (1, given)


def test_a_gateway_key_that_was_revoked_is_not_believed_from_the_next_turn_on(scene: Scene) -> None:
    agent = scene.agent()
    scene.turns(agent, 1)
    assert scene.gateway.leases
    scene.given = scene.registry(revoked(scene.world.keys.federation, "oja#gateway-1"))
    scene.later(EVERY)
    scene.gateway.tasks.append(case("gateway").leased())
    scene.turns(agent)
    assert scene.gateway.parts == {}
    assert scene.world.spent == 0


def test_an_asker_whose_key_was_revoked_gets_a_refusal_without_a_restart(scene: Scene) -> None:
    agent = scene.agent()
    scene.given = scene.registry(revoked(scene.world.keys.federation, "oja#client-1"))
    scene.later(EVERY)
    scene.gateway.tasks.append(case("gateway").leased())
    scene.turns(agent)
    (part,) = scene.gateway.parts.values()
    assert part.refusal == "key-unknown"
    assert scene.world.spent == 0


def test_a_change_makes_guard_and_calls_anew_and_an_unchanged_registry_does_not(scene: Scene) -> None:
    agent = scene.agent()
    guard = agent.channel.guard
    scene.given = scene.registry()
    scene.later(EVERY)
    scene.turns(agent, 2)
    assert (agent.channel.guard is guard, scene.calls_made) == (True, 1)
    scene.given = scene.registry(without(scene.world.keys.federation, "dop"))
    scene.later(EVERY)
    scene.turns(agent, 2)
    assert agent.channel.guard.federation.member("dop") is None
    assert agent.desk.guard is agent.channel.guard
    assert scene.calls_made == 2


def test_a_successor_takes_over_by_the_clock_without_a_change_of_the_registry(scene: Scene) -> None:
    later = scene.world.now + timedelta(hours=1)
    successor = factories.signing_key("ccib#connector-2").public_key(
        KeyPurpose.CONNECTOR, later, later + timedelta(days=1)
    )

    def announced(member: Member) -> Member:
        return member.model_copy(update={"keys": (*member.keys, successor)}) if member.agency == "ccib" else member

    before = scene.world.keys.federation
    scene.given = scene.registry(before.model_copy(update={"members": tuple(map(announced, before.members))}))
    agent = scene.agent()
    scene.turns(agent, 2)
    made = scene.calls_made
    scene.later(timedelta(minutes=59))
    scene.turns(agent, 2)
    assert scene.calls_made == made
    scene.later(timedelta(minutes=1))
    scene.turns(agent, 2)
    assert scene.calls_made == made + 1


# ---------------------------------------------------------------- homes
def code(home: Home) -> str:
    with pytest.raises(SaphanError) as caught:
        known_federation(home, NOW)
    return caught.value.code


def test_a_home_that_pins_a_root_never_falls_back_to_a_fixed_list(tmp_path: Path) -> None:
    lying = in_order()
    path = home_with(tmp_path, lying.documents["root"])
    federation = lying.read(path).federation
    home = Home(path)
    assert known_federation(home, NOW) == federation
    # Neither when the registry has expired ...
    with pytest.raises(Unavailable, match="registry-expired"):
        known_federation(home, NOW + timedelta(hours=48))
    # ... nor when a list of keys lies there.
    home.pin(federation)
    assert code(home) == "root-pinned"
    with pytest.raises(InvalidInput, match="root-pinned"), scene_line() as line:
        live_registry(home, line)
    (path / "federation.json").unlink()
    with pytest.raises(InvalidInput, match="root-pinned"):
        home.federation()
    # A root that cannot be read is still a root.
    (path / "root.json").unlink()
    (path / "root.json").symlink_to(path / "gone")
    home.pin(federation)
    assert code(home) == "root-pinned"


def scene_line() -> Line:
    """A way to a gateway that nobody takes."""
    return FakeGateway(factories.federation()).line()


def test_a_home_with_a_fixed_list_follows_nothing(tmp_path: Path) -> None:
    home, federation = Home(tmp_path), factories.federation().federation
    home.pin(federation)
    with scene_line() as line:
        assert live_registry(home, line) is None
    assert known_federation(home, NOW) == federation
    assert federation.gateway == ISSUER
