"""Dataset contracts: everybody reads them; an agency publishes and retires its own."""

from fastapi import APIRouter
from starlette.responses import Response

from contracts.identifiers import Digest
from contracts.views import PublishedContract, SignedText
from gateway import retirement
from gateway.api.paging import Paged
from gateway.api.signed import AtDesk, MemberRoute, OpenRoute, Writing, json_of

open_routes = APIRouter(tags=["contracts"], route_class=OpenRoute)
member_routes = APIRouter(tags=["contracts"], route_class=MemberRoute)


@open_routes.get("/v1/contracts", operation_id="listContracts", response_model=list[PublishedContract])
def list_contracts(desk: AtDesk, page: Paged) -> Response:
    """Every published contract, as its agency signed it; ``retired`` says which were taken back, and why."""
    return page.of(desk.exchange.contracts(), lambda each: each.reference.digest)


@open_routes.get("/v1/contracts/{digest}", operation_id="getContract", response_model=PublishedContract)
def get_contract(digest: Digest, desk: AtDesk) -> Response:
    """One contract by its digest."""
    return json_of(desk.exchange.contract(digest))


@member_routes.post("/v1/contracts", operation_id="publishContract", response_model=PublishedContract, status_code=201)
def publish_contract(published: PublishedContract, caller: Writing, desk: AtDesk) -> Response:
    """Publish a contract that the agency's steward and DPO have signed.

    A new version must be above the newest one: by a major version where it weakens privacy or breaks users.
    """
    desk.exchange.publish_contract(caller, published)
    return json_of(desk.exchange.contract(published.reference.digest), 201)


@member_routes.post(
    "/v1/contracts/{digest}/retirement",
    operation_id="retireContract",
    response_model=PublishedContract,
    status_code=201,
)
def retire_contract(digest: Digest, text: SignedText, caller: Writing, desk: AtDesk) -> Response:
    """Retire a contract by a document that the agency's steward and DPO have signed; it is final."""
    return json_of(retirement.retire(desk.exchange.means, caller, digest, text.document), 201)
