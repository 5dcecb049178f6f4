"""``saphan federation``: put the members' public keys together and pin them in each home."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from contracts.errors import InvalidInput
from contracts.federation import Federation, Member
from saphan.dev_ca_commands import dev_ca_command

app = typer.Typer(no_args_is_help=True, help="Members and their public keys.")
app.command("dev-ca")(dev_ca_command)


def assemble(gateway: str, operator: str, members: Iterable[Member]) -> Federation:
    """One federation from the members' own statements; an agency with several homes has the keys of all of them.

    Raises:
        InvalidInput: ``malformed-body`` when two keys share a name or a key is named after another agency.
    """
    merged: dict[str, Member] = {}
    for member in members:
        known = merged.get(member.agency)
        keys = (*(known.keys if known else ()), *member.keys)
        foreign = any(key.kid.partition("#")[0] != member.agency for key in keys)
        if foreign or len({key.kid for key in keys}) != len(keys):
            raise InvalidInput("malformed-body", where=f"keys of {member.agency}")
        merged[member.agency] = Member(agency=member.agency, title=member.title, keys=keys)
    if operator not in merged:
        raise InvalidInput("unknown-agency", agency=operator)
    return Federation(gateway=gateway, operator=operator, members=tuple(merged.values()))


@app.command("assemble")
def assemble_command(
    gateway: Annotated[str, typer.Option(help="The gateway's issuer identifier, its public address.")],
    operator: Annotated[str, typer.Option(help="The member that runs the gateway.")],
    member: Annotated[list[Path], typer.Option(help="A member's public.json; give it once for each home.")],
    output: Annotated[list[Path], typer.Option(help="Where to write federation.json; give it once for each home.")],
) -> None:
    """Write the federation that every program pins. Compare the digests of keys over another channel first."""
    federation = assemble(gateway, operator, [read_member(path) for path in member])
    for path in output:
        write_federation(path, federation)
        typer.echo(path, err=True)


def read_member(path: Path) -> Member:
    """A member's statement of its public keys.

    Raises:
        InvalidInput: ``malformed-body`` when the file is not one.
    """
    try:
        return Member.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InvalidInput("malformed-body", where=path.name) from error


def write_federation(path: Path, federation: Federation) -> None:
    """Write a home's own copy, readable by its owner only."""
    path.write_text(federation.model_dump_json(indent=2), encoding="utf-8")
    path.chmod(0o600)
