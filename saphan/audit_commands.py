"""``saphan audit``: take the gateway's log away, and check it where no gateway is."""

from collections import deque
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from pydantic import ValidationError
from rich.console import Group

from contracts.errors import IntegrityError, InvalidInput
from contracts.federation import Federation
from contracts.log_audit import walk
from contracts.log_use import Reader, Use
from contracts.release import Release
from contracts.tiles import Fetch
from contracts.values import Value
from gateway.audit_calls import audit_export, log_checkpoint, log_tile
from gateway.checked_release import check_release
from gateway.log_folder import LogFolder, check_head, check_since
from saphan.audit_chain import chain_command, evidence_command
from saphan.audit_tables import uses_table, write_requests
from saphan.client_commands import HomeOption, connected
from saphan.client_settings import MemberHome, load_client_settings
from saphan.client_tables import value_table
from saphan.output import AsJson, show, told_errors

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
Quorum = Annotated[int, typer.Option("--quorum", min=0, help="How many agencies must stand by the checkpoint.")]


class Verified(Value):
    """What the check of a log found: its size, its root, the agencies that stand by it, and what was asked.

    ``since`` is the size of the earlier checkpoint from which it was proved to have only grown.
    """

    size: int
    root: str
    witnesses: tuple[str, ...]
    verified: bool
    since: int | None = None
    uses: tuple[Use, ...] = ()


class Proved(Value):
    """What the check of one release found: its entry's place, and the agencies that stand by its checkpoint."""

    release: str
    digest: str
    entry: int
    log_size: int
    witnesses: tuple[str, ...]
    verified: bool


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
    federation: Pinned = None,
    since: Since = None,
    quorum: Quorum = 0,
    requests: Annotated[Path | None, typer.Option("--csv", help="Write every request to this file.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Check every entry of the log, the tree and the signed checkpoint; show who asked what, at what cost.

    With a folder no gateway is asked: the pinned keys are all that is believed.
    """
    with told_errors(as_json=as_json):
        if folder is None:
            with connected(home, as_json=as_json) as (gateway, _):
                seen = Seen(log_checkpoint(gateway), lambda tile: log_tile(gateway, tile), gateway.federation)
                found = _verified(seen, since, quorum, requests)
        else:
            log = LogFolder(folder)
            seen = Seen(log.checkpoint(), log.fetch, _pinned(federation, home))
            found = _verified(seen, since, quorum, requests)
        show(found, lambda: _table(found), as_json=as_json)


@app.command("prove")
def prove_command(
    file: Annotated[Path, typer.Argument(help="A release as JSON, as saphan release show --json gives it.")],
    home: HomeOption = None,
    federation: Pinned = None,
    quorum: Quorum = 0,
    *,
    as_json: AsJson = False,
) -> None:
    """Check one release where no gateway is: its digest, its signature, and that it stands in the log."""
    with told_errors(as_json=as_json):
        pinned = _pinned(federation, home)
        try:
            release = Release.model_validate_json(file.read_bytes())
        except (OSError, ValidationError) as error:
            raise InvalidInput("malformed-body", where=file.name) from error
        if release.receipt is None:
            raise IntegrityError("receipt-missing")
        check_release(release, pinned)
        head = check_head(release.receipt.checkpoint, pinned, quorum)
        found = Proved(
            release=release.body.id,
            digest=release.digest,
            entry=release.receipt.index,
            log_size=head.checkpoint.size,
            witnesses=tuple(each.agency for each in head.witnesses),
            verified=True,
        )
        show(found, lambda: value_table(found), as_json=as_json)


class Seen(NamedTuple):
    """A log as it is checked: its checkpoint, what gives its tiles, and whose keys are believed."""

    document: str
    fetch: Fetch
    federation: Federation


def _verified(seen: Seen, since: Path | None, quorum: int, requests: Path | None) -> Verified:
    head, reader = check_head(seen.document, seen.federation, quorum), Reader()
    asked = reader.requests(walk(seen.fetch, head.checkpoint))
    if requests is None:
        deque(asked, maxlen=0)
    else:
        write_requests(requests, asked)
    old = None if since is None else check_since(since, seen.fetch, seen.federation, head.checkpoint)
    return Verified(
        size=head.checkpoint.size,
        root=head.checkpoint.root,
        witnesses=tuple(each.agency for each in head.witnesses),
        verified=True,
        since=None if old is None else old.size,
        uses=reader.totals(),
    )


def _pinned(file: Path | None, home: Path | None) -> Federation:
    """The keys to believe: of a file that the auditor brings along, or of a member's home."""
    if file is None:
        return MemberHome(load_client_settings(home=home)).federation()
    try:
        return Federation.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise InvalidInput("malformed-body", where=file.name) from error


def _table(found: Verified) -> Group:
    return Group(value_table(found.model_copy(update={"uses": ()})), "", uses_table(found.uses))
