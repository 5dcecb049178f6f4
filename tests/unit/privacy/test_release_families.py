"""A family of tables from exact parts to consistent estimates, and noise that follows each code's clamp."""

import math

import numpy as np
import pytest

from contracts.dataset import DatasetContract, Grain, ProtectAt, Shape
from contracts.errors import InvalidInput
from contracts.grid import grid_of
from contracts.query import Family, FamilyTable, Mechanism, Query
from contracts.release import ReleasedTable
from privacy.layout import layout_of
from privacy.mechanisms import gaussian_cost, laplace_sigma
from privacy.plan import plan
from privacy.release import Assembled, assemble, exact_part, protect
from privacy.sensitivity import sensitivity
from tests import factories as make

pytestmark = pytest.mark.unit

CHEAP = 10**22
RHO = 400_000_000
PROVINCES = ("10", "11", "50", "57", "90")
CELLS = tuple(range(3 * len(PROVINCES)))


def offered(**changes: object) -> DatasetContract:
    """Provinces that roll up to police regions, months that roll up to fiscal years."""
    province = make.dimension("province", PROVINCES).model_copy(update={"code_list": "provinces"})
    region = make.dimension("police_region", ("BMB", "P1", "P5", "P9"), column="province").model_copy(
        update={"code_list": "police_commands", "via": "provinces"}
    )
    year = make.dimension("fiscal_year", grain=Grain.YEAR)
    dimensions = (make.dimension("month", grain=Grain.MONTH), year, province, region, make.DIMENSIONS[2])
    return make.contract(**({"dimensions": dimensions} | changes))


def asked(*tables: tuple[str, ...], integers: bool = False, **changes: object) -> Query:
    family = Family(tables=tuple(FamilyTable(by=by) for by in (*tables, ("month", "province"))), integers=integers)
    return make.query(**({"family": family} | changes))


EVERY = [(), ("fiscal_year",), ("month",), ("police_region",), ("month", "police_region"), ("fiscal_year", "province")]


def answered(contract: DatasetContract, query: Query, nano_rho: int) -> Assembled:
    exact = {"count": CELLS}
    inside = contract.privacy.protect_at is ProtectAt.CONNECTOR
    measures = protect(exact, contract, query, nano_rho) if inside else exact_part(exact, query)
    return assemble([make.part(contract, *measures)], [contract], query, nano_rho)


def table(answer: Assembled, *by: str) -> ReleasedTable:
    return next(each for each in answer.tables if each.by == tuple(sorted(by)))


@pytest.mark.parametrize("protect_at", list(ProtectAt))
def test_every_table_of_a_family_is_the_sum_of_its_leaves(protect_at: ProtectAt) -> None:
    answer = answered(offered(protect_at=protect_at), asked(*EVERY), CHEAP)

    leaves = np.asarray(CELLS).reshape(3, 5)
    assert table(answer).measured == (sum(CELLS),)
    assert table(answer, "month").measured == tuple(leaves.sum(axis=1))
    assert table(answer, "fiscal_year", "province").measured == tuple(leaves.sum(axis=0))
    by_region = table(answer, "month", "police_region")
    assert [axis.name for axis in by_region.grid.axes] == ["month", "police_region"]
    assert by_region.grid.axes[1].values == ("BMB", "P1", "P5", "P9")
    assert by_region.measured[:4] == (0, 1, 2 + 3, 4)
    assert answer.released[0].cells == CELLS


@pytest.mark.parametrize("protect_at", list(ProtectAt))
def test_the_estimates_agree_and_are_better_than_what_was_measured(protect_at: ProtectAt) -> None:
    answer = answered(offered(protect_at=protect_at), asked(*EVERY, integers=True), RHO)

    leaves = np.asarray(table(answer, "month", "province").estimates).reshape(3, 5)
    assert table(answer).estimates[0] == pytest.approx(leaves.sum(), abs=0.2)
    assert table(answer, "month").estimates == pytest.approx(tuple(leaves.sum(axis=1)), abs=0.1)
    assert all(max(each.sigmas) < each.sigma for each in answer.tables)
    whole = np.asarray(table(answer, "month", "province").integers).reshape(3, 5)
    assert whole.min() >= 0
    assert table(answer).integers == (whole.sum(),)
    assert table(answer, "fiscal_year", "province").integers == tuple(whole.sum(axis=0))


