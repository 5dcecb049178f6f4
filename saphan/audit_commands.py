"""``saphan audit``: take the gateway's log away, and check it where no gateway is."""

from pathlib import Path
from typing import Annotated

import typer

from contracts.federation import Federation
from contracts.log_audit import walk
from contracts.tiles import Fetch
from contracts.values import Value
from gateway.audit_calls import audit_export, log_checkpoint, log_tile
from gateway.log_folder import LogFolder, check_head, check_since
from saphan.audit_chain import chain_command, evidence_command
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
Quorum = Annotated[int, typer.Option("--quorum", min=0, help="How many agencies must stand by the checkpoint.")]


class Verified(Value):
    """What the check of a log found: its size, its root and the agencies whose witnesses stand by it."""

    size: int
    root: str
    witnesses: tuple[str, ...]
    verified: bool
    since: int | None = None


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
def verify_command(
    folder: FolderArgument = None,
    home: HomeOption = None,
    since: Since = None,
    quorum: Quorum = 0,
    *,
    as_json: AsJson = False,
) -> None:
    """Check every entry of the log, the tree over them and the signed checkpoint, against the pinned keys."""
    with told_errors(as_json=as_json):
        if folder is None:
            with connected(home, as_json=as_json) as (gateway, _):
                found = _verified(
                    log_checkpoint(gateway), lambda tile: log_tile(gateway, tile), gateway.federation, since, quorum
                )
        else:
            federation = MemberHome(load_client_settings(home=home)).federation()
            log = LogFolder(folder)
            found = _verified(log.checkpoint(), log.fetch, federation, since, quorum)
        show(found, lambda: value_table(found), as_json=as_json)


def _verified(document: str, fetch: Fetch, federation: Federation, since: Path | None, quorum: int) -> Verified:
    head = check_head(document, federation, quorum)
    size = sum(1 for _ in walk(fetch, head.checkpoint))
    old = None if since is None else check_since(since, fetch, federation, head.checkpoint)
    return Verified(
        size=size,
        root=head.checkpoint.root,
        witnesses=tuple(each.agency for each in head.witnesses),
        verified=True,
        since=None if old is None else old.size,
    )
