"""What one person can change in any exact answer, and that exact answers are exact."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.compile import compile_query, run
from connectors.snapshot import refresh
from contracts.dataset import DatasetContract
from contracts.grid import grid_of
from contracts.query import Query
from tests import factories

pytestmark = pytest.mark.property

SECRET = b"a secret of the connector"
COLUMNS = ("complaint_id", "victim_key", "event_time", "province", "case_type", "damage_thb")
Row = tuple[str, str, datetime, str, str, float]
LIMITED = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True, slots=True)
class Rows:
    """A source that has these rows."""

    rows: Sequence[Row]

    def batches(self, table: str, columns: Sequence[str], batch_rows: int = 50_000) -> Iterator[pa.Table]:
        for start in range(0, len(self.rows), batch_rows):
            part = self.rows[start : start + batch_rows]
            yield pa.table({name: pa.array([row[COLUMNS.index(name)] for row in part]) for name in columns})


BEGIN = datetime(2025, 7, 1)  # noqa: DTZ001  # a clock on a wall in Bangkok
rows_of_people = st.lists(
    st.tuples(
        st.sampled_from(["p1", "p2", "p3", "p4"]),
        st.integers(0, 180 * 24).map(lambda hours: BEGIN + timedelta(hours=hours)),
        st.sampled_from(["10", "50", "90", "99"]),
        st.sampled_from(["romance_scam", "shopping_scam", "other"]),
        st.one_of(st.integers(-10, 200_000).map(float), st.just(float("nan"))),
    ),
    max_size=40,
).map(lambda rows: [(f"row-{number}", *each) for number, each in enumerate(rows)])
queries = st.builds(
    lambda dimensions, provinces, months: factories.query(
        measures=("count", "damage_thb:sum"),
        dimensions=tuple(dimensions),
        where={"province": tuple(provinces)} if provinces else {},
        period=factories.period(*months),
    ),
    st.lists(st.sampled_from(["month", "province", "case_type", "hour"]), unique=True, max_size=3),
    st.lists(st.sampled_from(["10", "50"]), unique=True),
    st.sampled_from([("2025-07-01", "2026-01-01"), ("2025-09-01", "2025-11-01"), ("2025-10-01", "2026-01-01")]),
)


def _answers(history: Sequence[Sequence[Row]], query: Query, contract: DatasetContract) -> dict[str, list[int]]:
    grid = grid_of(query, contract)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "snapshot.duckdb"
        for rows in history:
            refresh(path, Rows(rows), contract, SECRET, factories.NOW)
        return run(path, compile_query(query, contract, grid), query, grid)


@LIMITED
@given(rows=rows_of_people, query=queries, bound=st.integers(1, 3), later=st.integers(0, 40))
def test_taking_one_person_out_changes_at_most_the_bound_in_each_window(
    rows: list[Row], query: Query, bound: int, later: int
) -> None:
    contract = factories.contract(rows_per_window=bound)
    history = [rows[later:], rows]
    with_everybody = _answers(history, query, contract)
    without = _answers([[row for row in each if row[1] != "p1"] for each in history], query, contract)
    changed = {
        measure: sum(abs(one - other) for one, other in zip(cells, without[measure], strict=True))
        for measure, cells in with_everybody.items()
    }
    most = bound * len(query.period.windows())
    assert changed["count"] <= most
    assert changed["damage_thb:sum"] <= most * 100_000


@LIMITED
@given(rows=rows_of_people, query=queries)
def test_exact_cells_equal_a_count_by_hand(rows: list[Row], query: Query) -> None:
    contract = factories.contract(rows_per_window=1000)
    grid = grid_of(query, contract)
    counts: dict[tuple[str, ...], int] = defaultdict(int)
    sums: dict[tuple[str, ...], int] = defaultdict(int)
    for _, _, instant, province, case_type, damage in rows:
        labels = {
            "month": f"{instant:%Y-%m}",
            "hour": f"{instant:%H}",
            "province": province,
            "case_type": case_type,
        }
        if not query.period.start <= instant.date() < query.period.until:
            continue
        if any(labels[name] not in values for name, values in query.where.items()):
            continue
        key = tuple(labels[name] for name in query.dimensions)
        counts[key] += 1
        sums[key] += 0 if damage != damage else int(min(max(damage, 0), 100_000))  # noqa: PLR0124  # NaN differs
    cells = _answers([rows], query, contract)
    assert cells["count"] == [counts[key] for key in grid.keys()]  # noqa: SIM118  # a grid is no mapping
    assert cells["damage_thb:sum"] == [sums[key] for key in grid.keys()]  # noqa: SIM118  # a grid is no mapping


@LIMITED
@given(rows=rows_of_people)
def test_no_rank_is_ever_given_twice_to_one_person_in_one_window(rows: list[Row]) -> None:
    contract = factories.contract(rows_per_window=1)
    query = factories.query(dimensions=(), period=factories.period("2025-10-01", "2026-01-01"))
    moved = [(key, "p1", *rest) for key, _, *rest in rows]
    people = {row[1] for row in rows if row[2].date() >= query.period.start and row[2].date() < query.period.until}
    assert _answers([rows], query, contract)["count"][0] == len(people)
    assert _answers([rows, moved], query, contract)["count"][0] <= 1  # type: ignore[list-item]  # same shape
