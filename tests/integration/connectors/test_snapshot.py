"""The ranked snapshot: ranks are given once, by first arrival, and nothing but what contracts need is kept."""

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from stat import S_IMODE

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pytest

from connectors.snapshot import Snapshot, refresh
from contracts.dataset import DatasetContract, Dimension, Grain, ProtectedUnit
from contracts.errors import IntegrityError, InvalidInput, Unavailable
from tests import factories

pytestmark = pytest.mark.integration

SECRET = b"a secret of the connector"
BANGKOK = timezone(timedelta(hours=7))
Row = Mapping[str, object]


class Rows:
    """A source that has these rows, all columns as they are given."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows

    def batches(self, table: str, columns: Sequence[str], batch_rows: int = 2) -> Iterator[pa.Table]:
        for start in range(0, len(self.rows), batch_rows):
            part = self.rows[start : start + batch_rows]
            yield pa.table({name: pa.array([row.get(name) for row in part]) for name in columns})


class Broken:
    """A source whose server goes away after the first rows."""

    def batches(self, table: str, columns: Sequence[str], batch_rows: int = 2) -> Iterator[pa.Table]:
        yield from Rows([row("a"), row("b")]).batches(table, columns, batch_rows)
        raise Unavailable("source-unreachable", source="postgresql")


class Jealous:
    """A source that looks, while it is read, whether a second refresh could begin."""

    def __init__(self, lock: Path) -> None:
        self._lock = lock

    def batches(self, table: str, columns: Sequence[str], batch_rows: int = 2) -> Iterator[pa.Table]:
        with self._lock.open("w") as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield from Rows([row("a")]).batches(table, columns, batch_rows)


def row(
    key: str, person: str | None = "p1", at: object = "2025-11-05 10:00:00", **changes: object
) -> dict[str, object]:
    return {
        "complaint_id": key,
        "victim_key": person,
        "event_time": at,
        "province": "10",
        "case_type": "romance_scam",
        "damage_thb": 100.0,
        **changes,
    }


def take(path: Path, rows: Sequence[Row], contract: DatasetContract | None = None) -> None:
    refresh(path, Rows(rows), contract or factories.contract(), SECRET, factories.NOW)


def table(path: Path, columns: str, dataset: str = "tpo_complaint") -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.table(f"rows_{dataset}").project(columns).order(columns).fetchall()


def ranks(path: Path) -> list[tuple[object, ...]]:
    """The ranks that were given, by the day of the event, which stands for the row."""
    return table(path, "event_day, rank")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "snapshot.duckdb"


def day(number: int) -> str:
    return f"2025-11-{number:02d} 10:00:00"


def days(path: Path) -> dict[int, object]:
    return {each.day: rank for each, rank in ranks(path) if isinstance(each, date)}


WIDE = factories.contract(rows_per_window=9)


def test_rows_seen_before_keep_their_rank_and_new_rows_come_after_them(path: Path) -> None:
    take(path, [row("b", at=day(2)), row("c", at=day(3))], WIDE)
    before = days(path)
    take(path, [row("a", at=day(1)), row("b", at=day(2)), row("c", at=day(3)), row("d", at=day(4))], WIDE)
    after = days(path)
    assert {after[2], after[3]} == {1, 2}
    assert {number: after[number] for number in before} == before
    assert {after[1], after[4]} == {3, 4}


def test_refreshing_the_same_data_changes_nothing_but_the_version(path: Path) -> None:
    rows = [row(str(n), f"p{n % 3}", day(1 + n)) for n in range(20)]
    take(path, rows, WIDE)
    before = table(path, "*")
    take(path, rows[::-1], WIDE)
    assert table(path, "*") == before
    assert Snapshot(path).data_versions() == {"tpo_complaint": 2}


def test_a_removed_row_takes_its_rank_along(path: Path) -> None:
    take(path, [row("a", at=day(1)), row("b", at=day(2))], WIDE)
    gone = days(path)[1]
    take(path, [row("b", at=day(2)), row("c", at=day(3))], WIDE)
    assert 1 not in days(path)
    assert gone not in days(path).values()
    take(path, [row("a", at=day(1)), row("b", at=day(2)), row("c", at=day(3))], WIDE)
    assert days(path)[1] == gone, "the row itself finds its rank again"


def test_a_row_whose_content_changed_keeps_its_rank_and_shows_the_new_content(path: Path) -> None:
    take(path, [row("a", at=day(1)), row("b", at=day(2))], WIDE)
    before = days(path)
    take(path, [row("a", at=day(1), province="50"), row("b", at=day(2))], WIDE)
    assert days(path) == before
    assert table(path, "d_province") == [("10",), ("50",)]


def test_a_row_that_moves_to_another_year_or_person_never_shares_a_rank(path: Path) -> None:
    start = [row("a", "p1", day(1)), row("b", "p1", "2024-11-02 10:00:00"), row("c", "p2", day(3))]
    take(path, start, WIDE)
    moved = [row("a", "p1", day(1)), row("b", "p1", day(2)), row("c", "p1", day(3))]
    take(path, moved, WIDE)
    assert sorted(str(rank) for rank in days(path).values()) == ["1", "2", "3"]
    assert days(path)[1] == 1
    take(path, start, WIDE)
    assert {rank for _, rank in ranks(path)} == {1}


def test_rows_beyond_the_bound_are_not_kept(path: Path) -> None:
    take(path, [row(str(n), "p1", day(1 + n)) for n in range(5)])
    assert sorted(str(rank) for _, rank in ranks(path)) == ["1", "2"]
    info = Snapshot(path).info("tpo_complaint")
    assert (info.rows, info.kept_rows, info.persons, info.data_version) == (5, 2, 1, 1)


def test_the_order_of_rows_in_the_source_decides_no_rank(tmp_path: Path) -> None:
    rows = [row(str(n), "p1", day(1 + n)) for n in range(9)]
    take(tmp_path / "one", rows, WIDE)
    take(tmp_path / "two", rows[::-1], WIDE)
    assert days(tmp_path / "one") == days(tmp_path / "two")
    assert list(days(tmp_path / "one").values()) != sorted(days(tmp_path / "one").values(), key=str)


def test_another_secret_gives_other_ranks_and_no_key_is_stored(path: Path, tmp_path: Path) -> None:
    rows = [row(f"row-{n:04d}", "person-1234567890123", day(1 + n)) for n in range(9)]
    take(path, rows, WIDE)
    other = tmp_path / "other"
    refresh(other, Rows(rows), WIDE, b"quite another secret", factories.NOW)
    assert days(path) != days(other)
    assert b"row-0003" not in path.read_bytes()
    assert b"person-1234567890123" not in path.read_bytes()
    with duckdb.connect(str(path), read_only=True) as connection:
        kept = {name for name, *_ in connection.execute("SHOW TABLES").fetchall()}
        known = connection.table("people_tpo_complaint").columns
    tables = {f"{kind}_tpo_complaint" for kind in ("rows", "people", "ranks", "outside", "series")}
    assert kept == {"saphan_snapshot", "saphan_versions", *tables}
    assert known == ["hash", "number"]


@pytest.mark.parametrize(
    ("instant", "month", "week", "hour", "weekday", "year"),
    [
        ("2025-09-30T17:00:00Z", "2025-10", "2025-W40", "00", "wed", 2569),
        ("2025-09-30 16:59:59.5+00:00", "2025-09", "2025-W40", "23", "tue", 2568),
        ("2025-09-30 23:59:59+07", "2025-09", "2025-W40", "23", "tue", 2568),
        ("2025-09-30 23:59:59", "2025-09", "2025-W40", "23", "tue", 2568),
        ("2025-10-01", "2025-10", "2025-W40", "00", "wed", 2569),
        (datetime(2025, 9, 30, 23, 30), "2025-09", "2025-W40", "23", "tue", 2568),  # noqa: DTZ001  # a clock on a wall
        (datetime(2025, 10, 1, 0, 30, tzinfo=BANGKOK), "2025-10", "2025-W40", "00", "wed", 2569),
        (date(2025, 10, 5), "2025-10", "2025-W40", "00", "sun", 2569),
        (date(2024, 12, 30), "2024-12", "2025-W01", "00", "mon", 2568),
    ],
)
def test_time_is_what_the_clock_on_a_wall_in_bangkok_shows(  # noqa: PLR0913, PLR0917  # one argument for each grain
    path: Path, instant: object, month: str, week: str, hour: str, weekday: str, year: int
) -> None:
    dimensions = tuple(factories.dimension(grain.value, grain=grain) for grain in Grain)
    take(path, [row("a", at=instant)], factories.contract(dimensions=dimensions))
    assert table(path, "d_month, d_week, d_hour, d_weekday, fiscal_year") == [(month, week, hour, weekday, year)]


@pytest.mark.parametrize("instant", [None, "soon", "", "2021-09-30 23:59:59", "2026-10-01 00:00:00"])
def test_a_row_without_an_instant_in_the_contracts_months_is_left_out(path: Path, instant: object) -> None:
    take(path, [row("a", at=instant), row("b")])
    assert Snapshot(path).info("tpo_complaint").kept_rows == 1


def test_a_row_of_nobody_is_left_out(path: Path) -> None:
    take(path, [row("a", None), row("b")])
    assert Snapshot(path).info("tpo_complaint").kept_rows == 1


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (12.5, 13), (12.4, 12), (-5.0, 0), (1e300, 100_000), (None, None), (float("nan"), None),
        (float("inf"), None), (float("-inf"), None), ("17.6", 18), ("many", None), (250_000, 100_000), (-0.0, 0),
        (1e308, 100_000), (2**63 - 1, 100_000), ("1e999", None),
    ],
)  # fmt: skip
def test_a_measure_is_a_whole_number_inside_its_clamp_whatever_the_source_says(
    path: Path, value: object, kept: int | None
) -> None:
    take(path, [row("a", damage_thb=value)])
    assert table(path, "m_damage_thb") == [(kept,)]


def test_what_is_no_number_is_no_amount_even_where_the_clamp_begins_above_zero(path: Path) -> None:
    contract = factories.contract(measure_columns=(factories.damage(clamp=(10, 20)),))
    take(path, [row("a", damage_thb=None)], contract)
    assert table(path, "m_damage_thb") == [(None,)]


def test_a_value_outside_the_code_list_has_no_label_but_keeps_its_rank(path: Path) -> None:
    take(path, [row("a", province="99"), row("b", province=None), row("c", province="x'; DROP TABLE t")], WIDE)
    assert table(path, "d_province, rank") == [(None, 1), (None, 2), (None, 3)]


def test_labels_come_from_code_lists(path: Path) -> None:
    def of(name: str, column: str, code_list: str, via: str | None, *values: str) -> Dimension:
        fields = {"name": name, "title": factories.text(name), "column": column}
        return Dimension.model_validate({**fields, "code_list": code_list, "via": via, "values": values})

    dimensions = (
        of("police_region", "province", "police_commands", "provinces", "BMB", "P5"),
        of("age_band", "victim_age", "age_bands", "age_bands", "A30_44", "A60P"),
        of("linked", "linked", "yes_no", None, "Y", "N"),
    )
    rows = [
        row("a", province="10", victim_age=44, linked=True),
        row("b", province="50", victim_age=95, linked=False),
        row("c", province="99", victim_age=None, linked=None),
    ]
    take(path, rows, factories.contract(rows_per_window=9, dimensions=dimensions))
    labels = table(path, "d_police_region, d_age_band, d_linked")
    assert labels[:2] == [("BMB", "A30_44", "Y"), ("P5", "A60P", "N")]


def test_an_unlisted_code_falls_under_the_lists_code_for_the_rest(path: Path) -> None:
    sex = Dimension(
        name="sex", title=factories.text("sex"), column="sex", code_list="sex_codes", values=("F", "M", "U")
    )
    take(path, [row("a", sex="F"), row("b", sex="?")], factories.contract(dimensions=(sex,)))
    assert table(path, "d_sex") == [("F",), ("U",)]


def test_without_a_person_column_every_row_is_a_person_of_its_own(path: Path) -> None:
    unit = ProtectedUnit(person=factories.text("incident"), column=None, rows_per_window=1)
    take(path, [row(str(n), None, day(1 + n)) for n in range(5)], factories.contract(unit=unit))
    assert {rank for _, rank in ranks(path)} == {1}
    assert len(set(table(path, "person"))) == 5
    assert Snapshot(path).info("tpo_complaint").persons == 5


@pytest.mark.parametrize("keys", [("a", "a"), (None, "b")])
def test_rows_without_a_key_of_their_own_stop_the_refresh(path: Path, keys: tuple[str | None, str | None]) -> None:
    with pytest.raises(InvalidInput, match="source-mismatch") as caught:
        take(path, [row(str(key)) | {"complaint_id": key} for key in keys])
    assert caught.value.details == {"contract": "tpo_complaint", "where": "complaint_id is not a key"}
    assert not path.exists()


def test_a_column_of_numbers_is_no_column_of_times(path: Path) -> None:
    with pytest.raises(InvalidInput, match="source-mismatch"):
        take(path, [row("a", at=1_700_000_000)])


def test_a_source_that_fails_half_way_leaves_the_snapshot_as_it_was(path: Path) -> None:
    take(path, [row("a")])
    before = path.read_bytes()
    with pytest.raises(Unavailable, match="source-unreachable"):
        refresh(path, Broken(), factories.contract(), SECRET, factories.NOW)
    assert path.read_bytes() == before
    assert {each.name for each in path.parent.iterdir()} == {"snapshot.duckdb", "snapshot.duckdb.lock"}


def test_the_file_is_for_its_owner_alone(path: Path) -> None:
    take(path, [row("a")])
    assert S_IMODE(path.stat().st_mode) == 0o600


def test_several_datasets_live_in_one_file_each_with_its_own_version(path: Path) -> None:
    take(path, [row("a")])
    take(path, [row("a")])
    take(path, [row("a")], factories.contract(id="second", table="second", source="ccib/second"))
    assert Snapshot(path).data_versions() == {"second": 1, "tpo_complaint": 2}


def test_before_the_first_refresh_there_is_no_version_and_no_info(path: Path) -> None:
    assert Snapshot(path).data_versions() == {}
    with pytest.raises(Unavailable, match="snapshot-missing"):
        Snapshot(path).info("tpo_complaint")


@pytest.mark.parametrize("content", [b"", b"this is no database" * 500])
def test_a_file_that_is_no_database_is_damaged(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="snapshot-damaged"):
        Snapshot(path).data_versions()
    with pytest.raises(IntegrityError, match="snapshot-damaged"):
        take(path, [row("a")])
    assert path.read_bytes() == content


def test_a_database_of_somebody_else_is_damaged(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE other (a INTEGER)")
    with pytest.raises(IntegrityError, match="snapshot-damaged"):
        Snapshot(path).data_versions()


def test_a_refresh_with_another_secret_is_refused(path: Path) -> None:
    take(path, [row("a")])
    with pytest.raises(IntegrityError, match="snapshot-damaged"):
        refresh(path, Rows([row("a")]), factories.contract(), b"quite another secret", factories.NOW)


def test_a_short_secret_is_refused(path: Path) -> None:
    with pytest.raises(InvalidInput, match="setting-invalid"):
        refresh(path, Rows([row("a")]), factories.contract(), b"short", factories.NOW)


def test_an_empty_source_makes_an_empty_dataset(path: Path) -> None:
    take(path, [])
    assert Snapshot(path).info("tpo_complaint").kept_rows == 0


def test_a_refresh_waits_for_the_one_that_is_running(path: Path) -> None:
    refresh(path, Jealous(path.with_name("snapshot.duckdb.lock")), factories.contract(), SECRET, factories.NOW)
    assert Snapshot(path).info("tpo_complaint").rows == 1
