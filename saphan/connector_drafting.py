"""``saphan connector draft``, and ``init --table``: a contract from a table's declaration, for a person to finish."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from connectors.draft import Decision, Drafted, Wanted, draft
from connectors.home import Home
from connectors.main import now
from connectors.settings import load_settings
from connectors.sources import describe
from contracts.errors import InvalidInput
from contracts.federation import Member
from contracts.odcs import SUFFIX, Finding
from contracts.values import Value
from saphan.output import told_errors


class DraftFile(Value):
    """A draft that was written: where, what has to be decided, and the rules that it breaks until then."""

    file: str
    dataset: str
    decisions: tuple[Decision, ...]
    open_rules: tuple[Finding, ...]


class Drafts(Value):
    """The drafts that were written."""

    drafts: tuple[DraftFile, ...]


class MadeWithDrafts(Value):
    """A new home's public keys, and the drafts of its contracts."""

    member: Member
    drafts: tuple[DraftFile, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """A draft and the file that it goes to."""

    drafted: Drafted
    file: Path


def draft_command(  # noqa: PLR0913  # the options of a command line
    *,
    table: Annotated[str, typer.Option(help="The table, or a view with plain names.")],
    source: Annotated[str | None, typer.Option(help="A database as a URL; the home's, if left out.")] = None,
    agency: Annotated[str | None, typer.Option(help="Whose table it is; the home's agency, if left out.")] = None,
    event_time: Annotated[str | None, typer.Option(help="The column of the event, where names do not say it.")] = None,
    row_key: Annotated[str | None, typer.Option(help="The column that is unique in every row.")] = None,
    output: Annotated[Path | None, typer.Option(help="The file; HOME/drafts/TABLE.odcs.yaml, if left out.")] = None,
    home: Annotated[Path, typer.Option("--home", help="The connector's folder.", envvar="SAPHAN_HOME")] = Path(
        ".saphan"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Draft a contract from a table's declared columns, and say what a person has to decide. No row is read."""
    with told_errors(as_json=as_json):
        if source is None or agency is None:
            settings = load_settings(home=home.resolve())
            source, agency = source or settings.source.get_secret_value(), agency or settings.agency
        wanted = Wanted(agency, table, event_time, row_key)
        drafts = write(drafts_of(source, (wanted,), home.resolve(), output, now()))
        typer.echo(drafts.model_dump_json() if as_json else "\n".join(lines_of(drafts)))


def drafts_of(source: str, wanted: Sequence[Wanted], home: Path, output: Path | None, now: datetime) -> list[Placed]:
    """Draft a contract for each table; nothing is written yet.

    Args:
        source: The agency's database as a URL.
        wanted: The tables.
        home: The connector's home; drafts go to its folder ``drafts``.
        output: Another file, for a single table.
        now: Says which fiscal year the present is.

    Raises:
        InvalidInput: ``file-exists``; whatever a table lacks.
        Unavailable: ``source-unreachable``.
    """
    placed = []
    for each in wanted:
        file = output or home / "drafts" / f"{each.table}{SUFFIX}"
        if file.exists():
            raise InvalidInput("file-exists", file=file.name)
        placed.append(Placed(draft(each, describe(source, each.table), now), file))
    return placed


def write(placed: Sequence[Placed]) -> Drafts:
    """Write drafts, readable by their owner alone."""
    for each in placed:
        each.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        Home(each.file.parent).write(each.file, each.drafted.text.encode())
    return Drafts(drafts=tuple(_told(each) for each in placed))


def lines_of(drafts: Drafts) -> Iterator[str]:
    """What is printed: for each draft its file, and every decision in both languages."""
    for each in drafts.drafts:
        yield each.file
        for number, decision in enumerate(each.decisions, 1):
            yield f"{number:3}. {decision.say.th}"
            yield f"     {decision.say.en}"


def _told(each: Placed) -> DraftFile:
    drafted = each.drafted
    return DraftFile(
        file=str(each.file), dataset=drafted.dataset, decisions=drafted.decisions, open_rules=drafted.open_rules
    )
