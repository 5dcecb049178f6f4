"""No figure leaves a connector under an agreement that was stopped."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.answer import answer, resume
from connectors.crash import CrashPoint
from connectors.journal import notices as kept
from contracts.agreement_acts import signed_act
from contracts.canonical import digest_of
from contracts.errors import Unavailable
from contracts.lifecycle import Act, AgreementAct
from contracts.task import Part
from tests import factories
from tests.agreement_world import an_act
from tests.connector_world import PRICE, World, case, contract_text
from tests.standing_world import hear

pytestmark = pytest.mark.integration


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, factories.federation())
    world.approve()
    world.approve(contract_text("gateway"))
    yield world
    world.journal.close()


def heard_act(world: World, act: Act, kid: str = "ccib#officer-1", **changes: object) -> AgreementAct:
    """The gateway tells of an act on the agreement of the case that hands over exact figures."""
    done = an_act(case("gateway").agreement, act, kid, **changes)
    hear(world, signed_act(done, world.keys[kid]), after=kept.cursor(world.journal))
    return done


def made(world: World) -> Part:
    """A part with exact figures was made, and the gateway could not be reached."""
    world.answers.append(Unavailable("gateway-unreachable"))
    with pytest.raises(Unavailable):
        answer(case("gateway").leased(), world.desk(), world.clock)
    part = world.journal.unfinished()[0].part
    assert part is not None
    return part


@pytest.mark.parametrize(("act", "kid"), [(Act.REVOKE, "ccib#officer-1"), (Act.SUPERSEDE, "oja#gateway-1")])
def test_of_an_agreement_that_ended_no_figure_leaves_but_one_charged_refusal(world: World, act: Act, kid: str) -> None:
    made(world)
    heard_act(world, act, kid)

    resume(world.journal.unfinished()[0], world.desk(), world.clock)

    (posted,) = world.posted
    assert (posted.refusal, posted.charged, posted.measures) == ("agreement-not-active", True, ())
    assert (world.journal.unfinished(), world.spent) == ((), PRICE)
    assert {each.state for each in world.journal.departures()} == {"agreement-not-active", "refused"}


def test_a_refusal_that_cannot_be_posted_leaves_no_figures_to_be_taken_up(world: World) -> None:
    made(world)
    heard_act(world, Act.REVOKE)
    world.answers.append(Unavailable("gateway-unreachable"))
    with pytest.raises(Unavailable):
        resume(world.journal.unfinished()[0], world.desk(), world.clock)
    assert world.journal.unfinished() == ()

    answer(case("gateway").leased(), world.desk(), world.clock)

    assert [(each.refusal, each.charged) for each in world.posted] == [("agreement-not-active", True)]


def test_a_part_is_held_back_while_its_agreement_is_suspended_and_leaves_after_it_resumes(world: World) -> None:
    part = made(world)
    stopped = heard_act(world, Act.SUSPEND)

    resume(world.journal.unfinished()[0], world.desk(), world.clock)
    answer(case("gateway").leased(), world.desk(), world.clock)
    assert (world.posted, world.spent) == ([], PRICE)

    heard_act(world, Act.RESUME, previous=digest_of(stopped))
    resume(world.journal.unfinished()[0], world.desk(), world.clock)
    assert world.posted == [part]


def test_a_revocation_that_comes_while_an_answer_is_made_keeps_its_figures_here(world: World) -> None:
    def somebody_revokes(point: CrashPoint) -> None:
        if point is CrashPoint.CELLS_READ:
            heard_act(world, Act.REVOKE)

    answer(case("gateway").leased(), replace(world.desk(), at=somebody_revokes), world.clock)

    assert [each.refusal for each in world.posted] == ["agreement-not-active"]
    assert world.journal.unfinished() == ()


# ------------------------------------------------------------------ the agent: notices with its leases, own orders
