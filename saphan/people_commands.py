"""``saphan people``: who uses the gateway's pages, for a steward at the member's home or the operator at the gateway's.

A steward's order is signed by the steward's key and sent. The operator, at the gateway's own home, needs no key: who
reads that home could write the database anyway. What either may do is the same table.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Group
from rich.table import Table

from contracts.errors import InvalidInput
from contracts.federation import KeyPurpose, PublicKey
from contracts.identifiers import Identifier
from contracts.key_request import as_key, read_key_request
from contracts.keys import new_key
from contracts.people import PeopleAct, PeopleAnswer, PeopleOrder, PersonRole
from contracts.values import Value
from gateway import people_calls
from gateway.main import means_of
from gateway.means import Means
from gateway.people.login_provider import login_kid
from gateway.people.orders import carry_out
from gateway.people.roles import Giver
from gateway.settings import load_settings
from saphan.client_commands import connected
from saphan.output import AsJson, show, show_all, table_of, told_errors

app = typer.Typer(no_args_is_help=True, help="People who use the gateway's pages: invite, roles, sessions, keys.")

RANDOM_BYTES: Final = 8
HomeOption = Annotated[Path | None, typer.Option("--home", help="The member's home.", envvar="SAPHAN_HOME")]
GatewayHomeOption = Annotated[
    Path | None, typer.Option("--gateway-home", help="The gateway's own home, for its operator.")
]
KeyOption = Annotated[str, typer.Option("--key", help="The key that signs, such as steward-1.")]
PersonArgument = Annotated[str, typer.Argument(metavar="PERSON", help="The account, as `saphan people list` shows it.")]
AgencyOption = Annotated[str | None, typer.Option("--agency", help="Whose people; the own agency's when left out.")]


class Wish(Value):
    """What is ordered, before it is known by whom."""

    act: PeopleAct
    agency: str | None = None
    person: Identifier | None = None
    roles: tuple[PersonRole, ...] = ()
    name: str = ""
    invitation: Identifier | None = None


class ProviderKeys(Value):
    """The public keys to be registered at a login provider (a JWK set)."""

    keys: tuple[dict[str, str], ...]


@app.command("list")
def list_command(
    *,
    agency: AgencyOption = None,
    home: HomeOption = None,
    gateway_home: GatewayHomeOption = None,
    key: KeyOption = "steward-1",
    as_json: AsJson = False,
) -> None:
    """List an agency's accounts with their roles, passkeys and open sessions, and the invitations that nobody used."""
    _carried_out(Wish(act=PeopleAct.LIST, agency=agency), (home, gateway_home, key), as_json=as_json)


@app.command("invite")
def invite_command(  # noqa: PLR0913  # the options of a command line
    *,
    name: Annotated[str, typer.Option("--name", help="What the person is called.")] = "",
    role: Annotated[list[PersonRole] | None, typer.Option("--role", help="A role; several may be given.")] = None,
    person: Annotated[str | None, typer.Option("--person", help="An account whose owner must get in anew.")] = None,
    agency: AgencyOption = None,
    home: HomeOption = None,
    gateway_home: GatewayHomeOption = None,
    key: KeyOption = "steward-1",
    as_json: AsJson = False,
) -> None:
    """Invite somebody; prints a link that opens the account once, within three days."""
    wish = Wish(act=PeopleAct.INVITE, agency=agency, person=person, roles=tuple(role or ()), name=name)
    _carried_out(wish, (home, gateway_home, key), as_json=as_json)


@app.command("cancel")
def cancel_command(
    invitation: Annotated[str, typer.Argument(help="The invitation, as `saphan people list` shows it.")],
    *,
    agency: AgencyOption = None,
    home: HomeOption = None,
    gateway_home: GatewayHomeOption = None,
    key: KeyOption = "steward-1",
    as_json: AsJson = False,
) -> None:
    """Cancel an invitation that nobody used yet; its link opens nothing from then on."""
    wish = Wish(act=PeopleAct.CANCEL, agency=agency, invitation=invitation)
    _carried_out(wish, (home, gateway_home, key), as_json=as_json)


@app.command("role")
def role_command(  # noqa: PLR0913  # the options of a command line
    person: PersonArgument,
    *,
    give: Annotated[PersonRole | None, typer.Option("--give", help="The role to give.")] = None,
    take: Annotated[PersonRole | None, typer.Option("--take", help="The role to take away.")] = None,
    agency: AgencyOption = None,
    home: HomeOption = None,
    gateway_home: GatewayHomeOption = None,
    key: KeyOption = "steward-1",
    as_json: AsJson = False,
) -> None:
    """Give somebody a role, or take it away; the person is signed out at once."""
    with told_errors(as_json=as_json):
        role = give or take
        if role is None or (give and take):
            raise InvalidInput("malformed-body", where="give")
        act = PeopleAct.GIVE if give else PeopleAct.TAKE
    wish = Wish(act=act, agency=agency, person=person, roles=(role,))
    _carried_out(wish, (home, gateway_home, key), as_json=as_json)


