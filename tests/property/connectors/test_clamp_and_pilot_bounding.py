"""No neighbouring dataset moves a sum by more than its sensitivity says, whatever clamps and pilot a contract has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.compile import compile_query, run
from connectors.snapshot import refresh
from contracts.dataset import DatasetContract, Pilot
from contracts.grid import grid_of
from contracts.query import Query
from privacy.sensitivity import amounts, clamped_along, sensitivity
from tests import factories

pytestmark = pytest.mark.property

SECRET = b"a secret of the connector"
COLUMNS = ("complaint_id", "victim_key", "event_time", "province", "case_type", "damage_thb")
CODES = ("romance_scam", "shopping_scam", "call_center")
Row = tuple[str, str, datetime, str, str | None, float]
LIMITED = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
BEGIN = datetime(2025, 7, 1)  # noqa: DTZ001  # a clock on a wall in Bangkok


@dataclass(frozen=True, slots=True)
class Rows:
    """A source that has these rows."""

    rows: Sequence[Row]

    def batches(self, table: str, columns: Sequence[str], batch_rows: int = 50_000) -> Iterator[pa.Table]:
        if self.rows:
            yield pa.table({name: pa.array([row[COLUMNS.index(name)] for row in self.rows]) for name in columns})


clamp = st.tuples(st.integers(-900, 0), st.integers(1, 900)) | st.tuples(st.integers(1, 400), st.integers(401, 900))
rows_of_people = st.lists(
    st.tuples(
        st.sampled_from(["p1", "p1", "p2", "p3"]),
        st.integers(0, 180 * 24).map(lambda hours: BEGIN + timedelta(hours=hours)),
        st.sampled_from(["10", "50", "90", "99"]),
        st.sampled_from([*CODES, "in no list", None]),
        st.integers(-2_000, 2_000).map(float),
    ),
    max_size=30,
).map(lambda rows: [(f"row-{number}", *each) for number, each in enumerate(rows)])
clamps_by_code = st.dictionaries(st.sampled_from(CODES), clamp)
contracts = st.builds(
    lambda clamps, pilot, bound: factories.contract(
        rows_per_window=bound,
        measure_columns=(factories.damage(clamp=(-1_000, 1_000), clamp_by="case_type", clamps=clamps),),
        pilot=Pilot(column="province", codes=tuple(pilot)) if pilot else None,
    ),
    clamps_by_code,
    st.lists(st.sampled_from(["10", "50"]), unique=True),
    st.integers(1, 3),
)
queries = st.builds(
    lambda dimensions, codes, months: factories.query(
        measures=("damage_thb:sum",),
        dimensions=tuple(dimensions),
        where={"case_type": tuple(codes)} if codes else {},
        period=factories.period(*months),
    ),
    st.lists(st.sampled_from(["month", "province", "case_type"]), unique=True, max_size=2),
    st.lists(st.sampled_from(CODES), unique=True, max_size=2),
    st.sampled_from([("2025-07-01", "2026-01-01"), ("2025-10-01", "2026-01-01")]),
)


def _sums(rows: Sequence[Row], query: Query, contract: DatasetContract) -> dict[tuple[str, ...], int]:
    grid = grid_of(query, contract)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "snapshot.duckdb"
        refresh(path, Rows(rows), contract, SECRET, factories.NOW)
        cells = run(path, compile_query(query, contract, grid), query, grid)["damage_thb:sum"]
    return dict(zip(grid.keys(), cells, strict=True))


@LIMITED
@given(rows=rows_of_people, query=queries, contract=contracts)
def test_taking_one_person_out_moves_a_sum_by_no_more_than_its_sensitivity(
    rows: list[Row], query: Query, contract: DatasetContract
) -> None:
    with_everybody = _sums(rows, query, contract)
    without = _sums([row for row in rows if row[1] != "p1"], query, contract)
    moved = {key: with_everybody[key] - without[key] for key in with_everybody}
    windows = query.period.windows()
    largest, by_code = amounts(query, contract, "damage_thb:sum", query.dimensions)
    along = clamped_along(query, contract, "damage_thb:sum", query.dimensions)
    place = None if along is None else query.dimensions.index(along)
    # In units of what one row moves a cell by: the noise of a cell is so many times that of a count.
    units = {key: largest if place is None else by_code[key[place]] for key in moved}
    squared = sum(Fraction(moved[key], units[key]) ** 2 for key in moved)
    distance = sensitivity(query, contract, "damage_thb:sum", query.dimensions)
    # Each window was charged once, so what all of them together may move is the windows' share of the loss.
    assert squared <= distance.l2_squared * len(windows)


@LIMITED
@given(rows=rows_of_people, contract=contracts)
def test_every_row_is_clamped_by_its_own_code_and_rows_outside_the_pilot_count_nowhere(
    rows: list[Row], contract: DatasetContract
) -> None:
    contract = contract.model_copy(update={"unit": contract.unit.model_copy(update={"rows_per_window": 1000})})
    query = factories.query(measures=("damage_thb:sum",), dimensions=(), period=factories.period("2025-07-01"))
    (measured,) = contract.measure_columns
    expected = 0
    for _, _, _, province, code, amount in rows:
        low, high = measured.clamps.get(code or "", measured.clamp)
        if contract.pilot is None or province in contract.pilot.codes:
            expected += int(min(max(amount, low), high))
    assert _sums(rows, query, contract) == {(): expected}
