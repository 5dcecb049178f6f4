"""Distinct people and histograms from hostile rows: one statement, every bin of every cell, nothing from no number."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.answer import answer
from connectors.compile import compile_query, run
from connectors.snapshot import refresh
from contracts.canonical import digest_of
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput
from contracts.grid import Grid, grid_of
from contracts.query import Query
from contracts.task import LARGEST_CELL, Part
from privacy.layout import vector_size
from privacy.release import exact_part
from tests import factories
from tests.connector_world import PRICE, World, case, case_types, contract_text
from tests.integration.connectors.test_snapshot import SECRET, Row, Rows, row

pytestmark = pytest.mark.integration

BINS = (1, 10, 100)
CONTRACT = factories.contract(
    rows_per_window=3,
    measure_columns=(factories.damage(kinds=("sum", "histogram", "median"), clamp=(0, 1000), bins=BINS),),
)
HISTOGRAM = "damage_thb:histogram"
PROVINCES = factories.query(measures=("people", HISTOGRAM, "damage_thb:sum", "count"), dimensions=("province",))


def snapshot(path: Path, rows: Sequence[Row], contract: DatasetContract = CONTRACT) -> Path:
    refresh(path / "snapshot.duckdb", Rows(rows), contract, SECRET, factories.NOW)
    return path / "snapshot.duckdb"


def ask(path: Path, query: Query, contract: DatasetContract = CONTRACT) -> Mapping[str, list[int]]:
    grid = grid_of(query, contract)
    return run(path, compile_query(query, contract, grid), query, grid)


def amounts(*values: object) -> Sequence[Row]:
    return [row(f"r{n}", f"p{n}", "2025-11-01 10:00:00", damage_thb=value) for n, value in enumerate(values)]


def test_people_are_counted_once_in_each_cell_however_many_rows_they_have(tmp_path: Path) -> None:
    rows = [
        row("a", "p1", "2025-11-01 10:00:00", province="10"),
        row("b", "p1", "2025-11-02 10:00:00", province="10"),
        row("c", "p1", "2025-11-03 10:00:00", province="50"),
        row("d", "p2", "2025-11-03 10:00:00", province="10"),
    ]
    cells = ask(snapshot(tmp_path, rows), PROVINCES)
    assert (cells["people"], cells["count"]) == ([2, 1, 0], [3, 1, 0])


def test_bins_run_fastest_and_every_bin_of_every_cell_is_answered(tmp_path: Path) -> None:
    rows = [
        row("a", "p1", "2025-11-01 10:00:00", province="10", damage_thb=0),
        row("b", "p2", "2025-11-01 10:00:00", province="10", damage_thb=9.4),
        row("c", "p3", "2025-11-01 10:00:00", province="50", damage_thb=10),
        row("d", "p4", "2025-11-01 10:00:00", province="50", damage_thb=5000),
    ]
    cells = ask(snapshot(tmp_path, rows), PROVINCES)
    assert cells[HISTOGRAM] == [1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0]
    assert cells["damage_thb:sum"] == [9, 1010, 0]


def test_an_amount_on_an_edge_belongs_to_the_bin_above(tmp_path: Path) -> None:
    histogram = factories.query(measures=(HISTOGRAM,), dimensions=())
    assert ask(snapshot(tmp_path, amounts(0.4, 0.5, 1, 9, 10, 99, 100)), histogram) == {HISTOGRAM: [1, 3, 2, 1]}


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), float("-inf"), "many", "1e999", ""])
def test_what_is_no_number_is_a_row_without_an_amount(tmp_path: Path, value: object) -> None:
    query = factories.query(measures=("count", "people", HISTOGRAM, "damage_thb:sum"), dimensions=())
    cells = ask(snapshot(tmp_path, amounts(value)), query)
    assert cells == {"count": [1], "people": [1], HISTOGRAM: [0, 0, 0, 0], "damage_thb:sum": [0]}


@pytest.mark.parametrize(
    ("value", "bins", "added"),
    [
        (-0.0, [1, 0, 0, 0], 0),
        (1e308, [0, 0, 0, 1], 1000), (-1e308, [1, 0, 0, 0], 0), (2**63 - 1, [0, 0, 0, 1], 1000),
        (-(2**63), [1, 0, 0, 0], 0), (5e-324, [1, 0, 0, 0], 0), ("7", [0, 1, 0, 0], 7),
    ],
)  # fmt: skip
def test_hostile_numbers_are_clamped_before_anything_is_counted(
    tmp_path: Path, value: object, bins: list[int], added: int
) -> None:
    query = factories.query(measures=(HISTOGRAM, "damage_thb:sum"), dimensions=())
    assert ask(snapshot(tmp_path, amounts(value)), query) == {HISTOGRAM: bins, "damage_thb:sum": [added]}


def test_a_sum_that_outgrows_every_cell_is_cut_there_and_never_fails(tmp_path: Path) -> None:
    widest = (-(2**53 - 1), 2**53 - 1)
    contract = factories.contract(measure_columns=(factories.damage(clamp=widest),))
    query = factories.query(measures=("damage_thb:sum",), dimensions=("province",))
    up, down = (
        [row(f"{sign}{n}", f"{sign}{n}", "2025-11-01 10:00:00", province=province, damage_thb=value) for n in range(9)]
        for sign, province, value in (("u", "10", 1e300), ("d", "50", -1e300))
    )
    cells = ask(snapshot(tmp_path, [*up, *down], contract), query, contract)
    assert cells == {"damage_thb:sum": [LARGEST_CELL, -LARGEST_CELL, 0]}
    assert exact_part(cells, query)[0].cells == (LARGEST_CELL, -LARGEST_CELL, 0)


@pytest.mark.parametrize("dimensions", [(), ("province",), ("month", "province")])
def test_an_empty_answer_has_the_shape_of_a_full_one(tmp_path: Path, dimensions: tuple[str, ...]) -> None:
    path = snapshot(tmp_path, amounts(5))
    query = PROVINCES.model_copy(update={"dimensions": dimensions})
    empty = query.model_copy(update={"period": factories.period("2022-01-01", "2022-04-01")})
    full, nothing = ask(path, query), ask(path, empty)
    grid = grid_of(query, CONTRACT)
    for measure in query.base_measures:
        assert len(full[measure]) == len(nothing[measure]) == vector_size(grid, CONTRACT, measure)
        assert not any(nothing[measure])


def test_a_row_without_an_amount_moves_no_sum_and_no_histogram(tmp_path: Path) -> None:
    query = factories.query(measures=(HISTOGRAM, "damage_thb:sum"), dimensions=())
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with_one, without = (snapshot(tmp_path / name, amounts(5, *rest)) for name, rest in (("a", [None]), ("b", [])))
    assert ask(with_one, query) == ask(without, query)


def test_people_without_a_key_are_never_counted() -> None:
    unit = factories.contract().unit.model_copy(update={"column": None, "rows_per_window": 1})
    contract = factories.contract(unit=unit)
    assert not contract.offers("people")
    with pytest.raises(InvalidInput, match="people-without-key"):
        compile_query(factories.query(measures=("people",), dimensions=()), contract, Grid(axes=()))


@pytest.mark.parametrize("measure", ["other:histogram", "victim_key:histogram", "damage_thb:histogram"])
def test_a_histogram_that_the_contract_has_no_bins_for_is_never_compiled(measure: str) -> None:
    query = factories.query(measures=(measure,), dimensions=())
    with pytest.raises(InvalidInput, match="unknown-measure"):
        compile_query(query, factories.contract(), Grid(axes=()))


def test_edges_are_numbers_of_the_contract_and_nothing_else() -> None:
    query = factories.query(measures=(HISTOGRAM,), dimensions=("province",))
    statement = compile_query(query, CONTRACT, grid_of(query, CONTRACT))
    assert statement.widths == (4,)
    assert statement.sql.count("FILTER") == 4


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, factories.federation())
    world.approve()
    world.approve(contract_text("gateway"))
    yield world
    world.journal.close()


def part_for(world: World, protect_at: str, *measures: str) -> Part:
    """What the connector posts for a question about the bundled contract, by month and two types of case."""
    honest = case(protect_at)
    (allowed,) = honest.agreement.activities
    agreement = honest.agreement.model_copy(update={"activities": (allowed.model_copy(update={"measures": measures}),)})
    query = Query.model_validate(honest.request.query.model_dump(by_alias=True) | {"measures": measures})
    request = honest.request.model_copy(update={"query": query, "agreement_digest": digest_of(agreement)})
    answer(replace(honest, agreement=agreement, request=request).leased(), world.desk(), world.clock)
    (part,) = world.posted
    return part


def test_a_connector_answers_a_median_by_every_bin_of_every_cell(world: World) -> None:
    (histogram,) = part_for(world, "gateway", "damage_thb:median").measures
    assert histogram.measure == HISTOGRAM
    # Five complaints of 100 baht each, in the second of eleven bins.
    assert [histogram.cells[cell * 11 + 1] for cell in range(4)] == [2, 0, 2, 1]
    assert (len(histogram.cells), sum(histogram.cells)) == (44, 5)
    assert world.spent == PRICE


def test_a_connector_that_protects_adds_each_code_s_own_noise_and_sends_nothing_exact(world: World) -> None:
    measures = {each.measure: each for each in part_for(world, "connector", "people", "damage_thb:sum").measures}
    people, total = measures["people"], measures["damage_thb:sum"]
    assert people.sigma is not None
    assert total.sigma is not None
    assert people.sigma < total.sigma
    codes = case_types()
    damage = case().contract.measure_column("damage_thb")
    assert damage is not None
    clamps = [damage.clamps.get(code, damage.clamp)[1] for code in codes]
    assert total.sigmas[codes[0]] / total.sigmas[codes[1]] == pytest.approx(clamps[0] / clamps[1], rel=1e-6)
    assert world.spent == PRICE
