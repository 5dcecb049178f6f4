"""Agreements: proposed by one party, signed by all."""

from fastapi import APIRouter
from starlette.responses import Response

from contracts.identifiers import Identifier
from contracts.views import AgreementView, SignedText
from gateway.api.signed import MEMBERS_ONLY, AtDesk, MemberRoute, Writing, json_list, json_of

member_routes = APIRouter(tags=["agreements"], route_class=MemberRoute)


@member_routes.get(
    "/v1/agreements",
    operation_id="listAgreements",
    response_model=list[AgreementView],
    dependencies=[MEMBERS_ONLY],
)
def list_agreements(desk: AtDesk) -> Response:
    """Every agreement with what was signed so far."""
    return json_list(desk.exchange.agreements())


@member_routes.get(
    "/v1/agreements/{agreement_id}",
    operation_id="getAgreement",
    response_model=AgreementView,
    dependencies=[MEMBERS_ONLY],
)
def get_agreement(agreement_id: Identifier, desk: AtDesk) -> Response:
    """One agreement with its document and who signed it."""
    return json_of(desk.exchange.agreement(agreement_id))


@member_routes.post("/v1/agreements", operation_id="proposeAgreement", response_model=AgreementView, status_code=201)
def propose_agreement(text: SignedText, caller: Writing, desk: AtDesk) -> Response:
    """Propose an agreement that the own officer has signed."""
    return json_of(desk.exchange.propose_agreement(caller, text.document), 201)


@member_routes.post(
    "/v1/agreements/{agreement_id}/signatures", operation_id="signAgreement", response_model=AgreementView
)
def sign_agreement(agreement_id: Identifier, text: SignedText, caller: Writing, desk: AtDesk) -> Response:
    """Add the own officer's signature to an agreement."""
    return json_of(desk.exchange.sign_agreement(caller, agreement_id, text.document))
