"""The shape of a person's rows in the snapshot: places are given once, upgrades give nobody a second set of ranks."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
import pytest

from connectors.compile import compile_query, run
from connectors.snapshot import Snapshot, refresh
from contracts.dataset import DatasetContract, Grain, ProtectedUnit, Shape
from contracts.errors import IntegrityError, Unavailable
from contracts.grid import grid_of
from tests import factories
from tests.integration.connectors.test_snapshot import SECRET, Row, Rows, row, table

pytestmark = pytest.mark.integration

MONTHLY = Shape(by=("month",), rows=1, cells=2)


def contract(shape: Shape | None, rows: int = 2) -> DatasetContract:
    unit = ProtectedUnit(person=factories.text("victim"), column="victim_key", rows_per_window=rows, shape=shape)
    return factories.contract(unit=unit)


def take(path: Path, rows: Sequence[Row], terms: DatasetContract) -> None:
    refresh(path, Rows(rows), terms, SECRET, factories.NOW)


def days(path: Path) -> set[str]:
    return {f"{each:%m-%d}" for (each,) in table(path, "event_day") if isinstance(each, date)}


def on(month: int, day: int, key: str | None = None, **changes: object) -> dict[str, object]:
    return row(key or f"{month}-{day}", at=f"2025-{month:02d}-{day:02d} 10:00:00") | changes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "snapshot.duckdb"


def test_a_row_beyond_its_cell_takes_no_rank_so_that_another_month_still_counts(path: Path) -> None:
    take(path, [on(10, 1)], contract(MONTHLY))
    take(path, [on(10, 1), on(10, 2), on(10, 3)], contract(MONTHLY))
    take(path, [on(10, 1), on(10, 2), on(10, 3), on(11, 4)], contract(MONTHLY))
    assert days(path) == {"10-01", "11-04"}
    assert table(path, "rank, cell, place") == [(1, 1, 1), (2, 2, 1)]


def test_cells_beyond_the_number_of_cells_count_nothing(path: Path) -> None:
    shape = Shape(by=("month",), rows=2, cells=1)
    take(path, [on(10, 1)], contract(shape))
    take(path, [on(10, 1), on(11, 2), on(10, 3), on(10, 4)], contract(shape))
    assert "11-02" not in days(path)
    assert len(days(path)) == 2


def test_a_vanished_row_keeps_its_place_from_others_and_finds_it_again(path: Path) -> None:
    take(path, [on(10, 1)], contract(MONTHLY))
    take(path, [on(10, 2)], contract(MONTHLY))
    assert days(path) == set()
    take(path, [on(10, 1), on(10, 2)], contract(MONTHLY))
    assert days(path) == {"10-01"}


def test_a_row_that_moves_to_another_cell_stands_behind_those_that_were_there(path: Path) -> None:
    terms = contract(MONTHLY)
    take(path, [on(10, 1, "a"), on(11, 1, "b")], terms)
    take(path, [on(11, 2, "a"), on(11, 1, "b")], terms)
    assert days(path) == {"11-01"}
    take(path, [on(10, 1, "a"), on(11, 1, "b")], terms)
    assert days(path) == {"10-01", "11-01"}


def test_rows_without_a_label_share_a_cell_of_their_own(path: Path) -> None:
    shape = Shape(by=("province",), rows=1, cells=2)
    take(path, [on(10, 1, province="10"), on(10, 2, province="99"), on(10, 3, province=None)], contract(shape))
    assert sorted(str(label) for (label,) in table(path, "d_province")) == ["10", "None"]


def test_cells_of_two_people_and_of_two_years_have_numbers_of_their_own(path: Path) -> None:
    rows = [on(9, 1), on(10, 1), on(10, 2, victim_key="p2"), on(11, 2, victim_key="p2")]
    take(path, rows, contract(MONTHLY))
    assert len(days(path)) == 4


def old(path: Path, rows: Sequence[Row], terms: DatasetContract) -> None:
    """A snapshot as it was made before there were shapes."""
    take(path, rows, terms)
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE saphan_snapshot SET format = 1")
        connection.execute("ALTER TABLE rows_tpo_complaint DROP COLUMN cell")
        connection.execute("ALTER TABLE rows_tpo_complaint DROP COLUMN place")


def test_a_snapshot_of_the_older_format_is_refreshed_and_nobody_gets_ranks_anew(path: Path) -> None:
    old(path, [on(10, 1), on(10, 2)], contract(None))
    take(path, [on(10, 2), on(10, 3), on(11, 4)], contract(None))
    assert days(path) == {"10-02"}, "what is gone took its rank along"
    assert Snapshot(path).data_versions() == {"tpo_complaint": 2}


def test_a_shape_that_comes_later_starts_from_the_ranks_that_were_given(path: Path) -> None:
    old(path, [on(10, 1), on(10, 2)], contract(None))
    take(path, [on(10, 1), on(10, 2), on(11, 3)], contract(MONTHLY))
    ((rank, place),) = table(path, "rank, place")
    assert (rank, place) == (1, 1), "the other row of October keeps its rank, and November would be the third"


def test_an_older_snapshot_is_asked_only_after_its_refresh(path: Path) -> None:
    old(path, [on(10, 1)], contract(None))
    query = factories.query(dimensions=())
    statement = compile_query(query, contract(None), grid_of(query, contract(None)))
    with pytest.raises(Unavailable, match="snapshot-missing"):
        run(path, statement, query, grid_of(query, contract(None)))


def test_a_snapshot_of_a_format_to_come_is_not_touched(path: Path) -> None:
    take(path, [on(10, 1)], contract(None))
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE saphan_snapshot SET format = 99")
    with pytest.raises(IntegrityError, match="snapshot-damaged"):
        take(path, [on(10, 1)], contract(None))


def test_wider_cells_let_rows_in_behind_the_ranks_that_were_given(path: Path) -> None:
    rows = [on(10, 1), on(10, 2), on(11, 3)]
    take(path, rows, contract(MONTHLY, rows=3))
    kept = set(table(path, "event_day, rank"))
    take(path, rows, contract(Shape(by=("month",), rows=2, cells=2), rows=3))
    assert kept < set(table(path, "event_day, rank"))
    assert {rank for (rank,) in table(path, "rank")} == {1, 2, 3}


def test_a_shape_of_other_dimensions_and_back_again_finds_the_places_it_gave(path: Path) -> None:
    rows = [on(10, 1), on(10, 2)]
    take(path, rows, contract(MONTHLY))
    kept = days(path)
    take(path, rows, contract(Shape(by=("province",), rows=2, cells=1)))
    take(path, rows[::-1], contract(MONTHLY))
    assert days(path) == kept


def test_a_snapshot_of_another_shape_is_not_asked(path: Path) -> None:
    take(path, [on(10, 1)], contract(None))
    query = factories.query(dimensions=())
    statement = compile_query(query, contract(MONTHLY), grid_of(query, contract(MONTHLY)))
    with pytest.raises(IntegrityError, match="snapshot-damaged"):
        run(path, statement, query, grid_of(query, contract(MONTHLY)))


@pytest.mark.parametrize("column", ["place", "cell"])
def test_the_shape_holds_even_if_the_table_holds_more(path: Path, column: str) -> None:
    terms, query = contract(MONTHLY), factories.query(dimensions=())
    grid = grid_of(query, terms)
    take(path, [on(10, 1)], terms)
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"INSERT INTO rows_tpo_complaint SELECT * REPLACE (9 AS {column}) FROM rows_tpo_complaint")  # noqa: S608  # a name
    assert run(path, compile_query(query, terms, grid), query, grid) == {"count": [1]}


def test_no_label_of_a_cell_is_stored_beside_a_person(path: Path) -> None:
    take(path, [on(10, 1)], contract(Shape(by=("province", "case_type"), rows=1, cells=2)))
    with duckdb.connect(str(path), read_only=True) as connection:
        names = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        cells = next(name for name in names if name.startswith("cells_"))
        columns = connection.table(f'"{cells}"').columns
    assert columns == ["hash", "person", "fiscal_year", "number"]


def test_a_question_by_fiscal_year_is_counted_by_the_snapshot_s_own_years(path: Path) -> None:
    year = factories.dimension("fiscal_year", grain=Grain.YEAR)
    terms = factories.contract(dimensions=(*factories.DIMENSIONS, year), rows_per_window=9)
    query = factories.query(dimensions=("fiscal_year",), period=factories.period("2025-09-01", "2025-12-01"))
    grid = grid_of(query, terms)
    take(path, [on(9, 30), on(10, 1), on(11, 5)], terms)
    assert [each.values for each in grid.axes] == [("FY2568", "FY2569")]
    assert run(path, compile_query(query, terms, grid), query, grid) == {"count": [1, 2]}
