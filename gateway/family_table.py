"""A family of tables as rows: every cell of every table, its labels, its estimate and what to hold of it."""

from collections.abc import Sequence
from typing import Final

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

from contracts.cell_errors import bin_labels
from contracts.grid import Grid
from contracts.release import Derived, Release, ReleaseBody, ReleasedTable
from gateway.family_figures import half_widths
from gateway.released_table import about

TABLE, MEASURE, UNIT, BIN = "table", "measure", "unit", "bin"
FIGURES: Final = ("estimate", "sigma", "error_95", "integer")
ALL: Final = "all"
"""The table without axes."""

SEPARATOR: Final = " x "
NO_BINS: Final = ("",)


def family_table(release: Release) -> pa.Table:
    """All tables of a family in one: a row for each cell, and for each bin of a cell of a histogram.

    Columns: ``table`` names its axes, ``measure`` and ``unit``; then every axis that any table has, coarser ones first,
    empty where the table adds it up; ``bin`` where there are histograms. ``estimate`` is the unbiased figure, ``sigma``
    its standard deviation, ``error_95`` the half-width of the interval that holds the exact figure 95 times in 100.
    ``integer`` is the whole number for reading, empty if the family has none. Means and other derived figures have no
    ``sigma``. The table's metadata names the release and its digest.
    """
    body = release.body
    parts = [_rows(body, each) for each in tables_in_order(body)] + [_derived(body, each) for each in body.derived]
    table = pa.concat_tables(parts, promote_options="default")
    bins = [BIN] if BIN in table.column_names else []
    return table.select([TABLE, MEASURE, UNIT, *levels_of(body), *bins, *FIGURES]).replace_schema_metadata(
        about(release)
    )


def tables_in_order(body: ReleaseBody) -> tuple[ReleasedTable, ...]:
    """The tables of a family, measure by measure, coarser ones first."""
    return tuple(sorted(body.tables, key=lambda each: (each.measure, each.grid.size, each.by)))


def table_name(grid: Grid) -> str:
    """What a table is called: its axes."""
    return SEPARATOR.join(axis.name for axis in grid.axes) or ALL


def levels_of(body: ReleaseBody) -> tuple[str, ...]:
    """Every axis that any table of a family has: coarser ones first, then those of the question in their order."""
    leaves = body.grid.axes
    named = dict.fromkeys(axis.name for table in tables_in_order(body) for axis in table.grid.axes)
    own = [axis.name for axis in leaves]
    return (*(name for name in named if name not in own), *own)


def bins_of_table(body: ReleaseBody, table: ReleasedTable) -> tuple[str, ...]:
    """The names of the bins of a cell, one empty name for what is no histogram."""
    edges = next((each.bins for each in body.released if each.measure == table.measure), ())
    return bin_labels(edges) if edges else NO_BINS


def family_errors(body: ReleaseBody) -> str:
    """The largest error of each table, in words; empty for a release without a family."""
    parts = (
        f"{each.measure} {table_name(each.grid)} ± up to {half_widths(body, each) * max(each.sigmas):,.1f}"
        for each in tables_in_order(body)
    )
    return ", ".join(parts)


def _rows(body: ReleaseBody, table: ReleasedTable) -> pa.Table:
    bins = bins_of_table(body, table)
    size, widths = len(table.estimates), half_widths(body, table)
    whole: Sequence[int | None] = table.integers or [None] * size
    columns = _head(table.grid, table.measure, table.unit, bins) | {
        "estimate": pa.array(table.estimates, pa.float64()),
        "sigma": pa.array(table.sigmas, pa.float64()),
        "error_95": pa.array([widths * sigma for sigma in table.sigmas], pa.float64()),
        "integer": pa.array(whole, pa.int64()),
    }
    return pa.table(columns)


def _derived(body: ReleaseBody, derived: Derived) -> pa.Table:
    columns = _head(body.grid, derived.measure, derived.unit, NO_BINS) | {
        "estimate": pa.array(derived.cells, pa.float64()),
        "sigma": pa.nulls(len(derived.cells), pa.float64()),
        "error_95": pa.array(derived.errors_95, pa.float64()),
        "integer": pa.nulls(len(derived.cells), pa.int64()),
    }
    return pa.table(columns)


def _head(grid: Grid, measure: str, unit: str, bins: Sequence[str]) -> dict[str, pa.Array]:
    """What a row is about: the same for all rows of a table but for the labels."""
    keys = [key for key in grid.keys() for _ in bins]  # noqa: SIM118  # a grid is no mapping
    same = {TABLE: table_name(grid), MEASURE: measure, UNIT: unit}
    columns = {name: pa.array([value] * len(keys), pa.string()) for name, value in same.items()}
    for place, axis in enumerate(grid.axes):
        columns[axis.name] = pa.array([key[place] for key in keys], pa.string())
    if tuple(bins) != NO_BINS:
        columns[BIN] = pa.array(list(bins) * grid.size, pa.string())
    return columns
