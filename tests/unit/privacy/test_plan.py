"""What a question costs: charges, sensitivities and the noise that follows."""

import math

import pytest

from contracts.dataset import Grain, ProtectAt
from contracts.errors import InvalidInput
from privacy.mechanisms import epsilon_of, gaussian_cost
from privacy.plan import Plan, plan, promise
from privacy.sensitivity import Sensitivity, amounts, sensitivity
from tests import factories as make

pytestmark = pytest.mark.unit

RHO = 50_000_000


def squared_distance(terms: Plan) -> int:
    """The square of the distance that the gateway's noise for the first vector is made for."""
    noise = terms.vectors[0].central
    assert noise is not None
    return round(noise.scale**2 * 2 * RHO / 1e9)


def test_every_window_that_the_period_touches_is_charged_in_full() -> None:
    asked = make.query(period=make.period("2025-08-01", "2026-01-01"))

    charges = plan(asked, [make.contract()], RHO).charges

    assert [(c.window, c.nano_rho) for c in charges] == [("FY2568", RHO), ("FY2569", RHO)]


def test_another_price_period_or_copy_of_a_contract_has_a_plan_of_its_own() -> None:
    offered, asked = make.contract(), make.query()
    first = plan(asked, [offered], RHO)
    wider = offered.model_copy(update={"unit": offered.unit.model_copy(update={"rows_per_window": 7})})

    assert plan(make.query(), [offered], RHO) == first
    assert plan(asked, [offered], RHO + 1).charges[0].nano_rho == RHO + 1
    assert plan(asked, [wider], RHO).vectors[0].sigma > first.vectors[0].sigma
    longer = make.query(period=make.period("2025-08-01", "2026-01-01"))
    assert len(plan(longer, [offered], RHO).charges) == 2
    with pytest.raises(InvalidInput, match="price-not-positive"):
        plan(asked, [offered], 0)
    assert plan(asked, [offered], RHO) == first


def test_each_source_of_a_question_is_charged() -> None:
    other = make.contract(id="crimes_case", agency="rtp")

    charges = plan(make.query(), [make.contract(), other], RHO).charges

    assert {c.source for c in charges} == {"ccib/tpo_complaint", "rtp/crimes_case"}


def test_all_rows_of_a_person_may_fall_into_one_cell() -> None:
    offered = make.contract(rows_per_window=3)

    assert sensitivity(make.query(), offered, "count", ("month",)) == Sensitivity(9, 3)
    assert amounts(make.query(), offered, "damage_thb:sum", ("month", "province")) == (100_000, {})


def test_cells_that_pool_windows_carry_noise_for_all_of_them_together() -> None:
    """A person with m rows in each of w windows moves a pooled cell by w*m: the loss must not exceed w charges."""
    three_years = make.period("2022-10-01", "2025-10-01")
    offered = make.contract(rows_per_window=3)
    pooled = make.query(dimensions=("province",), period=three_years)
    terms = plan(pooled, [offered], RHO)
    (count,) = terms.vectors

    assert sensitivity(pooled, offered, "count", ("province",)) == Sensitivity(27, 6)
    assert gaussian_cost((3 * 3) ** 2, count.sigma) <= sum(charge.nano_rho for charge in terms.charges)
    assert terms.epsilon >= epsilon_of(gaussian_cost((3 * 3) ** 2, count.sigma), "1e-6")


def test_months_of_another_time_than_the_event_s_do_not_separate_windows() -> None:
    elsewhere = make.dimension("month", grain=Grain.MONTH, column="occurred_at")
    two_years = make.query(period=make.period("2024-10-01", "2026-01-01"))

    here, there = (make.contract(rows_per_window=4), make.contract(rows_per_window=4, dimensions=(elsewhere,)))
    assert sensitivity(two_years, here, "count", ("month",)).l2_squared == 16
    assert sensitivity(two_years, there, "count", ("month",)).l2_squared == 32


def test_contracts_on_one_source_are_never_disjoint() -> None:
    one = make.contract(disjoint_from=("crimes_case",))
    other = make.contract(id="crimes_case", source=one.source, disjoint_from=("tpo_complaint",))

    assert squared_distance(plan(make.query(), [one, other], RHO)) == 16


def test_a_sum_is_as_sensitive_as_its_larger_clamp() -> None:
    offered = make.contract(measure_columns=(make.damage(clamp=(-500, 100)),))

    assert amounts(make.query(), offered, "damage_thb:sum", ("month", "province")) == (500, {})


def test_a_measure_that_the_contract_lacks_has_no_sensitivity() -> None:
    with pytest.raises(InvalidInput, match="unknown-measure"):
        amounts(make.query(), make.contract(), "frozen_thb:sum", ("month",))


