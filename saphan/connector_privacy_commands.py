"""``saphan connector object`` and ``retain``: leave a person out, and delete what is past its time."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from connectors import objections
from connectors.enrol import SNAPSHOT_SECRET
from connectors.home import Home
from connectors.intake.people import key_in_source
from connectors.main import now
from connectors.objections import Objection, Section, person_hash
from connectors.retention import certificates, retain
from connectors.settings import ConnectorSettings, load_settings
from connectors.shelf import read_folder
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput
from contracts.personal_data import SubjectReference
from contracts.retention import IssuedCertificate
from contracts.values import Value
from saphan.output import AsJson, say, show, show_all, told_errors
from saphan.retention_table import certificates_table

HomeOption = Annotated[Path, typer.Option("--home", help="The connector's folder.", envvar="SAPHAN_HOME")]
HOME = Path(".saphan")


class Noted(Value):
    """That a person stands on the list now, or no longer; whether they are in the data is not said."""

    dataset: str
    section: Section
    reference: SubjectReference | None
    left_out: bool


def object_command(
    dataset: Annotated[str, typer.Option(help="The dataset.")],
    section: Annotated[str, typer.Option(help="32: the person objected; 34: their data is on hold.")] = "32",
    reference: Annotated[str | None, typer.Option(help="The request in the register, sr-...")] = None,
    *,
    lift: Annotated[bool, typer.Option("--lift", help="Take the person off the list again.")] = False,
    home: HomeOption = HOME,
    as_json: AsJson = False,
) -> None:
    """Leave the person whose key is on standard input out of every answer from the next refresh on.

    The key is read from standard input and never from the command line; only its keyed hash is kept.
    """
    with told_errors(as_json=as_json):
        place = Home(home.resolve())
        contract = _contract(place, dataset)
        source = load_settings(home=place.path).source.get_secret_value()
        key = key_in_source(place, source, contract, _key_on_standard_input())
        person = person_hash(place.secret(SNAPSHOT_SECRET), contract, key)
        fields = {"dataset": dataset, "person": person, "section": section, "since": now(), "reference": reference}
        objection = _objection(fields)
        if lift:
            objections.lift(place, objection)
        else:
            objections.add(place, objection)
        noted = Noted(dataset=dataset, section=objection.section, reference=objection.reference, left_out=not lift)
        if as_json:
            typer.echo(noted.model_dump_json())
        say("มีผลเมื่อปรับปรุงภาพข้อมูลครั้งถัดไป · takes effect at the next: saphan connector refresh")


def retain_command(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be deleted.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="List the certificates so far.")] = False,
    home: HomeOption = HOME,
    as_json: AsJson = False,
) -> None:
    """Delete rows, parts and imported files past their time, and keep a signed certificate of it."""
    with told_errors(as_json=as_json):
        settings = load_settings(home=home.resolve())
        if listed:
            found = certificates(Home(settings.home))
            show_all(found, lambda: certificates_table([each.certificate for each in found]), as_json=as_json)
            return
        issued = retain_home(settings, dry_run=dry_run)
        show(issued, lambda: certificates_table([issued.certificate]), as_json=as_json)


def retain_home(settings: ConnectorSettings, *, dry_run: bool = False) -> IssuedCertificate:
    """One retention run over all that a home holds; every refresh begins with one."""
    place = Home(settings.home)
    contracts = [each.contract for each in read_folder(place.contracts)]
    return retain(place, contracts, place.key(f"{settings.agency}#connector-1"), now(), dry_run=dry_run)


def _contract(place: Home, dataset: str) -> DatasetContract:
    found = next((each.contract for each in read_folder(place.contracts) if each.contract.id == dataset), None)
    if found is None:
        raise InvalidInput("unknown-contract", contract=dataset)
    return found


def _key_on_standard_input() -> str:
    lines = sys.stdin.read().splitlines()
    if len(lines) != 1 or not lines[0]:
        raise InvalidInput("person-key-missing")
    return lines[0]


def _objection(fields: dict[str, object]) -> Objection:
    try:
        return Objection.model_validate(fields)
    except ValueError as error:
        raise InvalidInput("malformed-body", where="section, reference") from error
