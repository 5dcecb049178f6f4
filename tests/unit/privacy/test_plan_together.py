"""Questions to several contracts of one shape: the noise suits the rows of each of them, in whatever order."""

import itertools

import pytest

from contracts.dataset import DatasetContract, Grain, ProtectAt
from contracts.errors import InvalidInput
from contracts.query import Family, FamilyTable
from privacy.plan import plan
from privacy.release import protect
from tests import factories as make

pytestmark = pytest.mark.unit

RHO = 400_000_000
CODES = ("HOME", "SHOP")
SMALL = {"HOME": (0, 100), "SHOP": (0, 100)}


def damage_by(column: str) -> object:
    return make.damage(clamp=(0, 1_000_000), clamp_by=column, clamps=SMALL)


def offered(name: str, *, listed: bool = False, column: str = "place", **changes: object) -> DatasetContract:
    """Small clamps by place. With a list that has a code for the rest, no row is without a label; else some may be."""
    values = CODES if not listed else ("HOME", "SHOP", "OTHER")
    place = make.dimension("place", values, column=column)
    kind = make.dimension("kind", CODES, column="place")
    dimensions = (make.dimension("month", grain=Grain.MONTH), place, *([kind] if column != "place" else []))
    fields = {"dimensions": dimensions, "measure_columns": (damage_by("place"),), **changes}
    return make.contract(id=name, agency=name.partition("_")[0], **fields)


@pytest.mark.parametrize("order", list(itertools.permutations(("ccib_one", "rtp_two"))))
def test_the_largest_amount_of_any_contract_decides_whatever_the_order(order: tuple[str, ...]) -> None:
    """A filter on the clamping dimension keeps amounts small in one contract; in the other it is of another column."""
    both = {"ccib_one": offered("ccib_one"), "rtp_two": offered("rtp_two", column="scene")}
    query = make.query(
        measures=("damage_thb:sum",), dimensions=("month",), where={"place": ("HOME",)}, period=make.period()
    )

    (vector,) = plan(query, [both[name] for name in order], RHO).vectors

    assert vector.central is not None
    assert vector.central.amount == 1_000_000


@pytest.mark.parametrize("order", list(itertools.permutations(("ccib_one", "rtp_two"))))
@pytest.mark.parametrize("protect_at", list(ProtectAt))
def test_an_axis_that_clamps_in_one_contract_and_not_in_the_other_is_refused(
    order: tuple[str, ...], protect_at: ProtectAt
) -> None:
    both = {"ccib_one": offered("ccib_one", protect_at=protect_at), "rtp_two": offered("rtp_two", column="scene")}
    query = make.query(measures=("damage_thb:sum",), dimensions=("month", "place"))

    with pytest.raises(InvalidInput, match="contracts-differ"):
        plan(query, [both[name] for name in order], RHO)


def test_contracts_that_clamp_alike_are_answered_together_with_each_code_s_noise() -> None:
    both = [offered("ccib_one", protect_at=ProtectAt.CONNECTOR), offered("rtp_two")]
    query = make.query(measures=("damage_thb:sum",), dimensions=("month", "place"))

    (vector,) = plan(query, both, RHO).vectors

    assert vector.along == "place"
    assert set(vector.sigmas) == set(CODES)
    (measure,) = protect({"damage_thb:sum": [0] * 6}, both[0], query, RHO)
    assert all(vector.sigmas[code] > sigma for code, sigma in measure.sigmas.items())


def test_contracts_whose_tables_add_up_differently_are_not_asked_for_a_family_together() -> None:
    def regions(name: str, via: str | None) -> DatasetContract:
        province = make.dimension("province", ("10", "50")).model_copy(update={"code_list": "provinces"})
        values = ("BMB", "P5") if via else ("01", "02")
        coarse = make.dimension("region", values, column="province")
        lists = {"code_list": "police_commands", "via": "provinces"} if via else {"code_list": "nso_regions"}
        month = make.dimension("month", grain=Grain.MONTH)
        return make.contract(
            id=name,
            agency=name.partition("_")[0],
            dimensions=(month, province, coarse.model_copy(update=lists)),
            disjoint_from=(),
        )

    family = Family(tables=(FamilyTable(by=("region",)), FamilyTable(by=("month", "province"))))
    query = make.query(family=family)

    with pytest.raises(InvalidInput, match=r"contracts-differ|family-axis-unknown"):
        plan(query, [regions("ccib_one", "provinces"), regions("rtp_two", None)], RHO)


def test_sums_of_a_family_carry_each_code_s_noise_where_cells_are_of_one_code() -> None:
    family = Family(tables=(FamilyTable(by=("month",)), FamilyTable(by=("place",)), FamilyTable(by=("month", "place"))))
    query = make.query(measures=("damage_thb:sum",), dimensions=("month", "place"), family=family)
    one = offered("ccib_one")
    mixed = one.model_copy(
        update={"measure_columns": (one.measure_columns[0].model_copy(update={"clamps": {"HOME": (0, 100)}}),)}
    )

    by_month, by_place, leaves = (
        plan(query, [mixed], RHO).vector("damage_thb:sum", by) for by in (("month",), ("place",), ("month", "place"))
    )

    assert by_month.along is None
    assert by_month.sigmas == {}
    for vector in (by_place, leaves):
        assert vector.along == "place"
        assert vector.sigmas["SHOP"] == vector.sigma
        assert vector.sigmas["HOME"] == pytest.approx(vector.sigma / 10_000, rel=1e-6)
