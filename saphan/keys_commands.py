"""``saphan keys``: the private keys of a home and what the federation knows of them."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import AwareDatetime, ValidationError
from rich.table import Table

from contracts.canonical import canonical_bytes
from contracts.errors import InvalidInput, Unavailable
from contracts.federation import KeyPurpose, Member, PublicKey
from contracts.keys import SigningKey, new_key
from contracts.values import Value
from keys.folder import KeyFolder
from keys.reference import HardwareReference
from keys.statement import (
    ANNOUNCED,
    KeyState,
    next_kid,
    overlap_of,
    state_of,
    with_key,
    with_revocation,
    with_successor,
)
from saphan.client_settings import DEFAULT_HOME, asked_passphrase, known_passphrase, registered_keys
from saphan.output import AsJson, say, show, show_all, table_of, told_errors

app = typer.Typer(no_args_is_help=True, help="Private keys: make, replace, revoke and list them.")

DAYS: Final = 730
HOUR: Final = timedelta(hours=1)
LABEL: Final = "saphan"
BY_THE_REGISTRAR: Final = "แจ้งต่อทะเบียนของสหพันธ์ · now register it: saphan federation publish --home HOME"
BY_OFFICERS: Final = {
    KeyPurpose.REGISTRAR: "ให้ผู้แทนหน่วยงานลงนามธรรมนูญฉบับใหม่ · now the officers sign a new charter: "
    "saphan federation add-member FOLDER --member HOME/public.json",
    KeyPurpose.REGISTRY: "ให้ผู้แทนหน่วยงานลงนามรากฉบับใหม่ · now the officers sign a new root: "
    "saphan federation rotate-root FOLDER --registry HOME/public.json",
    KeyPurpose.ROOT: "ให้ผู้แทนหน่วยงานลงนามรากฉบับใหม่ · now the officers sign a new root: "
    "saphan federation rotate-root FOLDER --add HOME/public.json --remove KEY",
}
"""What becomes of a key that signs the registry itself: no registrar publishes it."""

HomeOption = Annotated[
    Path, typer.Option("--home", help="The home that holds the keys.", envvar="SAPHAN_HOME", show_default=True)
]
Purpose = Annotated[KeyPurpose, typer.Argument(help="What the key signs.")]
Days = Annotated[int, typer.Option(min=1, max=3_650, help="How long it may sign.")]
Module = Annotated[Path | None, typer.Option("--hardware", help="Make it in this PKCS#11 module instead.")]
Token = Annotated[str, typer.Option(help="The module's token, by its label.")]


class KeyLine(Value):
    """One key of a home."""

    kid: str
    purpose: str
    place: str
    state: str
    thumbprint: str
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None


@app.command("list")
def list_command(*, home: HomeOption = DEFAULT_HOME, as_json: AsJson = False) -> None:
    """List the keys of a home: where each lies, what for, how long it may sign and whether the federation knows it."""
    with told_errors(as_json=as_json):
        lines = _lines(home, _now())
        show_all(lines, lambda: _table(lines), as_json=as_json)


@app.command("new")
def new_command(
    purpose: Purpose,
    *,
    days: Days = DAYS,
    hardware: Module = None,
    token: Token = LABEL,
    home: HomeOption = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Make one more key beside those of its purpose, sealed in the home or inside a hardware module."""
    with told_errors(as_json=as_json):
        member, now = _stated(home), _now()
        key = _made(home, next_kid(member, purpose, _folder(home).kids()), hardware, token)
        public = key.public_key(purpose, now, now + timedelta(days=days))
        _state(home, with_key(member, public))
        _told(home, public, now, as_json=as_json)


