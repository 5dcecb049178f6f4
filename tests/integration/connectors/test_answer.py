"""From a leased task to one posted part: what is answered, charged, refused, and what survives a kill -9."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.answer import answer, resume
from connectors.crash import CrashPoint
from connectors.journal.entries import Unfinished
from contracts.canonical import digest_of
from contracts.errors import IntegrityError, Refused, Unavailable
from contracts.federation import PublicKey
from contracts.task import LeasedTask, Part
from tests import factories
from tests.connector_world import PRICE, Killed, World, case, contract_text, die_at, token_for

pytestmark = pytest.mark.integration

Again = Callable[[World, Unfinished], None]

EXACTLY = case("gateway")
EXACT = (2, 0, 2, 1)
"""October and November by two types; see ``connector_world.snapshot_bytes``."""

ELSEWHERE = ("token", "lease", "refusal", "notices", "order", "sent", "pending", "decision")
ANSWERING = tuple(point for point in CrashPoint if not point.startswith(ELSEWHERE))
"""Every point that an answer passes; the others are passed in test_agent and test_connector_*."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, factories.federation())
    world.approve()
    world.approve(contract_text("gateway"))
    yield world
    world.journal.close()


def give(world: World, leased: LeasedTask, cap: int | None = None) -> Part:
    """Answer a task and give the one part that was posted for it."""
    before = len(world.posted)
    answer(leased, world.desk(cap), world.clock)
    assert len(world.posted) == before + 1
    return world.posted[-1]


def test_a_contract_that_trusts_the_centre_is_answered_exactly(world: World) -> None:
    leased = case("gateway").leased()
    part = give(world, leased)
    assert [(each.measure, each.cells, each.sigma) for each in part.measures] == [("count", EXACT, None)]
    assert (part.task, part.task_digest) == ("TASK-0001", digest_of(leased.task))
    assert part.request_digest == digest_of(case("gateway").request)
    assert (part.agency, part.data_version, part.charged, part.refusal) == ("ccib", 1, True, None)
    assert world.spent == PRICE


def test_a_contract_that_protects_at_the_connector_never_sends_exact_cells(world: World) -> None:
    (measure,) = give(world, case().leased()).measures
    assert measure.sigma is not None
    assert measure.sigma > 5
    assert measure.cells != EXACT
    assert world.spent == PRICE


def test_what_was_acknowledged_is_settled_and_exact_cells_are_forgotten(world: World) -> None:
    give(world, case("gateway").leased())
    assert world.journal.unfinished() == ()
    part = give(world, case("gateway").leased())
    assert (part.refusal, part.charged) == ("part-already-posted", True)
    assert world.spent == PRICE


def test_the_same_question_is_answered_by_the_same_noise_and_charged_once(world: World) -> None:
    first = give(world, case().leased())
    second = give(world, replace(case(), task_id="TASK-0002").leased())
    assert second.measures == first.measures
    assert second.task == "TASK-0002"
    assert world.spent == PRICE


def test_another_question_is_charged_and_drawn_again(world: World) -> None:
    first = give(world, case().leased())
    second = give(world, case().asking(id="REQ-0002").leased())
    assert second.measures != first.measures
    assert world.spent == 2 * PRICE


def test_the_cap_of_the_contract_binds_whatever_the_gateway_says(world: World) -> None:
    text = contract_text("gateway", PRICE)
    world.approve(text)
    give(world, case("gateway", PRICE).leased())
    part = give(world, case("gateway", PRICE).asking(id="REQ-0002").leased())
    assert (part.refusal, part.charged) == ("local-cap-exceeded", False)
    assert world.spent == PRICE


def test_the_agencys_own_cap_binds_below_the_contracts(world: World) -> None:
    part = give(world, case().leased(), cap=PRICE - 1)
    assert (part.refusal, part.charged, world.spent) == ("local-cap-exceeded", False, 0)


def test_the_agencys_own_cap_does_not_lift_the_contracts(world: World) -> None:
    world.approve(contract_text("gateway", PRICE - 1))
    part = give(world, case("gateway", PRICE - 1).leased(), cap=10 * PRICE)
    assert part.refusal == "local-cap-exceeded"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (replace(case(), agency="rtp").leased(), "task-not-ours"),
        (case().leased(aud="rtp"), "token-invalid"),
        (case("gateway", 7).leased(), "contract-not-approved"),
        (case().asking(purpose="public-information").leased(), "purpose-not-agreed"),
        (replace(case(), officers=("oja#officer-2",)).leased(), "signers-incomplete"),
    ],
)
def test_a_refusal_is_a_part_that_charged_nothing(world: World, asked: LeasedTask, code: str) -> None:
    part = give(world, asked)
    assert (part.refusal, part.charged, part.measures) == (code, False, ())
    assert part.data_version in {0, 1}
    assert (world.spent, world.journal.unfinished()) == (0, ())
    assert [each.refusal for each in world.journal.departures()] == [code]


