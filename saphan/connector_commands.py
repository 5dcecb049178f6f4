"""``saphan connector``: set an agency up, refresh, publish, approve, serve, and look back."""

import logging
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel

from connectors.draft import Wanted
from connectors.enrol import SNAPSHOT_SECRET, Enrolment, approve, make_home, waiting
from connectors.home import Home
from connectors.journal.book import Journal
from connectors.journal.entries import Approval, Departure, Spending
from connectors.main import now, serve
from connectors.settings import ConnectorSettings, load_settings
from connectors.shelf import read_folder
from connectors.snapshot import Snapshot, refresh
from connectors.sources import open_source
from connectors.synthetic.generate import Extent, generate_for
from connectors.unmatched import unmatched
from contracts.dataset import ContractRef, Text
from contracts.errors import InvalidInput
from contracts.federation import Member
from contracts.identifiers import Digest
from contracts.values import Value
from policies.rules import installed, installed_texts
from saphan.approval_commands import (
    decide_command,
    lift_command,
    requests_command,
    suspend_command,
    suspensions_command,
)
from saphan.connector_drafting import MadeWithDrafts, draft_command, drafts_of, lines_of, write
from saphan.connector_privacy_commands import object_command, retain_command, retain_home
from saphan.contract_publishing import publish, take_back
from saphan.intake_commands import import_command, imports_command, template_command
from saphan.log_output import log_to_stderr
from saphan.output import told_errors
from saphan.witness_commands import witness_command

app = typer.Typer(help="An agency's connector: it asks for work and is never called.", no_args_is_help=True)

