"""``saphan federation assemble``: fixed keys for a small set-up or a test, where one person answers for all of it.

A home has either this list or the root of the trust registry, never both.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from contracts.errors import InvalidInput
from contracts.federation import Federation, Member
from saphan.federation_files import read_member
from saphan.output import told_errors
from trust.anchor import pins_root


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


def assemble_command(
    gateway: Annotated[str, typer.Option(help="The gateway's issuer identifier, its public address.")],
    operator: Annotated[str, typer.Option(help="The member that runs the gateway.")],
    member: Annotated[list[Path], typer.Option(help="A member's public.json; give it once for each home.")],
    output: Annotated[list[Path], typer.Option(help="Where to write federation.json; give it once for each home.")],
) -> None:
    """Write the federation that every program pins. Compare the digests of keys over another channel first."""
    with told_errors():
        federation = assemble(gateway, operator, [read_member(path) for path in member])
        for path in output:
            write_federation(path, federation)
            typer.echo(path, err=True)


def write_federation(path: Path, federation: Federation) -> None:
    """Write a home's own copy, readable by its owner only.

    Raises:
        InvalidInput: ``root-pinned``, in a home whose keys come from the registry.
    """
    if pins_root(path.parent):
        raise InvalidInput("root-pinned", what="it takes no fixed list of keys")
    path.write_text(federation.model_dump_json(indent=2), encoding="utf-8")
    path.chmod(0o600)
