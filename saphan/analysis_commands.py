"""``saphan analysis``: warnings, clocks, rankings, rate ratios and evaluations that the centre published."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Group
from rich.table import Table as Shown

from contracts.analysis import AnalysisKind, PublishedAnalysis, Statement
from contracts.dataset import Text
from contracts.errors import InvalidInput
from contracts.publication import AnalysisSummary
from forecasting.flags import meanings
from gateway.analysis_csv import table_csv
from gateway.checked_publication import signer_of
from gateway.client import Gateway
from gateway.workbook import Sheet, save
from saphan.as_of import AsOf, instant_of
from saphan.client_commands import HomeOption, connected
from saphan.output import AsJson, say, show, show_all, table_of
from saphan.publication_commands import standing_of, warn_of_flags
from saphan.report_output import AsCsv, report_group

app = typer.Typer(no_args_is_help=True, help="Analyses that the forecasting centre has published.")

KINDS: Final = frozenset(each.value for each in AnalysisKind)
LONGEST_SHEET_NAME: Final = 31
Name = Annotated[str, typer.Argument(metavar="ID|KIND", help="An identifier, or a kind for its newest analysis.")]
Kind = Annotated[AnalysisKind | None, typer.Option("--kind", help="Only analyses of this kind.")]
TableName = Annotated[str | None, typer.Option("--table", help="The table; needed for CSV where there are several.")]


@app.command("list")
def list_command(*, kind: Kind = None, as_of: AsOf = None, home: HomeOption = None, as_json: AsJson = False) -> None:
    """List the analyses that this member may read, newest first; what cites a withdrawn release is flagged."""
    with connected(home, as_json=as_json) as (gateway, _):
        found = gateway.analyses(kind, instant_of(as_of, gateway.now()))
        show_all(found, lambda: _list_table(found), as_json=as_json)


@app.command("show")
def show_command(
    name: Name, *, as_of: AsOf = None, as_csv: AsCsv = None, home: HomeOption = None, as_json: AsJson = False
) -> None:
    """Show one analysis with its findings, tables and card, checked against the key that signed it."""
    with connected(home, as_json=as_json) as (gateway, _):
        found, kid = _fetched(gateway, name, as_of)
        if as_csv is None:
            show(found, lambda: _shown(found, kid), as_json=as_json)
        else:
            typer.echo(table_csv(found, as_csv), nl=False)
        warn_of_flags(found.flagged, found.flagged_since)


@app.command("export")
def export_command(
    name: Name,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="FILE.xlsx, FILE.csv (one table) or FILE.json.")],
    *,
    table: TableName = None,
    as_of: AsOf = None,
    home: HomeOption = None,
) -> None:
    """Write an analysis to a file: all its tables with their card as XLSX, one as CSV, everything as JSON."""
    with connected(home, as_json=False) as (gateway, _):
        found, _kid = _fetched(gateway, name, as_of)
        _write(found, file, table)
        warn_of_flags(found.flagged, found.flagged_since)
    say(str(file))


def _fetched(gateway: Gateway, name: str, as_of: str | None) -> tuple[PublishedAnalysis, str]:
    at = instant_of(as_of, gateway.now())
    found = gateway.latest_analysis(AnalysisKind(name), at) if name in KINDS else gateway.analysis(name, at)
    return found, signer_of(found, gateway.analysis_document(found.analysis.id), gateway.federation)


def _write(found: PublishedAnalysis, file: Path, table: str | None) -> None:
    ending = file.suffix.lower()
    if ending == ".json":
        file.write_text(found.model_dump_json(by_alias=True), encoding="utf-8")
    elif ending == ".csv":
        file.write_text(table_csv(found, table or _only_table(found)), encoding="utf-8", newline="")
    elif ending == ".xlsx":
        save(_sheets(found), file)
    else:
        raise InvalidInput("unknown-format", format=ending or file.name, choices=".xlsx, .csv, .json")


def _only_table(found: PublishedAnalysis) -> str:
    names = [each.name for each in found.analysis.report.tables]
    if len(names) > 1:
        raise InvalidInput("unknown-publication", name=f"{found.analysis.id}/? ({', '.join(names)})")
    return names[0]


def _sheets(found: PublishedAnalysis) -> Iterator[Sheet]:
    """A sheet for each table, then what must be known with them."""
    for place, table in enumerate(found.analysis.report.tables, 1):
        headings = [
            f"{each.title.th} · {each.title.en}" + (f" ({each.unit})" if each.unit else "") for each in table.columns
        ]
        yield Sheet(f"{place} {table.name}"[:LONGEST_SHEET_NAME], headings, table.rows)
    yield Sheet("about", ("", ""), tuple(_about(found)))


def _about(found: PublishedAnalysis) -> Iterator[tuple[str, str]]:
    report, card = found.analysis.report, found.analysis.report.card
    yield "analysis", found.analysis.id
    yield "digest", found.digest
    yield "kind", report.kind.value
    yield "title", _both(report.title)
    yield "published", _published(found)
    yield "releases", ", ".join(each.release for each in found.analysis.citations)
    yield "no longer valid", ", ".join((*found.flagged, *found.flagged_since)) or "-"
    yield "months", f"{card.first} - {card.last}"
    yield "models", ", ".join(card.models)
    yield from (("data", _both(card.data)), ("method", _both(card.method)), ("limits", _both(card.limits)))
    yield from (("finding", _said(each)) for each in report.statements)


def _shown(found: PublishedAnalysis, kid: str) -> Group:
    about = table_of("", "")
    about.add_row("id", found.analysis.id)
    about.add_row("published", f"{_published(found)}, signed by {kid}, checked")
    about.add_row("releases", ", ".join(each.release for each in found.analysis.citations))
    return Group(about, report_group(found.analysis.report))


def _published(found: PublishedAnalysis) -> str:
    return f"{found.published_at:%Y-%m-%d %H:%M} by {found.agency}" if found.published_at else "-"


def _said(statement: Statement) -> str:
    known = meanings()
    told = (f"\n  [{each}] {_both(known[each])}" if each in known else f"\n  [{each}]" for each in statement.flags)
    return _both(statement.text) + "".join(told)


def _both(text: Text) -> str:
    return f"{text.th} · {text.en}"


def _list_table(found: tuple[AnalysisSummary, ...]) -> Shown:
    table = table_of("id", "kind", "title", "published", "months", "by", "state")
    for each in found:
        published = f"{each.published_at:%Y-%m-%d %H:%M}"
        months = f"{each.first} - {each.last}"
        state = standing_of(each) + ("" if each.public else " · not public")
        table.add_row(each.id, each.kind.value, _both(each.title), published, months, each.agency, state)
    return table
