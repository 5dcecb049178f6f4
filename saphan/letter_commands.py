"""``saphan agreement letter``: the agreement as an official Thai letter, in HTML or PDF."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from contracts.agreement import Agreement
from contracts.canonical import digest_of
from contracts.errors import InvalidInput
from contracts.identifiers import AgencyId
from contracts.lifecycle import AgreementState
from contracts.values import Value
from contracts.views import AgreementView
from gateway.client import Gateway
from gateway.letters.html import html_of
from gateway.letters.letter import Letter, compose
from gateway.letters.papers import check_addressee, papers_of, verified_contract
from gateway.letters.pdf import pdf_of
from saphan.client_commands import HomeOption, connected
from saphan.given_files import given_value

BANGKOK: Final = timedelta(hours=7)
ENDINGS: Final = (".html", ".pdf")


class Written(Value):
    """The letter that was written: of which text, to whom, and to which file."""

    agreement: str
    digest: str
    to: AgencyId | None
    file: str


def letter_command(
    agreement: Annotated[str, typer.Argument(help="An agreement's identifier, or a draft's JSON file.")],
    output: Annotated[Path, typer.Option(help="FILE.pdf or FILE.html.")],
    to: Annotated[str | None, typer.Option(help="The provider that it is addressed to; all, if left out.")] = None,
    home: HomeOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Write an agreement, or a draft of one, as an official Thai letter."""
    with connected(home, as_json=as_json) as (gateway, _):
        if output.suffix not in ENDINGS:
            raise InvalidInput("unknown-format", format=output.suffix or output.name, choices=", ".join(ENDINGS))
        view = _draft(Path(agreement)) if agreement.endswith(".json") else gateway.agreement(agreement)
        letter = _letter(gateway, view, to)
        content = pdf_of(letter, gateway.now()) if output.suffix == ".pdf" else html_of(letter).encode()
        output.write_bytes(content)
        done = Written(agreement=view.agreement.id, digest=view.digest, to=to, file=output.name)
        typer.echo(done.model_dump_json() if as_json else f"{output}: {view.digest}")


def _letter(gateway: Gateway, view: AgreementView, to: str | None) -> Letter:
    cited = {ref.digest for each in view.agreement.activities for ref in each.contracts}
    published = [each for each in gateway.contracts() if each.reference.digest in cited]
    contracts = [verified_contract(each, gateway.federation, gateway.now()) for each in published]
    papers = papers_of(view, contracts, gateway.federation)
    check_addressee(papers, to)
    return compose(papers, (gateway.now() + BANGKOK).date(), to)


def _draft(path: Path) -> AgreementView:
    """A draft that nobody has signed, as it would be shown."""
    agreed = given_value(Agreement, path)
    return AgreementView(
        agreement=agreed,
        digest=digest_of(agreed),
        document="",
        signed_by=(),
        state=AgreementState.DRAFT,
    )
