"""``saphan release verify``: is a release in a file what the gateway signed and logged? Nobody is asked."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import AwareDatetime

from contracts.release import Release
from contracts.values import Value
from gateway.checked_release import check_release, check_standing
from saphan.believed_keys import believed_of
from saphan.client_settings import DEFAULT_HOME
from saphan.given_files import given_value
from saphan.output import AsJson, show, table_of, told_errors


class VerifiedRelease(Value):
    """A release whose digest, signature and receipt are right by the keys that the home knows.

    ``witnesses`` are the agencies that stand by the log's checkpoint. ``keys_known_until`` is when the registry ran out
    that the home last saw: what was revoked since is not known here.
    """

    release: str
    request: str
    digest: str
    created: AwareDatetime
    witnesses: tuple[str, ...]
    keys_known_until: AwareDatetime | None = None


def verify_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What saphan release show --json wrote.")],
    home: Annotated[
        Path, typer.Option("--home", help="The home whose keys are believed.", envvar="SAPHAN_HOME")
    ] = DEFAULT_HOME,
    quorum: Annotated[
        int, typer.Option("--quorum", min=0, help="How many agencies must stand by the log's checkpoint.")
    ] = 0,
    *,
    as_json: AsJson = False,
) -> None:
    """Check a release in a file by the home's own copy of the keys, without the gateway."""
    with told_errors(as_json=as_json):
        found = verified(home, file, datetime.now(UTC), quorum)  # noqa: TID251  # a command begins here
        table = table_of("release", "request", "digest", "created", "stood by", "keys known until")
        until = "" if found.keys_known_until is None else f"{found.keys_known_until:%Y-%m-%d %H:%M}Z"
        created, witnesses = f"{found.created:%Y-%m-%d %H:%M}Z", ", ".join(found.witnesses) or "nobody"
        table.add_row(found.release, found.request, found.digest, created, witnesses, until)
        show(found, lambda: table, as_json=as_json)


def verified(home: Path, file: Path, now: datetime, quorum: int = 0) -> VerifiedRelease:
    """Read a release and check it by the keys that the home knew for the time of the release, however long ago.

    Raises:
        InvalidInput: ``file-unreadable``; ``malformed-body``; ``members-unknown``, when the home knows no keys.
        Unavailable: ``registry-expired``, when the release is younger than all that the home knows.
        IntegrityError: ``release-altered``, ``receipt-missing``, ``log-entry-changed``, ``log-checkpoint-wrong`` or
            ``log-quorum-missing``.
    """
    believed = believed_of(home, now)
    release = given_value(Release, file)
    body = release.body
    witnesses = check_release(release, believed.at(body.created))
    check_standing(release, witnesses, quorum)
    return VerifiedRelease(
        release=body.id,
        request=body.request_id,
        digest=release.digest,
        created=body.created,
        witnesses=witnesses,
        keys_known_until=believed.good_until,
    )
