"""``saphan federation dev-ca``: certificates for a trial of TLS, never for a real federation."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from rich.table import Table

from contracts.errors import InvalidInput
from contracts.identifiers import AgencyId
from contracts.values import Value
from saphan import dev_ca
from saphan.output import AsJson, captioned, say, show, table_of, told_errors

_name: TypeAdapter[str] = TypeAdapter(AgencyId)


class IssuedFiles(Value):
    """What was issued, by the folder in which it lies: ``ca.pem``, and a certificate and its key."""

    ca: Path
    server: Path
    clients: tuple[Path, ...]
    valid_until: datetime


def dev_ca_command(
    output: Annotated[Path, typer.Option(help="The folder to write to.")],
    server: Annotated[list[str], typer.Option(help="A name or address of the gateway; may be repeated.")],
    client: Annotated[list[str] | None, typer.Option(help="A member that connects; may be repeated.")] = None,
    days: Annotated[float, typer.Option(help="For how long they are valid.", min=0.01, max=90)] = 30,
    *,
    as_json: AsJson = False,
) -> None:
    """Issue certificates from an authority that is made for this alone; its private key is kept nowhere."""
    with told_errors(as_json=as_json):
        if output.exists() and any(output.iterdir()):
            raise InvalidInput("folder-in-use")
        members = [_checked(name) for name in client or ()]
        now = datetime.now(UTC)  # noqa: TID251  # a command begins here
        authority = dev_ca.new_authority(server, now, days)
        dev_ca.write(output / "gateway", "server", authority.server(server), authority.pem)
        for name in members:
            dev_ca.write(output / name, "client", authority.client(name), authority.pem)
        made = IssuedFiles(
            ca=output / "gateway" / "ca.pem",
            server=output / "gateway" / "server.pem",
            clients=tuple(output / name / "client.pem" for name in members),
            valid_until=authority.span[1],
        )
    show(made, lambda: _table(made), as_json=as_json)
    say("ใช้เพื่อทดลองเท่านั้น · for trials only: give each member its own folder and use a real authority for real data")


def _checked(name: str) -> str:
    """A member's name, which becomes that of a folder."""
    try:
        return _name.validate_python(name)
    except ValidationError as error:
        raise InvalidInput("setting-invalid", setting="client", why="small letters, digits and hyphens") from error


def _table(made: IssuedFiles) -> Table:
    table = table_of("file", "of")
    for path, whose in (
        (made.ca, "the authority"),
        (made.server, "the gateway"),
        *((p, "a member") for p in made.clients),
    ):
        table.add_row(str(path), whose)
    captioned(table, f"valid until {made.valid_until:%Y-%m-%d %H:%M} UTC")
    return table
