"""``saphan federation``: who belongs to it, signed by officers of several agencies, each on a machine of their own.

A folder goes from one to the next: ``init``, ``add-member`` and the others write what is to be signed, ``sign`` signs
it with the keys of one home, ``publish`` brings it to the gateway. Only ``publish`` and ``export`` need a network.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Group

from contracts.errors import InvalidInput
from contracts.federation import KeyPurpose
from contracts.keys import SigningKey
from keys.folder import KeyFolder
from saphan.client_settings import asked_passphrase
from saphan.dev_ca_commands import dev_ca_command
from saphan.federation_assembly import assemble_command
from saphan.federation_files import Founders, Pinned, found, keys_for, make_officer, pin_root, read_member
from saphan.output import AsJson, show, show_all, table_of, told_errors, whole
from saphan.registry_commands import export_command, publish_command, register_command
from trust import ceremony
from trust.ceremony import Part
from trust.copies import RegistryCopy
from trust.roles import ROOT, Officers

app = typer.Typer(no_args_is_help=True, help="Members and their public keys.")
app.command("assemble")(assemble_command)
app.command("dev-ca")(dev_ca_command)
app.command("register")(register_command)
app.command("publish")(publish_command)
app.command("export")(export_command)

OFFICERS_DAYS: Final = 1095
HOME: Final = Path(".saphan")
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder that goes from officer to officer.")]
Home = Annotated[Path, typer.Option("--home", help="The folder of keys.", envvar="SAPHAN_HOME")]
Members = Annotated[list[Path], typer.Option("--member", help="A member's public.json; once for each home.")]
Threshold = Annotated[int, typer.Option(min=2, help="How many officers must sign.")]


@app.command("officer")
def officer_command(
    agency: Annotated[str, typer.Option(help="The officer's agency.")],
    *,
    number: Annotated[int, typer.Option(min=1, help="Its number; no number is ever used again.")] = 1,
    days: Annotated[int, typer.Option(min=1, help="How long the key is meant to last.")] = OFFICERS_DAYS,
    home: Home = HOME,
    as_json: AsJson = False,
) -> None:
    """Make an officer's key and its public.json, on the officer's own machine."""
    with told_errors(as_json=as_json):
        member = make_officer(home, agency, _now(), timedelta(days=days), number)
        show(member, lambda: "\n".join(key.kid for key in member.keys), as_json=as_json)


@app.command("init")
def init_command(  # noqa: PLR0913  # one option each for what a federation begins with
    folder: Folder,
    gateway: Annotated[str, typer.Option(help="The gateway's issuer identifier, its public address.")],
    operator: Annotated[str, typer.Option(help="The member that runs the gateway.")],
    officer: Annotated[list[Path], typer.Option(help="An officer's public.json; once for each, of several agencies.")],
    threshold: Threshold,
    member: Members,
    *,
    as_json: AsJson = False,
) -> None:
    """Write the first root and charter, for the officers to sign."""
    with told_errors(as_json=as_json):
        founders = Founders(gateway=gateway, operator=operator, officers=tuple(officer), threshold=threshold)
        found(RegistryCopy(folder), founders, member, _now())
        _tell(folder, as_json=as_json)


@app.command("add-member")
def add_member_command(folder: Folder, member: Members, *, as_json: AsJson = False) -> None:
    """Draft a charter with a new member, or with another registrar's key of a member."""
    with told_errors(as_json=as_json):
        for path in member:
            ceremony.admit(RegistryCopy(folder), read_member(path), _now())
        _tell(folder, as_json=as_json)


@app.command("remove-member")
def remove_member_command(
    folder: Folder, agency: Annotated[str, typer.Argument(help="Who leaves.")], *, as_json: AsJson = False
) -> None:
    """Draft a charter without a member: none of its keys is believed any more."""
    with told_errors(as_json=as_json):
        ceremony.expel(RegistryCopy(folder), agency, _now())
        _tell(folder, as_json=as_json)


