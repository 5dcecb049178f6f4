"""Sensitivities against every multiset of rows that one person may have under a shape."""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import combinations_with_replacement, product

import pytest

from contracts.dataset import DatasetContract, Dimension, Grain, ProtectedUnit, Shape
from contracts.periods import Period
from contracts.query import Family, FamilyTable, Query
from privacy.sensitivity import Sensitivity, sensitivity
from tests import factories

pytestmark = pytest.mark.property

MONTHS = ("2025-10", "2025-11", "2025-12", "2026-01")
KINDS = ("a", "b", None)
MOST = 4
TABLES: tuple[tuple[str, ...], ...] = ((), ("month",), ("kind",), ("kind", "month"))
BOUNDS = [
    (rows, per_cell, cells)
    for rows, per_cell, cells in product(range(1, MOST + 1), repeat=3)
    if per_cell <= rows >= cells and per_cell * cells >= rows
]
Row = tuple[str, str | None]


def contract(rows: int, shape: Shape | None, *dimensions: Dimension) -> DatasetContract:
    unit = ProtectedUnit(person=factories.text("victim"), column="victim_key", rows_per_window=rows, shape=shape)
    others = dimensions or (factories.dimension("kind", ("a", "b")),)
    return factories.contract(unit=unit, dimensions=(factories.DIMENSIONS[0], *others))


def question(by: tuple[str, ...], **changes: object) -> Query:
    return factories.query(dimensions=by, period=factories.period("2025-10-01", "2026-02-01"), **changes)


@cache
def people() -> tuple[tuple[Row, ...], ...]:
    """Everybody who has at most four rows in the year."""
    kinds_of_rows = sorted(product(MONTHS, KINDS), key=str)
    return tuple(each for size in range(MOST + 1) for each in combinations_with_replacement(kinds_of_rows, size))


def cells_of(rows: tuple[Row, ...], by: tuple[str, ...]) -> Counter[Row]:
    """A person's part of a table; a row without a label of an axis is in no cell."""
    kept = [row for row in rows if "kind" not in by or row[1] is not None]
    return Counter((month if "month" in by else "", kind if "kind" in by else "") for month, kind in kept)


@cache
def moved() -> tuple[tuple[int, int, int, dict[tuple[str, ...], tuple[int, int, int]]], ...]:
    """Of each person: rows, the most in a cell, cells; and by table the square, the L1 and the cells moved."""
    found = []
    for rows in people():
        held = Counter(rows)
        parts = {by: cells_of(rows, by).values() for by in TABLES}
        distances = {by: (sum(n * n for n in part), sum(part), len(part)) for by, part in parts.items()}
        found.append((len(rows), max(held.values(), default=0), len(held), distances))
    return tuple(found)


def farthest(by: tuple[str, ...], rows: int, per_cell: int, cells: int) -> tuple[int, int, int]:
    allowed = [d[by] for n, most, held, d in moved() if n <= rows and most <= per_cell and held <= cells]
    return max(d[0] for d in allowed), max(d[1] for d in allowed), max(d[2] for d in allowed)


@pytest.mark.parametrize("by", TABLES)
@pytest.mark.parametrize(("rows", "per_cell", "cells"), BOUNDS)
def test_the_sensitivity_of_a_shape_is_exactly_how_far_its_farthest_person_moves_a_table(
    rows: int, per_cell: int, cells: int, by: tuple[str, ...]
) -> None:
    offered = contract(rows, Shape(by=("month", "kind"), rows=per_cell, cells=cells))
    squared, distance, people_moved = farthest(by, rows, per_cell, cells)
    assert sensitivity(question(by), offered, "count", by) == Sensitivity(squared, distance)
    people_measured = sensitivity(question(by), offered, "people", by)
    assert people_measured.l2_squared >= people_moved
    assert people_measured.l1 >= people_moved


@pytest.mark.parametrize("by", TABLES)
@pytest.mark.parametrize("rows", range(1, MOST + 1))
def test_without_a_shape_all_rows_may_fall_into_one_cell(rows: int, by: tuple[str, ...]) -> None:
    squared, distance, _ = farthest(by, rows, MOST, MOST)
    assert sensitivity(question(by), contract(rows, None), "count", by) == Sensitivity(squared, distance)


@pytest.mark.parametrize("by", TABLES)
@pytest.mark.parametrize(("rows", "per_cell", "cells"), BOUNDS)
def test_a_shape_of_one_dimension_never_promises_less_distance_than_somebody_moves(
    rows: int, per_cell: int, cells: int, by: tuple[str, ...]
) -> None:
    for bounded in ("month", "kind"):
        offered = contract(rows, Shape(by=(bounded,), rows=per_cell, cells=cells))
        place = ("month", "kind").index(bounded)
        allowed = [
            cells_of(person, by)
            for person in people()
            if len(person) <= rows and _within(Counter(row[place] for row in person), per_cell, cells)
        ]
        found = sensitivity(question(by), offered, "count", by)
        assert max(sum(n * n for n in each.values()) for each in allowed) <= found.l2_squared
        assert max(each.total() for each in allowed) <= found.l1


def _within(held: Counter[str] | Counter[str | None], per_cell: int, cells: int) -> bool:
    return max(held.values(), default=0) <= per_cell and len(held) <= cells


