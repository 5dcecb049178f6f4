"""No plan spends more than its budget, whatever is asked and however it is weighed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.allocation import Claim, allocate
from tests import factories as make
from tests import planner_world as world

pytestmark = pytest.mark.property

DIFFICULTIES = st.floats(min_value=1e-9, max_value=1e15)
CLAIMS = st.lists(
    st.builds(
        Claim,
        name=st.uuids().map(str),
        difficulty=DIFFICULTIES,
        importance=st.integers(1, 100),
        times=st.integers(1, 12),
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda each: each.name,
)
BUDGETS = st.integers(0, 10**13)

ASKS = st.lists(
    st.fixed_dictionaries(
        {
            "by": st.sets(st.sampled_from(("month", "province", "case_type", "hour"))).map(
                lambda by: tuple(sorted(by))
            ),
            "measures": st.sampled_from((("count",), ("damage_thb:sum",), ("damage_thb:mean", "people"))),
            "importance": st.integers(1, 100),
            "times": st.integers(1, 12),
            "target": st.sampled_from((0.001, 0.1, 0.5)),
            "series": st.booleans(),
        }
    ),
    min_size=1,
    max_size=6,
)


@given(CLAIMS, BUDGETS)
def test_what_is_allocated_never_exceeds_the_budget_nor_leaves_much_of_it(claims: list[Claim], budget: int) -> None:
    prices = allocate(claims, budget)

    spent = sum(each.times * prices[each.name] for each in claims)
    assert all(price >= 0 for price in prices.values())
    assert spent <= budget
    assert budget - spent <= sum(each.times for each in claims)


@given(CLAIMS, BUDGETS, st.data())
def test_one_claim_less_leaves_no_other_with_less(claims: list[Claim], budget: int, data: st.DataObject) -> None:
    gone = data.draw(st.sampled_from(claims))
    before = allocate(claims, budget)

    after = allocate([each for each in claims if each is not gone], budget)

    # Shares are counted in parts of the largest: when that one goes, the others' are counted more finely.
    assert all(after[name] >= before[name] * (1 - 1e-6) - 1 for name in after)


@settings(max_examples=25, deadline=None)
@given(ASKS, st.integers(1, 2_000_000), st.integers(1, 10**9), st.integers(0, 90))
def test_no_plan_costs_more_than_the_year_less_its_reserve(
    asks: list[dict[str, object]], rows: int, budget: int, reserve_percent: int
) -> None:
    asked = world.questions(
        *(world.ask(f"a{number}", **each) for number, each in enumerate(asks)), reserve_percent=reserve_percent
    )

    made = world.planned(
        asked, [make.contract(nano_rho_per_window=budget)], world.sizes({world.DATASET: world.size(rows=rows)})
    )

    (line,) = made.budgets
    found = world.asks_of(made)
    assert len(found) == len(asks)
    assert sum(each.nano_rho_each * each.times for each in found.values()) == line.planned
    assert line.planned + line.reserved <= line.budget == budget
    assert line.enough <= line.planned
    # Budget goes to those alone whom it helps, and whoever gets none is flagged.
    assert all((each.nano_rho > 0) == each.verdict.fits for each in found.values())
    assert all(each.finding is not None for each in found.values() if not each.verdict.fits)