@app.command("sessions")
def sessions_command(
    person: PersonArgument,
    *,
    agency: AgencyOption = None,
    home: HomeOption = None,
    gateway_home: GatewayHomeOption = None,
    key: KeyOption = "steward-1",
    as_json: AsJson = False,
) -> None:
    """Sign somebody out everywhere, at once."""
    _carried_out(Wish(act=PeopleAct.END, agency=agency, person=person), (home, gateway_home, key), as_json=as_json)


@app.command("revoke")
def revoke_command(
    person: PersonArgument,
    *,
    agency: AgencyOption = None,
    home: HomeOption = None,
    gateway_home: GatewayHomeOption = None,
    key: KeyOption = "steward-1",
    as_json: AsJson = False,
) -> None:
    """Close an account for good: signed out, no passkey, no role, no name kept."""
    _carried_out(Wish(act=PeopleAct.CLOSE, agency=agency, person=person), (home, gateway_home, key), as_json=as_json)


@app.command("keys")
def keys_command(
    *,
    home: HomeOption = None,
    gateway_home: GatewayHomeOption = None,
    key: KeyOption = "steward-1",
    as_json: AsJson = False,
) -> None:
    """Show the keys that people ask to have registered, each as the federation's registrar needs it."""
    with told_errors(as_json=as_json):
        answer = _answer(Wish(act=PeopleAct.LIST), (home, gateway_home, key), as_json=as_json)
        asked = [as_key(read_key_request(each.document)) for each in answer.keys if not each.registered]
        show_all(asked, lambda: _keys_table(asked), as_json=as_json)


@app.command("provider-key")
def provider_key_command(gateway_home: GatewayHomeOption = None, *, as_json: AsJson = False) -> None:
    """Make the key by which the gateway shows a login provider who it is; prints its public half for the provider."""
    with told_errors(as_json=as_json):
        with _at_its_home(gateway_home) as means:
            kid, now = login_kid(means.federation), means.clock()
        keys = load_settings(gateway_home).folder.keys
        if not keys.holds(kid):
            keys.save(new_key(kid))
        public = keys.key(kid).public_key(KeyPurpose.CLIENT, now, now).as_jwk()
        found = ProviderKeys(keys=(public,))
        show(found, lambda: Group(*(f"{name}: {value}" for name, value in public.items())), as_json=as_json)


def _carried_out(wish: Wish, whose: tuple[Path | None, Path | None, str], *, as_json: bool) -> None:
    with told_errors(as_json=as_json):
        answer = _answer(wish, whose, as_json=as_json)
        show(answer, lambda: _people_table(answer), as_json=as_json)


def _answer(wish: Wish, whose: tuple[Path | None, Path | None, str], *, as_json: bool) -> PeopleAnswer:
    home, gateway_home, name = whose
    if gateway_home is not None:
        return _at_the_gateway(wish, gateway_home)
    with connected(home, as_json=as_json) as (gateway, member):
        key = member.keys.key(f"{gateway.agency}#{name}")
        return people_calls.order(gateway, _order(wish, gateway.agency, gateway.now()), key)


def _at_the_gateway(wish: Wish, home: Path) -> PeopleAnswer:
    with _at_its_home(home) as means:
        operator = means.federation.operator
        order = _order(wish, operator, means.clock())
        return carry_out(means, Giver(operator, frozenset({PersonRole.OPERATOR})), order)


@contextmanager
def _at_its_home(home: Path | None) -> Iterator[Means]:
    """The gateway as a command at its own home works with it, whether its keys are fixed or come from the registry."""
    means = means_of(load_settings(home))
    try:
        yield means
    finally:
        means.store.close()


def _order(wish: Wish, by: str, now: datetime) -> PeopleOrder:
    return PeopleOrder(
        id=f"ppl-{now:%Y%m%d}-{secrets.token_hex(RANDOM_BYTES)}",
        by=by,
        at=now,
        act=wish.act,
        agency=wish.agency or by,
        person=wish.person,
        roles=wish.roles,
        name=wish.name,
        invitation=wish.invitation,
    )


def _people_table(answer: PeopleAnswer) -> Group:
    table = table_of("person", "name", "roles", "passkeys", "sessions", "", figures=("passkeys", "sessions"))
    for each in answer.people:
        roles = ", ".join(role.value for role in each.roles)
        table.add_row(
            each.id, each.name, roles, f"{each.passkeys}", f"{each.sessions}", "closed" if each.closed else ""
        )
    for waiting in answer.invitations:
        roles = ", ".join(role.value for role in waiting.roles)
        table.add_row(waiting.id, waiting.name, roles, "", "", f"invited until {waiting.expires_at:%Y-%m-%d %H:%M} UTC")
    link = answer.invitation
    told = () if link is None else ("", link.link, f"until {link.expires_at:%Y-%m-%d %H:%M} UTC; works once")
    return Group(table, *told)


def _keys_table(asked: list[PublicKey]) -> Table:
    table = table_of("key", "purpose", "x", "y")
    for each in asked:
        table.add_row(each.kid, each.purpose.value, each.x, each.y or "")
    return table
