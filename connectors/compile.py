"""From a closed query to one SQL statement on the ranked snapshot, and from its rows to the cells of the answer.

The statement is built with SQLAlchemy Core: its identifiers come from the contract alone, everything else is bound. It
is compiled with PostgreSQL's grammar and ``$1`` parameters, which DuckDB reads natively. Questions that differ in their
values alone share one statement, which is built once for a contract and read by DuckDB's parser once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, pairwise, product
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # ships no types
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from connectors import snapshot_schema as schema
from connectors.snapshot import Dataset, opened_for
from contracts.counter_nodes import days_of, first_day_of_window, nodes
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput
from contracts.grid import Axis, Grid
from contracts.measures import Kind, measure_of
from contracts.query import Query
from contracts.remembered import Memory
from contracts.task import LARGEST_CELL

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

FEW_CELLS = 4096
"""Up to here a row at a time costs less than a table of columns."""

MOST_SHAPES: Final = 256
"""How many statements are kept built, and how many parsed for a file that is kept open."""

_FIRST_DAY: Final = "first_day"
_UNTIL: Final = "until"
_DIALECT = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]  # SQLAlchemy left it bare


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, its parameters in order, and the snapshot that it may be put to.

    ``widths`` says for each base measure of the question how many columns of the answer are its figures: a histogram
    has one for each bin, every other measure one.
    """

    sql: str
    parameters: tuple[object, ...]
    dataset: str
    layout: str
    widths: tuple[int, ...]


class _Shape(NamedTuple):
    """What a question's statement depends on, beside the contract: all but the values. ``filters`` counts theirs."""

    axes: tuple[str, ...]
    measures: tuple[str, ...]
    filters: tuple[tuple[str, int], ...]
    is_counter: bool
    is_series: bool


class _Built(NamedTuple):
    """The statement of a shape; ``parameters`` are named, in their order, with the value of those that always stay."""

    sql: str
    parameters: tuple[tuple[str, object], ...]
    widths: tuple[int, ...]


_built: Final = Memory[_Built](MOST_SHAPES)


@dataclass(frozen=True, slots=True)
class Exact:
    """Exact cells, by base measure, in the grid's order, and the version that they were counted on, with its token.

    A snapshot from before there were tokens has none.
    """

    data_version: int
    token: str | None
    cells: dict[str, list[int]]


def compile_query(query: Query, contract: DatasetContract, grid: Grid) -> Statement:
    """The statement that counts and adds up, per cell, the rows within the bound, the period and the filters.

    Args:
        query: The question, already checked against the contract.
        contract: Names every table and column in the statement.
        grid: The cells of the answer; its axes are the query's dimensions.

    Raises:
        InvalidInput: ``unknown-dimension`` or ``unknown-measure``, for a name that the contract does not declare;
            ``people-without-key`` for distinct people where the contract has no column that says who is who.
    """
    shape = _Shape(
        axes=tuple(axis.name for axis in grid.axes),
        measures=query.base_measures,
        filters=tuple((name, len(values)) for name, values in query.where.items()),
        is_counter=query.counter,
        is_series=query.series is not None,
    )
    built = _built.of((contract,), shape, lambda: _build(contract, shape))
    values = _values(query)
    # What is no value of the question is a bound of the contract.
    parameters = tuple(values.get(name, bound) for name, bound in built.parameters)
    return Statement(built.sql, parameters, contract.id, schema.layout_of(contract), built.widths)


def _build(contract: DatasetContract, shape: _Shape) -> _Built:
    """The statement of all questions of one shape to one contract, with names in the places of their values."""
    rows = _table(contract)
    axes = [rows.c.event_day] if shape.is_counter else [_column(rows, contract, name) for name in shape.axes]
    kept = [
        *_within_bounds(rows, contract),
        *_in_series(rows, shape),
        rows.c.event_day >= sa.bindparam(_FIRST_DAY, type_=sa.Date),
        rows.c.event_day < sa.bindparam(_UNTIL, type_=sa.Date),
        *(_column(rows, contract, name).in_(_wanted(n, count)) for n, (name, count) in enumerate(shape.filters)),
    ]
    figures = [_figures(rows, contract, measure) for measure in shape.measures]
    labelled = [figure.label(f"figure_{n}") for n, figure in enumerate(chain.from_iterable(figures))]
    statement = sa.select(*axes, *labelled).where(*kept).group_by(*axes)
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    parameters = tuple((name, compiled.params[name]) for name in compiled.positiontup or ())
    return _Built(str(compiled), parameters, tuple(len(each) for each in figures))


