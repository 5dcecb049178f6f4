"""``saphan budget``: what is left of every window, and ``saphan budget plan``: what the year's questions would cost.

The plan asks nobody: it reads contracts, the standing questions and the sizes that are expected, and spends nothing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput
from contracts.odcs import bundled_ids, bundled_text, read_contract
from contracts.standing_questions import (
    ExpectedSizes,
    StandingQuestions,
    bundled_questions,
    bundled_sizes,
    read_questions,
    read_sizes,
)
from privacy.planner import budget_plan
from saphan.budget_plan_tables import plan_tables
from saphan.client_commands import HomeOption, budget_command
from saphan.output import AsJson, is_for_programs, told_errors

app = typer.Typer(help="What is left of every budget, and what a year of questions would cost.")


@app.callback(invoke_without_command=True)
def budget(context: typer.Context, home: HomeOption = None, *, as_json: AsJson = False) -> None:
    """Show what is left of every window of every source; ``plan``: part a year among the standing questions."""
    if context.invoked_subcommand is None:
        budget_command(home, as_json=as_json)


@app.command("plan")
def plan_command(
    *,
    questions: Annotated[Path | None, typer.Option(help="Standing questions as TOML; OJA's Q01-Q20.")] = None,
    sizes: Annotated[Path | None, typer.Option(help="Expected sizes as TOML; those that come along.")] = None,
    contract: Annotated[
        list[Path] | None, typer.Option(help="A contract, in place of the one that comes along.")
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Only what is asked of this dataset.")] = None,
    as_json: AsJson = False,
) -> None:
    """Part one person-year of budget among the standing questions, and print the error of each before anybody signs."""
    with told_errors(as_json=as_json):
        asked = _questions(questions)
        if dataset is not None:
            asked = asked.about(dataset)
        plan = budget_plan(asked, _sizes(sizes), _contracts(contract or (), dataset))
    if is_for_programs(as_json=as_json):
        typer.echo(plan.model_dump_json())
        return
    console = Console()
    for table in plan_tables(plan):
        console.print(table, "")


def _questions(file: Path | None) -> StandingQuestions:
    return bundled_questions() if file is None else read_questions(_text(file), file.name)


def _sizes(file: Path | None) -> ExpectedSizes:
    return bundled_sizes() if file is None else read_sizes(_text(file), file.name)


def _contracts(files: Sequence[Path], dataset: str | None) -> dict[str, DatasetContract]:
    """The contracts that come along, and those of the files, which take the place of the same dataset's."""
    bundled = (each for each in bundled_ids() if dataset in (None, each))
    read = [read_contract(text) for text in (*map(bundled_text, bundled), *map(_text, files))]
    return {each.id: each for each in read if dataset in (None, each.id)}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("questions-invalid", file=file.name, where="file") from error
