"""What a member does with the trust registry: sign its own keys in, bring signed files to the gateway, take a copy."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

import typer
from rich.table import Table

from contracts.errors import InvalidInput
from contracts.federation import KeyPurpose, Member
from contracts.keys import SigningKey
from contracts.registry import RegistryBatch
from saphan.client_settings import MemberHome, load_client_settings
from saphan.federation_files import read_member
from saphan.output import AsJson, say, show, show_all, table_of, told_errors
from trust import ceremony
from trust.copies import RegistryCopy, take_along
from trust.reader import over_http, read
from trust.registrar import publish, send

HOME: Final = Path(".saphan")
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
Home = Annotated[Path, typer.Option("--home", help="A home of the member.", envvar="SAPHAN_HOME")]


def register_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A copy of the registry.")],
    *,
    member: Annotated[
        list[Path] | None, typer.Option("--member", help="public.json of the member's other homes.")
    ] = None,
    home: Home = HOME,
    as_json: AsJson = False,
) -> None:
    """Sign the member's own keys into the folder, offline, with the registrar's key of this home."""
    with told_errors(as_json=as_json):
        place = MemberHome(load_client_settings(home=home))
        stated = [read_member(path) for path in (home / "public.json", *(member or ()))]
        part = ceremony.register(RegistryCopy(folder), stated, registrar_key(place), _now())
        show(part, lambda: f"{part.role} {part.version}", as_json=as_json)


def publish_command(
    *,
    folder: Annotated[
        Path | None, typer.Option(help="A folder that officers signed; the home's own keys when left out.")
    ] = None,
    member: Annotated[
        list[Path] | None, typer.Option("--member", help="public.json of the member's other homes.")
    ] = None,
    home: Home = HOME,
    as_json: AsJson = False,
) -> None:
    """Bring the gateway what was signed: the member's keys by the registrar's key of this home, or a signed folder."""
    with told_errors(as_json=as_json):
        place = MemberHome(load_client_settings(home=home))
        if folder is None:
            stated = [read_member(path) for path in (home / "public.json", *(member or ()))]
            registered = publish_member(place, together(stated))
            show(registered, lambda: _keys_table(registered), as_json=as_json)
            return
        with place.line() as line:
            send(line, RegistryCopy(folder).batch())
        parts = ceremony.status(RegistryCopy(folder))
        show_all(parts, lambda: f"{len(parts)} documents", as_json=as_json)


def export_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the copy goes.")],
    *,
    home: Home = HOME,
    as_json: AsJson = False,
) -> None:
    """Take a verified copy of the registry along: for officers to sign in, and to verify agreements offline."""
    with told_errors(as_json=as_json):
        place = MemberHome(load_client_settings(home=home))
        with place.line() as line:
            registry = read(home, over_http(line), _now())
        copy = RegistryCopy(folder)
        take_along(home, copy)
        parts = ceremony.status(copy)
        show_all(
            parts, lambda: f"{len(parts)} documents, good until {registry.good_until:%Y-%m-%d %H:%M}Z", as_json=as_json
        )
        say(f"{folder}")


def publish_member(place: MemberHome, stated: Member, contracts: Mapping[str, str] = NOTHING) -> Member:
    """Register what a home states, as it is now, and contracts, with the registrar's key of this home.

    Args:
        place: The home; it pins ``root.json``.
        stated: Its keys: new ones, ends that were moved, revocations. Keys of the member's other homes stay.
        contracts: Signed contracts by path (``contracts.registry.contract_path``).

    Returns:
        The member as it is registered then.

    Raises:
        InvalidInput: ``setting-invalid``, when the home holds no registrar's key.
        IntegrityError: ``registry-content``, when a key would change or come back.
        SaphanError: What the gateway says against it.
    """
    with place.line() as line:
        return publish(place.settings.home, line, stated, registrar_key(place), _now(), contracts)


def together(stated: Sequence[Member]) -> Member:
    """What the homes of one member state, as one statement.

    Raises:
        InvalidInput: ``ceremony-file``, unless all are one member's.
    """
    first = stated[0]
    if {each.agency for each in stated} != {first.agency}:
        raise InvalidInput("ceremony-file", file=first.agency, why="not all of them are this member's")
    keys = {key.kid: key for each in stated for key in each.keys}
    return first.model_copy(update={"keys": tuple(keys.values())})


def registrar_key(place: MemberHome) -> SigningKey:
    """The registrar's key of a home.

    Raises:
        InvalidInput: ``setting-invalid`` without one.
    """
    return place.keys.latest(place.settings.agency, KeyPurpose.REGISTRAR)


def batch_of(folder: Path) -> RegistryBatch:
    """What a folder holds for the gateway.

    Raises:
        InvalidInput: ``ceremony-file``.
    """
    copy = RegistryCopy(folder)
    if not copy.roles():
        raise InvalidInput("ceremony-file", file=folder.name, why="it holds no root")
    return copy.batch()


def _keys_table(member: Member) -> Table:
    table = table_of("key", "purpose", "valid until", "revoked")
    for key in member.keys:
        table.add_row(key.kid, key.purpose.value, f"{key.valid_until:%Y-%m-%d}", "revoked" if key.revoked else "")
    return table


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # a command begins here