def _values(query: Query) -> dict[str, object]:
    """The values of a question by the names that stand for them in its statement."""
    first = first_day_of_window(query.period.start) if query.counter else query.period.start
    values: dict[str, object] = {_FIRST_DAY: first, _UNTIL: query.period.until}
    for number, wanted in enumerate(query.where.values()):
        values |= {_filter_value(number, place): value for place, value in enumerate(wanted)}
    return values


def _wanted(number: int, count: int) -> list[sa.BindParameter[str]]:
    """The places of the values of one filter."""
    return [sa.bindparam(_filter_value(number, place), type_=sa.String) for place in range(count)]


def _filter_value(number: int, place: int) -> str:
    return f"filter_{number}_{place}"


def run(snapshot_path: Path, statement: Statement, query: Query, grid: Grid) -> dict[str, list[int]]:
    """The cells of ``answer`` alone."""
    return answer(snapshot_path, statement, query, grid).cells


def answer(snapshot_path: Path, statement: Statement, query: Query, grid: Grid) -> Exact:
    """Put a statement to the snapshot.

    Args:
        snapshot_path: The snapshot's file.
        statement: What ``compile_query`` made of ``query`` and ``grid``.
        query: Names the measures.
        grid: The cells.

    Returns:
        Every base measure over the whole grid: zero where there is no row. The bins of a histogram run faster than the
        last axis. Rows whose label is none of the grid's are counted nowhere.

    Raises:
        Unavailable: ``snapshot-missing``.
        IntegrityError: ``snapshot-damaged``, also when the snapshot was made for another contract.
    """
    with opened_for(snapshot_path, statement.dataset, statement.layout) as dataset:
        counted = _days(query) if query.counter else grid
        fetch = _few if counted.size <= FEW_CELLS else _many
        figures = fetch(dataset, statement, counted)
        version, token = dataset.data_version, dataset.lineage.get(dataset.data_version)
    cells, first = {}, 0
    for measure, width in zip(query.base_measures, statement.widths, strict=True):
        exact = figures[:, first : first + width].ravel()
        cells[measure] = _of_nodes(exact, query) if query.counter else exact.tolist()
        first += width
    return Exact(version, token, cells)


def _few(dataset: Dataset, statement: Statement, grid: Grid) -> Integers:
    """The figures of each cell, row by row: for a small grid the cheaper way."""
    figures, axes = np.zeros((grid.size, sum(statement.widths)), dtype=np.int64), len(grid.axes)
    cells = _cells(grid.axes)
    for row in dataset.connection.execute(_parsed(dataset, statement.sql), list(statement.parameters)).fetchall():
        place = cells.get(tuple(map(str, row[:axes])))
        if place is not None and None not in row[:axes]:
            figures[place] = [figure or 0 for figure in row[axes:]]
    return figures


def _parsed(dataset: Dataset, sql: str) -> duckdb.Statement:
    """A statement as DuckDB's parser read it; its tables and their types are looked at each time that it is run."""
    found = dataset.parsed.get(sql)
    if found is None:
        (found,) = dataset.connection.extract_statements(sql)
        if len(dataset.parsed) >= MOST_SHAPES:
            dataset.parsed.clear()
        dataset.parsed[sql] = found
    return found


def _cells(axes: tuple[Axis, ...]) -> dict[tuple[str, ...], int]:
    """The place of each cell by its labels; the last axis runs fastest."""
    return {labels: place for place, labels in enumerate(product(*(axis.values for axis in axes)))}


def _many(dataset: Dataset, statement: Statement, grid: Grid) -> Integers:
    """The figures of each cell, column by column."""
    found = dataset.connection.sql(statement.sql, params=list(statement.parameters)).to_arrow_table()
    figures, (places, inside) = np.zeros((grid.size, sum(statement.widths)), dtype=np.int64), _places(found, grid)
    for number in range(figures.shape[1]):
        figures[places, number] = found.column(len(grid.axes) + number).fill_null(0).to_numpy()[inside]
    return figures


def _places(found: pa.Table, grid: Grid) -> tuple[Integers, Booleans]:
    """The cell of each row whose labels are all in the grid, and which rows these are; no two rows share a cell."""
    place = np.zeros(found.num_rows, dtype=np.int64)
    inside = np.ones(found.num_rows, dtype=np.bool_)
    for number, axis in enumerate(grid.axes):
        labels = found.column(number).cast(pa.string())
        index = pc.index_in(labels, value_set=pa.array(axis.values, pa.string())).fill_null(-1).to_numpy()
        inside &= index >= 0
        place = place * len(axis.values) + index
    return place[inside], inside


