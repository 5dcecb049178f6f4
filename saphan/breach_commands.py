"""``saphan breach``: breaches of personal data and their clock of 72 hours (PDPA s. 37 (4))."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from contracts.breach import Breach, BreachNature, BreachView, Risk
from contracts.federation import KeyPurpose
from gateway import privacy_calls as calls
from gateway.privacy_office.sheets import BREACH_STATES, breach_sheets, moment
from saphan.client_commands import HomeOption, connected
from saphan.output import AsJson, show, show_all, table_of
from saphan.register_signing import MOMENTS, Moment, Output, entry, person, write_workbook

app = typer.Typer(no_args_is_help=True, help="Breaches of personal data, with 72 hours to notify.")

HOUR = 3600
Name = Annotated[str, typer.Argument(metavar="BREACH", help="The breach, breach-...")]
Natures = Annotated[list[BreachNature], typer.Option("--nature", help="What was breached; may be repeated.")]
Sentence = Annotated[str | None, typer.Option()]
Number = Annotated[int | None, typer.Option(min=0)]


@app.command("record")
def record_command(  # noqa: PLR0913  # one option for each field of the form
    *,
    nature: Natures,
    description: Annotated[str, typer.Option(help="What happened; never who was in it.")],
    categories: Annotated[str, typer.Option(help="Which kinds of people and data.")],
    people: Annotated[int, typer.Option(min=0, help="About how many people.")],
    consequences: Annotated[str, typer.Option(help="What may follow for them.")],
    measures: Annotated[str, typer.Option(help="What was done and will be done.")],
    risk: Annotated[Risk, typer.Option(help="The risk to people's rights.")],
    contact: Annotated[str, typer.Option(help="The office to ask.")],
    detected: Annotated[datetime, typer.Option(formats=MOMENTS, help="When it was noticed; Bangkok time.")],
    occurred: Moment = None,
    dataset: Annotated[str | None, typer.Option(help="The dataset, if it is one of the exchange.")] = None,
    records: Number = None,
    home: HomeOption = None,
    as_json: AsJson = False,
) -> None:
    """Record a breach; the clock runs from when it was detected."""
    with connected(home, as_json=as_json) as (gateway, member):
        fields = {
            "id": f"breach-{secrets.token_hex(8)}",
            "agency": member.settings.agency,
            "dataset": dataset,
            "occurred_at": occurred,
            "detected_at": detected,
            "nature": tuple(nature),
            "description": description,
            "categories": categories,
            "people": people,
            "records": records,
            "consequences": consequences,
            "measures": measures,
            "risk": risk,
            "contact": contact,
        }
        signer = person(member, KeyPurpose.DPO, KeyPurpose.OFFICER)
        _show(calls.record_breach(gateway, entry(Breach, fields), signer), as_json=as_json)


@app.command("update")
def update_command(  # noqa: PLR0913  # one option for each field that may change
    name: Name,
    *,
    notified: Moment = None,
    informed: Moment = None,
    late_reason: Sentence = None,
    description: Sentence = None,
    consequences: Sentence = None,
    measures: Sentence = None,
    people: Number = None,
    records: Number = None,
    risk: Annotated[Risk | None, typer.Option(help="The risk, if it was judged anew.")] = None,
    detected: Moment = None,
    close: Annotated[bool, typer.Option("--close", help="Close it: everybody was told who had to be.")] = False,
    home: HomeOption = None,
    as_json: AsJson = False,
) -> None:
    """Add what became known or was done; all that is not named stays."""
    with connected(home, as_json=as_json) as (gateway, member):
        view = calls.breach(gateway, name)
        changes: dict[str, object] = {
            "notified_pdpc_at": notified,
            "people_informed_at": informed,
            "late_reason": late_reason,
            "description": description,
            "consequences": consequences,
            "measures": measures,
            "people": people,
            "records": records,
            "risk": risk,
            "detected_at": detected,
            "closed_at": datetime.now(UTC) if close else None,  # noqa: TID251  # a command begins here
            "previous": view.digest,
        }
        known = view.breach.model_dump() | {key: value for key, value in changes.items() if value is not None}
        signer = person(member, KeyPurpose.DPO, KeyPurpose.OFFICER)
        _show(calls.record_breach(gateway, entry(Breach, known), signer), as_json=as_json)


@app.command("list")
def list_command(output: Output = None, home: HomeOption = None, *, as_json: AsJson = False) -> None:
    """List the breaches that this member may see, the least time left first."""
    with connected(home, as_json=as_json) as (gateway, _):
        views = calls.breaches(gateway)
        write_workbook(output, breach_sheets(views))
        show_all(views, lambda: _table(views), as_json=as_json)


@app.command("show")
def show_command(name: Name, output: Output = None, home: HomeOption = None, *, as_json: AsJson = False) -> None:
    """Show one breach; --output writes the fields of the PDPC's form."""
    with connected(home, as_json=as_json) as (gateway, _):
        view = calls.breach(gateway, name)
        write_workbook(output, breach_sheets([view]))
        _show(view, as_json=as_json)


def _show(view: BreachView, *, as_json: bool) -> None:
    show(view, lambda: _table([view]), as_json=as_json)


def _table(views: Sequence[BreachView]) -> Table:
    table = table_of("เลขอ้างอิง", "หน่วยงาน", "ทราบเหตุ", "ครบกำหนด", "เวลาคงเหลือ", "สถานะ")
    for each in views:
        row = (each.breach.agency, moment(each.breach.detected_at), moment(each.due), _left(each))
        table.add_row(each.breach.id, *row, BREACH_STATES[each.state])
    return table


def _left(view: BreachView) -> str:
    if view.seconds_left is None:
        return "แจ้งล่าช้า" if view.late else "–"
    hours = abs(view.seconds_left) // HOUR
    return f"เกินกำหนด {hours} ชั่วโมง" if view.overdue else f"{hours} ชั่วโมง"
