"""``saphan centre``: set the forecasting centre up, and run it."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from contracts.dataset import Text
from gateway.centre.home import CentreHome, Enrolment
from gateway.centre.main import main, now, open_centre
from gateway.centre.settings import DEFAULT_HOME, load_settings

app = typer.Typer(help="The forecasting centre: a requester like any other.", no_args_is_help=True)

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
    home: HomeOption = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Ask the standing questions, forecast, publish; again and again until interrupted, or once."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    settings = load_settings(home.resolve())
    if not once:
        main(settings)
        return
    with open_centre(settings) as centre:
        done = centre.round()
    if as_json:
        typer.echo(done.model_dump_json())
        return
    for activity, releases in done.releases.items():
        gaps = ", ".join(done.gaps.get(activity, ()))
        typer.echo(f"{activity}: {len(releases)} releases" + (f", nothing of {gaps}" if gaps else ""))
    for activity, problems in done.problems.items():
        typer.echo(f"{activity}: {', '.join(problems)}", err=True)
    typer.echo(f"forecast {done.forecast}: {done.series} series, {done.horizon} months")
