"""SQLite, PostgreSQL, DuckDB and Parquet give the same exact cells as plain pandas, whatever the contract and the data.

Random contracts, histories and questions. Each source holds the same rows in its own types: plain instants, instants
with an offset, or texts of both and of neither; whole numbers, floats, decimals, or texts. The product reads them
through its own source, in small batches, refreshes a snapshot for each state of the history and answers; what must come
out is computed by ``tests.exact_cells_by_hand``, which calls none of it.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import psycopg
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # ships no types
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.compile import compile_query, run
from connectors.snapshot import refresh
from connectors.sources import Source, open_source
from contracts.dataset import DatasetContract, Dimension, Grain, Pilot, Shape
from contracts.grid import grid_of, key_set
from contracts.query import Query
from tests import factories
from tests.exact_cells_by_hand import ByHand, Complaint

pytestmark = pytest.mark.property

SECRET = b"a secret of the connector"
TABLE = "tpo_complaint"
BATCH_ROWS = 7
COLUMNS = ("complaint_id", "victim_key", "event_time", "occurred_at", "province", "platform", "age", "damage_thb")
BEHIND = timezone(timedelta(hours=-5, minutes=-30))
BANGKOK = timezone(timedelta(hours=7))
LARGEST = 2**63 - 1
MANY = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
FEW = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))

# ---------------------------------------------------------------- what may stand in a row
edges = st.sampled_from(
    [
        datetime(2024, 9, 30, 23, 59, 59, 999_999),  # noqa: DTZ001  # a clock on a wall in Bangkok
        datetime(2024, 10, 1),  # noqa: DTZ001  # the first instant of a fiscal year
        datetime(2025, 2, 28, 23, 59, 59),  # noqa: DTZ001  # the end of a short month
        datetime(2025, 9, 30, 23, 30),  # noqa: DTZ001  # another day and year in UTC
        datetime(2025, 10, 1, 6, 59, 59),  # noqa: DTZ001  # still September in UTC
        datetime(2025, 10, 1, 7, 0),  # noqa: DTZ001  # midnight in UTC
        datetime(2025, 12, 31, 23, 59, 59, 1),  # noqa: DTZ001  # the end of the contract
        datetime(2026, 1, 1),  # noqa: DTZ001  # beyond it
    ]
)
hours = st.integers(0, 500 * 24).map(lambda each: datetime(2024, 8, 20, 0, 30) + timedelta(hours=each))  # noqa: DTZ001  # as above
instants = st.none() | edges | hours
amounts = st.one_of(
    st.none(),
    st.sampled_from([float("nan"), float("inf"), float("-inf"), -0.0, 0.5, -0.5, 2.5, 0.49999999999999994, 1e300]),
    st.integers(-2_000, 2_000).map(float),
    st.floats(-2_000, 2_000, allow_nan=False),
    st.sampled_from([float(LARGEST), -float(LARGEST), 999.5, 1000.5]),
)
complaints = st.builds(
    Complaint,
    complaint_id=st.just(""),
    victim_key=st.sampled_from(["p1", "p1", "p1", "p2", "p3", "10", None]),
    event_time=instants,
    occurred_at=instants,
    province=st.sampled_from(["10", "10", "50", "90", "99", "", None, "010", "ก"]),
    platform=st.sampled_from(["FACEBOOK", "PHONE", "OTHER", "facebook", "", None]),
    age=st.sampled_from([10, 11, 14, 15, 59, 60, 200, -1, LARGEST, None]),
    damage_thb=amounts,
)
tables = st.lists(complaints, max_size=30).map(
    lambda rows: [replace(each, complaint_id=f"c{number}") for number, each in enumerate(rows)]
)


@st.composite
def histories(draw: st.DrawFn) -> list[list[Complaint]]:
    """One to three states of a table: rows arrive, vanish, come back and move to another person or time."""
    rows = draw(tables)
    states = [[each for each in rows if draw(st.integers(0, 3))] for _ in range(draw(st.integers(0, 2)))]
    for state in states[:1]:
        for place in range(min(len(state), 2)):
            state[place] = replace(state[place], victim_key=draw(st.sampled_from(["p1", "p2"])))
    return [*states, rows]


# ---------------------------------------------------------------- what may be asked
def _dimension(name: str, column: str, **terms: object) -> Dimension:
    return Dimension.model_validate({"name": name, "title": factories.text(name), "column": column, **terms})


DIMENSIONS = (
    _dimension("month", "event_time", grain=Grain.MONTH),
    _dimension("hour", "occurred_at", grain=Grain.HOUR),
    _dimension("weekday", "event_time", grain=Grain.WEEKDAY),
    _dimension("province", "province", values=("10", "50", "90")),
    _dimension("police", "province", code_list="police_commands", via="provinces", values=("BMB", "P1", "P5")),
    _dimension("platform", "platform", code_list="contact_platforms", values=("FACEBOOK", "PHONE", "OTHER")),
    _dimension("age_band", "age", code_list="age_bands", via="age_bands", values=("A11_14", "A15_17", "A60P", "AU")),
)
clamps = st.tuples(st.integers(-900, 0), st.integers(1, 900)) | st.tuples(st.integers(1, 400), st.integers(401, 900))

shapes = st.builds(
    Shape,
    by=st.lists(st.sampled_from([each.name for each in DIMENSIONS]), min_size=1, max_size=2, unique=True).map(tuple),
    rows=st.integers(1, 2),
    cells=st.integers(1, 3),
)


@st.composite
def contracts(draw: st.DrawFn) -> DatasetContract:
    """Small contracts: people or not, bounds of 1-4, a shape or none, clamps in common or by code, a pilot or none."""
    by_code = draw(st.dictionaries(st.sampled_from(["10", "50"]), clamps))
    measured = factories.damage(
        clamp=(-1_000, 1_000),
        clamps=by_code,
        clamp_by="province" if by_code else None,
        kinds=("sum", "mean", "histogram"),
        bins=draw(st.sampled_from([(), (0,), (-500, 0, 1, 3, 400)])),
    )
    made = factories.contract(
        rows_per_window=draw(st.integers(1, 4)),
        dimensions=DIMENSIONS,
        measure_columns=(measured,),
        first_month=draw(st.sampled_from(["2024-09", "2024-10", "2025-03"])),
        last_month=draw(st.sampled_from(["2025-09", "2025-12"])),
        pilot=draw(st.none() | st.just(Pilot(column="province", codes=("10", "90")))),
    )
    unit = made.unit.model_copy(update={"shape": draw(st.none() | shapes)})
    if draw(st.integers(0, 2)) == 0:
        unit = made.unit.model_copy(update={"column": None})
    return made.model_copy(update={"unit": unit})


@st.composite
def questions(draw: st.DrawFn, contract: DatasetContract) -> Query:
    """Any measures by any dimensions and filters, over whole months of the contract."""
    months = [each for each in ("2024-09", "2024-10", "2025-03", "2025-09", "2025-10") if each >= contract.first_month]
    start = draw(st.sampled_from([each for each in months if each <= contract.last_month]))
    until = draw(st.sampled_from([each for each in ("2024-11", "2025-04", "2025-10", "2026-01") if each > start]))
    measures = ["count", "damage_thb:sum"]
    measures += ["people"] if contract.unit.column else []
    measures += ["damage_thb:histogram"] if contract.measure_columns[0].bins else []
    asked = factories.query(
        measures=draw(st.lists(st.sampled_from(measures), min_size=1, unique=True)),
        dimensions=draw(st.lists(st.sampled_from([each.name for each in DIMENSIONS]), unique=True, max_size=2)),
        period=factories.period(f"{start}-01", f"{until}-01"),
    )
    where = {}
    for each in draw(st.lists(st.sampled_from(DIMENSIONS), unique_by=lambda each: each.name, max_size=2)):
        where[each.name] = tuple(draw(st.lists(st.sampled_from(key_set(each, asked)), min_size=1, max_size=3)))
    return factories.query(**{name: getattr(asked, name) for name in ("measures", "dimensions", "period")}, where=where)


cases = contracts().flatmap(lambda contract: st.tuples(st.just(contract), questions(contract), histories()))


# ---------------------------------------------------------------- how a source may hold it
@dataclass(frozen=True)
class Form:
    """How a source writes instants and numbers; ``style`` varies how texts are written."""

    times: str
    numbers: str
    style: int


forms = st.builds(
    Form, st.sampled_from(["plain", "aware", "text"]), st.sampled_from(["native", "text"]), st.integers(0, 6)
)
TEXTS: tuple[Callable[[datetime], str], ...] = (
    lambda wall: wall.isoformat(" "),
    lambda wall: wall.isoformat("T"),
    lambda wall: f"{wall.isoformat('T')}+07:00",
    lambda wall: f"{_utc(wall):%Y-%m-%dT%H:%M:%S.%f}Z",
    lambda wall: f"{_utc(wall):%Y-%m-%d %H:%M:%S.%f} UTC",
    lambda wall: f"{_utc(wall).astimezone(BEHIND):%Y-%m-%d %H:%M:%S.%f %z}",
    lambda wall: f"{_utc(wall):%Y-%m-%d %H:%M:%S.%f}+00",
)
NO_TIMES = ("", "x", "2025-02-30 10:00:00", "0")


def _utc(wall: datetime) -> datetime:
    return wall.replace(tzinfo=BANGKOK).astimezone(UTC)


def _time(wall: datetime | None, form: Form, place: int) -> object:
    match form.times:
        case "plain":
            return wall
        case "aware":
            return None if wall is None else _utc(wall)
        case _ if wall is None:
            return (*NO_TIMES, None)[place % 5]
        case _:
            return TEXTS[(form.style + place) % len(TEXTS)](wall)


def _number(value: float | None, form: Form) -> object:
    return value if form.numbers == "native" or value is None else str(value)


def _held(rows: Sequence[Complaint], form: Form) -> list[tuple[object, ...]]:
    return [
        (
            each.complaint_id,
            each.victim_key,
            _time(each.event_time, form, place),
            _time(each.occurred_at, form, place + 1),
            each.province,
            each.platform,
            _number(each.age, form),
            _number(each.damage_thb, form),
        )
        for place, each in enumerate(rows)
    ]


def _arrow(rows: Sequence[Complaint], form: Form) -> pa.Table:
    times = {"plain": pa.timestamp("us"), "aware": pa.timestamp("us", "UTC"), "text": pa.string()}[form.times]
    whole, real = (pa.int64(), pa.float64()) if form.numbers == "native" else (pa.string(), pa.string())
    types = (pa.string(), pa.string(), times, times, pa.string(), pa.string(), whole, real)
    held = list(zip(*_held(rows, form), strict=True)) or [()] * len(COLUMNS)
    return pa.table([pa.array(values, kind) for values, kind in zip(held, types, strict=True)], names=list(COLUMNS))


def _sqlite(folder: Path, rows: Sequence[Complaint], form: Form) -> str:
    """SQLite has no instants: they are texts, as its own functions write them."""
    path = folder / "rows.sqlite"
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE {TABLE} ({', '.join(COLUMNS)})")
        values = [
            tuple(each.isoformat(" ") if isinstance(each, datetime) else _mixed(each, place) for each in row)
            for place, row in enumerate(_held(rows, form))
        ]
        connection.executemany(f"INSERT INTO {TABLE} VALUES ({', '.join('?' * len(COLUMNS))})", values)  # noqa: S608  # question marks
    connection.close()
    return f"sqlite:///{path}"


def _mixed(value: object, place: int) -> object:
    """A code or key of digits is a number in every other row: SQLite keeps each as it comes."""
    return int(value) if place % 2 and isinstance(value, str) and value in {"10", "50", "90", "99"} else value


def _duckdb(folder: Path, rows: Sequence[Complaint], form: Form) -> str:
    path = folder / "rows.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.register("rows_read", _arrow(rows, form))
        connection.execute(f"CREATE TABLE {TABLE} AS SELECT * FROM rows_read")  # noqa: S608  # a constant
    return f"duckdb:///{path}"


def _parquet(folder: Path, rows: Sequence[Complaint], form: Form) -> str:
    pq.write_table(_arrow(rows, form), folder / f"{TABLE}.parquet")
    return f"parquet:///{folder}"


def _postgres(url: str, _: Path, rows: Sequence[Complaint], form: Form) -> str:
    """Codes and keys as text; numbers as ``numeric``, which holds NaN, infinities and any scale, or as text."""
    times = {"plain": "timestamp", "aware": "timestamptz", "text": "text"}[form.times]
    number = "numeric" if form.numbers == "native" else "text"
    types = ("text", "text", times, times, "text", "text", number, number)
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(f"DROP TABLE IF EXISTS {TABLE}")
        declared = ", ".join(f"{name} {kind}" for name, kind in zip(COLUMNS, types, strict=True))
        connection.execute(f"CREATE TABLE {TABLE} ({declared})")
        values = [
            tuple(Decimal(each) if isinstance(each, float) else each for each in row) for row in _held(rows, form)
        ]
        with connection.cursor() as cursor:
            marks = ", ".join(["%s"] * len(COLUMNS))
            cursor.executemany(f"INSERT INTO {TABLE} VALUES ({marks})", values)  # noqa: S608  # a constant and marks
    return url


@dataclass(frozen=True)
class Small:
    """The product's own source, read a few rows at a time, so that each batch may get types of its own."""

    source: Source

    def batches(self, table: str, columns: Sequence[str], batch_rows: int = BATCH_ROWS) -> Iterator[pa.Table]:
        return self.source.batches(table, columns, min(batch_rows, BATCH_ROWS))