@app.command("rotate-root")
def rotate_root_command(
    folder: Folder,
    *,
    add: Annotated[list[Path] | None, typer.Option(help="A new officer's public.json.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="An officer's key that goes, such as rtp#root-1.")] = None,
    threshold: Annotated[int | None, typer.Option(min=2, help="How many officers must sign from now on.")] = None,
    registry: Annotated[
        list[Path] | None, typer.Option(help="The gateway's public.json, in the place of its former registry keys.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Draft the next root: other officers, another threshold, other online keys, or the same for another year."""
    with told_errors(as_json=as_json):

        def change(before: Officers) -> Officers:
            officers = ceremony.with_officers(before, keys_for(add or (), KeyPurpose.ROOT), remove or ())
            online = keys_for(registry, KeyPurpose.REGISTRY) if registry else officers.registry
            return Officers(officers.keys, threshold or officers.threshold, online)

        ceremony.rotate(RegistryCopy(folder), change, _now())
        _tell(folder, as_json=as_json)


@app.command("sign")
def sign_command(folder: Folder, *, home: Home = HOME, as_json: AsJson = False) -> None:
    """Sign what is to be signed in the folder with the officer's key of this home. Compare the digests first."""
    with told_errors(as_json=as_json):
        keys = KeyFolder(home, asked_passphrase)

        def find(kid: str) -> SigningKey | None:
            return keys.key(kid) if keys.holds(kid) else None

        parts = ceremony.sign_all(RegistryCopy(folder), find)
        show_all(parts, lambda: _table(parts), as_json=as_json)


@app.command("join")
def join_command(
    folder: Folder,
    other: Annotated[Path, typer.Argument(metavar="OTHER", help="Another officer's copy of it.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Take over the signatures of another officer's copy of the folder."""
    with told_errors(as_json=as_json):
        parts = ceremony.take_signatures(RegistryCopy(folder), RegistryCopy(other))
        show_all(parts, lambda: _table(parts), as_json=as_json)


@app.command("status")
def status_command(folder: Folder, *, as_json: AsJson = False) -> None:
    """Show what a folder holds: versions, digests, who has signed, who is missing, and until when it holds."""
    with told_errors(as_json=as_json):
        _tell(folder, as_json=as_json)


@app.command("pin")
def pin_command(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="metadata/<version>.root.json of the folder.")],
    *,
    digest: Annotated[str, typer.Option(help="Its digest, as an officer told it over another channel.")],
    home: Home = HOME,
    as_json: AsJson = False,
) -> None:
    """Make a root the only trust anchor of a home."""
    with told_errors(as_json=as_json):
        shown = pin_root(home, root, digest)
        show(shown, lambda: _pinned_table(shown), as_json=as_json)


def _tell(folder: Path, *, as_json: bool) -> None:
    parts = ceremony.status(RegistryCopy(folder))
    if not parts:
        raise InvalidInput("ceremony-file", file=folder.name, why="it holds no root")
    show_all(parts, lambda: _table(parts), as_json=as_json)


def _table(parts: tuple[Part, ...]) -> Group:
    table = table_of("role", "version", "signed", "missing", "until", figures=("version",))
    for each in parts:
        signed = f"{len(each.signed)} of {each.threshold}: {', '.join(each.signed)}"
        missing = "" if each.complete else ", ".join(each.missing)
        table.add_row(each.role, str(each.version), signed, missing, f"{each.expires:%Y-%m-%d}")
    return Group(table, "", *(whole(f"{each.digest}  {each.role} {each.version}") for each in parts))


def _pinned_table(shown: Pinned) -> Group:
    table = table_of("root", "officers", "threshold")
    table.add_row(str(shown.version), ", ".join(shown.officers), str(shown.threshold))
    return Group(table, "", whole(f"{shown.digest}  {ROOT} {shown.version}"))


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # a command begins here
