"""The dimensions of a question as the axes of a family: estimates against least squares written out in full."""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pytest

from contracts.dataset import DatasetContract, ProtectAt
from contracts.errors import InvalidInput
from contracts.grid import grid_of
from contracts.query import Query
from contracts.release import ReleasedTable
from contracts.task import Part
from privacy.consistency import consistent_tables, expected_table_sigmas
from privacy.layout import layout_of
from privacy.plan import plan, tables_of
from privacy.release import assemble, exact_part, protect
from tests import factories as make
from tests.family_world import LEAVES, TABLES, family, labelled, offered

pytestmark = pytest.mark.unit

RHO = 400_000_000
TWO_YEARS = make.period("2025-08-01", "2025-12-01")
Floats = npt.NDArray[np.float64]


def asked(*tables: tuple[str, ...], dimensions: tuple[str, ...] = LEAVES, **changes: object) -> Query:
    chosen = dict.fromkeys((*(tables or TABLES[:-1]), tuple(sorted(dimensions))))
    return make.query(**({"dimensions": dimensions, "period": TWO_YEARS, "family": family(chosen)} | changes))


def part(contract: DatasetContract, query: Query, exact: Mapping[str, list[int]]) -> Part:
    inside = contract.privacy.protect_at is ProtectAt.CONNECTOR
    return make.part(contract, *(protect(exact, contract, query, RHO) if inside else exact_part(exact, query)))


def released(query: Query, contract: DatasetContract, exact: Mapping[str, list[int]]) -> tuple[ReleasedTable, ...]:
    return assemble([part(contract, query, exact)], [contract], query, RHO).tables


def by_full_matrices(
    query: Query, contract: DatasetContract, noisy: list[Floats], sigmas: list[float]
) -> list[tuple[Floats, Floats]]:
    """Estimates and standard deviations of every table by the normal equations."""
    grid = grid_of(query, contract)
    matrices = []
    for table in tables_of(query):
        layout = layout_of(query, contract, grid, table.by)
        matrix = np.zeros((layout.grid.size, grid.size))
        matrix[layout.places, np.arange(grid.size)] = 1
        matrices.append(matrix)
    covariance = np.linalg.inv(sum(m.T @ m / s**2 for m, s in zip(matrices, sigmas, strict=True)))
    pulls = sum(m.T @ y / s**2 for m, y, s in zip(matrices, noisy, sigmas, strict=True))
    return [(m @ covariance @ pulls, np.sqrt(np.diag(m @ covariance @ m.T))) for m in matrices]


QUESTIONS = {
    "as it stands": asked(),
    "its axes in another order": asked(dimensions=("offence", "month", "province")),
    "a filter that leaves some provinces": asked(where={"province": ("50", "57", "90")}),
    "a filter that leaves one offence of a group": asked(where={"offence": ("HOMICIDE", "THEFT")}),
    "one window, whose year is all in one": asked(period=make.period()),
    "without groups": asked((), ("month",), dimensions=("month", "province")),
    "one table": asked(("month", "province"), dimensions=("month", "province")),
    "one axis": asked((), ("police_region",), dimensions=("province",)),
    "no axis at all": asked((), dimensions=()),
}


@pytest.mark.parametrize("query", QUESTIONS.values(), ids=QUESTIONS)
def test_the_estimates_are_those_of_least_squares_over_all_tables(query: Query) -> None:
    contract, draws = offered(), np.random.default_rng(7)
    grid, terms = grid_of(query, contract), plan(query, [contract], RHO)
    vectors = [terms.vector("count", table.by) for table in tables_of(query)]
    sizes = [layout_of(query, contract, grid, vector.by).grid.size for vector in vectors]
    noisy = [draws.integers(-50, 200, size).astype(np.float64) for size in sizes]
    given = {("count", v.by): [int(y) for y in cells] for v, cells in zip(vectors, noisy, strict=True)}

    tables = consistent_tables(given, terms, query, contract, grid)

    expected = by_full_matrices(query, contract, noisy, [vector.sigma for vector in vectors])
    for table, (estimates, sigmas), cells in zip(tables, expected, noisy, strict=True):
        assert table.estimates == pytest.approx(estimates, abs=0.01)
        assert table.sigmas == pytest.approx(sigmas, abs=1e-3)
        assert table.measured == tuple(cells)
        assert table.integers == () or (min(table.integers) >= 0 and len(table.integers) == len(estimates))