def test_a_task_that_arrives_after_its_delivery_time_is_refused_uncharged(world: World) -> None:
    world.later(days=1, seconds=1)
    part = give(world, case().leased(now=world.now))
    assert (part.refusal, part.charged) == ("delivery-expired", False)


def test_a_charge_is_returned_when_the_delivery_time_passes_before_anything_left(world: World) -> None:
    world.snapshot.write_bytes(b"not a snapshot")
    with pytest.raises(IntegrityError):
        answer(case().leased(), world.desk(), world.clock)
    assert world.spent == PRICE
    world.snapshot.unlink()
    world.later(days=2)
    resume(world.journal.unfinished()[0], world.desk(), world.clock)
    assert (world.posted[-1].refusal, world.posted[-1].charged) == ("delivery-expired", False)
    assert (world.spent, world.journal.unfinished()) == (0, ())


def test_a_forged_delivery_returns_no_charge_of_a_question_under_way(world: World) -> None:
    world.answers.append(Unavailable("gateway-unreachable"))
    with pytest.raises(Unavailable):
        answer(case().leased(), world.desk(), world.clock)
    part = give(world, case().leased(aud="rtp"))
    assert (part.refusal, part.charged) == ("token-invalid", True)
    assert world.spent == PRICE


def test_a_question_that_was_refused_meanwhile_posts_nothing(world: World) -> None:
    asked = case()

    def refuse_meanwhile(point: CrashPoint) -> None:
        if point is CrashPoint.CELLS_READ:
            world.journal.refuse(asked.task(), digest_of(asked.request), "delivery-expired", world.now, undo=True)

    world.at = refuse_meanwhile
    answer(asked.leased(), world.desk(), world.clock)
    assert (world.posted, world.spent) == ([], 0)


def test_data_that_cannot_be_read_are_read_later(world: World) -> None:
    desk = world.desk()
    good = world.snapshot.read_bytes()
    world.snapshot.unlink()
    with pytest.raises(Unavailable):
        answer(case().leased(), desk, world.clock)
    assert (world.posted, world.spent) == ([], PRICE)
    world.snapshot.write_bytes(good)
    resume(world.journal.unfinished()[0], desk, world.clock)
    assert world.posted[0].refusal is None
    assert world.spent == PRICE


def test_a_part_that_could_not_be_posted_is_posted_later_unchanged(world: World) -> None:
    world.answers.append(Unavailable("gateway-unreachable"))
    with pytest.raises(Unavailable):
        answer(case().leased(), world.desk(), world.clock)
    (unfinished,) = world.journal.unfinished()
    world.later(hours=1)
    resume(unfinished, world.desk(), world.clock)
    assert world.posted == [unfinished.part]
    assert world.journal.unfinished() == ()


def hand_out_again(world: World, unfinished: Unfinished) -> None:
    token = token_for(unfinished.task, world.keys, now=world.now)
    answer(LeasedTask(task=unfinished.task, token=token, attempt=2), world.desk(), world.clock)


def take_up(world: World, unfinished: Unfinished) -> None:
    resume(unfinished, world.desk(), world.clock)


def made_and_not_posted(world: World, protect_at: str = "connector") -> Unfinished:
    world.answers.append(Unavailable("gateway-unreachable"))
    with pytest.raises(Unavailable):
        answer(case(protect_at).leased(), world.desk(), world.clock)
    (unfinished,) = world.journal.unfinished()
    return unfinished


def revoke(world: World, kid: str) -> None:
    federation = world.keys.federation

    def without(key: PublicKey) -> PublicKey:
        return key.model_copy(update={"revoked": key.revoked or key.kid == kid})

    members = [each.model_copy(update={"keys": tuple(map(without, each.keys))}) for each in federation.members]
    world.keys = replace(world.keys, federation=federation.model_copy(update={"members": tuple(members)}))


@pytest.mark.parametrize("again", [hand_out_again, take_up])
def test_a_part_that_was_made_in_time_leaves_also_too_late(world: World, again: Again) -> None:
    unfinished = made_and_not_posted(world)
    world.later(days=2)
    again(world, unfinished)
    assert world.posted == [unfinished.part]
    assert (world.spent, world.journal.unfinished()) == (PRICE, ())


