"""``saphan subject``: what people ask under their rights (PDPA ss. 19, 30 to 36), without saying who they are."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from contracts.errors import InvalidInput
from contracts.federation import KeyPurpose
from contracts.personal_data import RefusalReason, Right, SubjectAct, SubjectCase, SubjectFiling, SubjectMove
from gateway import privacy_calls as calls
from gateway.client import Gateway
from gateway.privacy_office.sheets import STATES, moment, subject_sheets
from saphan.client_commands import HomeOption, connected
from saphan.output import AsJson, show, show_all, table_of
from saphan.register_signing import Moment, Output, entry, person, write_workbook

app = typer.Typer(no_args_is_help=True, help="Requests of people about their data; the register holds no identity.")

Reference = Annotated[str, typer.Argument(metavar="REFERENCE", help="The request's reference, sr-...")]


@app.command("file")
def file_command(
    right: Annotated[Right, typer.Argument(help="What the person asks for.")],
    dataset: Annotated[str, typer.Option(help="The dataset that it is about.")],
    agency: Annotated[str | None, typer.Option(help="Who holds it; found by its contract if left out.")] = None,
    received: Moment = None,
    home: HomeOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """File a person's request; it is routed to the agency that holds the rows.

    Keep the reference in your own file beside the person's letter, and pass the letter to the contact that is shown.
    """
    with connected(home, as_json=as_json) as (gateway, member):
        now = datetime.now(UTC)  # noqa: TID251  # a command begins here
        fields = {
            "id": f"sr-{secrets.token_hex(12)}",
            "desk": member.settings.agency,
            "agency": agency or _holder(gateway, dataset),
            "dataset": dataset,
            "right": right,
            "received_at": received or now,
        }
        signer = person(member, KeyPurpose.DPO, KeyPurpose.OFFICER)
        _show(calls.file_subject_request(gateway, entry(SubjectFiling, fields), signer), as_json=as_json)


@app.command("list")
def list_command(output: Output = None, home: HomeOption = None, *, as_json: AsJson = False) -> None:
    """List the requests that concern this agency, open ones first by due date."""
    with connected(home, as_json=as_json) as (gateway, _):
        cases = calls.subject_requests(gateway)
        write_workbook(output, subject_sheets(cases))
        show_all(cases, lambda: _table(cases), as_json=as_json)


@app.command("show")
def show_command(reference: Reference, home: HomeOption = None, *, as_json: AsJson = False) -> None:
    """Show one request with its steps and whom to speak to."""
    with connected(home, as_json=as_json) as (gateway, _):
        _show(calls.subject_request(gateway, reference), as_json=as_json)


@app.command("answer")
def answer_command(  # noqa: PLR0913  # one option for each thing that an answer says
    reference: Reference,
    move: Annotated[SubjectMove, typer.Argument(help="acknowledge, fulfil, refuse or forward.")],
    reason: Annotated[RefusalReason | None, typer.Option(help="Why it is refused.")] = None,
    note: Annotated[str, typer.Option(help="The record of section 36; never who the person is.")] = "",
    to: Annotated[str | None, typer.Option(help="AGENCY/DATASET that holds the rows, when forwarding.")] = None,
    home: HomeOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Move a request on, signed by the own DPO, from where it stands now."""
    with connected(home, as_json=as_json) as (gateway, member):
        agency, _, dataset = (to or "").partition("/")
        fields = {
            "request": reference,
            "agency": member.settings.agency,
            "move": move,
            "previous": calls.subject_request(gateway, reference).steps[-1].digest,
            "reason": reason,
            "note": note,
            "to_agency": agency or None,
            "to_dataset": dataset or None,
        }
        case = calls.move_subject_request(gateway, entry(SubjectAct, fields), person(member, KeyPurpose.DPO))
        _show(case, as_json=as_json)


def _holder(gateway: Gateway, dataset: str) -> str:
    """The agency whose published contract has that name."""
    holders = {each.agency for each in gateway.contracts() if each.reference.id == dataset}
    if len(holders) != 1:
        raise InvalidInput("unknown-contract", contract=dataset)
    return holders.pop()


def _show(case: SubjectCase, *, as_json: bool) -> None:
    show(case, lambda: _case_table(case), as_json=as_json)


def _table(cases: Sequence[SubjectCase]) -> Table:
    table = table_of("เลขอ้างอิง", "มาตรา", "หน่วยงาน", "ชุดข้อมูล", "ครบกำหนด", "สถานะ")
    for each in cases:
        state = STATES[each.state] + (" · เกินกำหนด" if each.overdue else "")
        table.add_row(each.id, each.section, each.agency, each.dataset, moment(each.due), state)
    return table


def _case_table(case: SubjectCase) -> Table:
    table = _table([case])
    table.add_section()
    for step in case.steps:
        table.add_row(moment(step.at), "", step.signed_by, step.reason or "", step.note, STATES[step.state])
    for contact in case.contacts:
        table.add_row(contact.role, "", contact.name)
    return table
