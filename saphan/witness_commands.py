"""``saphan connector witness``: what this agency's connector saw of the gateway's log, and what it holds against it."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import AwareDatetime
from rich.console import Group
from rich.table import Table

from connectors.home import Home
from connectors.journal import witness
from connectors.journal.book import Journal
from connectors.journal.witness import Evidence
from connectors.main import now
from connectors.witness import stands_still
from contracts.checkpoints import read_checkpoint
from contracts.errors import InvalidInput
from contracts.transparency import Hash
from contracts.values import Value
from saphan.output import AsJson, say, show, table_of, told_errors

HOME = Path(".saphan")


class SeenView(Value):
    """The checkpoint that was last checked; ``handed_in`` when the gateway has this agency's cosignature of it."""

    origin: str
    size: int
    root: Hash
    at: AwareDatetime
    handed_in: bool
    document: str


class WitnessView(Value):
    """What the connector saw of the log; ``works`` is false while evidence is not settled.

    ``stands_still`` is true, and ``works`` false, while the log does not move though this connector answered questions
    that were made after what was seen; it works again when the log moves.
    """

    works: bool
    seen: SeenView | None
    evidence: tuple[Evidence, ...]
    stands_still: bool = False


def witness_command(
    *,
    settle: Annotated[
        str | None, typer.Option("--settle", metavar="REASON", help="Go on with the log as it is; the evidence stays.")
    ] = None,
    home: Annotated[Path, typer.Option("--home", help="The connector's folder.", envvar="SAPHAN_HOME")] = HOME,
    as_json: AsJson = False,
) -> None:
    """Show what this connector saw of the gateway's log, and both checkpoints of every contradiction."""
    with told_errors(as_json=as_json):
        journal = Journal(Home(home.resolve()).journal)
        if settle is not None:
            if not settle.strip():
                raise InvalidInput("setting-invalid", setting="settle", why="it needs a reason")
            say(f"{witness.settle(journal, settle, now())} settled")
        view = _view(journal)
        journal.close()
        show(view, lambda: witness_table(view), as_json=as_json)


def _view(journal: Journal) -> WitnessView:
    seen, evidence, still = witness.seen(journal), witness.evidence(journal), stands_still(journal, now())
    return WitnessView(
        works=witness.unsettled(journal) is None and not still,
        seen=None if seen is None else _seen(seen),
        evidence=evidence,
        stands_still=still,
    )


def _seen(seen: witness.Seen) -> SeenView:
    checkpoint = read_checkpoint(seen.document)
    return SeenView(
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=checkpoint.root,
        at=seen.seen_at,
        handed_in=seen.handed_in,
        document=seen.document,
    )


def witness_table(view: WitnessView) -> Group:
    """What was seen, and every contradiction with both its checkpoints, for people."""
    head = "ทำงาน · works" if view.works else "หยุดทำงาน · does not work by this log"
    table = table_of("seen", "entries", "root", "cosigned", figures=("entries",))
    if view.seen is not None:
        cosigned = "yes" if view.seen.handed_in else "not yet"
        table.add_row(f"{view.seen.at:%Y-%m-%d %H:%M}", f"{view.seen.size:,}", view.seen.root[:16], cosigned)
    return Group(head, table, *(_evidence(each) for each in view.evidence))


def _evidence(each: Evidence) -> Table:
    table = table_of("", "", title=f"{each.number}: {each.code}  {each.at:%Y-%m-%d %H:%M}")
    table.add_row("seen before", each.seen)
    table.add_row("shown then", each.shown)
    if each.settled_at is not None:
        table.add_row("settled", f"{each.settled_at:%Y-%m-%d %H:%M}  {each.reason}")
    return table
