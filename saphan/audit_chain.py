"""``saphan audit evidence`` and ``saphan audit chain``: who signed what of one request, checked where no gateway is."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from contracts.chain_evidence import ChainEvidence, CheckedLink
from gateway.chain_evidence import check_evidence, evidence_of
from gateway.settings import load_settings
from gateway.store.engine import Store
from saphan.believed_keys import believed_of
from saphan.client_commands import HomeOption
from saphan.client_settings import load_client_settings
from saphan.given_files import given_value
from saphan.output import AsJson, say, show_all, table_of, told_errors

FileArgument = Annotated[Path, typer.Argument(help="What saphan audit evidence wrote.")]
GatewayHome = Annotated[Path | None, typer.Option("--home", help="The gateway's home.", envvar="SAPHAN_HOME")]


def evidence_command(
    request: Annotated[str, typer.Argument(help="The identifier of a request.")],
    file: Annotated[Path, typer.Argument(help="Where to write it; for its owner alone.")],
    home: GatewayHome = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Take out all that was signed of one request, on the gateway's own machine, to hand it to an auditor."""
    with told_errors(as_json=as_json):
        store = Store(load_settings(home).database)
        try:
            evidence = evidence_of(store, request)
        finally:
            store.close()
        file.touch(mode=0o600)
        file.write_text(evidence.model_dump_json(by_alias=True), encoding="utf-8")
    say(
        f"{file}: {len(evidence.links)} answers to {evidence.request}. It holds figures: hand it over, publish nothing."
    )


def chain_command(file: FileArgument, home: HomeOption = None, *, as_json: AsJson = False) -> None:
    """Check who signed what of one request, against the keys that the home knows and nothing else."""
    with told_errors(as_json=as_json):
        now = datetime.now(UTC)  # noqa: TID251  # a command begins here
        believed, evidence = believed_of(load_client_settings(home=home).home, now), given_value(ChainEvidence, file)
        checked = check_evidence(evidence, believed.federation)
        for each in checked:
            believed.at(each.answered)
    if believed.good_until is not None:
        say(f"by the keys known until {believed.good_until:%Y-%m-%d %H:%M}Z")
    show_all(checked, lambda: _table(checked), as_json=as_json)


def _table(checked: tuple[CheckedLink, ...]) -> Table:
    table = table_of("task", "asked", "forwarded", "answered", "figures", "in the release")
    for each in checked:
        table.add_row(
            each.task,
            f"{each.asked_by} {each.asked:%Y-%m-%d %H:%M:%S}",
            f"{each.forwarded_by} {each.forwarded:%Y-%m-%d %H:%M:%S}",
            f"{each.answered_by} {each.answered:%Y-%m-%d %H:%M:%S}",
            "kept" if each.figures else "erased",
            "yes" if each.committed else "not released",
        )
    return table
