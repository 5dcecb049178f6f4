"""A release as a table, one row for each cell: its labels, each figure, and beside it the figure's error."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
from pyarrow import csv, parquet

from contracts.errors import InvalidInput
from contracts.release import Release
from gateway.workbook import Sheet, save

MOST_SHEET_ROWS: Final = 1_048_576
HEADINGS: Final = 1


def table_of(release: Release) -> pa.Table:
    """The cells of a release in their order.

    Columns: the dimensions (text), then for each measure its figure and ``<measure>_error_95``, the half-width of the
    interval that holds the exact figure 95 times in 100, in the measure's unit. ``a:sum`` is named ``a_sum``. The
    table's metadata names the release and its digest.
    """
    grid = release.body.grid
    keys = list(grid.keys())
    columns: dict[str, pa.Array] = {
        axis.name: pa.array([key[place] for key in keys], pa.string()) for place, axis in enumerate(grid.axes)
    }
    for each in release.body.released:
        name = column_name(each.measure)
        columns[name] = pa.array(each.cells, pa.int64())
        columns[f"{name}_error_95"] = pa.array([each.expected_error_95] * len(keys), pa.float64())
    for derived in release.body.derived:
        name = column_name(derived.measure)
        columns[name] = pa.array(derived.cells, pa.float64())
        columns[f"{name}_error_95"] = pa.array(derived.errors_95, pa.float64())
    return pa.table(columns).replace_schema_metadata(about(release))


def column_name(measure: str) -> str:
    """The name of a measure's column."""
    return measure.replace(":", "_")


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
        "created": body.created.isoformat(),
    }


def write_csv(table: pa.Table, path: Path) -> None:
    """Write the rows as CSV with a heading."""
    csv.write_csv(table, path)


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write the rows as Parquet, with what goes along with them in the file's metadata."""
    parquet.write_table(table, path)


def write_xlsx(table: pa.Table, path: Path) -> None:
    """Write the rows as a sheet, and what goes along with them as another.

    Raises:
        InvalidInput: ``too-many-cells``, beyond what a sheet holds.
    """
    if table.num_rows + HEADINGS > MOST_SHEET_ROWS:
        raise InvalidInput("too-many-cells", cells=table.num_rows, limit=MOST_SHEET_ROWS - HEADINGS)
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    save((Sheet("figures", table.column_names, rows), Sheet("about", (), _metadata(table).items())), path)


def with_state(table: pa.Table) -> pa.Table:
    """The table with two more columns, so that no file's figures part from what became of their release.

    ``release`` names it and ``release_state`` says valid, withdrawn or superseded, in every row.
    """
    about = _metadata(table)
    for name, value in (("release", about.get("release", "")), ("release_state", about.get("state", ""))):
        table = table.append_column(name, pa.array([value] * table.num_rows, pa.string()))
    return table


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
