"""``saphan audit``: take the gateway's log away, and check it where no gateway is."""

import time
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer

from contracts.errors import IntegrityError
from contracts.federation import Federation
from contracts.log_audit import walk
from contracts.log_use import Reader
from contracts.release import Release
from contracts.tiles import Fetch
from gateway.audit_calls import audit_export, awaited_checkpoint, log_tile
from gateway.checked_release import check_release
from gateway.log_folder import LogFolder, check_head, check_since, majority
from saphan.audit_chain import chain_command, evidence_command
from saphan.audit_tables import Proved, Verified, proved_table, verified_table, write_requests
from saphan.believed_keys import (
    Believed,
    CopysTime,
    RegistryCopyOption,
    RootOption,
    believed_copy,
    believed_in,
    believed_of,
    time_of,
)
from saphan.client_commands import HomeOption, connected
from saphan.client_settings import load_client_settings
from saphan.client_tables import value_table
from saphan.given_files import given_value
from saphan.output import AsJson, say, show, told_errors

app = typer.Typer(no_args_is_help=True, help="The log that anybody can check.")
app.command("evidence")(evidence_command)
app.command("chain")(chain_command)

FolderArgument = Annotated[Path | None, typer.Argument(help="An exported log; the gateway's own when left out.")]
Since = Annotated[
    Path | None, typer.Option("--since", help="An earlier checkpoint, or the folder of one: the log must have grown.")
]
Pinned = Annotated[
    Path | None, typer.Option("--federation", help="The pinned public keys, where there is no member's home.")
]
Quorum = Annotated[
    int | None,
    typer.Option("--quorum", min=0, help="How many agencies must stand by the checkpoint; else most that witness."),
]
COSIGNED_WITHIN: Final = 60.0
"""So many seconds the gateway's own checkpoint is waited for until the agencies have cosigned it."""


@app.command("export")
def export_command(
    folder: Annotated[Path, typer.Argument(help="Where to write the log; what is there already is kept.")],
    home: HomeOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Take the whole log away as files: tiles, entries, checkpoint and public keys."""
    with connected(home, as_json=as_json) as (gateway, _):
        folder.mkdir(parents=True, exist_ok=True)
        checkpoint = audit_export(gateway, LogFolder(folder))
        show(checkpoint, lambda: value_table(checkpoint), as_json=as_json)


@app.command("verify")
def verify_command(  # noqa: PLR0913  # one option each for what an auditor brings along
    folder: FolderArgument = None,
    home: HomeOption = None,
    *,
    federation: Pinned = None,
    registry: RegistryCopyOption = None,
    root: RootOption = None,
    at: CopysTime = None,
    since: Since = None,
    quorum: Quorum = None,
    requests: Annotated[Path | None, typer.Option("--csv", help="Write every request to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check every entry of the log, the tree and the signed checkpoint; show who asked what, at what cost.

    With a folder no gateway is asked: the keys of the home, of a file, or of a copy of the registry are all that is
    believed.
    """
    if folder is None and (federation or registry or root):
        raise typer.BadParameter("--federation, --registry and --root are for an exported log: name its folder")
    with told_errors(as_json=as_json):
        if folder is None:
            with connected(home, as_json=as_json) as (gateway, _):
                wanted = _quorum(quorum, gateway.federation)
                document = awaited_checkpoint(gateway, wanted, COSIGNED_WITHIN, time.sleep)
                seen = Seen(document, lambda tile: log_tile(gateway, tile), Believed(gateway.federation))
                found = _verified(seen, since, wanted, requests)
        else:
            log = LogFolder(folder)
            seen = Seen(log.checkpoint(), log.fetch, _pinned(home, federation, Copy(registry, root, at)))
            found = _verified(seen, since, _quorum(quorum, seen.believed.federation), requests)
        show(found, lambda: verified_table(found), as_json=as_json)


@app.command("prove")
def prove_command(  # noqa: PLR0913  # one option each for what an auditor brings along
    file: Annotated[Path, typer.Argument(help="A release as JSON, as saphan release show --json gives it.")],
    home: HomeOption = None,
    *,
    federation: Pinned = None,
    registry: RegistryCopyOption = None,
    root: RootOption = None,
    at: CopysTime = None,
    quorum: Quorum = None,
    as_json: AsJson = False,
) -> None:
    """Check one release where no gateway is: its digest, its signature, and that it stands in the log."""
    with told_errors(as_json=as_json):
        pinned = _pinned(home, federation, Copy(registry, root, at))
        release = given_value(Release, file)
        if release.receipt is None:
            raise IntegrityError("receipt-missing")
        check_release(release, pinned.at(release.body.created))
        head = check_head(release.receipt.checkpoint, pinned.federation, _quorum(quorum, pinned.federation))
        found = Proved(
            release=release.body.id,
            digest=release.digest,
            entry=release.receipt.index,
            log_size=head.checkpoint.size,
            witnesses=tuple(each.agency for each in head.witnesses),
            verified=True,
            keys_known_until=pinned.good_until,
        )
        show(found, lambda: proved_table(found), as_json=as_json)


class Seen(NamedTuple):
    """A log as it is checked: its checkpoint, what gives its tiles, and whose keys are believed."""

    document: str
    fetch: Fetch
    believed: Believed


def _verified(seen: Seen, since: Path | None, quorum: int, requests: Path | None) -> Verified:
    head, reader = check_head(seen.document, seen.believed.federation, quorum), Reader()
    asked = reader.requests(walk(seen.fetch, head.checkpoint))
    if requests is None:
        deque(asked, maxlen=0)
    else:
        write_requests(requests, asked)
    old = None if since is None else check_since(since, seen.fetch, seen.believed.federation, head.checkpoint)
    return Verified(
        size=head.checkpoint.size,
        root=head.checkpoint.root,
        witnesses=tuple(each.agency for each in head.witnesses),
        verified=True,
        since=None if old is None else old.size,
        keys_known_until=seen.believed.good_until,
        uses=reader.totals(),
    )


def _quorum(given: int | None, federation: Federation) -> int:
    """How many agencies must stand by a checkpoint: what was said, or most of those that witness."""
    if given is not None:
        return given
    most = majority(federation, datetime.now(UTC))  # noqa: TID251  # a command begins here
    if not most:
        say("no agency has registered a witness: nobody but the gateway stands by this log")
    return most


class Copy(NamedTuple):
    """A copy of the registry that an auditor brings along, as the options name it."""

    registry: Path | None
    root: Path | None
    at: datetime | None


def _pinned(home: Path | None, file: Path | None, copy: Copy) -> Believed:
    """The keys to believe: of a copy of the registry or a file that was brought along, or those a home knows."""
    now = datetime.now(UTC)  # noqa: TID251  # a command begins here
    if file is not None and (copy.registry or copy.root):
        raise typer.BadParameter("name --federation, or --registry with --root, not both")
    if file is not None:
        return believed_in(file)
    brought = believed_copy(copy.registry, copy.root, time_of(copy.at, now))
    if brought is not None:
        return brought
    return believed_of(load_client_settings(home=home).home, now)
