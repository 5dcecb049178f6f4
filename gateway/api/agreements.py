"""Agreements: put forward as a version, moved by signed acts, read with all that was signed."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from contracts.agreement_acts import AgreementHistory, AgreementProposal, AgreementSignature
from contracts.identifiers import Identifier
from contracts.views import AgreementView, SignedText
from gateway import agreements
from gateway.api.conditional import check_unchanged
from gateway.api.paging import Paged
from gateway.api.signed import AtDesk, MemberRoute, Reading, Writing, json_list, json_of

member_routes = APIRouter(tags=["agreements"], route_class=MemberRoute)


@member_routes.get("/v1/agreements", operation_id="listAgreements", response_model=list[AgreementView])
def list_agreements(caller: Reading, desk: AtDesk, page: Paged) -> Response:
    """Every version of every agreement, with where it stands; drafts only the own ones."""
    found = agreements.everything(desk.exchange.means, caller.agency)
    return page.of(found, lambda each: each.digest)


@member_routes.get("/v1/agreements/{agreement_id}", operation_id="getAgreement", response_model=AgreementView)
def get_agreement(agreement_id: Identifier, caller: Reading, desk: AtDesk) -> Response:
    """The version in force, or the newest while none is, with its document and who signed it."""
    return json_of(agreements.one(desk.exchange.means, caller.agency, agreement_id))


@member_routes.get(
    "/v1/agreements/{agreement_id}/versions",
    operation_id="listAgreementVersions",
    response_model=list[AgreementView],
)
def list_versions(agreement_id: Identifier, caller: Reading, desk: AtDesk) -> Response:
    """Every version of one agreement, oldest first."""
    return json_list(agreements.versions(desk.exchange.means, caller.agency, agreement_id))


@member_routes.get(
    "/v1/agreements/{agreement_id}/history",
    operation_id="getAgreementHistory",
    response_model=list[AgreementHistory],
)
def get_history(agreement_id: Identifier, caller: Reading, desk: AtDesk) -> Response:
    """Every signed act on every version: enough to fold the states anew without the gateway."""
    return json_list(agreements.history(desk.exchange.means, caller.agency, agreement_id))


@member_routes.post("/v1/agreements", operation_id="proposeAgreement", response_model=AgreementView, status_code=201)
def propose_agreement(proposal: AgreementProposal, caller: Writing, desk: AtDesk) -> Response:
    """Put a new version forward: as a draft, submitted, or as a counter-offer."""
    return json_of(agreements.propose(desk.exchange.means, caller, proposal), 201)


@member_routes.post("/v1/agreements/{agreement_id}/acts", operation_id="actOnAgreement", response_model=AgreementView)
async def act_on_agreement(
    agreement_id: Identifier, text: SignedText, caller: Writing, desk: AtDesk, request: Request
) -> Response:
    """Move a version by one signed act that signs no text: submit, review, accept, reject, suspend, revoke, ..."""
    return await _moved(desk, caller, request, agreement_id, (text.document, None))


@member_routes.post(
    "/v1/agreements/{agreement_id}/signatures", operation_id="signAgreement", response_model=AgreementView
)
async def sign_agreement(
    agreement_id: Identifier, signature: AgreementSignature, caller: Writing, desk: AtDesk, request: Request
) -> Response:
    """Approve or sign: the signed act, and the agreement's text under the same key's signature."""
    return await _moved(desk, caller, request, agreement_id, (signature.act, signature.document))


async def _moved(
    desk: AtDesk, caller: Writing, request: Request, name: str, documents: tuple[str, str | None]
) -> Response:
    means = desk.exchange.means
    if "if-match" in request.headers:
        check_unchanged(request.headers, await desk.workers.run(agreements.one, means, caller.agency, name))
    view = await desk.workers.run(agreements.act, means, caller, name, *documents)
    return json_of(view)
