"""What one person can change in all answers of a standing series together, whatever is corrected between them.

The exact answers of a whole dialogue are compared with those of the same dialogue without that person's rows: the
squares of all differences add up to no more than the noise of the series is made for (``privacy.series``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from connectors.compile import compile_query, run
from connectors.snapshot import refresh
from contracts.dataset import DatasetContract, ProtectedUnit
from contracts.grid import grid_of
from contracts.query import Query, Series
from privacy.sensitivity import sensitivity
from tests import factories

pytestmark = pytest.mark.property

SECRET = b"a secret of the connector"
COLUMNS = ("complaint_id", "victim_key", "event_time", "province", "case_type", "damage_thb")
MONTHS = (("2025-10-01", "2025-11-01"), ("2025-11-01", "2025-12-01"), ("2025-12-01", "2026-01-01"))
OCTOBER_1 = datetime(2025, 10, 1)  # noqa: DTZ001  # a clock on a wall in Bangkok
LEFT_OUT = "p1"
Fact = tuple[str, int, str]
"""A row as it stands in one snapshot: person, days after 1 October, province."""

Table = dict[str, Fact]
facts = st.tuples(st.sampled_from([LEFT_OUT, LEFT_OUT, "p2"]), st.integers(0, 91), st.sampled_from(["10", "50"]))
tables = st.dictionaries(st.sampled_from(["a", "b", "c"]), facts, max_size=3)
histories = st.tuples(tables, tables, tables)
MOVED: tuple[Table, Table, Table] = tuple({"a": (LEFT_OUT, day, "10")} for day in (3, 35, 65))  # type: ignore[assignment]  # three of them
SWAPPED: tuple[Table, Table, Table] = (
    {"a": (LEFT_OUT, 3, "10"), "b": (LEFT_OUT, 40, "10")},
    {"a": (LEFT_OUT, 40, "10"), "b": (LEFT_OUT, 3, "10")},
    {"a": ("p2", 65, "10"), "b": (LEFT_OUT, 66, "10")},
)


@dataclass(frozen=True, slots=True)
class Rows:
    """A source that has these rows."""

    table: Table

    def batches(self, table: str, columns: Sequence[str], batch_rows: int = 50_000) -> Iterator[pa.Table]:
        rows = [
            (key, person, OCTOBER_1 + timedelta(days=day), province, "other", 1.0)
            for key, (person, day, province) in self.table.items()
        ]
        types = (pa.string(), pa.string(), pa.timestamp("us"), pa.string(), pa.string(), pa.float64())
        places = [COLUMNS.index(name) for name in columns]
        yield pa.table({COLUMNS[place]: pa.array([row[place] for row in rows], types[place]) for place in places})


def _dialogue(history: Sequence[Table], queries: Sequence[Query], contract: DatasetContract) -> list[int]:
    """All exact cells of a series that asks one question on each snapshot."""
    cells: list[int] = []
    with TemporaryDirectory() as folder:
        path = Path(folder) / "snapshot.duckdb"
        for table, query in zip(history, queries, strict=True):
            refresh(path, Rows(table), contract, SECRET, factories.NOW)
            grid = grid_of(query, contract)
            found = run(path, compile_query(query, contract, grid), query, grid)
            cells += [cell for measure in query.base_measures for cell in found[measure]]
    return cells


def _without(history: Sequence[Table], *, rows_are_people: bool) -> list[Table]:
    """The history without one person: whatever belongs to them at the time; the row "a", where each row is one."""
    if rows_are_people:
        return [{key: fact for key, fact in table.items() if key != "a"} for table in history]
    return [{key: fact for key, fact in table.items() if fact[0] != LEFT_OUT} for table in history]


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    history=histories,
    order=st.permutations(range(3)),
    bound=st.integers(1, 2),
    counter=st.booleans(),
    rows_are_people=st.booleans(),
)
@example(history=MOVED, order=[0, 1, 2], bound=1, counter=False, rows_are_people=False)
@example(history=MOVED, order=[0, 1, 2], bound=1, counter=True, rows_are_people=False)
@example(history=MOVED, order=[0, 1, 2], bound=1, counter=False, rows_are_people=True)
@example(history=SWAPPED, order=[0, 1, 2], bound=2, counter=False, rows_are_people=False)
def test_one_person_moves_all_answers_of_a_series_by_no_more_than_its_noise_is_made_for(
    history: tuple[Table, Table, Table], order: list[int], bound: int, *, counter: bool, rows_are_people: bool
) -> None:
    contract = factories.contract(rows_per_window=bound)
    if rows_are_people:
        unit = ProtectedUnit(person=factories.text("case"), column=None, rows_per_window=1)
        contract = factories.contract(unit=unit)
    queries = [
        factories.query(
            dimensions=() if counter else ("province",),
            period=factories.period(*MONTHS[month]),
            series=Series(),
            counter=counter,
        )
        for month in order
    ]

    whole = _dialogue(history, queries, contract)
    without = _dialogue(_without(history, rows_are_people=rows_are_people), queries, contract)

    moved = [a - b for a, b in zip(whole, without, strict=True)]
    claimed = sensitivity(queries[0], contract, "count", queries[0].dimensions)
    assert sum(each * each for each in moved) <= claimed.l2_squared
    assert sum(map(abs, moved)) <= claimed.l1
