"""``saphan centre``: set the forecasting centre up, and run it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from contracts.dataset import Text
from contracts.errors import InvalidInput
from contracts.periods import Period
from forecasting.spread import Spread
from gateway.centre.feed import Stage, Step, Told, quietly
from gateway.centre.home import CentreHome, Enrolment, Revision
from gateway.centre.main import main, now, open_centre
from gateway.centre.round import Round
from gateway.centre.settings import DEFAULT_HOME, load_settings
from saphan.log_output import log_to_stderr
from saphan.output import show, table_of, told_errors

app = typer.Typer(help="The forecasting centre: a requester like any other.", no_args_is_help=True)

SHORTEST_REASON: Final = 3
LONGEST_REASON: Final = 500
STAGES: Final = {
    Stage.ASK: "ถามและรอคำตอบ · asking and waiting",
    Stage.READ: "อ่านผลที่เผยแพร่ · reading releases",
    Stage.FORECAST: "พยากรณ์ · forecasting",
    Stage.ANALYSES: "วิเคราะห์ · analyses",
}

EngineOption = Annotated[Spread | None, typer.Option(help="Where the models are fitted; the settings' if left out.")]
HomeOption = Annotated[Path, typer.Option("--home", help="The centre's folder.", envvar="SAPHAN_HOME")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


@app.command("init")
def init_command(  # noqa: PLR0913  # one option each for what a centre says once
    agency: Annotated[str, typer.Option(help="The member that the centre belongs to, such as oja.")],
    gateway: Annotated[str, typer.Option(help="The gateway's address.")],
    agreement: Annotated[str, typer.Option(help="The agreement under which it will ask.")],
    title_th: Annotated[str | None, typer.Option(help="The member's name in Thai.")] = None,
    title_en: Annotated[str | None, typer.Option(help="The member's name in English.")] = None,
    *,
    home: HomeOption = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Make the home: keys, settings, and public.json for the federation."""
    title = Text(th=title_th or agency, en=title_en or agency)
    member = CentreHome(home.resolve()).enrol(Enrolment(agency, title, gateway, agreement), now())
    typer.echo(member.model_dump_json() if as_json else "\n".join(key.kid for key in member.keys))


@app.command("run")
def run_command(
    *,
    once: Annotated[bool, typer.Option("--once", help="One round, then end.")] = False,
    engine: EngineOption = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Ask the standing questions, forecast, publish: once, or on the schedule as serve does."""
    _logged()
    settings = load_settings(home.resolve(), engine=engine)
    if not once:
        main(settings)
        return
    with told_errors(as_json=as_json), _shown_progress(as_json=as_json) as told, open_centre(settings) as centre:
        done = centre.round(told)
    if as_json:
        typer.echo(done.model_dump_json())
    else:
        _tell(done)


@app.command("serve")
def serve_command(*, engine: EngineOption = None, home: HomeOption = DEFAULT_HOME) -> None:
    """Work on the schedule of the settings (daily, weekly, monthly at an hour of Bangkok) until interrupted."""
    _logged()
    main(load_settings(home.resolve(), engine=engine))


@app.command("revise")
def revise_command(  # one option each for what a revision says
    *,
    activity: Annotated[str, typer.Option(help="The activity whose months were corrected.")],
    start: Annotated[str, typer.Option("--from", help="The first day of the first month, YYYY-MM-DD.")],
    until: Annotated[str, typer.Option("--until", help="The day after the last month, YYYY-MM-DD.")],
    reason: Annotated[str, typer.Option(help="Why the months are asked anew.")],
    home: HomeOption = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Declare that closed months were corrected: the next round asks them anew, and they are charged anew."""
    with told_errors(as_json=as_json), open_centre(load_settings(home.resolve())) as centre:
        revision = centre.revise(activity, _period(start, until), _reason(reason))
        show(revision, lambda: _revision_table(revision), as_json=as_json)


def _period(start: str, until: str) -> Period:
    try:
        return Period.model_validate({"from": start, "until": until})
    except ValidationError as error:
        raise InvalidInput("malformed-body", where="period") from error


def _reason(text: str) -> str:
    if not SHORTEST_REASON <= len(text) <= LONGEST_REASON:
        raise InvalidInput("malformed-body", where="reason")
    return text


def _revision_table(revision: Revision) -> Table:
    months = revision.span.period.months()
    table = table_of("activity", "revision", "months", "reason")
    table.add_row(revision.span.activity, str(revision.span.revision), f"{months[0]} - {months[-1]}", revision.reason)
    return table


def _tell(done: Round) -> None:
    for activity, releases in done.releases.items():
        gaps = ", ".join(done.gaps.get(activity, ()))
        typer.echo(f"{activity}: {len(releases)} releases" + (f", nothing of {gaps}" if gaps else ""))
    for activity, problems in done.problems.items():
        typer.echo(f"{activity}: {', '.join(problems)}", err=True)
    typer.echo(f"forecast {done.forecast}: {done.series} series, {done.horizon} months")


def _logged() -> None:
    log_to_stderr()
    logging.getLogger("httpx2").setLevel(logging.WARNING)


@contextmanager
def _shown_progress(*, as_json: bool) -> Iterator[Told]:
    """A bar on standard error for whoever watches; nothing for programs and files."""
    console = Console(stderr=True)
    if as_json or not console.is_terminal:
        yield quietly
        return
    with Progress(console=console, transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def told(step: Step) -> None:
            if step.stage not in tasks:
                tasks[step.stage] = bar.add_task(STAGES[step.stage], total=step.of)
            bar.update(tasks[step.stage], completed=step.done, total=step.of)

        yield told
