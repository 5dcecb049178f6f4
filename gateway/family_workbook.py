"""A family of tables as a workbook: one sheet for each table, an index of them before, the release after them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
from pyarrow import compute

from contracts.errors import InvalidInput
from contracts.measure_words import words_of
from contracts.release import Release
from gateway.family_table import FIGURES, MEASURE, TABLE, UNIT, family_table
from gateway.released_table import HEADINGS, MOST_SHEET_ROWS, about, with_state
from gateway.workbook import Plain, Sheet, save

WORKBOOK: Final = ".xlsx"

LONGEST_TITLE: Final = 31
"""What spreadsheet programs allow for the name of a sheet."""

INDEX: Final = ("sheet", "table", "measure", "ความหมาย", "meaning", "unit", "cells")


def write_family_workbook(release: Release, path: Path) -> None:
    """Write every table of a family on a sheet of its own, each row with its error and what became of the release.

    Raises:
        InvalidInput: ``too-many-cells``, beyond what a sheet holds.
    """
    rows = with_state(family_table(release))
    parts = [_part(rows, *name) for name in _names(rows)]
    largest = max(part.num_rows for part in parts)
    if largest + HEADINGS > MOST_SHEET_ROWS:
        raise InvalidInput("too-many-cells", cells=largest, limit=MOST_SHEET_ROWS - HEADINGS)
    titles = [_title(number, part) for number, part in enumerate(parts, 1)]
    index = Sheet("tables", INDEX, [_described(*each) for each in zip(titles, parts, strict=True)])
    sheets = [_sheet(title, part) for title, part in zip(titles, parts, strict=True)]
    save((index, *sheets, Sheet("about", (), about(release).items())), path)


def _names(rows: pa.Table) -> list[tuple[str, str]]:
    return list(dict.fromkeys(zip(rows[MEASURE].to_pylist(), rows[TABLE].to_pylist(), strict=True)))


def _part(rows: pa.Table, measure: str, table: str) -> pa.Table:
    """One table's rows, without the columns that are empty in it."""
    chosen = rows.filter(compute.and_(compute.equal(rows[MEASURE], measure), compute.equal(rows[TABLE], table)))
    kept = [name for name in chosen.column_names if name in FIGURES or chosen[name].null_count < chosen.num_rows]
    return chosen.select(kept)


def _title(number: int, part: pa.Table) -> str:
    """``3 count month x province``, cut to what is allowed and without the signs that are not."""
    measure, table = (part[name][0].as_py() for name in (MEASURE, TABLE))
    return f"{number} {measure} {table}".replace(":", " ")[:LONGEST_TITLE].rstrip()


def _described(title: str, part: pa.Table) -> tuple[Plain, ...]:
    measure, table, unit = (part[name][0].as_py() for name in (MEASURE, TABLE, UNIT))
    words = words_of(measure)
    return (title, table, measure, words.th, words.en, unit, part.num_rows)


def _sheet(title: str, part: pa.Table) -> Sheet:
    shown = part.drop_columns([TABLE, MEASURE, UNIT])
    return Sheet(title, shown.column_names, _rows(shown))


def _rows(table: pa.Table) -> Iterator[tuple[Plain, ...]]:
    yield from zip(*(column.to_pylist() for column in table.columns), strict=True)