@app.command("rotate")
def rotate_command(  # noqa: PLR0913  # the options of a command line
    purpose: Purpose,
    *,
    days: Days = DAYS,
    announced_hours: Annotated[float, typer.Option(min=0, help="How long before it begins.")] = ANNOUNCED / HOUR,
    overlap_hours: Annotated[
        float | None, typer.Option(min=0, help="How long the old one stays valid; by its purpose when left out.")
    ] = None,
    hardware: Module = None,
    token: Token = LABEL,
    home: HomeOption = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Make a key that takes over from those of its purpose, which end when the overlap is over.

    Keys of officers, data protection officers and stewards keep their own end: what they signed is in force.
    """
    with told_errors(as_json=as_json):
        member, now = _stated(home), _now()
        key = _made(home, next_kid(member, purpose, _folder(home).kids()), hardware, token)
        start = now + timedelta(hours=announced_hours)
        public = key.public_key(purpose, start, start + timedelta(days=days))
        overlap = overlap_of(purpose) if overlap_hours is None else timedelta(hours=overlap_hours)
        _state(home, with_successor(member, public, overlap))
        _told(home, public, now, as_json=as_json)


@app.command("revoke")
def revoke_command(
    kid: Annotated[str, typer.Argument(metavar="KEY", help="The key's name, such as ccib#connector-1.")],
    *,
    home: HomeOption = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Revoke a key, at once and for good. Nothing that it signed is believed from when the federation knows it."""
    with told_errors(as_json=as_json):
        member = with_revocation(_stated(home), kid)
        _state(home, member)
        _told(home, next(each for each in member.keys if each.kid == kid), _now(), as_json=as_json)


@app.command("seal")
def seal_command(
    *,
    passphrase: Annotated[bool, typer.Option("--passphrase", help="Under a passphrase that is asked for.")] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Seal the home's keys anew: under fresh random bits in secrets/key-unlock, or under a person's passphrase."""
    with told_errors(as_json=as_json):
        sealed = _folder(home).seal_again(_chosen() if passphrase else None)
        lines = tuple(each for each in _lines(home, _now()) if each.kid in sealed)
        show_all(lines, lambda: _table(lines), as_json=as_json)


def _chosen() -> bytes:
    first, second = asked_passphrase(), asked_passphrase()
    if not first or first != second:
        raise InvalidInput("setting-invalid", setting="passphrase", why="the two differ, or are empty")
    return first


def _folder(home: Path) -> KeyFolder:
    return KeyFolder(home, known_passphrase)


def _made(home: Path, kid: str, module: Path | None, token: str) -> SigningKey:
    folder = _folder(home)
    if module is None:
        folder.save(new_key(kid))
        return folder.key(kid)
    return folder.make_in_hardware(HardwareReference(kid=kid, module=str(module), token=token, label=kid))


def _stated(home: Path) -> Member:
    try:
        return Member.model_validate_json((home / "public.json").read_bytes())
    except (OSError, ValidationError) as error:
        raise InvalidInput("home-not-made") from error


def _state(home: Path, member: Member) -> None:
    KeyFolder.write(home / "public.json", member.model_dump_json(indent=2).encode())


def _told(home: Path, key: PublicKey, now: datetime, *, as_json: bool) -> None:
    try:
        known = registered_keys(home).get(key.kid)
    except Unavailable as error:  # what was done stands: it needs no registry
        known = None
        say(f"ยังตรวจกับทะเบียนไม่ได้ · not compared with the registry: {error.code}")
    line = _line(home, key, known, now)
    show(line, lambda: _table((line,)), as_json=as_json)
    say(BY_OFFICERS.get(key.purpose, BY_THE_REGISTRAR))


def _lines(home: Path, now: datetime) -> tuple[KeyLine, ...]:
    stated, known = _stated(home).keys, registered_keys(home)
    others = (kid for kid in _folder(home).kids() if kid not in {each.kid for each in stated})
    lines = (_line(home, each, known.get(each.kid), now) for each in stated)
    return (*lines, *(_unstated(home, kid) for kid in others))


def _line(home: Path, key: PublicKey, known: PublicKey | None, now: datetime) -> KeyLine:
    return KeyLine(
        kid=key.kid,
        purpose=key.purpose.value,
        place=_folder(home).place(key.kid),
        state=state_of(key, known, now).value,
        thumbprint=thumbprint(key),
        valid_from=key.valid_from,
        valid_until=key.valid_until,
    )


def _unstated(home: Path, kid: str) -> KeyLine:
    place = _folder(home).place(kid)
    purpose = kid.partition("#")[2].rpartition("-")[0]
    return KeyLine(kid=kid, purpose=purpose, place=place, state=KeyState.UNREGISTERED.value, thumbprint="-")


def thumbprint(key: PublicKey) -> str:
    """The key's thumbprint (RFC 7638, SHA-256): what two people compare over the telephone."""
    members = {name: value for name, value in key.as_jwk().items() if name in {"kty", "crv", "x", "y"}}
    return base64.urlsafe_b64encode(hashlib.sha256(canonical_bytes(members)).digest()).rstrip(b"=").decode()


def _table(lines: Sequence[KeyLine]) -> Table:
    table = table_of("key", "signs", "lies in", "state", "from", "until", "thumbprint")
    for each in lines:
        start = f"{each.valid_from:%Y-%m-%d %H:%M}" if each.valid_from else "-"
        until = f"{each.valid_until:%Y-%m-%d %H:%M}" if each.valid_until else "-"
        table.add_row(each.kid, each.purpose, each.place, each.state, start, until, each.thumbprint)
    return table


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # a command begins here
