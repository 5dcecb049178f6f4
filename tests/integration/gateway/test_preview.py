"""A preview tells whether the answer would be noise, from releases that may be read; it spends nothing."""

import pytest
from rich.console import Console

from contracts.release import ReleaseState, Withdrawal
from contracts.views import Preview, PreviewCall, PreviewDerived, Remedy
from saphan.client_tables import preview_table
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


def test_a_mean_and_a_share_have_an_error_once_a_past_release_tells_their_figures(world: World) -> None:
    asked = ("damage_thb:mean", "province:share")
    nothing = preview(world, measures=asked)
    world.submit(factories.request(query=factories.query(measures=("damage_thb:mean",))))
    world.answer(level=1000)
    world.later()
    known, poor = preview(world, measures=asked), preview(world, nano_rho=1_000, measures=asked)

    assert [(each.measure, each.expected_error_95, each.noisy_share) for each in nothing.derived] == [
        ("damage_thb:mean", None, None),
        ("province:share", None, None),
    ]
    mean, share = known.derived
    assert (mean.unit, share.unit) == ("THB", "1")
    assert share.expected_error_95 is not None
    assert 0 < share.expected_error_95 < 0.1
    assert share.noisy_share == 0
    # Amounts are clamped at 100,000 baht and come to 1,000 in a cell: nobody would know the mean.
    assert mean.noisy_share == 1
    assert [each.expected_error_95 for each in poor.derived] == [None, None]
    assert preview(world).derived == ()


def test_errors_of_derived_measures_come_only_from_releases_that_the_caller_may_read(world: World) -> None:
    asked = ("province:share",)
    past = released(world, 1000)
    known = preview(world, measures=asked)
    world.exchange.withdraw(
        world.caller(), Withdrawal(release=past, state=ReleaseState.WITHDRAWN, reason="wrong code list")
    )

    assert known.derived[0].noisy_share == 0
    assert preview(world, measures=asked).derived[0].noisy_share is None


@pytest.mark.parametrize(
    ("error", "noisy", "shown"), [(None, None, "unknown"), (None, 1.0, "no meaning"), (12.34, 0.0, "12.3")]
)
def test_the_error_of_a_derived_measure_is_shown(
    world: World, error: float | None, noisy: float | None, shown: str
) -> None:
    derived = PreviewDerived(measure="damage_thb:mean", unit="THB", expected_error_95=error, noisy_share=noisy)
    console = Console(width=200)
    with console.capture() as capture:
        console.print(preview_table(preview(world).model_copy(update={"derived": (derived,)})))

    line = next(each for each in capture.get().splitlines() if "damage_thb:mean, typically" in each)
    assert shown in line
