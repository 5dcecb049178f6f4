"""A connector watches the gateway's log: it cosigns what only grew, and stops at a log that was rewritten or shrank."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from connectors.agent import Agent, Channel
from connectors.answer import answer
from connectors.journal import witness as kept
from connectors.journal.book import Journal
from connectors.pacing import Pace
from connectors.witness import COSIGNATURES_PATH, Witness
from contracts.calls import SignedCalls
from contracts.checkpoints import log_keys, read_cosignature, verify_checkpoint
from contracts.errors import Refused, SaphanError
from contracts.federation import Federation, KeyPurpose
from contracts.keys import SigningKey, new_key
from contracts.transparency import Cosignature
from tests import factories
from tests.connector_world import World, case, contract_text
from tests.factories import ISSUER, NOW
from tests.fake_gateway import FakeGateway
from tests.fake_log import FakeLog, entries
from tests.lines import line_into

pytestmark = pytest.mark.integration

PURPOSES = factories.PURPOSES_OF | {"ccib": (*factories.PURPOSES_OF["ccib"], KeyPurpose.WITNESS)}
KEYS = factories.federation(PURPOSES)
FAST = Pace(workers=2, wait_seconds=0, retry=timedelta(milliseconds=1), longest_retry=timedelta(milliseconds=2))


@dataclass
class Scene:
    """One agency's witness and a log that can lie."""

    path: Path
    log: FakeLog = field(default_factory=lambda: FakeLog(KEYS["oja#log-1"], entries(5)))
    now: datetime = NOW
    handed_in: list[Cosignature] = field(default_factory=list)
    refusal: SaphanError | None = None
    key: SigningKey | None = field(default_factory=lambda: KEYS["ccib#witness-1"])

    def __post_init__(self) -> None:
        self.journal = Journal(self.path)
        self.witness = self.restarted()

    def restarted(self) -> Witness:
        """The witness of a process that has just begun."""
        return Witness(self.log.line(), self.journal, lambda _: self.key, self.hand_in, lambda: self.now)

    def hand_in(self, path: str, given: Cosignature) -> None:
        assert path == COSIGNATURES_PATH
        if self.refusal is not None:
            raise self.refusal
        self.handed_in.append(given)

    def look(self, federation: Federation = KEYS.federation) -> None:
        """Look at the log, later than the last time."""
        self.now += timedelta(seconds=5)
        self.witness.look(federation)

    def refused(self) -> str:
        """The code with which it refuses to go on."""
        with pytest.raises(SaphanError) as caught:
            self.look()
        return caught.value.code

    def size(self) -> int:
        """How much of the log it has seen."""
        seen = kept.seen(self.journal)
        return -1 if seen is None else seen.size


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path / "journal.db")
    yield made
    made.journal.close()


# ------------------------------------------------------------------ a log that only grows
def test_a_log_that_grows_is_cosigned_at_each_of_its_checkpoints(scene: Scene) -> None:
    scene.look()
    scene.log.entries = entries(700)
    scene.look()

    keys = log_keys(KEYS.federation, NOW)
    cosigners = [read_cosignature(scene.log.document, given.line, keys) for given in scene.handed_in[1:]]
    assert [given.size for given in scene.handed_in] == [5, 700]
    assert [each.agency for each in cosigners if each] == ["ccib"]
    assert (scene.size(), kept.evidence(scene.journal)) == (700, ())


def test_growth_is_proved_from_a_few_tiles_and_no_entry_is_read(scene: Scene) -> None:
    scene.look()
    scene.log.entries = entries(700)
    scene.log.asked.clear()
    scene.look()

    assert scene.log.asked[0] == "checkpoint"
    assert 0 < len(scene.log.asked) <= 4
    assert not any("entries" in path for path in scene.log.asked)


def test_a_checkpoint_that_was_seen_is_not_cosigned_again(scene: Scene) -> None:
    scene.look()
    scene.look()

    assert len(scene.handed_in) == 1


