"""``saphan release verify``: is a release in a file what the gateway signed and logged? Nobody is asked."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import AwareDatetime, ValidationError

from contracts.errors import IntegrityError, InvalidInput
from contracts.release import Release
from contracts.values import Value
from gateway.checked_release import check_release
from saphan.client_settings import DEFAULT_HOME, federation_of
from saphan.output import AsJson, show, table_of, told_errors


class VerifiedRelease(Value):
    """A release whose digest, signature and receipt are right by the keys that the home knows."""

    release: str
    request: str
    digest: str
    created: AwareDatetime


def verify_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What saphan release show --json wrote.")],
    home: Annotated[
        Path, typer.Option("--home", help="The home whose keys are believed.", envvar="SAPHAN_HOME")
    ] = DEFAULT_HOME,
    *,
    as_json: AsJson = False,
) -> None:
    """Check a release in a file by the home's own copy of the keys, without the gateway."""
    with told_errors(as_json=as_json):
        found = verified(home, file)
        table = table_of("release", "request", "digest", "created")
        table.add_row(found.release, found.request, found.digest, f"{found.created:%Y-%m-%d %H:%M}Z")
        show(found, lambda: table, as_json=as_json)


def verified(home: Path, file: Path) -> VerifiedRelease:
    """Read a release and check it.

    Raises:
        InvalidInput: ``malformed-body``; ``setting-invalid``, when the home knows no keys.
        IntegrityError: ``release-altered``, ``receipt-missing``, ``log-entry-changed`` or ``log-checkpoint-wrong``.
    """
    federation = federation_of(home)
    if federation is None:
        raise InvalidInput("setting-invalid", setting="federation", why="this home knows no keys yet")
    try:
        release = Release.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise InvalidInput("malformed-body", where="FILE") from error
    check_release(release, federation)
    if release.receipt is None:
        raise IntegrityError("receipt-missing")
    body = release.body
    return VerifiedRelease(release=body.id, request=body.request_id, digest=release.digest, created=body.created)
