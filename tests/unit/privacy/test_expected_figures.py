"""What the planner expects of an answer's figures: from the shares that are known, never from data."""

import math

import numpy as np
import pytest

from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput
from contracts.grid import Grid, grid_of
from contracts.query import Query, Series
from contracts.standing_questions import ExpectedSize
from privacy.expected_figures import assumed_even, expected_figures
from tests import factories as make
from tests import planner_world as world

pytestmark = pytest.mark.unit

YEAR = make.period("2025-10-01", "2026-10-01")
PROVINCE = make.dimension("province", ("10", "11", "20")).model_copy(update={"code_list": "provinces"})
REGION = make.dimension("police_region", ("BMB", "P1", "P2"), column="province").model_copy(
    update={"code_list": "police_commands", "via": "provinces"}
)
OFFERED = make.contract(dimensions=(*make.DIMENSIONS[2:], make.DIMENSIONS[0], PROVINCE, REGION))


def expected(
    query: Query, size: ExpectedSize, measure: str = "count", contract: DatasetContract = OFFERED
) -> list[float]:
    figures = expected_figures(query, contract, size, grid_of(query, contract), measure)
    return [float(each) for each in figures]


def asked(*by: str, **changes: object) -> Query:
    return make.query(dimensions=by, period=YEAR, **changes)


def test_rows_are_even_over_what_is_not_known_and_the_plan_says_so() -> None:
    assert expected(asked("case_type"), world.size()) == pytest.approx([12_000] * 3)
    assert assumed_even(OFFERED, world.size(), ("month", "case_type")) == ("case_type",)


def test_known_shares_hold_even_where_they_leave_rows_without_a_label() -> None:
    known = world.size(shares={"case_type": {"romance_scam": 0.5, "call_center": 0.1}})

    assert expected(asked("case_type"), known) == pytest.approx([18_000, 0, 3_600])
    assert assumed_even(OFFERED, known, ("case_type",)) == ()


def test_a_share_of_rows_may_have_no_label_at_all() -> None:
    assert expected(asked("case_type"), world.size(covered={"case_type": 0.3})) == pytest.approx([3_600] * 3)


def test_shares_can_be_a_fact_of_the_code_list() -> None:
    by_population = expected(asked("province"), world.size(by_fact={"province": "pop_2566"}))

    assert sum(by_population) == pytest.approx(world.ROWS)
    assert by_population[0] / by_population[1] == pytest.approx(5_471_588 / 1_372_970)


@pytest.mark.parametrize("fact", ["no_such_fact", "short"])
def test_a_fact_that_is_no_figure_is_refused(fact: str) -> None:
    with pytest.raises(InvalidInput, match="questions-invalid"):
        expected(asked("province"), world.size(by_fact={"province": fact}))


def test_a_coarser_dimension_adds_up_what_is_known_of_the_finer() -> None:
    known = world.size(shares={"province": {"10": 0.5, "11": 0.3, "20": 0.2}})

    assert expected(asked("police_region"), known) == pytest.approx([18_000, 10_800, 7_200])


def test_a_filter_keeps_its_share_on_an_axis_and_beside_the_axes() -> None:
    known = world.size(shares={"case_type": {"romance_scam": 0.5, "shopping_scam": 0.3, "call_center": 0.2}})

    beside = expected(asked("province", where={"case_type": ("call_center", "shopping_scam")}), known)
    along = expected(asked("case_type", where={"case_type": ("call_center",)}), known)

    assert beside == pytest.approx([6_000] * 3)
    assert along == pytest.approx([7_200])


def test_a_counter_expects_the_rows_of_a_day() -> None:
    query = asked(series=Series(), counter=True)

    (day,) = expected_figures(query, OFFERED, world.size(), Grid(axes=()), "count")

    assert day == pytest.approx(world.ROWS / 365)


def test_distinct_people_are_as_many_as_rows_over_people() -> None:
    assert expected(asked("province"), world.size(), "people") == pytest.approx([6_000] * 3)
    assert expected(asked("province"), world.size(people=None), "people") == pytest.approx([12_000] * 3)


def test_a_sum_takes_the_mean_of_each_code_that_clamps_it() -> None:
    clamped = make.damage(clamp_by="case_type", clamps={"romance_scam": (0, 10)})
    offered = make.contract(dimensions=OFFERED.dimensions, measure_columns=(clamped,))
    means = {"damage_thb": {"romance_scam": 1.0, "shopping_scam": 10.0, "call_center": 100.0}}
    known = world.size(
        means=means, shares={"case_type": {"romance_scam": 0.5, "shopping_scam": 0.3, "call_center": 0.2}}
    )

    by_type = expected(asked("case_type"), known, "damage_thb:sum", offered)
    over_all = expected(asked("province"), known, "damage_thb:sum", offered)
    over_some = expected(asked("province", where={"case_type": ("call_center",)}), known, "damage_thb:sum", offered)

    assert by_type == pytest.approx([18_000, 108_000, 720_000])
    assert over_all == pytest.approx([12_000 * 23.5] * 3)
    assert over_some == pytest.approx([12_000 * 0.2 * 100] * 3)


def test_a_sum_without_a_mean_is_refused() -> None:
    with pytest.raises(InvalidInput, match="questions-invalid"):
        expected(asked("province"), world.size(means={"damage_thb": {"call_center": 1.0}}), "damage_thb:sum")


def test_rows_are_even_over_the_bins_of_a_histogram() -> None:
    binned = make.damage(kinds=("histogram",), bins=(10, 20, 30))
    offered = make.contract(dimensions=OFFERED.dimensions, measure_columns=(binned,))

    figures = expected(asked("province"), world.size(), "damage_thb:histogram", offered)

    assert len(figures) == 12
    assert np.allclose(figures, 3_000)


def test_values_that_are_known_to_be_lognormal_fall_into_their_bins() -> None:
    """Half of the values lie below exp(mu) = 20, and a tenth of the rows has none."""
    binned = make.damage(kinds=("histogram",), bins=(0, 20, 10_000_000))
    offered = make.contract(dimensions=OFFERED.dimensions, measure_columns=(binned,))
    known = world.size(lognormal={"damage_thb": {"mu": math.log(20), "sigma": 1.0, "share": 0.9}})

    figures = expected(asked(), known, "damage_thb:histogram", offered)

    assert figures == pytest.approx([0, 0.45 * world.ROWS, 0.45 * world.ROWS, 0], abs=1e-6)


def test_a_filter_on_what_is_not_offered_leaves_nothing() -> None:
    assert expected(asked("province", where={"week": ("1",)}), world.size()) == [0, 0, 0]
