"""``saphan suspension``: order, lift and list emergency suspensions from a member's home."""

import secrets
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from contracts.keys import SigningKey
from contracts.suspension import Order, Suspension, SuspensionView
from gateway import suspension_calls
from saphan.client_commands import connected
from saphan.client_settings import MemberHome
from saphan.output import AsJson, show, show_all, table_of

app = typer.Typer(no_args_is_help=True, help="Emergency suspension of an agency or a dataset.")

HomeOption = Annotated[Path | None, typer.Option("--home", help="The member's home.", envvar="SAPHAN_HOME")]
Reason = Annotated[str, typer.Option("--reason", help="Why; everybody in the federation may read it.")]
RANDOM_BYTES = 4


@app.command("order")
def order_command(
    agency: Annotated[str, typer.Argument(metavar="AGENCY", help="Which agency stands still.")],
    dataset: Annotated[str | None, typer.Argument(metavar="[DATASET]", help="Only this dataset of it.")] = None,
    *,
    reason: Reason,
    key: Annotated[str, typer.Option(help="The officer's key.")] = "officer-1",
    home: HomeOption = None,
    as_json: AsJson = False,
) -> None:
    """Suspend an agency or a dataset: the own one, or any as the gateway's operator; in force at once."""
    with connected(home, as_json=as_json) as (gateway, member):
        given = Suspension(
            id=f"sus-{gateway.now():%Y%m%d}-{secrets.token_hex(RANDOM_BYTES)}",
            order=Order.SUSPEND,
            by=gateway.agency,
            agency=agency,
            dataset=dataset,
            at=gateway.now(),
            reason=reason,
        )
        view = suspension_calls.order(gateway, given, _key(member, key))
        show(view, lambda: _table((view,)), as_json=as_json)


@app.command("lift")
def lift_command(
    suspension: Annotated[str, typer.Argument(metavar="ID", help="The suspension.")],
    *,
    reason: Reason,
    key: Annotated[list[str], typer.Option(help="The keys of two people, such as officer-1 and dpo-1.")],
    home: HomeOption = None,
    as_json: AsJson = False,
) -> None:
    """Lift a suspension that the own side ordered, by the keys of two people."""
    with connected(home, as_json=as_json) as (gateway, member):
        view = suspension_calls.lift(gateway, suspension, reason, *(_key(member, each) for each in key))
        show(view, lambda: _table((view,)), as_json=as_json)


@app.command("list")
def list_command(
    *,
    standing: Annotated[bool, typer.Option("--standing", help="Only those that stand.")] = False,
    home: HomeOption = None,
    as_json: AsJson = False,
) -> None:
    """List suspensions, newest first, each verified by its signatures."""
    with connected(home, as_json=as_json) as (gateway, _):
        found = suspension_calls.all_suspensions(gateway)
        shown = tuple(each for each in found if not standing or each.lifted_at is None)
        show_all(shown, lambda: _table(shown), as_json=as_json)


def _key(member: MemberHome, name: str) -> SigningKey:
    return member.keys.key(f"{member.settings.agency}#{name}")


def _table(views: tuple[SuspensionView, ...]) -> Table:
    table = table_of("id", "agency", "dataset", "by", "since", "reason", "lifted")
    for each in views:
        lifted = f"{each.lifted_at:%Y-%m-%d %H:%M}: {each.lift_reason}" if each.lifted_at else "-"
        since = f"{each.ordered_at:%Y-%m-%d %H:%M}"
        table.add_row(each.id, each.agency, each.dataset or "*", each.by, since, each.reason, lifted)
    return table
