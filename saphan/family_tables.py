"""A family of tables on a terminal: each table named in Thai and English, each figure with its error."""

from collections.abc import Mapping
from typing import Final

from rich.console import Group
from rich.table import Table
from rich.text import Text as Line

from contracts.dataset import Text
from contracts.errors import SaphanError
from contracts.family_advice import FamilyAdvice
from contracts.grid import Grid
from contracts.measure_words import words_of
from contracts.release import ReleaseBody, ReleasedTable
from gateway.client import Gateway, Result
from gateway.contract_calls import published_version
from gateway.family_figures import half_widths
from gateway.family_table import bins_of_table, tables_in_order
from saphan.client_tables import fate_of
from saphan.output import table_of

ROWS_SHOWN: Final = 12
"""Of each table."""

TOTAL: Final = Text(th="รวมทั้งหมด", en="all in one")
WHOLE_FROM: Final = 10

Titles = Mapping[str, Text]


def titles_of(gateway: Gateway, body: ReleaseBody) -> Titles:
    """What the axes of a release are called, from its contract; nothing if that cannot be had."""
    try:
        contract = published_version(gateway, body.promises[0].contract.digest).contract
    except SaphanError:
        return {}
    named = {each.name: each.title for each in contract.dimensions}
    return named | {each.column: each.title for each in contract.measure_columns}


def family_group(result: Result, titles: Titles) -> Group:
    """Every table of a release, coarser ones first, the first rows of each."""
    body = result.told.body
    head = Line(f"{fate_of(result)} · {len(body.tables):,} tables that agree / ตารางที่ยอดตรงกัน")
    return Group(head, *(part for each in tables_in_order(body) for part in _named(body, each, titles)))


def table_words(grid: Grid, titles: Titles) -> Text:
    """What a table is called: the titles of its axes."""
    known = [titles.get(axis.name, Text(th=axis.name, en=axis.name)) for axis in grid.axes]
    if not known:
        return TOTAL
    *first, last = (each.th for each in known)
    return Text(
        th=f"ตาม{' '.join((*first, f'และ{last}' if first else last))}", en=f"by {', '.join(each.en for each in known)}"
    )


def advice_table(advice: FamilyAdvice) -> Table:
    """The weight of each table, the error of its cells alone and together, largest first."""
    title = f"{advice.contract} · {advice.measure} · {advice.nano_rho:,} nano-rho"
    table = table_of("table", "cells", "weight", "± alone", "± together", "± largest", "unit", title=title)
    for each in advice.tables:
        errors = (f"{error:,.1f}" for error in (each.error_95_alone, each.error_95, each.largest_error_95))
        table.add_row(", ".join(each.by) or "all", f"{each.cells:,}", str(each.weight), *errors, advice.unit)
    return table


def _named(body: ReleaseBody, table: ReleasedTable, titles: Titles) -> tuple[str, Line, Table]:
    """A blank line, what the table is called, and the table: as its own title, words would wrap at its width."""
    words, named = table_words(table.grid, titles), words_of(table.measure, titles)
    title = f"{named.th} {words.th} / {named.en} {words.en} · {table.unit}"
    return "", Line(title, style="italic"), _table(body, table)


def _table(body: ReleaseBody, table: ReleasedTable) -> Table:
    bins = bins_of_table(body, table)
    shown = table_of(
        *(axis.name for axis in table.grid.axes),
        *([] if bins == ("",) else ["bin"]),
        "estimate ± in 95 of 100",
        *(["whole"] if table.integers else []),
    )
    widths = half_widths(body, table)
    keys = ((*key, *([] if bin_ == "" else [bin_])) for key in table.grid.keys() for bin_ in bins)  # noqa: SIM118
    for place, key in zip(range(min(ROWS_SHOWN, len(table.estimates))), keys, strict=False):
        figure = _figure(table.estimates[place], widths * table.sigmas[place])
        shown.add_row(*key, figure, *([f"{table.integers[place]:,}"] if table.integers else []))
    if len(table.estimates) > ROWS_SHOWN:
        shown.add_row(f"… {len(table.estimates) - ROWS_SHOWN:,} more")
    return shown


def _figure(value: float, error: float) -> str:
    decimals = 0 if error >= WHOLE_FROM else 1
    return f"{value:,.{decimals}f} ± {error:,.{decimals}f}"