def test_a_family_costs_its_price_whatever_its_weights() -> None:
    family = Family(tables=(FamilyTable(by=(), weight=3), FamilyTable(by=("month", "province"), weight=9)))
    terms = plan(make.query(family=family), [offered()], RHO)

    assert [vector.nano_rho for vector in terms.vectors] == [RHO // 4, RHO * 3 // 4]
    assert sum(gaussian_cost(4, vector.sigma) for vector in terms.vectors) <= RHO
    assert terms.charges == plan(make.query(), [offered()], RHO).charges


def test_a_coarser_table_is_charged_with_its_own_distance() -> None:
    """One row in each month and province, three in all: sqrt 3 in the leaves, all three in one cell of the total."""
    unit = make.contract(rows_per_window=3).unit.model_copy(
        update={"shape": Shape(by=("month", "province"), rows=1, cells=3)}
    )
    contract, query = offered(unit=unit), asked(*EVERY)

    assert sensitivity(query, contract, "count", ("month", "province")).l2_squared == 3
    assert sensitivity(query, contract, "count", ()).l2_squared == 9
    assert sensitivity(query, contract, "count", ("fiscal_year", "province")).l2_squared == 9
    shares = {vector.by: vector.sigma for vector in plan(query, [contract], RHO).vectors}
    assert shares[()] == pytest.approx(shares["month", "province"] * math.sqrt(3), rel=1e-6)


def test_tables_in_any_order_with_weights_of_any_scale_are_the_same_question() -> None:
    one = Family(tables=(FamilyTable(by=("month", "province"), weight=4), FamilyTable(by=("month",), weight=2)))
    other = Family(tables=(FamilyTable(by=("month",), weight=1), FamilyTable(by=("province", "month"), weight=2)))

    assert one == other


@pytest.mark.parametrize("by", [("case_type",), ("hour",), ("police_region", "province")])
def test_an_axis_that_is_none_of_the_question_is_refused(by: tuple[str, ...]) -> None:
    query = asked(by)

    with pytest.raises(InvalidInput, match=r"family-axis-unknown|unknown-dimension"):
        answered(offered(), query, RHO)


def test_a_family_without_its_leaves_is_no_question() -> None:
    with pytest.raises(ValueError, match="table of all dimensions"):
        make.query(family=Family(tables=(FamilyTable(by=("month",)),)))


def test_a_filter_leaves_only_the_regions_of_its_provinces() -> None:
    query = asked(("police_region",), where={"province": ("50", "57")})
    layout = layout_of(query, offered(), grid_of(query, offered()), ("police_region",))

    assert layout.grid.axes[0].values == ("P5",)


def test_figures_that_outgrow_a_cell_are_cut_and_do_not_wrap() -> None:
    query = asked(())
    layout = layout_of(query, offered(), grid_of(query, offered()), ())

    assert layout.added_up([2**52] * 15) == [2**52]
    assert layout.added_up([-(2**52)] * 15) == [-(2**52)]
    assert layout.added_up([2**51, -(2**51), *[1] * 13]) == [13]


def test_a_sum_by_type_has_the_noise_of_each_type_s_own_clamp() -> None:
    by_type = make.damage(clamp_by="case_type", clamps={"shopping_scam": (0, 5_000), "romance_scam": (-20_000, 10)})
    contract = make.contract(measure_columns=(by_type,))
    query = make.query(measures=("damage_thb:sum",), dimensions=("case_type", "month"))
    (vector,) = plan(query, [contract], RHO).vectors

    assert vector.along == "case_type"
    assert vector.sigmas["call_center"] == vector.sigma
    assert vector.sigmas["shopping_scam"] == pytest.approx(vector.sigma / 20, rel=1e-6)
    assert vector.sigmas["romance_scam"] == pytest.approx(vector.sigma / 5, rel=1e-6)
    # In units of each code's own clamp every cell has the same noise: the price is that of the rows.
    clamps = (20_000, 5_000, 100_000)
    sigmas = vector.sigmas.values()
    assert all(gaussian_cost(4, each / clamp) <= RHO + 1 for each, clamp in zip(sigmas, clamps, strict=True))


def test_the_noise_lands_in_the_cells_of_its_code() -> None:
    by_type = make.damage(clamp_by="case_type", clamps={"shopping_scam": (0, 1)})
    contract = make.contract(measure_columns=(by_type,), protect_at=ProtectAt.CONNECTOR)
    query = make.query(measures=("damage_thb:sum",), dimensions=("month", "case_type"))

    (measure,) = protect({"damage_thb:sum": [0] * 9}, contract, query, RHO)

    noise = np.asarray(measure.cells).reshape(3, 3)
    assert abs(noise[:, 1]).max() < 100 < abs(noise[:, [0, 2]]).max()
    assert measure.sigma is not None
    assert measure.sigmas["shopping_scam"] == pytest.approx(measure.sigma / 100_000, rel=1e-5)


def test_a_single_answer_may_have_a_pure_epsilon() -> None:
    query = make.query(mechanism=Mechanism.LAPLACE)
    terms = plan(query, [make.contract()], 500_000_000)

    assert terms.delta == "0"
    assert terms.epsilon == pytest.approx(1.0)
    assert terms.vectors[0].sigma == pytest.approx(laplace_sigma(2.0), rel=1e-6)
    answer = assemble(
        [make.part(make.contract(), *exact_part({"count": range(9)}, query))], [make.contract()], query, RHO
    )
    assert answer.released[0].cells != tuple(range(9))


@pytest.mark.parametrize(
    "changes", [{"measures": ("count", "damage_thb:sum")}, {"series": {"revision": 0}}, {"family": {"tables": []}}]
)
def test_the_laplace_mechanism_answers_one_measure_once(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"once|at least 1"):
        make.query(mechanism="laplace", **changes)


def test_distinct_people_of_agencies_that_share_people_do_not_add_up() -> None:
    other = make.contract(id="crimes_case", agency="rtp")

    with pytest.raises(InvalidInput, match="people-not-additive"):
        plan(make.query(measures=("people",)), [make.contract(), other], RHO)


def test_a_person_moves_each_cell_of_distinct_people_by_one() -> None:
    assert sensitivity(make.query(), make.contract(rows_per_window=5), "people", ("month", "province")) == (5, 5)
