"""The daily counter's tree, against brute force."""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.counter_nodes import AXIS, LEVELS, days_of, first_day_of_window, node_of, nodes
from contracts.grid import grid_of
from contracts.periods import Period, next_month, window_of
from contracts.query import Series
from privacy.sensitivity import COUNTER_LEVELS, sensitivity
from tests import factories

pytestmark = pytest.mark.unit


def months(first: date, number: int) -> list[date]:
    """The first days of so many months, and of the one after."""
    found = [first]
    for _ in range(number):
        found.append(next_month(found[-1]))
    return found


def span(start: date, until: date) -> Period:
    return Period.model_validate({"from": start, "until": until})


def test_the_sensitivity_and_the_tree_have_as_many_levels() -> None:
    assert LEVELS == COUNTER_LEVELS


@pytest.mark.parametrize("year", [2023, 2024, 2025])  # the second has a 29 February
def test_over_a_fiscal_year_each_day_lies_in_one_node_of_each_level(year: int) -> None:
    whole = nodes(span(date(year, 10, 1), date(year + 1, 10, 1)))

    for day, level in product(range(365), range(LEVELS)):
        at = date(year, 10, 1) + timedelta(days=day)
        holding = [node for node in whole if node.length == 1 << level and node.start <= at < node.until]
        assert len(holding) == 1


@settings(max_examples=25, deadline=None)
@given(cuts=st.sets(st.integers(1, 23)), first=st.sampled_from([date(2024, 10, 1), date(2023, 3, 1)]))
def test_disjoint_periods_in_any_division_answer_each_node_once(cuts: set[int], first: date) -> None:
    edges = months(first, 24)
    ends = [0, *sorted(cuts), 24]
    parts = [nodes(span(edges[a], edges[b])) for a, b in pairwise(ends)]

    answered = Counter(node for part in parts for node in part)

    assert set(answered.values()) == {1}
    assert set(answered) == set(nodes(span(edges[0], edges[24])))


def test_no_node_is_answered_before_its_last_day_nor_beyond_its_fiscal_year() -> None:
    for node in nodes(span(date(2025, 3, 1), date(2026, 2, 1))):
        assert date(2025, 3, 1) < node.until <= date(2026, 2, 1)
        assert window_of(node.start) == window_of(node.until - timedelta(days=1))


def test_a_node_of_the_year_s_end_ends_with_it() -> None:
    last = [node for node in nodes(span(date(2026, 9, 1), date(2026, 10, 1))) if node.until == date(2026, 10, 1)]

    assert [node.length for node in last] == [1 << level for level in range(LEVELS)]
    assert last[-1] == (date(2025, 10, 1), 512, date(2026, 10, 1))


def test_a_label_names_its_node() -> None:
    for node in nodes(span(date(2025, 10, 1), date(2026, 10, 1))):
        assert node_of(node.label) == node


@pytest.mark.parametrize("label", ["2025-10-02+2", "2025-10-01+3", "2025-10-01", "x+1", "2025-10-01+1024"])
def test_what_is_no_node_has_no_label(label: str) -> None:
    with pytest.raises(ValueError, match=r"node|isoformat|literal"):
        node_of(label)


def test_the_grid_of_a_counter_has_the_nodes_as_its_one_axis() -> None:
    query = factories.query(dimensions=(), series=Series(), counter=True)

    grid = grid_of(query, factories.contract())

    assert [axis.name for axis in grid.axes] == [AXIS]
    assert grid.axes[0].values[:3] == ("2025-10-01+1", "2025-10-02+1", "2025-10-01+2")
    assert days_of(query.period)[0] == first_day_of_window(query.period.start)


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_the_sensitivity_is_that_of_the_worst_rows_of_a_person(rows: int) -> None:
    """All ways in which so many rows may fall on a few days; two days that part early and two that part late."""
    whole = nodes(span(date(2025, 10, 1), date(2026, 10, 1)))
    days = [date(2025, 10, 1), date(2025, 10, 2), date(2026, 2, 5), date(2026, 9, 30)]
    holding = {day: [place for place, node in enumerate(whole) if node.start <= day < node.until] for day in days}
    query = factories.query(dimensions=(), series=Series(), counter=True)
    claimed = sensitivity(query, factories.contract(rows_per_window=rows), "count", ())

    moved = [Counter(place for day in chosen for place in holding[day]) for chosen in product(days, repeat=rows)]

    assert max(sum(n * n for n in each.values()) for each in moved) == claimed.l2_squared
    assert max(each.total() for each in moved) == claimed.l1
