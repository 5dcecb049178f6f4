"""``saphan release verify``: is a release in a file what the gateway signed and logged? Nobody is asked."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import AwareDatetime, ValidationError

from contracts.errors import IntegrityError, InvalidInput
from contracts.release import Release
from contracts.values import Value
from gateway.checked_release import check_release
from saphan.believed_keys import believed_of
from saphan.client_settings import DEFAULT_HOME
from saphan.output import AsJson, show, table_of, told_errors


class VerifiedRelease(Value):
    """A release whose digest, signature and receipt are right by the keys that the home knows.

    ``keys_known_until`` is when the registry that the home last saw ran out: what was revoked since is not known here.
    """

    release: str
    request: str
    digest: str
    created: AwareDatetime
    keys_known_until: AwareDatetime | None = None


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
        found = verified(home, file, datetime.now(UTC))  # noqa: TID251  # a command begins here
        table = table_of("release", "request", "digest", "created", "keys known until")
        until = "" if found.keys_known_until is None else f"{found.keys_known_until:%Y-%m-%d %H:%M}Z"
        table.add_row(found.release, found.request, found.digest, f"{found.created:%Y-%m-%d %H:%M}Z", until)
        show(found, lambda: table, as_json=as_json)


def verified(home: Path, file: Path, now: datetime) -> VerifiedRelease:
    """Read a release and check it by the keys that the home knew for the time of the release, however long ago.

    Raises:
        InvalidInput: ``malformed-body``; ``setting-invalid``, when the home knows no keys.
        Unavailable: ``registry-expired``, when the release is younger than all that the home knows.
        IntegrityError: ``release-altered``, ``receipt-missing``, ``log-entry-changed`` or ``log-checkpoint-wrong``.
    """
    believed = believed_of(home, now)
    try:
        release = Release.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise InvalidInput("malformed-body", where="FILE") from error
    body = release.body
    check_release(release, believed.at(body.created))
    if release.receipt is None:
        raise IntegrityError("receipt-missing")
    return VerifiedRelease(
        release=body.id,
        request=body.request_id,
        digest=release.digest,
        created=body.created,
        keys_known_until=believed.good_until,
    )
