"""From a closed query to exact cells: within the bound, the period and the filters, over the whole grid."""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from connectors import compile as compiler
from connectors.compile import Statement, answer, compile_query, run
from connectors.snapshot import keeping_open, opened_for, refresh
from connectors.snapshot_schema import layout_of
from contracts.dataset import DatasetContract
from contracts.errors import IntegrityError, InvalidInput, Unavailable
from contracts.grid import Axis, Grid, grid_of
from contracts.query import Query
from tests import factories
from tests.integration.connectors.test_snapshot import SECRET, Rows, row

pytestmark = pytest.mark.integration

HOSTILE = "x'; DROP TABLE rows_tpo_complaint; --"
ROWS = [
    row("a", "p1", "2025-10-31 23:59:59", province="10", damage_thb=5),
    row("b", "p1", "2025-11-01 00:00:00", province="50", damage_thb=7),
    row("c", "p2", "2025-11-30 12:00:00", province="50", damage_thb=200_000, case_type="shopping_scam"),
    row("d", "p3", "2025-11-30 12:00:00", province="99", damage_thb=1),
    row("e", "p4", "2026-01-01 00:00:00", province="10", damage_thb=1),
    *(row(f"f{n}", "p5", f"2025-12-{n:02d} 08:00:00", province="90", damage_thb=10) for n in range(1, 8)),
]
CONTRACT = factories.contract()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    refresh(tmp_path / "snapshot.duckdb", Rows(ROWS), CONTRACT, SECRET, factories.NOW)
    return tmp_path / "snapshot.duckdb"


def ask(path: Path, query: Query, contract: DatasetContract = CONTRACT) -> Mapping[str, list[int]]:
    grid = grid_of(query, contract)
    return run(path, compile_query(query, contract, grid), query, grid)


def test_every_cell_of_the_grid_is_answered_and_rows_outside_are_counted_nowhere(path: Path) -> None:
    cells = ask(path, factories.query())
    assert cells == {"count": [1, 0, 0, 0, 2, 0, 0, 0, 2]}


def test_the_order_of_dimensions_is_the_order_of_axes(path: Path) -> None:
    cells = ask(path, factories.query(dimensions=("province", "month")))
    assert cells == {"count": [1, 0, 0, 0, 2, 0, 0, 0, 2]}


def test_sums_are_of_clamped_whole_numbers(path: Path) -> None:
    cells = ask(path, factories.query(measures=("damage_thb:mean",), dimensions=("province",)))
    assert cells == {"count": [1, 2, 2], "damage_thb:sum": [5, 100_007, 20]}


def test_one_person_counts_no_more_than_the_contract_allows(path: Path) -> None:
    cells = ask(path, factories.query(dimensions=("province",), where={"province": ("90",)}))
    assert cells == {"count": [2]}


def test_without_dimensions_there_is_one_cell_and_it_counts_unlisted_labels_too(path: Path) -> None:
    assert ask(path, factories.query(dimensions=(), measures=("count", "damage_thb:sum"))) == {
        "count": [6],
        "damage_thb:sum": [100_033],
    }


def test_an_empty_answer_is_all_zeros(path: Path) -> None:
    empty = factories.period("2022-01-01", "2022-02-01")
    measures = ("count", "damage_thb:sum")
    for dimensions, zeros in (((), [0]), (("province",), [0, 0, 0])):
        cells = ask(path, factories.query(period=empty, measures=measures, dimensions=dimensions))
        assert cells == {"count": zeros, "damage_thb:sum": zeros}


def test_filters_keep_rows_with_one_of_the_listed_labels(path: Path) -> None:
    where = {"case_type": ("shopping_scam", "call_center"), "month": ("2025-11",)}
    assert ask(path, factories.query(dimensions=("province",), where=where)) == {"count": [0, 1, 0]}


def test_the_period_is_half_open_in_bangkok_days(path: Path) -> None:
    november = factories.period("2025-11-01", "2025-12-01")
    assert ask(path, factories.query(dimensions=("province",), period=november)) == {"count": [0, 2, 0]}


def test_hours_are_counted_over_the_whole_clock(path: Path) -> None:
    cells = ask(path, factories.query(dimensions=("hour",)))["count"]
    assert len(cells) == 24
    assert (cells[0], cells[8], cells[12], cells[23]) == (1, 2, 2, 1)


def test_a_hostile_filter_value_is_a_value_and_nothing_else(path: Path) -> None:
    query = Query.model_construct(
        measures=("count",), dimensions=("province",), where={"case_type": (HOSTILE,)}, period=factories.period()
    )
    grid = Grid(axes=(Axis(name="province", values=("10", "50", "90")),))
    statement = compile_query(query, CONTRACT, grid)
    assert HOSTILE in statement.parameters
    assert "DROP" not in statement.sql
    assert run(path, statement, query, grid) == {"count": [0, 0, 0]}
    assert sum(ask(path, factories.query())["count"]) == 5, "the table still stands"


def test_every_value_of_a_question_is_bound() -> None:
    query = factories.query(where={"province": ("10", "50")})
    statement = compile_query(query, CONTRACT, grid_of(query, CONTRACT))
    assert set(statement.parameters) == {2, query.period.start, query.period.until, "10", "50"}
    assert not [word for word in ("'10'", "2025") if word in statement.sql]