Writer = Callable[[Path, Sequence[Complaint], Form], str]
Case = tuple[DatasetContract, Query, list[list[Complaint]]]


def _answered(write: Writer, case: Case, form: Form) -> dict[str, list[int]]:
    contract, query, history = case
    grid = grid_of(query, contract)
    with TemporaryDirectory() as folder:
        snapshot = Path(folder, "snapshot.duckdb")
        for rows in history:
            url = write(Path(folder), rows, form)
            refresh(snapshot, Small(open_source(url)), contract, SECRET, factories.NOW)
        return run(snapshot, compile_query(query, contract, grid), query, grid)


def _by_hand(case: Case) -> dict[str, list[int]]:
    contract, query, history = case
    by_hand = ByHand(contract, SECRET)
    for rows in history:
        by_hand.refresh(rows)
    return by_hand.cells(query)


@MANY
@given(case=cases, form=forms)
def test_files_of_every_kind_give_the_cells_that_pandas_counts(case: Case, form: Form) -> None:
    expected = _by_hand(case)
    assert {each.__name__: _answered(each, case, form) for each in (_sqlite, _duckdb, _parquet)} == {
        each.__name__: expected for each in (_sqlite, _duckdb, _parquet)
    }


@pytest.mark.parametrize("number", [None, float("nan"), float("inf")])
def test_an_amount_that_is_no_number_adds_nothing_beside_one_that_is(number: float | None) -> None:
    day = datetime(2025, 3, 5, 10, 30)  # noqa: DTZ001  # a clock on a wall in Bangkok
    rows = [Complaint(f"c{n}", f"p{n}", day, day, "10", "PHONE", 30, each) for n, each in enumerate((2.5, number))]
    measured = factories.damage(clamp=(-1_000, 1_000), kinds=("sum", "mean", "histogram"), bins=(0,))
    contract = factories.contract(dimensions=DIMENSIONS, measure_columns=(measured,))
    measures, march = ("count", "damage_thb:histogram", "damage_thb:sum"), factories.period("2025-03-01", "2025-04-01")
    asked = factories.query(measures=measures, dimensions=(), period=march)
    case = (contract, asked, [rows])

    expected = {"count": [2], "damage_thb:histogram": [0, 1], "damage_thb:sum": [3]}

    assert _by_hand(case) == expected
    assert _answered(_sqlite, case, Form("plain", "native", 0)) == expected


def test_postgresql_gives_the_cells_that_pandas_counts(postgres_database: str) -> None:
    @FEW
    @given(case=cases, form=forms)
    def compare(case: Case, form: Form) -> None:
        assert _answered(partial(_postgres, postgres_database), case, form) == _by_hand(case)

    compare()