def test_the_price_is_split_over_the_base_measures() -> None:
    terms = plan(make.query(measures=("count", "damage_thb:mean")), [make.contract()], RHO)

    assert [(v.measure, v.nano_rho) for v in terms.vectors] == [("count", RHO // 2), ("damage_thb:sum", RHO // 2)]
    count, damage = terms.vectors
    assert gaussian_cost(4, count.sigma) + gaussian_cost(4 * 100_000**2, damage.sigma) <= RHO


def test_a_price_below_one_nano_rho_a_measure_is_refused() -> None:
    with pytest.raises(InvalidInput, match="price-not-positive"):
        plan(make.query(measures=("count", "damage_thb:sum")), [make.contract()], 1)


def test_sensitivities_of_overlapping_contracts_add_up() -> None:
    other = make.contract(id="crimes_case", agency="rtp", rows_per_window=3)

    (count,) = plan(make.query(), [make.contract(), other], RHO).vectors

    assert count.sigma == pytest.approx(5 / math.sqrt(2 * RHO / 1e9))


def test_disjoint_contracts_share_the_larger_sensitivity_only_if_both_declare_it() -> None:
    one = make.contract(disjoint_from=("crimes_case",))
    other = make.contract(id="crimes_case", agency="rtp", rows_per_window=3, disjoint_from=("tpo_complaint",))
    silent = make.contract(id="crimes_case", agency="rtp", rows_per_window=3)

    assert squared_distance(plan(make.query(), [one, other], RHO)) == 9
    assert squared_distance(plan(make.query(), [one, silent], RHO)) == 25


def test_noise_of_several_places_adds_in_variance() -> None:
    inside = make.contract(protect_at=ProtectAt.CONNECTOR, rows_per_window=3)
    other = make.contract(id="crimes_case", agency="rtp", rows_per_window=4)

    (count,) = plan(make.query(), [inside, other], RHO).vectors

    assert count.central is not None
    assert count.central.scale == pytest.approx(4 / math.sqrt(2 * RHO / 1e9))
    assert count.sigma == pytest.approx(5 / math.sqrt(2 * RHO / 1e9))


def test_loss_adds_over_windows_and_over_datasets_that_overlap() -> None:
    asked = make.query(period=make.period("2025-08-01", "2026-01-01"))
    other = make.contract(id="crimes_case", agency="rtp")

    assert plan(asked, [make.contract()], RHO).epsilon == epsilon_of(2 * RHO, "1e-6")
    assert plan(asked, [make.contract(), other], RHO).epsilon == epsilon_of(4 * RHO, "1e-6")
    assert promise(make.contract(), asked, RHO, 7).epsilon == epsilon_of(2 * RHO, "1e-6")


def test_the_smallest_delta_of_the_contracts_is_shown() -> None:
    other = make.contract(id="crimes_case", agency="rtp", delta="1e-9")

    assert plan(make.query(), [make.contract(), other], RHO).delta == "1e-9"


def test_the_conversion_to_epsilon_is_opendp_s() -> None:
    """Reference values: rho 0.1 is epsilon 2.14 at delta 1e-6, and 2.88 at 1e-10."""
    assert epsilon_of(100_000_000, "1e-6") == pytest.approx(2.14, abs=0.01)
    assert epsilon_of(100_000_000, "1e-10") == pytest.approx(2.88, abs=0.01)
    assert epsilon_of(0, "1e-6") == 0


def test_an_absurd_loss_is_still_a_number_and_never_understated() -> None:
    just_below, just_above = epsilon_of(200 * 10**9, "1e-6"), epsilon_of(200 * 10**9 + 1, "1e-6")

    assert just_below <= just_above <= just_below * 1.05


def test_a_question_for_small_amounts_alone_is_previewed_with_their_small_error() -> None:
    by_type = make.damage(clamp_by="case_type", clamps={"shopping_scam": (0, 5_000)})
    offered = make.contract(measure_columns=(by_type,), rows_per_window=3)
    asked = make.query(measures=("damage_thb:sum",), dimensions=("province",))
    shopping = asked.model_copy(update={"where": {"case_type": ("shopping_scam",)}})

    assert amounts(shopping, offered, "damage_thb:sum", ("province",)) == (5_000, {})
    (all_types,), (shops,) = (plan(each, [offered], RHO).vectors for each in (asked, shopping))
    assert shops.sigma == pytest.approx(all_types.sigma / 20, rel=1e-5)


def test_the_distance_of_large_tables_from_the_exact_law_is_part_of_delta() -> None:
    codes = tuple(f"c{number}" for number in range(500))
    dimensions = (*make.DIMENSIONS[:1], make.dimension("province", codes), make.dimension("case_type", codes))
    large = make.contract(dimensions=dimensions)
    asked = make.query(dimensions=("province", "case_type"))

    terms = plan(asked, [large], RHO)

    assert terms.delta == "1e-6"
    assert epsilon_of(RHO, "1e-6") <= terms.epsilon < epsilon_of(RHO, "0.999e-6")
    assert promise(large, asked, RHO, 1).epsilon == terms.epsilon


def test_more_cells_than_delta_can_pay_for_are_refused() -> None:
    codes = tuple(f"c{number}" for number in range(500))
    dimensions = (*make.DIMENSIONS[:1], make.dimension("province", codes), make.dimension("case_type", codes))
    asked = make.query(dimensions=("province", "case_type"))

    with pytest.raises(InvalidInput, match="too-many-cells"):
        plan(asked, [make.contract(dimensions=dimensions)], 10**13)
