"""Analyses of released files: read the releases, print the report. Nothing is asked and nothing is spent."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console, Group
from rich.table import Table as Shown
from rich.text import Text as Line

from contracts.analysis import Figure, Report, Table
from contracts.dataset import Text
from contracts.errors import InvalidInput
from contracts.release import Release, ReleaseBody, ReleaseState
from forecasting.flags import meaning_of
from gateway.analysis_csv import FORMULA_STARTS
from saphan.given_files import given_value
from saphan.output import captioned, is_for_programs, table_of

ReleaseFiles = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="Releases, as `saphan release show REL --json` prints them.")
]
AsCsv = Annotated[str | None, typer.Option("--csv", metavar="TABLE", help="Print one table of the report as CSV.")]
NARROW: Final = 14
"""Letters of a column that its heading may take, whatever stands in it."""

MOST_ROWS: Final = 60
"""Rows of a table that people are shown; programs get all."""


def read_bodies(files: Sequence[Path]) -> list[ReleaseBody]:
    """The releases of exported files, each once.

    Raises:
        InvalidInput: ``file-unreadable``; ``malformed-body`` for a file that is no release; ``release-not-a-series``
            for one that was withdrawn or superseded.
    """
    found: dict[str, ReleaseBody] = {}
    for path in files:
        release = given_value(Release, path)
        if release.withdrawal is not None and release.withdrawal.state is not ReleaseState.VALID:
            raise InvalidInput("release-not-a-series", why=f"{path.name} was {release.withdrawal.state.value}")
        found[release.body.id] = release.body
    return list(found.values())


def show_report(report: Report, *, as_json: bool, as_csv: str | None = None) -> None:
    """Print a report: JSON for programs, one table as CSV, or all of it for people.

    Raises:
        InvalidInput: ``unknown-publication``, for a table that it has not.
    """
    if as_csv is not None:
        typer.echo(table_csv(report, as_csv), nl=False)
    elif is_for_programs(as_json=as_json):
        typer.echo(report.model_dump_json(by_alias=True))
    else:
        Console().print(report_group(report))


def table_csv(report: Report, name: str) -> str:
    """One table of a report as CSV with a heading row of machine names.

    Raises:
        InvalidInput: ``unknown-publication``.
    """
    table = next((each for each in report.tables if each.name == name), None)
    if table is None:
        raise InvalidInput("unknown-publication", name=f"{report.kind.value}/{name}")
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow([column.name for column in table.columns])
    writer.writerows([_safe(figure) for figure in row] for row in table.rows)
    return written.getvalue()


def _safe(figure: Figure) -> Figure:
    """A label that a spreadsheet would take for a formula gets an apostrophe."""
    return f"'{figure}" if isinstance(figure, str) and figure.startswith(FORMULA_STARTS) else figure


def report_group(report: Report) -> Group:
    """A report as people read it: findings, tables, what the flags mean, and the card."""
    parts: list[Line | Shown] = [Line(_both(report.title), style="bold")]
    for statement in report.statements:
        marks = "".join(f" [{flag}]" for flag in statement.flags)
        parts.append(Line(f"{_both(statement.text)}{marks}"))
    parts.extend(_table(table) for table in report.tables)
    flags = sorted({flag for statement in report.statements for flag in statement.flags})
    parts.extend(Line(f"[{flag}] {_both(meaning_of(flag))}", style="dim") for flag in flags)
    card = report.card
    parts.append(Line(f"{card.first} - {card.last} · {', '.join(card.models)}", style="dim"))
    parts.extend(Line(_both(words), style="dim") for words in (card.data, card.method, card.limits))
    return Group(*parts)


def _table(table: Table) -> Shown:
    headings = [f"{each.title.th}\n{each.title.en}{f' ({each.unit})' if each.unit else ''}" for each in table.columns]
    figures = [
        heading for place, heading in enumerate(headings) if all(not isinstance(row[place], str) for row in table.rows)
    ]
    shown = table_of(*headings, figures=figures, title=_both(table.title))
    for place, column in enumerate(shown.columns):
        # A long heading is cut: else it takes the room of other columns, down to nothing.
        longest = max((len(_written(row[place])) for row in table.rows), default=0)
        column.no_wrap |= longest <= NARROW
        column.max_width = max(longest, NARROW) if column.no_wrap else None
    for row in table.rows[:MOST_ROWS]:
        shown.add_row(*(_written(figure) for figure in row))
    if len(table.rows) > MOST_ROWS:
        rest = len(table.rows) - MOST_ROWS
        captioned(shown, f"… {rest:,} more: --csv {table.name}")
    return shown


def _written(figure: Figure) -> str:
    match figure:
        case None:
            return "-"
        case bool():
            return "ใช่ · yes" if figure else "ไม่ใช่ · no"
        case float():
            return f"{figure:,.3g}" if abs(figure) < 10 else f"{figure:,.1f}"  # noqa: PLR2004  # a rate ratio is 1.22
        case int():
            return f"{figure:,}"
        case _:
            return figure


def _both(words: Text) -> str:
    return f"{words.th} · {words.en}"