def _table(contract: DatasetContract) -> sa.TableClause:
    dimensions = (sa.column(schema.dimension_column(each.name), sa.String) for each in contract.dimensions)
    measures = (sa.column(schema.measure_column(each.column), sa.BigInteger) for each in contract.measure_columns)
    fixed: tuple[sa.ColumnClause[Any], ...] = (
        *(sa.column(name, sa.Integer) for name in ("person", "rank", "cell", "place")),
        *(sa.column(name, sa.Date) for name in ("event_day", "series_day")),
    )
    return sa.table(schema.rows_table(contract.id), *fixed, *dimensions, *measures)


def _within_bounds(rows: sa.TableClause, contract: DatasetContract) -> Iterator[sa.ColumnElement[bool]]:
    """What keeps a person within the contract's bounds, even if the table should hold more."""
    yield rows.c.rank <= contract.unit.rows_per_window
    if contract.unit.shape is not None:
        yield rows.c.place <= contract.unit.shape.rows
        yield rows.c.cell <= contract.unit.shape.cells


def _in_series(rows: sa.TableClause, shape: _Shape) -> Iterator[sa.ColumnElement[bool]]:
    """What keeps a row from counting in two answers of one series: its date is still the one first remembered.

    That is the month; in a daily counter the very day, whose nodes it alone may move.
    """
    if shape.is_counter:
        yield rows.c.series_day == rows.c.event_day
    elif shape.is_series:
        month: sa.ColumnClause[str] = sa.literal_column("'month'")
        yield sa.func.date_trunc(month, rows.c.series_day) == sa.func.date_trunc(month, rows.c.event_day)


def _days(query: Query) -> Grid:
    """The days that a daily counter's nodes are added up from."""
    return Grid(axes=(Axis(name="event_day", values=tuple(str(day) for day in days_of(query.period))),))


def _of_nodes(daily: Integers, query: Query) -> list[int]:
    """The exact figure of each node that the period completes."""
    first, before = days_of(query.period)[0], np.concatenate(([0], np.cumsum(daily)))
    return [int(before[(node.until - first).days] - before[(node.start - first).days]) for node in nodes(query.period)]


def _column(rows: sa.TableClause, contract: DatasetContract, name: str) -> sa.ColumnClause[str]:
    if contract.dimension(name) is None:
        choices = ", ".join(each.name for each in contract.dimensions)
        raise InvalidInput("unknown-dimension", contract=contract.id, dimension=name, choices=choices)
    return rows.c[schema.dimension_column(name)]


def _figures(rows: sa.TableClause, contract: DatasetContract, measure: str) -> list[sa.ColumnElement[int]]:
    """The columns of a base measure: the bins of a histogram, or one."""
    found = measure_of(measure)
    match found.kind:
        case Kind.COUNT:
            return [sa.func.count()]
        case Kind.PEOPLE:
            if contract.unit.column is None:
                raise InvalidInput("people-without-key", contract=contract.id)
            return [sa.func.count(sa.distinct(rows.c.person))]
        case _:
            column = contract.measure_column(found.column)
            bins = column.bins if column and found.kind is Kind.HISTOGRAM else ()
            if column is None or (found.kind, bool(bins)) not in ((Kind.SUM, False), (Kind.HISTOGRAM, True)):
                choices = ", ".join(contract.measures)
                raise InvalidInput("unknown-measure", contract=contract.id, measure=measure, choices=choices)
            amount = rows.c[schema.measure_column(found.column)]
            return _bins(amount, bins) if bins else [_sum(amount)]


def _sum(amount: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """Amounts added up; a row without one adds nothing.

    The engine adds in 128 bits. What is beyond the largest cell either way is cut there: no data makes an answer fail,
    and a cut figure moves no farther than the figure itself.
    """
    most, least = (sa.literal_column(str(end), sa.BigInteger) for end in (LARGEST_CELL, -LARGEST_CELL))
    # DuckDB's greatest and least pass over what is none: without any amount the sum is 0.
    inside = sa.func.least(sa.func.greatest(sa.func.coalesce(sa.func.sum(amount), 0), least), most)
    return sa.cast(inside, sa.BigInteger)


def _bins(amount: sa.ColumnElement[int], edges: tuple[int, ...]) -> list[sa.ColumnElement[int]]:
    """Rows in each of ``[b0, b1), [b1, b2), ...``, first those below ``b0``; a row without an amount is in none."""
    ends = [None, *(sa.literal_column(str(edge), sa.BigInteger) for edge in edges), None]
    return [
        sa.func.count().filter(
            *([] if low is None else [amount >= low]), *([] if high is None else [amount < high]), amount.is_not(None)
        )
        for low, high in pairwise(ends)
    ]