def test_the_log_is_looked_at_now_and_then(scene: Scene) -> None:
    scene.look()
    looked = len(scene.log.asked)
    scene.witness.look(KEYS.federation)

    assert len(scene.log.asked) == looked


def test_a_cosignature_that_did_not_arrive_is_handed_in_at_the_next_look(scene: Scene) -> None:
    scene.refusal = Refused("cosignature-wrong")
    scene.look()
    scene.refusal = None
    scene.look()

    assert [given.size for given in scene.handed_in] == [5]


def test_an_agency_without_a_registered_witness_key_looks_and_signs_nothing(scene: Scene) -> None:
    scene.key = None
    scene.look()
    scene.log.entries = entries(5, "rtp")

    assert scene.handed_in == []
    assert scene.refused() == "log-forked"


# ------------------------------------------------------------------ a log that lies
def test_a_gateway_that_shows_two_agencies_two_logs_is_caught_when_they_meet(scene: Scene, tmp_path: Path) -> None:
    other = Scene(tmp_path / "other.db", FakeLog(KEYS["oja#log-1"], entries(5, "rtp")))
    scene.look()
    other.look()

    scene.log.entries = entries(9, "rtp")

    assert scene.refused() == "log-forked"
    (found,) = kept.evidence(scene.journal)
    keys = log_keys(KEYS.federation, NOW)
    assert (verify_checkpoint(found.seen, keys).size, verify_checkpoint(found.shown, keys).size) == (5, 9)
    assert [given.size for given in scene.handed_in] == [5]
    other.journal.close()


def test_another_root_of_the_same_size_is_a_fork(scene: Scene) -> None:
    scene.look()
    scene.log.entries = entries(5, "rtp")

    assert scene.refused() == "log-forked"


def test_one_rewritten_entry_of_many_is_a_fork(scene: Scene) -> None:
    scene.log.entries = entries(600)
    scene.look()
    scene.log.entries = [*entries(300), *entries(700, "rtp")[300:301], *entries(700)[301:]]

    assert scene.refused() == "log-forked"


def test_a_gateway_that_went_back_to_an_old_backup_is_caught(scene: Scene) -> None:
    scene.look()
    scene.log.entries = entries(3)

    assert scene.refused() == "log-shrank"


def test_a_backup_that_has_grown_again_by_other_entries_is_caught(scene: Scene) -> None:
    scene.look()
    scene.log.entries = [*entries(3), *entries(9, "rtp")[3:]]

    assert scene.refused() == "log-forked"


def test_nothing_goes_on_until_the_agency_has_decided_not_even_after_a_restart(scene: Scene) -> None:
    scene.look()
    honest = scene.log.entries
    scene.log.entries = entries(3)
    assert scene.refused() == "log-shrank"

    scene.log.entries = honest
    scene.witness = scene.restarted()
    assert scene.refused() == "log-shrank"
    assert len(kept.evidence(scene.journal)) == 1

    scene.log.entries = entries(4, "rtp")
    assert kept.settle(scene.journal, "a backup was restored, letter 12/2569", scene.now) == 1
    scene.look()
    (found,) = kept.evidence(scene.journal)
    assert (found.reason, found.settled_at) == (
        "a backup was restored, letter 12/2569",
        scene.now - timedelta(seconds=5),
    )
    assert scene.size() == 4


def test_nothing_is_forgotten_where_there_is_nothing_to_settle(scene: Scene) -> None:
    scene.look()

    assert kept.settle(scene.journal, "why not", scene.now) == 0
    assert scene.size() == 5


# ------------------------------------------------------------------ a log that stands still
@dataclass
class Answering:
    """The agency's connector at work, beside its witness and in the same journal."""

    scene: Scene
    world: World

    def answer(self, asked_at: datetime) -> None:
        """Answer a question that was made then."""
        self.world.now = self.scene.now
        asked = replace(case(created=asked_at), signed_at=self.scene.now, forwarded_at=self.scene.now)
        answer(asked.leased(now=self.scene.now), self.world.desk(), self.world.clock)
        assert len(self.world.posted) == 1


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[Answering]:
    world = World(tmp_path, factories.federation())
    world.approve(contract_text())
    yield Answering(Scene(tmp_path / "journal.db"), world)
    world.journal.close()


