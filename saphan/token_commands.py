"""``saphan token``: look at an access token of the own agency, or have it refused; it is read from standard input."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from contracts.errors import InvalidInput
from gateway.token_calls import TokenView, introspect, revoke
from saphan.client_commands import connected
from saphan.output import AsJson, say, show, table_of

app = typer.Typer(no_args_is_help=True, help="Access tokens of the own agency; a token is read from standard input.")

HomeOption = Annotated[Path | None, typer.Option("--home", help="The member's home.", envvar="SAPHAN_HOME")]
LONGEST = 8192


@app.command("show")
def show_command(*, home: HomeOption = None, as_json: AsJson = False) -> None:
    """Say whether a token is good, whose it is, what it is bound to and for which activities it is."""
    with connected(home, as_json=as_json) as (gateway, _):
        view = introspect(gateway, _token())
        show(view, lambda: _table(view), as_json=as_json)


@app.command("revoke")
def revoke_command(*, home: HomeOption = None, as_json: AsJson = False) -> None:
    """Have a token refused from now on, such as one that was found where it should not be."""
    with connected(home, as_json=as_json) as (gateway, _):
        token = _token()
        revoke(gateway, token)
        view = introspect(gateway, token)
        say("The token opens nothing any more. · โทเคนนี้ใช้ไม่ได้อีกต่อไป")
        show(view, lambda: _table(view), as_json=as_json)


def _token() -> str:
    """The token on standard input: on a command line everybody on the machine could read it."""
    given = sys.stdin.read(LONGEST + 1).strip().removeprefix("DPoP ").removeprefix("Bearer ")
    if not given or len(given) > LONGEST or not given.isascii() or " " in given:
        raise InvalidInput("malformed-body", where="token")
    return given


def _table(view: TokenView) -> Table:
    table = table_of("what", "value")
    for name, value in view.model_dump(mode="json", exclude_none=True, exclude={"authorization_details"}).items():
        table.add_row(name, str(value))
    for each in view.authorization_details:
        table.add_row("activity", f"{each.agreement} · {each.activity}")
    return table
