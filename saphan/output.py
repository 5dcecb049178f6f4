"""The one place where results and errors are printed: data on standard output, words on standard error.

A result is a table for people and one JSON value for programs: with ``--json``, and by itself when standard output is
not a terminal. An error is told in Thai and English with the next step, and becomes the exit code of its family.
"""

import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Final

import typer
from pydantic import BaseModel, TypeAdapter
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from contracts.errors import InvalidInput, Refused, SaphanError, Spent
from contracts.views import RequestStatus

MILLION: Final = 1_000_000
SPENT: Final = {
    Spent.NOTHING: "ไม่เสียงบ · no budget was spent",
    Spent.RESERVED: "งบถูกจองไว้ไม่เกินราคาของคำขอ · at most the request's price is reserved",
    Spent.CHARGED: "งบถูกใช้แล้ว · budget was spent",
}

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs; by itself when piped.")]


def is_for_programs(*, as_json: bool) -> bool:
    """Whether a program reads standard output."""
    return as_json or not sys.stdout.isatty()


def show(value: BaseModel, table: Callable[[], RenderableType], *, as_json: bool) -> None:
    """Print one value as JSON, or as the table that it is for people."""
    if is_for_programs(as_json=as_json):
        typer.echo(value.model_dump_json(by_alias=True))
    else:
        # Tables fit the terminal; what is told to stay whole may run over its edge, and is not cut there.
        Console().print(table(), crop=False)


def show_all(values: Sequence[BaseModel], table: Callable[[], RenderableType], *, as_json: bool) -> None:
    """Print several values as a JSON list, or as what they are for people."""
    if is_for_programs(as_json=as_json):
        items = TypeAdapter(list[BaseModel]).dump_json(list(values), by_alias=True, serialize_as_any=True)
        typer.echo(items.decode())
    else:
        # Tables fit the terminal; what is told to stay whole may run over its edge, and is not cut there.
        Console().print(table(), crop=False)


def table_of(*columns: str, figures: Collection[str] = (), title: str | None = None) -> Table:
    """An empty table with these headings; on a narrow terminal words are folded, and ``figures`` stay whole."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        if column in figures:
            # Should even that not do, a figure is seen to be cut.
            table.add_column(column, justify="right", no_wrap=True, overflow="ellipsis")
        else:
            table.add_column(column, overflow="fold")
    return table


def whole(text: str) -> Text:
    """A line that no terminal folds, for what people compare aloud and copy."""
    return Text(text, no_wrap=True, overflow="ignore")


def captioned(table: Table, words: str) -> None:
    """Put a line below a table, which stays one line where the table is narrower than it."""
    table.caption = whole(words)
    table.caption_justify = "left"


def millions(nano_rho: int) -> str:
    """An amount of nano-rho in millions, exactly."""
    whole, rest = divmod(nano_rho, MILLION)
    return f"{whole:,}" + (f".{rest:06}".rstrip("0") if rest else "")


def say(text: str) -> None:
    """Words for whoever watches; never data."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(text, markup=False)


@contextmanager
def told_errors(*, as_json: bool = False, of_question: bool = False) -> Iterator[None]:
    """Turn an error into what people read, what programs read, and the exit code of its family.

    When a question is refused, people read that no budget was spent. Elsewhere there is no budget to speak of, and
    without an answer nobody on this side knows what became of a question.
    """
    try:
        yield
    except SaphanError as error:
        tell(error, as_json=as_json, of_question=of_question)
        raise typer.Exit(error.exit_code) from error


def tell(error: SaphanError, *, as_json: bool, of_question: bool = False) -> None:
    """Say what is wrong in both languages, what it cost and what to do; programs get the problem itself."""
    if as_json:
        typer.echo(error.problem().model_dump_json())
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for reason in error.reasons:
        console.print(f"{reason.code} ({reason.number})", style="bold red", markup=False)
        console.print(f"  {reason.message_th}\n  {reason.message_en}", markup=False)
        console.print(f"  {reason.advice_th}\n  {reason.advice_en}", style="dim", markup=False)
    is_answered = isinstance(error, Refused | InvalidInput)
    if error.spent is not Spent.NOTHING or (of_question and is_answered):
        console.print(SPENT[error.spent], style="dim", markup=False)


@contextmanager
def waiting_shown() -> Iterator[Callable[[RequestStatus], None]]:
    """Show on standard error for whom a question waits, as a spinner on a terminal and as lines elsewhere."""
    console = Console(stderr=True, highlight=False)
    told: list[str] = []
    with console.status("…") as spinner:

        def progress(status: RequestStatus) -> None:
            agencies = ", ".join(status.waiting_for).upper()
            text = f"กำลังรอ {agencies} · waiting for {agencies}" if agencies else "กำลังเตรียมผล · preparing the release"
            spinner.update(text)
            if not console.is_terminal and told[-1:] != [text]:
                told.append(text)
                console.print(text, markup=False)

        yield progress