def test_a_log_that_stands_still_while_questions_are_answered_ends_the_work(answering: Answering) -> None:
    scene = answering.scene
    scene.look()
    scene.now += timedelta(minutes=5)
    answering.answer(scene.now)
    scene.now += timedelta(minutes=14)
    scene.look()

    scene.now += timedelta(minutes=1)
    assert scene.refused() == "log-stands-still"
    scene.witness = scene.restarted()
    assert scene.refused() == "log-stands-still"

    scene.log.entries = entries(6)
    scene.look()
    scene.now += timedelta(hours=1)
    scene.look()
    assert (scene.size(), kept.evidence(scene.journal)) == (6, ())
    scene.journal.close()


@pytest.mark.parametrize("seconds", [0, 60], ids=["before", "by a clock that is fast"])
def test_a_question_that_waited_in_the_log_may_be_answered_while_the_log_rests(
    answering: Answering, seconds: int
) -> None:
    scene = answering.scene
    asked_at = scene.now + timedelta(seconds=seconds)
    scene.look()
    scene.now += timedelta(minutes=5)
    answering.answer(asked_at)

    scene.now += timedelta(hours=1)
    scene.look()
    assert scene.size() == 5
    scene.journal.close()


# ------------------------------------------------------------------ a log that does not show itself
def test_a_checkpoint_of_another_key_is_no_evidence_and_no_reason_to_work(scene: Scene) -> None:
    scene.log.key = new_key("oja#log-1")

    assert scene.refused() == "log-checkpoint-wrong"
    assert (scene.size(), kept.evidence(scene.journal)) == (-1, ())


@pytest.mark.parametrize("hidden", ["checkpoint", "tile/"])
def test_a_log_that_is_not_shown_is_waited_for(scene: Scene, hidden: str) -> None:
    scene.look()
    scene.log.entries = entries(9)
    scene.log.hidden = (hidden,)
    assert scene.refused() == "log-not-shown"
    assert kept.evidence(scene.journal) == ()
    scene.log.hidden = ()
    scene.look()
    assert scene.size() == 9


def test_a_gateway_that_cannot_be_reached_is_waited_for(scene: Scene) -> None:
    scene.log.is_down = True
    assert scene.refused() == "gateway-unreachable"
    scene.log.is_down = False
    scene.look()
    assert scene.size() == 5


def test_an_endless_checkpoint_is_not_read(scene: Scene) -> None:
    scene.witness.line = line_into(lambda _: httpx2.Response(200, content=b"x" * 70_000))

    assert scene.refused() == "log-not-shown"


# ------------------------------------------------------------------ the connector's loop
def test_a_connector_answers_nothing_by_a_log_that_was_rewritten_and_still_hears_notices(
    scene: Scene, tmp_path: Path
) -> None:
    world = World(tmp_path, factories.federation())
    world.approve(contract_text("gateway"))
    gateway = FakeGateway(world.keys, tasks=[case("gateway").leased()])
    calls = SignedCalls(world.keys["ccib#connector-1"], "ccib", ISSUER)
    channel = Channel(gateway.line(), calls, world.guard(), world.clock)
    agent = Agent(channel, world.desk(post=channel.post), world.clock, FAST, witness=scene.witness)
    scene.look(world.keys.federation)
    scene.log.entries = entries(3)
    scene.now += timedelta(seconds=5)

    with ThreadPoolExecutor(2) as pool:
        agent.turn(pool)
        agent.turn(pool)

    assert [call.most for call in gateway.leases] == [0, 0]
    assert gateway.parts == {}
    world.journal.close()
