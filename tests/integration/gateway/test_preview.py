"""A preview tells whether the answer would be noise, from releases that may be read; it spends nothing."""

import pytest

from contracts.release import ReleaseState, Withdrawal
from contracts.views import Preview, PreviewCall, Remedy
from tests import factories
from tests.gateway_world import CONTRACT, World

pytestmark = pytest.mark.integration


def preview(world: World, nano_rho: int = 50_000_000, **query: object) -> Preview:
    call = PreviewCall(
        agreement="AGR-2569-001",
        activity=factories.ACTIVITY,
        contracts=(CONTRACT.reference,),
        query=factories.query(**query),
        nano_rho=nano_rho,
    )
    return world.exchange.preview(world.caller(), call)


def released(world: World, level: int) -> str:
    world.submit(factories.request())
    world.answer(level=level)
    world.later()
    return str(preview(world).already_released)


def test_without_a_past_release_nothing_is_said_of_sizes(world: World) -> None:
    found = preview(world)

    assert (found.measures[0].noisy_share, found.suggestion, found.sizes_from) == (None, None, None)
    assert found.measures[0].cells == 9


def test_a_past_release_tells_which_share_of_the_cells_would_be_noise(world: World) -> None:
    past = released(world, 1000)
    good, poor = preview(world), preview(world, nano_rho=1_000)

    assert good.sizes_from == poor.sizes_from == past
    assert good.measures[0].noisy_share == 0
    assert poor.measures[0].noisy_share == 1
    assert poor.suggestion is not None
    assert poor.suggestion.remedy is not Remedy.CHEAPER
    assert poor.suggestion.noisy_share < 0.5


def test_what_remains_is_shown_where_the_answer_is_affordable(world: World) -> None:
    released(world, 1000)
    found, too_much = preview(world), preview(world, nano_rho=1_000_000_001)

    assert [line.left for line in found.before] == [950_000_000]
    assert [line.left for line in found.after] == [900_000_000]
    assert too_much.after == ()
    assert world.spent() == 50_000_000


def test_a_withdrawn_release_tells_no_sizes(world: World) -> None:
    past = released(world, 1000)
    world.exchange.withdraw(
        world.caller(), Withdrawal(release=past, state=ReleaseState.WITHDRAWN, reason="wrong code list")
    )

    assert preview(world, nano_rho=1_000).sizes_from is None


def test_a_narrower_release_tells_no_sizes_of_a_wider_question(world: World) -> None:
    world.submit(factories.request(query=factories.query(where={"case_type": ("call_center",)})))
    world.answer()
    world.later()

    assert preview(world).sizes_from is None