def test_questions_that_differ_in_their_values_share_a_statement_and_keep_their_own_answers(path: Path) -> None:
    october, november = (factories.period(f"2025-{m}-01", f"2025-{m + 1}-01") for m in (10, 11))
    asked = [(october, "10"), (november, "10"), (november, "50"), (october, "10")]
    queries = [factories.query(dimensions=(), where={"province": (code,)}, period=period) for period, code in asked]
    statements = {compile_query(each, CONTRACT, grid_of(each, CONTRACT)).sql for each in queries}
    assert len(statements) == 1
    assert [ask(path, each)["count"] for each in queries] == [[1], [0], [2], [1]]


def test_more_values_in_a_filter_are_another_statement(path: Path) -> None:
    for codes, counted in ((("10",), [1]), (("10", "50"), [3]), (("50",), [2]), (("10", "50", "90"), [5])):
        assert ask(path, factories.query(dimensions=(), where={"province": codes}))["count"] == counted


def test_a_changed_copy_of_a_contract_is_not_asked_by_the_statement_of_the_first() -> None:
    query = factories.query()
    grid = grid_of(query, CONTRACT)
    unit = CONTRACT.unit.model_copy(update={"rows_per_window": 7})
    changed = CONTRACT.model_copy(update={"unit": unit, "id": "other_complaint"})
    before = compile_query(query, CONTRACT, grid)
    after = compile_query(query, changed, grid)
    assert (2 in before.parameters, 7 in after.parameters, 2 in after.parameters) == (True, True, False)
    assert "rows_other_complaint" in after.sql


def test_no_more_statements_are_kept_parsed_than_a_few(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "MOST_SHAPES", 2)
    sizes = []
    with keeping_open(path):
        for dimensions in ((), ("month",), ("province",), ("hour",), ("month",)):
            assert sum(ask(path, factories.query(dimensions=dimensions))["count"]) in (5, 6)
            with opened_for(path, CONTRACT.id, layout_of(CONTRACT)) as dataset:
                sizes.append(len(dataset.parsed))
    assert sizes == [1, 2, 1, 2, 1]


@pytest.mark.parametrize("name", ["victim_key", 'x" FROM saphan_snapshot --'])
def test_a_name_that_the_contract_does_not_declare_is_never_compiled(name: str) -> None:
    query = Query.model_construct(measures=("count",), dimensions=(), where={name: ("1",)}, period=factories.period())
    with pytest.raises(InvalidInput, match="unknown-dimension"):
        compile_query(query, CONTRACT, Grid(axes=()))
    with pytest.raises(InvalidInput, match="unknown-dimension"):
        compile_query(factories.query(), CONTRACT, Grid(axes=(Axis.model_construct(name=name, values=("1",)),)))


def test_a_measure_that_the_contract_does_not_declare_is_never_compiled() -> None:
    with pytest.raises(InvalidInput, match="unknown-measure"):
        compile_query(factories.query(measures=("rank:sum",), dimensions=()), CONTRACT, Grid(axes=()))


def test_an_answer_says_on_which_data_version_it_was_counted(path: Path) -> None:
    refresh(path, Rows(ROWS), CONTRACT, SECRET, factories.NOW)
    query = factories.query()
    grid = grid_of(query, CONTRACT)
    assert answer(path, compile_query(query, CONTRACT, grid), query, grid).data_version == 2


def test_a_snapshot_made_under_a_wider_clamp_or_bound_is_not_asked(path: Path) -> None:
    narrower = factories.contract(measure_columns=(factories.damage(clamp=(0, 10)),))
    fewer = factories.contract(rows_per_window=1)
    for contract in (narrower, fewer):
        with pytest.raises(IntegrityError, match="snapshot-damaged"):
            ask(path, factories.query(), contract)


def test_a_contract_that_only_says_it_in_other_words_is_answered(path: Path) -> None:
    assert ask(path, factories.query(), factories.contract(version="1.0.1", title=factories.text("Other title")))


def test_without_a_snapshot_there_is_no_answer(path: Path, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="snapshot-missing"):
        ask(tmp_path / "nothing.duckdb", factories.query())
    with pytest.raises(Unavailable, match="snapshot-missing"):
        ask(path, factories.query(), factories.contract(id="other", source="ccib/other"))


def test_a_snapshot_without_its_table_is_damaged(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("DROP TABLE rows_tpo_complaint")
    with pytest.raises(IntegrityError, match="snapshot-damaged"):
        ask(path, factories.query())


def test_a_statement_changes_nothing_in_the_snapshot(path: Path) -> None:
    query = factories.query(dimensions=())
    honest = compile_query(query, CONTRACT, Grid(axes=()))
    for sql in ("DROP TABLE rows_tpo_complaint", "CREATE TABLE x (a INTEGER)"):
        with pytest.raises(IntegrityError, match="snapshot-damaged"):
            run(path, Statement(sql, (), honest.dataset, honest.layout, (1,)), query, Grid(axes=()))
    assert ask(path, query) == {"count": [6]}


def test_the_bound_holds_even_if_the_table_holds_more(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("INSERT INTO rows_tpo_complaint SELECT * REPLACE (rank + 9 AS rank) FROM rows_tpo_complaint")
    assert ask(path, factories.query(dimensions=())) == {"count": [6]}
