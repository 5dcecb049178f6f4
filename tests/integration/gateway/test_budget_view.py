"""The budget as members see it: by window, and summed for one person over windows and datasets, on both databases."""

import math
from collections.abc import Callable, Iterator

import pytest

from contracts.budget_view import BudgetView
from contracts.dataset import DatasetContract
from privacy.mechanisms import epsilon_of
from tests import factories
from tests.gateway_world import World, new_world

pytestmark = pytest.mark.integration

MILLION = 1_000_000
FIRST = factories.contract(first_month="2024-10", last_month="2025-12", nano_rho_per_window=400 * MILLION)
AGAIN = factories.contract(
    id="tpo_again", source=FIRST.source, first_month="2025-10", nano_rho_per_window=300 * MILLION, delta="1e-7"
)
OTHER = factories.contract(
    id="dop_case", agency="dop", first_month="2025-10", nano_rho_per_window=100 * MILLION, delta="1e-8"
)


@pytest.fixture
def view(store_url: str) -> Iterator[Callable[..., BudgetView]]:
    made: list[World] = []

    def of(*contracts: DatasetContract) -> BudgetView:
        made.append(new_world(store_url, contracts, factories.agreement(contracts[:1])))
        world = made[-1]
        world.submit(factories.request(factories.agreement(contracts[:1]), nano_rho=50 * MILLION))
        return world.exchange.budget_view(world.caller())

    yield of
    for each in made:
        each.store.close()


def test_each_window_has_its_epsilon_at_the_smallest_delta_of_its_contracts(view: Callable[..., BudgetView]) -> None:
    windows = {each.window: each for each in view(FIRST, AGAIN).windows}
    untouched, used = windows["FY2568"].loss, windows["FY2569"].loss

    assert windows["FY2569"].datasets == ("tpo_again", "tpo_complaint")
    assert (untouched.budget, untouched.spent, untouched.reserved) == (300 * MILLION, 0, 0)
    assert (used.budget, used.spent, used.reserved, used.left) == (300 * MILLION, 0, 50 * MILLION, 250 * MILLION)
    assert used.delta == untouched.delta == "1e-7"
    assert (used.epsilon_spent, used.epsilon_budget) == (0.0, epsilon_of(300 * MILLION, "1e-7"))


def test_a_source_is_summed_over_its_windows_once_however_many_contracts_it_has(
    view: Callable[..., BudgetView],
) -> None:
    (source,) = view(FIRST, AGAIN).sources

    assert source.windows == ("FY2568", "FY2569")
    assert source.datasets == ("tpo_again", "tpo_complaint")
    assert (source.loss.budget, source.loss.reserved) == (600 * MILLION, 50 * MILLION)
    assert source.loss.epsilon_budget == epsilon_of(600 * MILLION, "1e-7")


def test_the_federation_adds_all_sources_at_the_smallest_delta(view: Callable[..., BudgetView]) -> None:
    shown = view(FIRST, OTHER)
    assert shown.federation is not None

    assert shown.federation.sources == ("ccib/tpo_complaint", "dop/dop_case")
    assert shown.federation.loss.budget == (2 * 400 + 100) * MILLION
    assert shown.federation.loss.left == (2 * 400 + 100 - 50) * MILLION
    assert shown.federation.loss.delta == "1e-8"
    assert shown.federation.loss.epsilon_budget == epsilon_of(900 * MILLION, "1e-8")
    assert shown.federation.loss.epsilon_budget > max(each.loss.epsilon_budget for each in shown.sources)


def test_what_was_spent_has_an_epsilon(store_url: str) -> None:
    world = new_world(store_url)
    world.submit(factories.request(nano_rho=50 * MILLION))
    world.answer()

    used = {each.window: each.loss for each in world.exchange.budget_view(world.caller()).windows}["FY2569"]

    assert (used.spent, used.reserved) == (50 * MILLION, 0)
    assert math.isclose(used.epsilon_spent, epsilon_of(50 * MILLION, "1e-6"))
    world.store.close()
