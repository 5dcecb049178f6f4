"""A snapshot that is kept open between its readers: a replaced or damaged file is noticed, and nobody is cut off."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from connectors import compile as compiler
from connectors import snapshot_files
from connectors.compile import answer, compile_query
from connectors.snapshot import Snapshot, keeping_open, opened, refresh
from contracts.errors import IntegrityError, Unavailable
from contracts.grid import grid_of
from contracts.query import Query
from tests import factories
from tests.integration.connectors.test_snapshot import SECRET, Rows, row

pytestmark = pytest.mark.integration

CONTRACT = factories.contract()
ROWS = [row("a", "p1", province="10"), row("b", "p2", province="50"), row("c", "p3", province="50")]
QUERY = factories.query(measures=("count",), dimensions=("province",))


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    made = tmp_path / "snapshot.duckdb"
    refresh(made, Rows(ROWS[:2]), CONTRACT, SECRET, factories.NOW)
    with keeping_open(made):
        yield made


def counted(path: Path, query: Query = QUERY) -> tuple[int, int]:
    """The version that was read, and how many rows were counted in all."""
    grid = grid_of(query, CONTRACT)
    exact = answer(path, compile_query(query, CONTRACT, grid), query, grid)
    return exact.data_version, sum(exact.cells["count"])


def test_the_file_is_opened_once_for_several_answers(path: Path) -> None:
    opened_files: list[Path] = []
    kept = snapshot_files.kept(path)
    assert kept is not None
    connect = kept.connect

    def noted(file: Path) -> object:
        opened_files.append(file)
        return connect(file)

    kept.connect = noted  # type: ignore[assignment]  # it gives what ``connect`` gave
    assert [counted(path), counted(path), counted(path)] == [(1, 2)] * 3
    assert Snapshot(path).info(CONTRACT.id).data_version == 1

    assert opened_files == [path]


def test_a_refresh_is_seen_by_the_next_answer(path: Path) -> None:
    assert counted(path) == (1, 2)
    refresh(path, Rows(ROWS), CONTRACT, SECRET, factories.NOW)

    assert counted(path) == (2, 3)
    assert Snapshot(path).data_versions() == {CONTRACT.id: 2}


def test_who_reads_during_a_refresh_goes_on_with_the_old_file_and_the_next_waits_for_him(path: Path) -> None:
    seen: list[tuple[int, int]] = []
    asked = Event()

    def next_one() -> None:
        asked.set()
        seen.append(counted(path))

    with opened(path, read_only=True) as connection:
        refresh(path, Rows(ROWS), CONTRACT, SECRET, factories.NOW)
        thread = Thread(target=next_one)
        thread.start()
        asked.wait()
        (old,) = connection.execute("SELECT data_version FROM saphan_snapshot").fetchone() or (None,)
    thread.join()

    assert (old, seen) == (1, [(2, 3)])


def test_a_file_that_somebody_wrote_over_is_not_answered_from_memory(path: Path) -> None:
    assert counted(path) == (1, 2)
    path.write_bytes(b"not a database at all" * 1000)

    with pytest.raises(IntegrityError, match="snapshot-damaged"):
        counted(path)


def test_a_file_that_was_taken_away_is_missed(path: Path) -> None:
    assert counted(path) == (1, 2)
    path.unlink()

    with pytest.raises(Unavailable, match="snapshot-missing"):
        counted(path)


def test_after_an_error_the_file_is_opened_anew(path: Path) -> None:
    with pytest.raises(IntegrityError, match="snapshot-damaged"), opened(path, read_only=True) as connection:
        connection.execute("SELECT nothing FROM nowhere")

    assert counted(path) == (1, 2)


def test_a_layout_that_the_file_was_not_made_under_is_refused_each_time(path: Path) -> None:
    wider = CONTRACT.model_copy(update={"first_month": "2020-01"})
    grid = grid_of(QUERY, wider)
    for _ in range(2):
        with pytest.raises(IntegrityError, match="snapshot-damaged"):
            answer(path, compile_query(QUERY, wider, grid), QUERY, grid)


def test_nothing_is_kept_when_the_block_is_over(tmp_path: Path) -> None:
    made = tmp_path / "other.duckdb"
    with keeping_open(made):
        assert snapshot_files.kept(made) is not None

    assert snapshot_files.kept(made) is None


def test_rows_and_columns_give_the_same_cells(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    query = factories.query(measures=("count", "damage_thb:sum"), dimensions=("month", "province"))
    grid = grid_of(query, CONTRACT)
    statement = compile_query(query, CONTRACT, grid)
    by_rows = answer(path, statement, query, grid)
    monkeypatch.setattr(compiler, "FEW_CELLS", 0)

    assert answer(path, statement, query, grid) == by_rows
    assert sum(by_rows.cells["count"]) == 2
