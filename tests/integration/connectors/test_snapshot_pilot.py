"""The pilot: rows outside it are counted by public code and never imported; it can be widened."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pytest

from connectors.compile import compile_query, run
from connectors.snapshot import Outside, Snapshot, refresh
from contracts.dataset import DatasetContract, Dimension, Pilot, ProtectedUnit
from contracts.errors import IntegrityError, InvalidInput
from contracts.grid import grid_of
from tests import factories

pytestmark = pytest.mark.integration

SECRET = b"a secret of the connector"
DATASET = "tpo_complaint"
PROVINCE = Dimension(
    name="province",
    title=factories.text("province"),
    column="province",
    code_list="provinces",
    values=("10", "20", "50"),
)
TIMES = tuple(each for each in factories.DIMENSIONS if each.name != "province")


class Rows:
    """A source that has these rows, two at a time."""

    def __init__(self, rows: Sequence[Mapping[str, object]]) -> None:
        self._rows = rows

    def batches(self, table: str, columns: Sequence[str], batch_rows: int = 2) -> Iterator[pa.Table]:
        for start in range(0, len(self._rows), batch_rows):
            part = self._rows[start : start + batch_rows]
            yield pa.table({name: pa.array([row[name] for row in part]) for name in columns})


def row(key: str, person: str | None, province: str | None, at: str = "2025-11-05 10:00:00") -> dict[str, object]:
    case = {"case_type": "romance_scam", "damage_thb": 100.0}
    return {"complaint_id": key, "victim_key": person, "event_time": at, "province": province, **case}


def piloted(*codes: str, **changes: object) -> DatasetContract:
    pilot = Pilot(column="province", codes=codes) if codes else None
    return factories.contract(**{"dimensions": (*TIMES, PROVINCE), "pilot": pilot, **changes})


def take(path: Path, rows: Sequence[Mapping[str, object]], contract: DatasetContract) -> Snapshot:
    refresh(path, Rows(rows), contract, SECRET, factories.NOW)
    return Snapshot(path)


def ranks(path: Path) -> int:
    with duckdb.connect(str(path), read_only=True) as connection:
        return len(connection.table(f"ranks_{DATASET}").fetchall())


ROWS = [
    row("a", "p1", "10"),
    row("b", "p1", "20"),
    row("c", "p2", "20"),
    row("d", "p2", "50"),
    row("e", "p3", "Bangkok, 5 Sukhumvit"),
    row("f", "p3", None),
    row("g", None, "20"),
    row("h", "p3", "20", "1999-01-01 00:00:00"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "snapshot.duckdb"


def test_rows_outside_the_pilot_are_counted_by_public_code_and_others_together(path: Path) -> None:
    snapshot = take(path, ROWS, piloted("10"))
    assert snapshot.outside(DATASET) == (Outside("20", 2), Outside("50", 1), Outside(None, 2))
    info = snapshot.info(DATASET)
    assert (info.rows, info.kept_rows, info.persons) == (8, 1, 1)


def test_a_row_outside_the_pilot_gets_no_rank_and_its_person_no_number(path: Path) -> None:
    take(path, ROWS, piloted("10"))
    assert ranks(path) == 1
    with duckdb.connect(str(path), read_only=True) as connection:
        assert len(connection.table(f"people_{DATASET}").fetchall()) == 1
    assert b"Sukhumvit" not in path.read_bytes()


def test_rows_enter_when_the_pilot_widens_and_rank_behind_those_that_were_there(path: Path) -> None:
    rows = [row("a", "p1", "20"), row("b", "p1", "10"), row("c", "p1", "20")]
    take(path, rows, piloted("10", rows_per_window=2))
    snapshot = take(path, rows, piloted("10", "20", rows_per_window=2, version="1.1.0"))
    assert snapshot.outside(DATASET) == ()
    with duckdb.connect(str(path), read_only=True) as connection:
        kept = connection.table(f"rows_{DATASET}").project("d_province, rank").order("rank").fetchall()
    assert kept == [("10", 1), ("20", 2)]


def test_without_a_pilot_the_whole_country_takes_part(path: Path) -> None:
    take(path, ROWS, piloted("10"))
    snapshot = take(path, ROWS, piloted())
    assert snapshot.outside(DATASET) == ()
    assert snapshot.info(DATASET).persons == 3


def test_a_place_outside_the_pilot_looks_like_an_empty_place(path: Path) -> None:
    contract = piloted("10")
    take(path, ROWS, contract)
    query = factories.query(dimensions=("province",))
    grid = grid_of(query, contract)
    assert grid.axes[0].values == ("10", "20", "50")
    assert run(path, compile_query(query, contract, grid), query, grid)["count"] == [1, 0, 0]


def test_a_snapshot_that_was_built_for_another_pilot_is_not_asked(path: Path) -> None:
    take(path, ROWS, piloted("10", "20"))
    contract = piloted("10")
    query = factories.query(dimensions=())
    grid = grid_of(query, contract)
    with pytest.raises(IntegrityError, match="snapshot-damaged"):
        run(path, compile_query(query, contract, grid), query, grid)


def test_a_snapshot_that_was_built_for_another_clamp_of_a_code_is_not_asked(path: Path) -> None:
    def clamped(most: int) -> DatasetContract:
        measured = factories.damage(clamp_by="case_type", clamps={"romance_scam": (0, most)})
        return piloted(measure_columns=(measured,))

    take(path, ROWS, clamped(60))
    query = factories.query(measures=("damage_thb:sum",), dimensions=())
    grid = grid_of(query, clamped(60))
    assert run(path, compile_query(query, clamped(60), grid), query, grid)["damage_thb:sum"] == [6 * 60]
    with pytest.raises(IntegrityError, match="snapshot-damaged"):
        run(path, compile_query(query, clamped(50), grid), query, grid)


def test_a_pilot_also_limits_rows_that_are_each_a_person_of_their_own(path: Path) -> None:
    alone = ProtectedUnit(person=factories.text("respondent"), column=None, rows_per_window=1)
    snapshot = take(path, ROWS, piloted("20", unit=alone))
    assert (snapshot.info(DATASET).kept_rows, snapshot.outside(DATASET)[0]) == (3, Outside("10", 1))


def test_a_pilot_of_codes_that_no_dimension_offers_is_refused(path: Path) -> None:
    with pytest.raises(InvalidInput, match="pilot-without-codes"):
        take(path, ROWS, piloted("99"))


def test_before_the_first_refresh_nothing_lies_outside(path: Path) -> None:
    assert Snapshot(path).outside(DATASET) == ()
    take(path, ROWS, piloted("10"))
    assert Snapshot(path).outside("dop_case") == ()
