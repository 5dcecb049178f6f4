"""Does a question fit its contracts?"""

from datetime import date

import pytest

from contracts.errors import InvalidInput
from contracts.fit import check_question, closed_until
from contracts.grid import grid_of
from tests.factories import DIMENSIONS, contract, damage, dimension, period, query

pytestmark = pytest.mark.unit

CLOSED = date(2026, 1, 1)


def code_of(asked: dict[str, object], *others: dict[str, object]) -> InvalidInput:
    contracts = [contract(), *(contract(**each) for each in others)]
    with pytest.raises(InvalidInput) as caught:
        check_question(query(**asked), contracts, CLOSED)
    return caught.value


def test_a_question_that_fits_gives_the_cells_of_its_answer() -> None:
    asked = query(measures=("count", "damage_thb:mean"), where={"case_type": ("romance_scam",)})

    assert check_question(asked, [contract()], CLOSED) == grid_of(asked, contract())


@pytest.mark.parametrize(
    ("asked", "code", "details"),
    [
        ({"measures": ("weight:sum",)}, "unknown-measure", {"measure": "weight:sum", "contract": "tpo_complaint"}),
        (
            {"measures": ("count", "hour:sum")},
            "unknown-measure",
            {"choices": "count, people, damage_thb:sum, damage_thb:mean"},
        ),
        ({"dimensions": ("colour",)}, "unknown-dimension", {"dimension": "colour"}),
        ({"where": {"colour": ("red",)}}, "unknown-dimension", {"dimension": "colour"}),
        ({"where": {"province": ("10", "11")}}, "unknown-filter-value", {"dimension": "province"}),
        ({"where": {"month": ("2024-01",)}}, "unknown-filter-value", {"dimension": "month"}),
        ({"where": {"hour": ("24",)}}, "unknown-filter-value", {"dimension": "hour"}),
        ({"period": period("2025-10-02", "2025-12-01")}, "period-not-whole-months", {}),
        ({"period": period("2025-10-01", "2025-12-02")}, "period-not-whole-months", {}),
        ({"period": period("2021-09-01", "2025-12-01")}, "period-outside-contract", {"first": "2021-10"}),
        ({"period": period("2025-10-01", "2026-11-01")}, "period-outside-contract", {"last": "2026-09"}),
        ({"period": period("2025-10-01", "2026-02-01")}, "period-not-closed", {"closed": "2026-01-01"}),
    ],
)
def test_what_does_not_fit_is_named(asked: dict[str, object], code: str, details: dict[str, str]) -> None:
    error = code_of(asked)

    assert error.code == code
    assert details.items() <= error.details.items()


def test_a_wrong_filter_value_is_not_repeated() -> None:
    assert "1103701234567" not in str(code_of({"where": {"province": ("1103701234567",)}}).details)


def test_the_first_and_the_last_month_of_a_contract_may_be_asked() -> None:
    edges = contract(first_month="2025-10", last_month="2025-12")

    assert check_question(query(), [edges], CLOSED).size == 9


def test_dimensions_and_filters_count_together_and_once() -> None:
    narrow = contract(max_dimensions=2)
    both = query(dimensions=("month", "province"), where={"province": ("10",)})

    assert check_question(both, [narrow], CLOSED).size == 3
    with pytest.raises(InvalidInput, match="too-many-dimensions") as caught:
        check_question(query(where={"case_type": ("romance_scam",)}), [narrow], CLOSED)
    assert caught.value.details == {"contract": "tpo_complaint", "asked": "3", "allowed": "2"}


def test_several_contracts_of_one_shape_are_asked_at_once() -> None:
    other = contract(id="city_north", agency="rtp")

    assert check_question(query(measures=("damage_thb:sum",)), [contract(), other], CLOSED).size == 9


@pytest.mark.parametrize(
    "other",
    [
        {"dimensions": (DIMENSIONS[0], dimension("province", ("10", "50")))},
        {"dimensions": (DIMENSIONS[0], dimension("province", ("90", "50", "10")))},
        {"measure_columns": (damage(clamp=(0, 5)),)},
        {"measure_columns": (damage(unit="USD"),)},
    ],
    ids=["fewer labels", "other order", "other clamp", "other unit"],
)
def test_contracts_of_another_shape_are_not_asked_together(other: dict[str, object]) -> None:
    error = code_of({"measures": ("count", "damage_thb:sum")}, {"id": "city_north", **other})

    assert (error.code, error.details) == ("contracts-differ", {"where": "city_north"})


def test_two_contracts_of_one_source_are_not_asked_together() -> None:
    error = code_of({}, {"id": "city_north", "source": "rtp/city"}, {"id": "city_south", "source": contract().source})

    assert error.code == "source-asked-twice"
    assert error.details == {"contract": "city_south", "source": "ccib/tpo_complaint"}


def test_a_measure_that_is_not_asked_may_differ() -> None:
    other = contract(id="city_north", measure_columns=())

    assert check_question(query(), [contract(), other], CLOSED).size == 9


def test_every_contract_is_checked() -> None:
    assert code_of({}, {"id": "city_north", "last_month": "2025-11"}).details["contract"] == "city_north"


@pytest.mark.parametrize(
    ("today", "closed"), [(date(2026, 1, 15), date(2026, 1, 1)), (date(2026, 2, 1), date(2026, 2, 1))]
)
def test_a_month_is_closed_when_it_has_ended(today: date, closed: date) -> None:
    assert closed_until(today) == closed
