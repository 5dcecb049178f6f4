"""A release as a table, one row for each cell: its labels, each figure, and beside it the figure's error.

A histogram has rows of its own below these, one for each bin of each cell, named in a column of bins.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
from pyarrow import csv, parquet

from contracts.cell_errors import bin_labels, cell_errors_95
from contracts.errors import InvalidInput
from contracts.grid import Grid
from contracts.measure_words import words_of
from contracts.measures import Kind, measure_of
from contracts.query import Mechanism
from contracts.release import Release, ReleaseBody, Released
from gateway.workbook import Sheet, save

MOST_SHEET_ROWS: Final = 1_048_576
HEADINGS: Final = 1
MEASURES: Final = "measures"
MECHANISMS: Final = {
    Mechanism.GAUSSIAN: "discrete Gaussian: epsilon at delta",
    Mechanism.LAPLACE: "discrete Laplace: pure epsilon (delta 0)",
}
"""What the noise of a release is, in the words that go along with its figures."""


def table_of(release: Release) -> pa.Table:
    """The cells of a release in their order, then the bins of each histogram.

    Columns: the dimensions (text), then for each measure its figure and ``<measure>_error_95``, the half-width of the
    interval that holds the exact figure 95 times in 100, in the measure's unit. ``a:sum`` is named ``a_sum``. The bins
    of ``a:histogram`` stand in ``a_bin``, which is empty in all other rows, as the other figures are in its own. The
    table's metadata names the release and its digest.
    """
    body = release.body
    histograms = [each for each in body.released if each.bins]
    plain = [each for each in body.released if not each.bins]
    parts = [_cells(body, plain)] if plain or body.derived or not histograms else []
    parts += [_bins(body.grid, each) for each in histograms]
    table = pa.concat_tables(parts, promote_options="default")
    keys = [axis.name for axis in body.grid.axes] + [bin_column(each.measure) for each in histograms]
    figures = [name for name in table.column_names if name not in keys]
    return table.select([*keys, *figures]).replace_schema_metadata(about(release))


def measures_of(body: ReleaseBody) -> tuple[tuple[str, str], ...]:
    """Every measure of a release with its unit: those that were counted, then those that follow."""
    counted = tuple((each.measure, each.unit) for each in body.released)
    return (*counted, *((each.measure, each.unit) for each in body.derived))


def column_name(measure: str) -> str:
    """The name of a measure's column."""
    return measure.replace(":", "_")


def bin_column(measure: str) -> str:
    """The name of the column of a histogram's bins."""
    return f"{measure_of(measure).column}_bin"


def _cells(body: ReleaseBody, released: Sequence[Released]) -> pa.Table:
    columns = _labels(body.grid, 1)
    for each in released:
        columns |= _figures(each, body.grid)
    for derived in body.derived:
        name = column_name(derived.measure)
        columns[name] = pa.array(derived.cells, pa.float64())
        columns[f"{name}_error_95"] = pa.array(derived.errors_95, pa.float64())
    return pa.table(columns)


def _bins(grid: Grid, histogram: Released) -> pa.Table:
    labels = bin_labels(histogram.bins)
    bins = {bin_column(histogram.measure): pa.array(labels * grid.size, pa.string())}
    return pa.table(_labels(grid, len(labels)) | bins | _figures(histogram, grid))


def _labels(grid: Grid, times: int) -> dict[str, pa.Array]:
    """The labels of each cell, each row so many times."""
    keys = [key for key in grid.keys() for _ in range(times)]  # noqa: SIM118  # a grid is no mapping
    return {axis.name: pa.array([key[place] for key in keys], pa.string()) for place, axis in enumerate(grid.axes)}


def _figures(released: Released, grid: Grid) -> dict[str, pa.Array]:
    name = column_name(released.measure)
    return {
        name: pa.array(released.cells, pa.int64()),
        f"{name}_error_95": pa.array(cell_errors_95(released, grid), pa.float64()),
    }


def about(release: Release) -> dict[str, str]:
    """What goes along with the figures wherever they are taken."""
    body = release.body
    gone = release.withdrawal
    fate = {"reason": gone.reason, "replaced_by": gone.replaced_by or ""} if gone else {}
    return {
        "release": body.id,
        "digest": release.digest,
        "state": gone.state.value if gone else "valid",
        **fate,
        "agreement": body.agreement,
        "activity": body.activity,
        "period": f"{body.query.period.start}/{body.query.period.until}",
        "epsilon": ", ".join(f"{each.contract.id}: {each.epsilon:.6g}" for each in body.promises),
        "delta": ", ".join(f"{each.contract.id}: {each.delta}" for each in body.promises),
        "mechanism": MECHANISMS[body.query.mechanism],
        "created": body.created.isoformat(),
        MEASURES: " ".join(f"{measure}={unit}" for measure, unit in measures_of(body)),
    }


def write_csv(table: pa.Table, path: Path) -> None:
    """Write the rows as CSV with a heading."""
    csv.write_csv(table, path)


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write the rows as Parquet, with what goes along with them in the file's metadata."""
    parquet.write_table(table, path)


def write_xlsx(table: pa.Table, path: Path) -> None:
    """Write the rows as a sheet, what each column means in both languages as another, and what goes along as a third.

    Raises:
        InvalidInput: ``too-many-cells``, beyond what a sheet holds.
    """
    if table.num_rows + HEADINGS > MOST_SHEET_ROWS:
        raise InvalidInput("too-many-cells", cells=table.num_rows, limit=MOST_SHEET_ROWS - HEADINGS)
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    meanings = Sheet("columns", ("column", "ความหมาย", "meaning"), _meanings(table))
    save((Sheet("figures", table.column_names, rows), meanings, Sheet("about", (), _metadata(table).items())), path)


def with_state(table: pa.Table) -> pa.Table:
    """The table with two more columns, so that no file's figures part from what became of their release.

    ``release`` names it and ``release_state`` says valid, withdrawn or superseded, in every row.
    """
    about = _metadata(table)
    for name, value in (("release", about.get("release", "")), ("release_state", about.get("state", ""))):
        table = table.append_column(name, pa.array([value] * table.num_rows, pa.string()))
    return table


def _meanings(table: pa.Table) -> Iterator[tuple[str, str, str]]:
    """What the columns of figures mean; the table's metadata names their measures."""
    for pair in _metadata(table).get(MEASURES, "").split():
        measure, _, unit = pair.partition("=")
        words, name = words_of(measure), column_name(measure)
        yield name, f"{words.th} ({unit})", f"{words.en} ({unit})"
        yield (
            f"{name}_error_95",
            "ค่าจริงอยู่ในช่วง ± นี้ 95 ครั้งใน 100",
            "the exact figure lies within ± this, 95 times in 100",
        )
        if measure_of(measure).kind is Kind.HISTOGRAM:
            yield bin_column(measure), "ช่วงค่า รวมค่าทั้งสองปลาย", "the bin, both ends included"


def _metadata(table: pa.Table) -> Mapping[str, str]:
    return {name.decode(): value.decode() for name, value in (table.schema.metadata or {}).items()}


WRITERS: Final[Mapping[str, Callable[[pa.Table, Path], None]]] = {
    ".csv": write_csv,
    ".parquet": write_parquet,
    ".xlsx": write_xlsx,
}
"""By the ending of a file's name."""


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table in the form that the ending of the file's name says.

    Raises:
        InvalidInput: ``unknown-format``.
    """
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise InvalidInput("unknown-format", format=path.suffix or "-", choices=", ".join(WRITERS))
    writer(with_state(table), path)
