"""An agreement as an official letter."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from contracts.identifiers import AgencyId, Identifier
from gateway.api.signed import MEMBERS_ONLY, AtDesk, MemberRoute
from gateway.letters.html import html_of
from gateway.letters.letter import compose
from gateway.letters.papers import check_addressee, papers_of
from gateway.letters.pdf import pdf_of
from gateway.store import registry

BANGKOK = timedelta(hours=7)
member_routes = APIRouter(tags=["agreements"], route_class=MemberRoute)


class LetterFormat(StrEnum):
    """How the letter is given."""

    HTML = "html"
    PDF = "pdf"


@member_routes.get(
    "/v1/agreements/{agreement_id}/letter",
    operation_id="getAgreementLetter",
    response_class=Response,
    responses={200: {"content": {"text/html": {}, "application/pdf": {}}}},
    dependencies=[MEMBERS_ONLY],
)
def get_letter(
    agreement_id: Identifier,
    desk: AtDesk,
    form: Annotated[LetterFormat, Query(alias="format")] = LetterFormat.HTML,
    to: AgencyId | None = None,
) -> Response:
    """The agreement as an official Thai letter, to all providers or to one of them."""
    means, now = desk.exchange.means, desk.clock()
    with means.store.read() as r:
        contracts = registry.all_contracts(r)
    papers = papers_of(desk.exchange.agreement(agreement_id), contracts, means.federation)
    check_addressee(papers, to)
    letter = compose(papers, (now + BANGKOK).date(), to)
    if form is LetterFormat.PDF:
        return Response(pdf_of(letter, now), media_type="application/pdf")
    return Response(html_of(letter), media_type="text/html; charset=utf-8")