HomeOption = Annotated[Path, typer.Option("--home", help="The connector's folder.", envvar="SAPHAN_HOME")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
HOME = Path(".saphan")


class OutsidePilot(Value):
    """How many rows of the source have one public code that takes no part yet; no code: values that are in no list."""

    code: str | None
    rows: int


class Refreshed(Value):
    """One dataset of the new snapshot; ``outside_pilot`` lists the rows that were left out for where they are.

    ``unmatched_objections`` is how many people on the list of ``object`` no refresh has met: perhaps mistyped keys.
    """

    dataset: str
    data_version: int
    rows: int
    kept_rows: int
    persons: int
    outside_pilot: tuple[OutsidePilot, ...] = ()
    unmatched_objections: int = 0


class Generated(Value):
    """One dataset of made-up people and cases."""

    dataset: str
    rows: int


class GeneratedAll(Value):
    """The datasets that were generated."""

    datasets: tuple[Generated, ...]


class Snapshots(Value):
    """The datasets that were refreshed."""

    datasets: tuple[Refreshed, ...]


class Contracts(Value):
    """Contracts that were published or approved."""

    contracts: tuple[ContractRef, ...]


class PoliciesView(Value):
    """The digest of the policies that decide here, and of those that came with the program."""

    digest: Digest
    installed: Digest
    pinned: bool


class JournalView(Value):
    """The agency's own record. It holds no figure."""

    approved: tuple[Approval, ...]
    spending: tuple[Spending, ...]
    departures: tuple[Departure, ...]


app.command("draft")(draft_command)
app.command("template")(template_command)
app.command("import")(import_command)
app.command("imports")(imports_command)
app.command("object")(object_command)
app.command("retain")(retain_command)
app.command("suspend")(suspend_command)
app.command("lift")(lift_command)
app.command("suspensions")(suspensions_command)
app.command("requests")(requests_command)
app.command("decide")(decide_command)
app.command("witness")(witness_command)


@app.command("init")
def init_command(  # noqa: PLR0913  # one option each for what an agency says once
    *,
    agency: Annotated[str, typer.Option(help="The agency, such as ccib.")],
    gateway: Annotated[str, typer.Option(help="The gateway's address.")],
    source: Annotated[str, typer.Option(help="The agency's database as a URL.")],
    dataset: Annotated[
        list[str] | None, typer.Option(help="A bundled contract's id, or a file; may be repeated.")
    ] = None,
    table: Annotated[list[str] | None, typer.Option(help="Draft a contract for this table; may be repeated.")] = None,
    title_th: Annotated[str | None, typer.Option(help="The agency's name in Thai.")] = None,
    title_en: Annotated[str | None, typer.Option(help="The agency's name in English.")] = None,
    home: HomeOption = HOME,
    as_json: AsJson = False,
) -> None:
    """Make the home: keys, settings, contracts or drafts of them, and public.json for the federation."""
    with told_errors(as_json=as_json):
        if not dataset and not table:
            raise InvalidInput("setting-invalid", setting="dataset", why="name a dataset or a table")
        title = Text(th=title_th or agency, en=title_en or agency)
        enrolment = Enrolment(agency, title, gateway, source, tuple(dataset or ()))
        wanted = [Wanted(agency, each) for each in table or ()]
        placed = drafts_of(source, wanted, home.resolve(), None, now())
        member = make_home(Home(home.resolve()), enrolment, now())
        drafts = write(placed)
        made = MadeWithDrafts(member=member, drafts=drafts.drafts) if table else member
        _say(made, [*(key.kid for key in member.keys), *lines_of(drafts)], as_json=as_json)


@app.command("keys")
def keys_command(*, home: HomeOption = HOME, as_json: AsJson = False) -> None:
    """List the agency's public keys; compare them with the federation's over another channel."""
    with told_errors(as_json=as_json):
        member = Member.model_validate_json(Home(home.resolve()).public.read_bytes())
        lines = [f"{key.kid}  {key.x}  until {key.valid_until:%Y-%m-%d}" for key in member.keys]
        _say(member, lines, as_json=as_json)


@app.command("generate")
def generate_command(  # one option each
    *,
    scale: Annotated[float, typer.Option(help="1 is real volume.")] = 0.2,
    months: Annotated[int, typer.Option(help="How many months, the last one before --until.")] = 60,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Today, if left out.")] = None,
    seed: Annotated[int, typer.Option(help="Decides every draw.")] = 2569,
    home: HomeOption = HOME,
    as_json: AsJson = False,
) -> None:
    """Fill the agency's database with made-up people and cases: for demonstrations, never over real tables."""
    with told_errors(as_json=as_json):
        settings = _settings(home)
        end = (until or now()).date()
        done = []
        extent = Extent(scale=scale, months=months, until=end, seed=seed)
        for each in read_folder(Home(settings.home).contracts):
            info = generate_for(each.contract, each.document, settings.source.get_secret_value(), extent)
            done.append(Generated(dataset=each.contract.id, rows=info.rows))
        _say(
            GeneratedAll(datasets=tuple(done)), [f"{each.dataset}: {each.rows} rows" for each in done], as_json=as_json
        )


@app.command("refresh")
def refresh_command(*, home: HomeOption = HOME, as_json: AsJson = False) -> None:
    """Bring the ranked snapshot up to date with the agency's database."""
    with told_errors(as_json=as_json):
        settings = _settings(home)
        place = Home(settings.home)
        retain_home(settings)
        source, secret = open_source(settings.source.get_secret_value()), place.secret(SNAPSHOT_SECRET)
        done = []
        for written in read_folder(place.contracts):
            name = written.contract.id
            info = refresh(place.snapshot, source, written.contract, secret, now())
            left_out = tuple(
                OutsidePilot(code=each.code, rows=each.rows) for each in Snapshot(place.snapshot).outside(name)
            )
            figures = {"data_version": info.data_version, "rows": info.rows, "kept_rows": info.kept_rows}
            figures |= {"persons": info.persons, "unmatched_objections": unmatched(place.snapshot, name)}
            done.append(Refreshed(dataset=name, **figures, outside_pilot=left_out))
        lines = [line for each in done for line in _refreshed_lines(each)]
        _say(Snapshots(datasets=tuple(done)), lines, as_json=as_json)


@app.command("publish")
def publish_command(*, home: HomeOption = HOME, as_json: AsJson = False) -> None:
    """Sign the agency's contracts, as steward and as data protection officer, and publish them."""
    with told_errors(as_json=as_json):
        _say_contracts(publish(_settings(home), (), now), as_json=as_json)


@app.command("retire")
def retire_command(
    digest: Annotated[str, typer.Argument(help="The contract's digest.")],
    *,
    reason: Annotated[str, typer.Option(help="Why, for everybody to read.")],
    home: HomeOption = HOME,
    as_json: AsJson = False,
) -> None:
    """Take a contract off the agency's own list and retire it on the gateway, for good."""
    with told_errors(as_json=as_json):
        _say_contracts([take_back(_settings(home), digest, reason, now)], as_json=as_json)


@app.command("approve")
def approve_command(
    contracts: Annotated[
        list[str] | None, typer.Argument(metavar="[DIGEST|FILE]...", help="Leave out to approve all of the home.")
    ] = None,
    *,
    home: HomeOption = HOME,
    as_json: AsJson = False,
) -> None:
    """Put contracts on the agency's own list: no others are answered, whatever the gateway says."""
    with told_errors(as_json=as_json):
        settings = _settings(home)
        place = Home(settings.home)
        journal = Journal(place.journal)
        wanted = contracts or waiting(place, journal)
        approved = [approve(place, journal, settings, each, now()) for each in wanted]
        journal.close()
        _say_contracts(approved, as_json=as_json)


@app.command("serve")
def serve_command(*, home: HomeOption = HOME) -> None:
    """Ask for work, answer it, until interrupted. Opens no port."""
    with told_errors():
        log_to_stderr()
        logging.getLogger("httpx2").setLevel(logging.WARNING)
        serve(_settings(home))


@app.command("policies")
def policies_command(
    *,
    pin: Annotated[bool, typer.Option("--pin", help="Take over the policies that came with this program.")] = False,
    pin_own: Annotated[bool, typer.Option("--pin-own", help="Pin HOME/policies as you edited them.")] = False,
    home: HomeOption = HOME,
    as_json: AsJson = False,
) -> None:
    """Show by which copy of the policies this connector decides; compare its digest with other members' and the log."""
    with told_errors(as_json=as_json):
        place = Home(home.resolve())
        if pin:
            place.pin_policies(installed_texts())
        elif pin_own:
            place.pin_policies(place.policy_texts())
        view = PoliciesView(digest=place.rules().digest, installed=installed().digest, pinned=place.policies.is_dir())
        same = "as installed" if view.digest == view.installed else f"another than installed: {view.installed}"
        lines = [f"{'pinned' if view.pinned else 'installed'}  {view.digest}  {same}"]
        _say(view, lines, as_json=as_json)


@app.command("journal")
def journal_command(*, home: HomeOption = HOME, as_json: AsJson = False) -> None:
    """Show what was approved, what each fiscal year has cost, and what left."""
    with told_errors(as_json=as_json):
        journal = Journal(Home(home.resolve()).journal)
        view = JournalView(approved=journal.approvals(), spending=journal.spending(), departures=journal.departures())
        journal.close()
        lines = [
            f"approved  {each.contract.id} {each.contract.version} {each.contract.digest}" for each in view.approved
        ]
        lines += [f"spent     {each.source} {each.window}: {each.nano_rho} nano-rho" for each in view.spending]
        lines += [
            f"{each.at:%Y-%m-%d %H:%M}  {each.task}  {each.contract}  {each.refusal or each.state}  {each.cells} cells"
            for each in view.departures
        ]
        _say(view, lines, as_json=as_json)


def _refreshed_lines(each: Refreshed) -> list[str]:
    lines = [f"{each.dataset}: version {each.data_version}, {each.kept_rows} of {each.rows} rows"]
    if each.outside_pilot:
        lines.append(f"  {sum(left.rows for left in each.outside_pilot)} rows outside the pilot were not imported:")
        lines += [f"    {left.code or 'in no code list'}: {left.rows}" for left in each.outside_pilot]
    if each.unmatched_objections:
        lines.append(
            f"  รหัสบุคคลที่ขอให้งดใช้ข้อมูลแต่ไม่ตรงกับผู้ใดในข้อมูล {each.unmatched_objections} ราย โปรดตรวจการสะกด"
            f" · {each.unmatched_objections} keys of people to leave out match nobody: check their spelling"
        )
    return lines


def _settings(home: Path) -> ConnectorSettings:
    return load_settings(home=home.resolve())


def _say_contracts(references: list[ContractRef], *, as_json: bool) -> None:
    lines = [f"{each.id} {each.version} {each.digest}" for each in references]
    _say(Contracts(contracts=tuple(references)), lines, as_json=as_json)


def _say(value: BaseModel, lines: list[str], *, as_json: bool) -> None:
    typer.echo(value.model_dump_json() if as_json else "\n".join(lines))
