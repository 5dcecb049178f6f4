"""A standing series counts by one memory of rows: real snapshots and journals, backups that are restored, new units."""

import tempfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import duckdb
import pytest

from connectors.answer import answer, resume
from connectors.compile import compile_query, run
from connectors.crash import CrashPoint
from connectors.journal.series_tables import SeriesWindow
from connectors.snapshot import Snapshot, refresh
from connectors.snapshot_retention import prune
from contracts.dataset import DatasetContract, ProtectedUnit, Shape
from contracts.errors import Unavailable
from contracts.grid import grid_of
from contracts.query import Series
from tests import factories
from tests.connector_world import PRICE, World, case_types, contract_of, contract_text, refresh_snapshot
from tests.integration.connectors.test_connector_series import NOVEMBER, OCTOBER, asked, give, settle
from tests.integration.connectors.test_snapshot import SECRET, Row, Rows, row, take

pytestmark = pytest.mark.integration

DECEMBER = ("2025-12", "2026-01")
PERSON = factories.text("victim")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, factories.federation())
    world.approve()
    world.approve(contract_text("gateway"))
    yield world
    world.journal.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "snapshot.duckdb"


def another_snapshot() -> bytes:
    """A first snapshot of the same rows, made by itself."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "snapshot.duckdb")
        refresh_snapshot(path)
        return path.read_bytes()


def corrected(day: str) -> list[tuple[str, str, str, str]]:
    """The complaints of one person, as the agency dates them now."""
    return [(key, "p9", day, case_types()[0]) for key in ("x", "y")]


# ---------------------------------------------------------------- a restored backup


@pytest.mark.parametrize("refreshes", [0, 1, 2], ids=["lower", "equal", "higher"])
def test_a_snapshot_that_was_restored_and_refreshed_ends_the_series_of_its_window(world: World, refreshes: int) -> None:
    refresh_snapshot(world.snapshot)
    backup = world.snapshot.read_bytes()
    refresh_snapshot(world.snapshot, corrected("2025-10-10"))
    assert settle(world, OCTOBER, 1).measures[0].cells == (3, 0)

    world.snapshot.write_bytes(backup)
    for _ in range(refreshes):
        refresh_snapshot(world.snapshot, corrected("2025-11-10"))
    assert Snapshot(world.snapshot).data_versions() == {"tpo_complaint": 1 + refreshes}
    part = give(world, asked(NOVEMBER, 2).leased())

    assert (part.refusal, part.charged, part.measures) == ("series-memory-lost", False, ())
    assert world.spent == PRICE
    assert give(world, asked(NOVEMBER, 3, revision=1).leased()).refusal is None


def test_an_honest_sequence_of_refreshes_goes_on_and_counts_no_corrected_row_twice(world: World) -> None:
    refresh_snapshot(world.snapshot, corrected("2025-10-10"))
    parts = [settle(world, OCTOBER, 1)]
    for _ in range(2):
        refresh_snapshot(world.snapshot, corrected("2025-11-10"))
    parts.append(settle(world, NOVEMBER, 2))
    parts.append(settle(world, DECEMBER, 3))

    assert [part.refusal for part in parts] == [None, None, None]
    assert [part.measures[0].cells for part in parts] == [(3, 0), (2, 1), (0, 0)]
    assert world.spent == PRICE


def test_a_backup_between_two_answers_of_the_series_ends_it(world: World) -> None:
    refresh_snapshot(world.snapshot)
    settle(world, OCTOBER, 1)
    backup = world.snapshot.read_bytes()
    refresh_snapshot(world.snapshot)
    settle(world, NOVEMBER, 2)
    world.snapshot.write_bytes(backup)

    assert give(world, asked(DECEMBER, 3).leased()).refusal == "series-memory-lost"


def test_a_backup_that_is_no_older_than_the_last_answer_goes_on(world: World) -> None:
    refresh_snapshot(world.snapshot)
    settle(world, OCTOBER, 1)
    backup = world.snapshot.read_bytes()
    refresh_snapshot(world.snapshot)
    world.snapshot.write_bytes(backup)
    refresh_snapshot(world.snapshot)

    assert settle(world, NOVEMBER, 2).refusal is None


def test_rows_whose_retention_is_over_leave_and_the_series_goes_on(world: World) -> None:
    refresh_snapshot(world.snapshot)
    settle(world, OCTOBER, 1)
    short = contract_of(contract_text()).model_copy(update={"retention_days": 1})

    assert prune(world.snapshot, short, factories.NOW, dry_run=False).digests

    assert settle(world, NOVEMBER, 2).data_version == 2


def test_a_snapshot_of_the_same_number_that_comes_between_charge_and_count_is_not_counted(world: World) -> None:
    def swap(point: CrashPoint) -> None:
        if point is CrashPoint.CHARGE_AFTER_COMMIT:
            world.snapshot.write_bytes(another_snapshot())

    refresh_snapshot(world.snapshot)
    swapping = World(world.folder, world.keys, world.now, swap)
    with pytest.raises(Unavailable, match="snapshot-renewed"):
        answer(asked(OCTOBER).leased(), swapping.desk(), swapping.clock)
    swapping.journal.close()

    (left,) = world.journal.unfinished()
    resume(left, world.desk(), world.clock)

    assert world.posted[-1].refusal == "series-memory-lost"


# ---------------------------------------------------------------- tokens


def test_each_version_has_a_token_and_no_refresh_changes_an_earlier_one(path: Path) -> None:
    for number in (1, 2):
        given = BytesIO(bytes([number]) * 16)
        refresh(path, Rows([row("a")]), factories.contract(), SECRET, factories.NOW, given.read)

    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.table("saphan_versions").fetchall()
    assert found == [("tpo_complaint", 1, "01" * 16), ("tpo_complaint", 2, "02" * 16)]


def test_a_snapshot_from_before_there_were_tokens_gets_one_with_its_next_refresh(world: World) -> None:
    refresh_snapshot(world.snapshot)
    with duckdb.connect(str(world.snapshot)) as connection:
        connection.execute("DROP TABLE saphan_versions")
    with pytest.raises(Unavailable, match="snapshot-missing"):
        answer(asked(OCTOBER).leased(), world.desk(), world.clock)
    assert world.spent == 0

    refresh_snapshot(world.snapshot)

    assert settle(world, OCTOBER, 1).data_version == 2


def test_a_journal_from_before_there_were_tokens_ends_its_series(world: World) -> None:
    settle(world, OCTOBER, 1)
    with world.journal.transaction() as session:
        session.query(SeriesWindow).update({SeriesWindow.token: "6f1c2f0e-6d0c-4b2e-9a55-0d6f6d1f0a11"})

    assert give(world, asked(NOVEMBER, 2).leased()).refusal == "series-memory-lost"


# ---------------------------------------------------------------- rows of a person over a whole series


def counted(path: Path, terms: DatasetContract, months: tuple[str, str], *, counter: bool = False) -> list[int]:
    """The exact cells of one question of a series."""
    query = factories.query(
        dimensions=(),
        period=factories.period(f"{months[0]}-01", f"{months[1]}-01"),
        series=Series(),
        counter=counter,
    )
    grid = grid_of(query, terms)
    return run(path, compile_query(query, terms, grid), query, grid)["count"]


def unit(rows: int, shape: Shape | None = None) -> DatasetContract:
    return factories.contract(unit=ProtectedUnit(person=PERSON, column="victim_key", rows_per_window=rows, shape=shape))


@pytest.mark.parametrize(
    ("own", "between"),
    [
        (unit(2), unit(5)),
        (unit(9, Shape(by=("month",), rows=1, cells=2)), unit(9, Shape(by=("month",), rows=3, cells=3))),
        (unit(9, Shape(by=("month",), rows=1, cells=2)), unit(9, Shape(by=("province",), rows=4, cells=2))),
    ],
    ids=["wider", "wider shape", "other shape"],
)
def test_no_change_of_the_unit_and_back_lets_a_series_count_more_rows_than_its_bound(
    path: Path, own: DatasetContract, between: DatasetContract
) -> None:
    def dated(month: int, names: Sequence[str]) -> list[Row]:
        return [row(f"{name}{month}", at=f"2025-{month}-0{n + 1} 10:00:00") for n, name in enumerate(names)]

    total = 0
    # New rows arrive under the other unit each time, before the series' own unit is asked again.
    for month, months in ((10, OCTOBER), (11, NOVEMBER), (12, DECEMBER)):
        take(path, dated(month, "abcde"), between)
        take(path, dated(month, "cdeab"), own)
        total += sum(counted(path, own, months))

    assert 0 < total <= own.unit.most_rows


def test_where_rows_are_people_a_series_counts_the_rows_of_every_refresh(path: Path) -> None:
    terms = factories.contract(unit=ProtectedUnit(person=factories.text("case"), column=None, rows_per_window=1))
    october, november = row("a", at="2025-10-05 10:00:00"), row("b", at="2025-11-05 10:00:00")
    take(path, [october], terms)
    assert counted(path, terms, OCTOBER) == [1]
    take(path, [october, november, row("c", at="2025-11-06 10:00:00")], terms)

    assert counted(path, terms, NOVEMBER) == [2]


def test_a_row_that_moves_inside_its_month_counts_in_a_monthly_series_and_in_no_counter(path: Path) -> None:
    terms = factories.contract()
    take(path, [row("a", at="2025-10-05 10:00:00")], terms)
    assert any(counted(path, terms, OCTOBER, counter=True))
    take(path, [row("a", at="2025-10-20 10:00:00")], terms)

    assert counted(path, terms, OCTOBER) == [1]
    assert not any(counted(path, terms, OCTOBER, counter=True))
