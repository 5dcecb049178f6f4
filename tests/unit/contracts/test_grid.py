"""The public key set of an answer."""

import pytest

from contracts.dataset import Grain
from contracts.errors import InvalidInput
from contracts.grid import HOURS, MAX_CELLS, WEEKDAYS, Axis, Grid, grid_of, key_set
from tests.factories import contract, dimension, period, query

pytestmark = pytest.mark.unit


def test_cells_stand_in_row_major_order() -> None:
    grid = grid_of(query(period=period("2025-10-01", "2025-12-01")), contract())

    assert grid.size == 6
    assert list(grid.keys())[:4] == [("2025-10", "10"), ("2025-10", "50"), ("2025-10", "90"), ("2025-11", "10")]


def test_a_filter_keeps_the_declared_order_of_an_axis() -> None:
    grid = grid_of(query(dimensions=("province",), where={"province": ("90", "10")}), contract())

    assert grid.axes == (Axis(name="province", values=("10", "90")),)


def test_a_filter_on_another_dimension_does_not_change_the_cells() -> None:
    asked = query(dimensions=("province",), where={"case_type": ("romance_scam",)})

    assert grid_of(asked, contract()).size == 3


def test_an_answer_without_dimensions_has_one_cell() -> None:
    grid = grid_of(query(dimensions=()), contract())

    assert (grid.size, list(grid.keys())) == (1, [()])


def test_a_changed_copy_of_a_question_or_a_contract_has_cells_of_its_own() -> None:
    asked, offered = query(dimensions=("province",)), contract()
    fewer = offered.model_copy(update={"dimensions": (dimension("province", ("10",)),)})
    filtered = asked.model_copy(update={"where": {"province": ("50", "90")}})

    sizes = [grid_of(a, c).size for a, c in ((asked, offered), (asked, fewer), (filtered, offered), (asked, offered))]
    assert sizes == [3, 1, 2, 3]


def test_each_grain_has_its_public_labels() -> None:
    months = ("2025-10", "2025-11", "2025-12")

    assert key_set(dimension("month", grain=Grain.MONTH), query()) == months
    assert key_set(dimension("hour", grain=Grain.HOUR), query()) == HOURS
    assert key_set(dimension("weekday", grain=Grain.WEEKDAY), query()) == WEEKDAYS
    assert key_set(dimension("province", ("10",)), query()) == ("10",)
    assert (HOURS[0], HOURS[-1], len(HOURS), len(WEEKDAYS)) == ("00", "23", 24, 7)


def test_an_answer_has_a_largest_size() -> None:
    many = dimension("province", (f"p{number}" for number in range(1000)))
    more = dimension("case_type", (f"c{number}" for number in range(1001)))
    wide = contract(dimensions=(many, more))
    asked = query(dimensions=("province", "case_type"))

    with pytest.raises(InvalidInput, match="too-many-cells") as caught:
        grid_of(asked, wide)

    assert caught.value.details == {"cells": "1001000", "limit": str(MAX_CELLS)}
    assert grid_of(query(dimensions=("province",)), wide).size == 1000
    exactly = contract(dimensions=(many, dimension("case_type", (f"c{number}" for number in range(1000)))))
    assert grid_of(asked, exactly).size == MAX_CELLS


def test_an_unknown_dimension_is_named_with_the_choices() -> None:
    with pytest.raises(InvalidInput, match="unknown-dimension") as caught:
        grid_of(query(dimensions=("colour",)), contract())

    assert caught.value.details["choices"] == "month, province, case_type, hour"


def test_a_grid_survives_the_wire() -> None:
    grid = grid_of(query(), contract())

    assert Grid.model_validate_json(grid.model_dump_json()) == grid