@pytest.mark.parametrize(("rows", "per_cell", "cells"), [(1, 1, 1), (2, 1, 2), (2, 2, 1), (3, 1, 3), (3, 2, 2)])
@pytest.mark.parametrize("by", [(), ("kind",)])
def test_cells_that_pool_two_years_are_paid_by_the_charges_of_both(
    rows: int, per_cell: int, cells: int, by: tuple[str, ...]
) -> None:
    offered = contract(rows, Shape(by=("month", "kind"), rows=per_cell, cells=cells))
    both = Period.model_validate({"from": "2024-10-01", "until": "2026-02-01"})
    query = factories.query(dimensions=by, period=both)
    allowed = {
        frozenset(cells_of(person, by).items())
        for person in people()
        if len(person) <= rows and _within(Counter(person), per_cell, cells)  # type: ignore[arg-type]  # counts alone
    }
    most = max(sum(n * n for n in (Counter(dict(a)) + Counter(dict(b))).values()) for a in allowed for b in allowed)
    assert most <= 2 * sensitivity(query, offered, "count", by).l2_squared, "each of two windows is charged"


WEEKS = {
    ("2025-10", "early"): "2025-W41", ("2025-10", "late"): "2025-W44",
    ("2025-11", "early"): "2025-W44", ("2025-11", "late"): "2025-W48",
    ("2025-12", "early"): "2025-W49", ("2025-12", "late"): "2026-W01", ("2026-01", "early"): "2026-W01",
}  # fmt: skip
"""Days of four months and their weeks: two of the weeks lie in two months."""


@pytest.mark.parametrize(("rows", "per_cell", "cells"), BOUNDS)
def test_a_week_holds_what_a_person_has_in_two_months_and_no_more(rows: int, per_cell: int, cells: int) -> None:
    week = factories.dimension("week", grain=Grain.WEEK)
    offered = contract(rows, Shape(by=("month",), rows=per_cell, cells=cells), week)
    days = [day for size in range(rows + 1) for day in combinations_with_replacement(sorted(WEEKS), size)]
    allowed = [each for each in days if _within(Counter(month for month, _ in each), per_cell, cells)]
    weeks = [Counter(WEEKS[day] for day in each).values() for each in allowed]

    found = sensitivity(question(("week",)), offered, "count", ("week",))

    assert found.l2_squared == max(sum(n * n for n in each) for each in weeks)
    assert found.l1 == rows


def test_a_week_may_lie_in_two_fiscal_years_so_both_are_paid_for_in_its_noise() -> None:
    week = factories.dimension("week", grain=Grain.WEEK)
    offered = contract(2, Shape(by=("month",), rows=1, cells=2), week)
    both = Period.model_validate({"from": "2024-10-01", "until": "2026-02-01"})
    one = sensitivity(question(("week",)), offered, "count", ("week",))

    found = sensitivity(factories.query(dimensions=("week",), period=both), offered, "count", ("week",))

    assert found.l2_squared == 2 * one.l2_squared


def places() -> Iterator[Dimension]:
    """A province and its police region, as the bundled contracts derive them."""
    for name, code_list, via, values in (
        ("province", "provinces", None, ("10", "11", "12")),
        ("police_region", "police_commands", "provinces", ("BMB", "P1")),
    ):
        fields = {"name": name, "title": factories.text(name), "column": "province"}
        yield Dimension.model_validate({**fields, "code_list": code_list, "via": via, "values": values})


@pytest.mark.parametrize(
    ("by", "squared"), [(("month", "province"), 3), (("month", "police_region"), 3), (("month",), 9), ((), 9)]
)
def test_a_table_of_provinces_or_of_regions_parts_the_rows_of_a_region_s_cells(
    by: tuple[str, ...], squared: int
) -> None:
    offered = contract(3, Shape(by=("month", "police_region"), rows=1, cells=3), *places())
    tables = (FamilyTable(by=("month", "province")), *(FamilyTable(by=by) for _ in range(by != ("month", "province"))))
    query = question(("month", "province"), family=Family(tables=tables))
    assert sensitivity(query, offered, "count", by).l2_squared == squared


def test_a_coarser_table_of_the_same_column_pools_as_many_labels_as_belong_together() -> None:
    offered = contract(9, Shape(by=("month", "province"), rows=1, cells=9), *places())
    query = question(("month", "police_region"))
    # Seven provinces at most lie in the regions that two labels stand for; the contract's bound of nine rows is above.
    found = sensitivity(query, offered, "count", ("month", "police_region"))
    assert 16 <= found.l2_squared <= 81


def test_a_value_that_only_one_of_two_lists_knows_parts_nothing() -> None:
    """Written forms of a code reach its label and not the coarser one: one fine cell then pools two coarse cells."""
    fine = Dimension(name="own", title=factories.text("own"), column="province", code_list="yes_no", values=("Y", "N"))
    coarse = Dimension(
        name="region", title=factories.text("region"), column="province", code_list=None, values=("Y", "N")
    )
    offered = contract(4, Shape(by=("month", "region"), rows=1, cells=4), fine, coarse)
    # "true" is Y in the list and nothing in the column's own labels: two labels under one.
    assert sensitivity(question(("month", "own")), offered, "count", ("month", "own")).l2_squared == 8