@pytest.mark.parametrize("query", QUESTIONS.values(), ids=QUESTIONS)
def test_the_expected_errors_are_the_largest_of_the_release(query: Query) -> None:
    contract = offered()

    expected = expected_table_sigmas(query, contract, plan(query, [contract], RHO))

    tables = released(query, contract, {"count": [9] * grid_of(query, contract).size})
    assert expected.keys() == {(table.measure, table.by) for table in tables}
    for table in tables:
        assert max(table.sigmas) == pytest.approx(expected[table.measure, table.by], rel=1e-3)


def test_each_bin_of_a_histogram_is_a_family_of_its_own() -> None:
    column = make.damage(kinds=("sum", "histogram"), bins=(10, 1000))
    contract = offered(measure_columns=(column,))
    query = asked((), ("month",), dimensions=("month", "province"), measures=("damage_thb:histogram",))
    exact = [1000 * (1 + place % 3) for place in range(4 * 5 * 3)]

    total, months, leaves = (np.asarray(t.integers) for t in released(query, contract, {"damage_thb:histogram": exact}))

    by_hand = leaves.reshape(4, 5, 3) if leaves.size == 60 else months.reshape(4, 5, 3)
    by_month = months if months.size == 12 else leaves
    assert total.tolist() == by_hand.sum(axis=(0, 1)).tolist()
    assert by_month.tolist() == by_hand.sum(axis=1).ravel().tolist()
    assert total.tolist() == pytest.approx([20_000, 40_000, 60_000], abs=500)


@pytest.mark.parametrize(("low", "has_integers"), [(0, True), (-5, False)])
def test_sums_that_may_be_negative_have_no_whole_numbers_that_are_not(low: int, *, has_integers: bool) -> None:
    contract = offered(measure_columns=(make.damage(clamp=(low, 100)),))
    query = asked((), dimensions=("month",), measures=("damage_thb:sum",))

    tables = released(query, contract, {"damage_thb:sum": [-100_000] * 4})

    assert all(bool(table.integers) is has_integers for table in tables)
    assert all(each < 0 for table in tables for each in table.estimates)


def test_agencies_that_add_their_own_noise_and_one_that_does_not_are_one_family() -> None:
    inside = offered(protect_at=ProtectAt.CONNECTOR)
    outside = offered(id="crimes_case", agency="rtp")
    query, exact = asked(), {"count": [10] * 80}
    parts = [part(inside, query, exact), part(outside, query, exact)]

    tables = assemble(parts, [inside, outside], query, RHO).tables

    alone = plan(query, [inside], RHO).vector("count", ()).sigma
    (total,) = (table for table in tables if table.by == ())
    assert total.sigma == pytest.approx(math.sqrt(2) * alone, rel=1e-6)
    assert abs(total.estimates[0] - 1600) < 6 * total.sigmas[0]


def test_figures_on_the_wire_add_up_to_their_last_digit_and_carry_no_negative_zero() -> None:
    contract, query = offered(), asked()
    tables = released(query, contract, {"count": [0] * 80})

    (total,) = (table for table in tables if table.by == ())
    (leaf,) = (table for table in tables if table.grid.size == 80)
    assert math.fsum(leaf.estimates) == pytest.approx(total.estimates[0], abs=1e-9)
    assert labelled(leaf, leaf.estimates).keys() == labelled(leaf, leaf.integers).keys()
    assert all(math.copysign(1, each) > 0 for table in tables for each in table.estimates if each == 0)
    read = ReleasedTable.model_validate_json(leaf.model_dump_json())
    assert read == leaf


@pytest.mark.parametrize("by", [("hour",), ("police_region", "province"), ("nothing",)])
def test_a_table_that_no_leaf_leads_to_is_refused_before_anything_is_planned(by: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput, match=r"family-axis-unknown|unknown-dimension"):
        plan(asked(by), [offered()], RHO)


def test_a_dimension_has_one_coarser_axis_in_a_family() -> None:
    place = offered().dimension("police_region")
    assert place is not None
    other = place.model_copy(update={"name": "command"})
    contract = offered(dimensions=(*offered().dimensions, other))

    with pytest.raises(InvalidInput, match="family-axis-unknown"):
        plan(asked(("police_region",), ("command",)), [contract], RHO)


@pytest.mark.parametrize("figure", [2**52 + 1, 2**63 - 1, 2**63, 2**70, -(2**63), -(2**70)])
def test_leaves_beyond_what_a_cell_may_hold_are_cut_before_they_are_added_up(figure: int) -> None:
    query = asked((), dimensions=("month",))

    tables = released(query, offered(protect_at=ProtectAt.CONNECTOR), {"count": [figure, 0, 0, 0]})

    assert all(abs(max(table.measured, key=abs)) <= 2**52 for table in tables)
    assert all(math.copysign(1, max(table.measured, key=abs)) == math.copysign(1, figure) for table in tables)
