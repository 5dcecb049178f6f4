"""``saphan record``: the record of processing, the register of disclosures, and what retention deleted."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from contracts.canonical import digest_of_bytes
from contracts.federation import KeyPurpose
from contracts.personal_data import Disclosure, DisclosureKind, DisclosureLine
from contracts.processing import ProcessingRecord
from gateway import privacy_calls as calls
from gateway.privacy_office.sheets import disclosure_sheets, moment, processing_sheets
from saphan.client_commands import HomeOption, connected
from saphan.given_files import given_bytes
from saphan.output import AsJson, show, show_all, table_of
from saphan.register_signing import Output, entry, person, write_workbook
from saphan.retention_table import certificates_table

app = typer.Typer(no_args_is_help=True, help="Records that the law wants: processing, disclosures, deletions.")

Agency = Annotated[str, typer.Argument(help="The agency, such as ccib.")]
OneAgency = Annotated[str | None, typer.Option("--agency", help="Another agency's, for operator and supervisors.")]


@app.command("processing")
def processing_command(
    agency: Agency, output: Output = None, home: HomeOption = None, *, as_json: AsJson = False
) -> None:
    """Print an agency's record of processing (PDPA s. 39), made from contracts, agreements and log."""
    with connected(home, as_json=as_json) as (gateway, _):
        record = calls.processing_record(gateway, agency)
        write_workbook(output, processing_sheets(record))
        show(record, lambda: _processing_table(record), as_json=as_json)


@app.command("disclosures")
def disclosures_command(
    agency: OneAgency = None, output: Output = None, home: HomeOption = None, *, as_json: AsJson = False
) -> None:
    """List what was disclosed to whom on which basis (OIA s. 24, PDPA s. 27)."""
    with connected(home, as_json=as_json) as (gateway, _):
        lines = calls.disclosures(gateway, agency)
        write_workbook(output, disclosure_sheets(lines))
        show_all(lines, lambda: _disclosures_table(lines), as_json=as_json)


@app.command("disclose")
def disclose_command(  # noqa: PLR0913  # one option for each column of the register
    name: Annotated[
        str, typer.Argument(metavar="ID", help="The agency's own name of the entry, such as dis-2569-001.")
    ],
    *,
    recipient: Annotated[str, typer.Option(help="The one office that received it.")],
    purpose: Annotated[str, typer.Option(help="What for.")],
    basis: Annotated[str, typer.Option(help="The law and section.")],
    oia24: Annotated[str, typer.Option(help="The paragraph of OIA s. 24, such as 24(6).")],
    category: Annotated[str, typer.Option(help="What kind of data, never the data.")],
    records: Annotated[int, typer.Option(help="Of how many records.")],
    on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day of the disclosure.")],
    document: Annotated[Path, typer.Option(help="The letter or order; only its digest is sent.", exists=True)],
    kind: Annotated[DisclosureKind, typer.Option(help="legal: to one recipient by law; feed: not personal.")] = (
        DisclosureKind.LEGAL
    ),
    dataset: Annotated[str | None, typer.Option(help="The dataset that it came from.")] = None,
    corrects: Annotated[str | None, typer.Option(help="The digest of the version that this corrects.")] = None,
    home: HomeOption = None,
    as_json: AsJson = False,
) -> None:
    """Record a disclosure beside the exchange, signed by the own officer or DPO."""
    with connected(home, as_json=as_json) as (gateway, member):
        fields = {
            "id": name,
            "kind": kind,
            "agency": member.settings.agency,
            "dataset": dataset,
            "recipient": recipient,
            "purpose": purpose,
            "legal_basis": basis,
            "oia24": oia24,
            "category": category,
            "records": records,
            "disclosed_on": on.date(),
            "document": digest_of_bytes(given_bytes(document)),
            "previous": corrects,
        }
        signer = person(member, KeyPurpose.OFFICER, KeyPurpose.DPO)
        line = calls.record_disclosure(gateway, entry(Disclosure, fields), signer)
        show(line, lambda: _disclosures_table([line]), as_json=as_json)


@app.command("retention")
def retention_command(home: HomeOption = None, *, as_json: AsJson = False) -> None:
    """List the certificates of what the gateway deleted when its time was over."""
    with connected(home, as_json=as_json) as (gateway, _):
        listed = calls.retention_certificates(gateway)
        show_all(listed, lambda: certificates_table([each.certificate for each in listed]), as_json=as_json)


def _processing_table(record: ProcessingRecord) -> Table:
    table = table_of("ชุดข้อมูล", "ประเภท", "เก็บรักษา (วัน)", "ผู้รับข้อมูล", "ครั้ง", "ปฏิเสธคำขอ", title=record.title.th)
    for each in record.processing:
        recipients = ", ".join(dict.fromkeys(use.recipient for use in each.recipients))
        times = sum(use.times for use in each.recipients)
        days, refused = str(each.retention_days), str(len(each.refusals))
        table.add_row(each.contract.id, each.classification, days, recipients, str(times), refused)
    return table


def _disclosures_table(lines: Sequence[DisclosureLine]) -> Table:
    table = table_of("วันที่", "หน่วยงาน", "ชุดข้อมูล", "ผู้รับข้อมูล", "วัตถุประสงค์", "ฐาน", "สถานะ", "เลขอ้างอิง")
    for each in lines:
        basis = ", ".join((*each.legal_basis, *each.oia24))
        state = each.state if each.state == "valid" else f"{each.state}: {each.reason}"
        row = (each.agency, ", ".join(each.datasets), each.recipient, each.purpose, basis, state, each.reference)
        table.add_row(moment(each.at), *row)
    return table