@pytest.mark.parametrize("again", [hand_out_again, take_up])
@pytest.mark.parametrize(
    ("forbid", "days", "code"),
    [
        (lambda world: revoke(world, "oja#client-1"), 0, "key-unknown"),
        (lambda world: revoke(world, "oja#client-1"), 2, "key-unknown"),
        (lambda world: revoke(world, "ccib#officer-1"), 0, "key-unknown"),
        (lambda world: revoke(world, "ccib#officer-1"), 2, "delivery-expired"),
        (lambda world: world.journal.retire(EXACTLY.contract.digest, world.now), 0, "contract-not-approved"),
        (lambda world: world.journal.retire(EXACTLY.contract.digest, world.now), 2, "delivery-expired"),
    ],
)
def test_figures_that_were_made_stay_here_when_more_than_their_time_is_against_them(
    world: World, forbid: Callable[[World], None], days: int, code: str, again: Again
) -> None:
    unfinished = made_and_not_posted(world, "gateway")
    forbid(world)
    world.later(days=days, minutes=1)
    again(world, unfinished)
    assert [(each.refusal, each.charged, each.measures) for each in world.posted] == [(code, True, ())]
    assert (world.spent, world.journal.unfinished()) == (PRICE, ())


def test_what_was_made_for_a_task_does_not_answer_another_under_its_name(world: World) -> None:
    world.answers.append(Unavailable("gateway-unreachable"))
    with pytest.raises(Unavailable):
        answer(case().leased(), world.desk(), world.clock)
    world.later(days=2)
    part = give(world, case().asking(id="REQ-0002").leased(now=world.now))
    assert (part.refusal, part.charged) == ("delivery-expired", False)
    assert [each.part.refusal for each in world.journal.unfinished() if each.part] == [None]


def test_the_gateways_last_word_ends_a_task(world: World) -> None:
    world.answers.append(Refused("part-already-posted"))
    answer(case().leased(), world.desk(), world.clock)
    assert world.journal.unfinished() == ()
    assert world.journal.departures()[0].state == "part-already-posted"


def test_a_retired_contract_is_refused(world: World) -> None:
    world.journal.retire(case().contract.digest, world.now)
    assert give(world, case().leased()).refusal == "contract-not-approved"


@pytest.mark.parametrize("protect_at", ["gateway", "connector"])
@pytest.mark.parametrize("point", ANSWERING)
def test_a_kill_at_any_point_charges_nothing_twice_and_loses_nothing(
    world: World, point: CrashPoint, protect_at: str
) -> None:
    leased = case(protect_at).leased()
    world = world.restarted(die_at(point))
    with pytest.raises(Killed):
        answer(leased, world.desk(), world.clock)
    posted = list(world.posted)
    assert world.spent in (0, PRICE)
    world = world.restarted()
    world.posted.extend(posted)
    unfinished = world.journal.unfinished()
    if not unfinished and not posted:
        answer(leased, world.desk(), world.clock)  # never charged: the gateway hands it out again
    for each in unfinished:
        resume(each, world.desk(), world.clock)
    assert world.spent == PRICE
    assert world.journal.unfinished() == ()
    assert {each.refusal for each in world.posted} == {None}
    assert len({digest_of(each) for each in world.posted}) == 1
    world.journal.close()


@pytest.mark.parametrize("point", [CrashPoint.REFUSAL_BEFORE_COMMIT, CrashPoint.REFUSAL_AFTER_COMMIT])
def test_a_kill_at_a_refusal_leaves_a_charge_that_is_true(world: World, point: CrashPoint) -> None:
    desk = world.desk()
    world.snapshot.unlink()
    with pytest.raises(Unavailable):
        answer(case().leased(), desk, world.clock)
    world.later(days=2)
    world = world.restarted(die_at(point))
    with pytest.raises(Killed):
        resume(world.journal.unfinished()[0], world.desk(), world.clock)
    world = world.restarted()
    give(world, case().leased(now=world.now))
    assert (world.posted[-1].refusal, world.posted[-1].charged) == ("delivery-expired", False)
    assert (world.spent, world.journal.unfinished()) == (0, ())
    world.journal.close()


def test_every_crash_point_is_passed_by_some_test() -> None:
    assert set(ANSWERING) | {point for point in CrashPoint if point.startswith(ELSEWHERE)} == set(CrashPoint)
    assert len(ANSWERING) == 9


def test_a_task_is_answered_until_the_very_end_of_its_delivery_time(world: World) -> None:
    world.later(days=1)
    assert give(world, case().leased(now=world.now - timedelta(minutes=1))).refusal is None
