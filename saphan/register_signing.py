"""What the commands of the personal-data registers share: whose key signs, what the options say, and workbooks."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer
from pydantic import ValidationError

from contracts.errors import InvalidInput
from contracts.federation import KeyPurpose
from contracts.keys import SigningKey
from contracts.values import Value
from gateway.workbook import Sheet, save
from saphan.client_settings import MemberHome
from saphan.output import say

BANGKOK: Final = timezone(timedelta(hours=7))
MOMENTS: Final = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"]
Entry = TypeVar("Entry", bound=Value)
Output = Annotated[Path | None, typer.Option("--output", help="Also write FILE.xlsx.")]
Moment = Annotated[datetime | None, typer.Option(formats=MOMENTS, help="Bangkok time.")]


def person(member: MemberHome, *purposes: KeyPurpose) -> SigningKey:
    """The key of the first of these people that the home holds.

    Raises:
        InvalidInput: ``key-not-held``.
    """
    held = member.people()
    for purpose in purposes:
        for key in held:
            if key.kid.partition("#")[2].startswith(f"{purpose.value}-"):
                return key
    named = " or ".join(each.value for each in purposes)
    raise InvalidInput("key-not-held", kid=named)


def entry(model: type[Entry], fields: Mapping[str, object]) -> Entry:
    """What the options say, as an entry; times without an offset are Bangkok's.

    Raises:
        InvalidInput: ``malformed-body``, naming the field.
    """
    said = {name: _aware(value) for name, value in fields.items() if value is not None}
    try:
        return model.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or first["msg"].removeprefix("Value error, ")
        raise InvalidInput("malformed-body", where=where) from error


def write_workbook(path: Path | None, sheets: Iterable[Sheet]) -> None:
    """Write a workbook where it is wanted.

    Raises:
        InvalidInput: ``unknown-format``.
    """
    if path is None:
        return
    if path.suffix.lower() != ".xlsx":
        raise InvalidInput("unknown-format", format=path.suffix or "-", choices=".xlsx")
    save(sheets, path)
    say(str(path))


def _aware(value: object) -> object:
    return value.replace(tzinfo=BANGKOK) if isinstance(value, datetime) and value.tzinfo is None else value
