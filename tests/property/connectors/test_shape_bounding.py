"""A shape holds on every snapshot, whatever an agency does to its tables: rows come, go, move and reuse keys."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.compile import compile_query, run
from connectors.snapshot import refresh
from contracts.dataset import DatasetContract, Grain, ProtectedUnit, Shape
from contracts.grid import grid_of
from contracts.query import Family, FamilyTable, Query
from privacy.layout import layout_of
from privacy.sensitivity import amounts, sensitivity
from tests import factories

pytestmark = pytest.mark.property

SECRET = b"a secret of the connector"
COLUMNS = ("complaint_id", "victim_key", "event_time", "province", "case_type", "damage_thb")
CODES = ("romance_scam", "shopping_scam")
Row = tuple[str, str, datetime, str, str | None, float]
LIMITED = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
BEGIN = datetime(2025, 8, 1)  # noqa: DTZ001  # a clock on a wall in Bangkok
DIMENSIONS = (
    *(each for each in factories.DIMENSIONS if each.name in ("month", "province", "case_type")),
    factories.dimension("fiscal_year", grain=Grain.YEAR),
)


@dataclass(frozen=True, slots=True)
class Rows:
    """A source that has these rows."""

    rows: Sequence[Row]

    def batches(self, table: str, columns: Sequence[str], batch_rows: int = 50_000) -> Iterator[pa.Table]:
        if self.rows:
            yield pa.table({name: pa.array([row[COLUMNS.index(name)] for row in self.rows]) for name in columns})


def keyed(rows: Sequence[tuple[str, int, str, str | None, int]]) -> list[Row]:
    """Rows of one refresh under few keys, so that keys are reused and rows move between people, months and codes."""
    return [
        (f"row-{number}", person, BEGIN + timedelta(days=day), province, code, float(damage))
        for number, (person, day, province, code, damage) in enumerate(rows)
    ]


rows_of_one_refresh = st.lists(
    st.tuples(
        st.sampled_from(["p1", "p1", "p1", "p2"]),
        st.integers(0, 120),
        st.sampled_from(["10", "50", "99"]),
        st.sampled_from([*CODES, "in no list", None]),
        st.integers(-500, 2_000),
    ),
    max_size=14,
).map(keyed)
histories = st.lists(rows_of_one_refresh, min_size=1, max_size=4).flatmap(
    lambda refreshes: st.tuples(*(st.permutations(each).map(lambda r: r[: max(1, len(r) - 2)]) for each in refreshes))
)
shapes = st.builds(
    lambda by, rows, cells: Shape(by=tuple(by), rows=rows, cells=cells),
    st.lists(st.sampled_from(["month", "case_type", "province"]), min_size=1, max_size=3, unique=True),
    st.integers(1, 2),
    st.integers(1, 3),
)
questions = st.builds(
    lambda dimensions, where, months: factories.query(
        measures=("count", "damage_thb:sum", "people"),
        dimensions=tuple(dimensions),
        where={"case_type": tuple(where)} if where else {},
        period=factories.period(*months),
    ),
    st.lists(st.sampled_from(["month", "province", "case_type", "fiscal_year"]), unique=True, max_size=3),
    st.lists(st.sampled_from(CODES), unique=True),
    st.sampled_from([("2025-08-01", "2025-12-01"), ("2025-09-01", "2025-11-01"), ("2025-10-01", "2025-12-01")]),
)


def contract(shape: Shape | None, rows: int = 3) -> DatasetContract:
    unit = ProtectedUnit(person=factories.text("victim"), column="victim_key", rows_per_window=rows, shape=shape)
    damage = factories.damage(clamp=(-1_000, 1_000), clamp_by="case_type", clamps={"romance_scam": (0, 10)})
    return factories.contract(unit=unit, dimensions=DIMENSIONS, measure_columns=(damage,), max_dimensions=6)


def answers(history: Sequence[Sequence[Row]], query: Query, terms: DatasetContract) -> list[dict[str, list[int]]]:
    """The exact cells on every snapshot of a history."""
    grid, found = grid_of(query, terms), []
    with TemporaryDirectory() as folder:
        path = Path(folder) / "snapshot.duckdb"
        for rows in history:
            refresh(path, Rows(rows), terms, SECRET, factories.NOW)
            found.append(run(path, compile_query(query, terms, grid), query, grid))
    return found


def without(person: str, history: Sequence[Sequence[Row]]) -> list[list[Row]]:
    return [[row for row in rows if row[1] != person] for rows in history]


@LIMITED
@given(history=histories, query=questions, shape=shapes)
def test_one_person_moves_no_table_on_any_snapshot_farther_than_its_sensitivity(
    history: Sequence[Sequence[Row]], query: Query, shape: Shape
) -> None:
    terms, charged = contract(shape), len(query.period.windows())
    pairs = zip(answers(history, query, terms), answers(without("p1", history), query, terms), strict=True)
    for (everybody, others), measure in product(pairs, query.base_measures):
        moved = [a - b for a, b in zip(everybody[measure], others[measure], strict=True)]
        within = sensitivity(query, terms, measure, query.dimensions)
        largest, by_code = amounts(query, terms, measure, query.dimensions)
        units = [by_code.get(code, largest) for code in _codes(query, terms)] if by_code else [largest] * len(moved)
        # In units of a cell's own amount; every window that the period touches is charged in full.
        in_rows = [abs(each) / unit for each, unit in zip(moved, units, strict=True)]
        assert sum(each * each for each in in_rows) <= charged * within.l2_squared + 1e-9
        assert sum(in_rows) <= charged * within.l1 + 1e-9


def _codes(query: Query, terms: DatasetContract) -> list[str]:
    place = query.dimensions.index("case_type")
    return [key[place] for key in grid_of(query, terms).keys()]  # noqa: SIM118  # a grid is no mapping


@LIMITED
@given(history=histories, shape=shapes)
def test_one_person_moves_no_table_of_a_family_farther_than_its_own_sensitivity(
    history: Sequence[Sequence[Row]], shape: Shape
) -> None:
    tables = [("case_type", "month"), ("case_type", "fiscal_year"), ("month",), ("fiscal_year",), ()]
    family = Family(tables=tuple(FamilyTable(by=by) for by in tables))
    query = factories.query(
        dimensions=("month", "case_type"), period=factories.period("2025-08-01", "2025-12-01"), family=family
    )
    terms, charged = contract(shape), len(query.period.windows())
    grid = grid_of(query, terms)
    pairs = zip(answers(history, query, terms), answers(without("p1", history), query, terms), strict=True)
    for (everybody, others), table in product(pairs, family.tables):
        layout = layout_of(query, terms, grid, table.by)
        full, rest = layout.added_up(everybody["count"]), layout.added_up(others["count"])
        moved = [a - b for a, b in zip(full, rest, strict=True)]
        within = sensitivity(query, terms, "count", table.by)
        assert sum(each * each for each in moved) <= charged * within.l2_squared
        assert sum(map(abs, moved)) <= charged * within.l1


@LIMITED
@given(history=histories, shape=shapes, rows=st.integers(1, 3))
def test_the_shape_holds_in_every_answer_table_and_no_rank_is_ever_given_anew(
    history: Sequence[Sequence[Row]], shape: Shape, rows: int
) -> None:
    terms = contract(shape, rows)
    labels = ", ".join(f"d_{name}" for name in shape.by)
    memory: dict[str, set[tuple[object, ...]]] = {}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "snapshot.duckdb"
        for each in history:
            refresh(path, Rows(each), terms, SECRET, factories.NOW)
            with duckdb.connect(str(path), read_only=True) as connection:
                found = connection.execute(
                    f"SELECT person, fiscal_year, [{labels}]::VARCHAR FROM rows_tpo_complaint"  # noqa: S608  # names
                ).fetchall()
                kept = {
                    name: set(connection.table(f'"{name}"').fetchall())
                    for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
                    if name.startswith(("ranks_", "cells_", "places_"))
                }
            windows = Counter((person, year) for person, year, _ in found)
            in_cells = Counter(found)
            cells = Counter((person, year) for person, year, _ in in_cells)
            assert max(windows.values(), default=0) <= rows
            assert max(in_cells.values(), default=0) <= shape.rows
            assert max(cells.values(), default=0) <= shape.cells
            assert all(memory.get(name, set()) <= now for name, now in kept.items()), "what was given stays as it was"
            memory = kept
    for name, given_once in memory.items():
        owners = {row[1:] for row in given_once}
        assert len(owners) == len(given_once), f"{name}: no number, place or rank was given twice"


@LIMITED
@given(rows=rows_of_one_refresh, shape=shapes)
def test_rows_beyond_their_cells_waste_no_rank(rows: list[Row], shape: Shape) -> None:
    """On a first snapshot a person counts with as many rows as cells and year allow, in the cells that came first."""
    terms = contract(shape, rows=1000)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "snapshot.duckdb"
        refresh(path, Rows(rows), terms, SECRET, factories.NOW)
        with duckdb.connect(str(path), read_only=True) as connection:
            ranks = connection.execute(
                "SELECT person, fiscal_year, count(*), max(rank) FROM rows_tpo_complaint GROUP BY 1, 2"
            ).fetchall()
    assert all(number == highest for _, _, number, highest in ranks)
    assert all(number <= prod((shape.rows, shape.cells)) for _, _, number, _ in ranks)
