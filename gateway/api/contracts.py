"""Dataset contracts: everybody reads them; an agency publishes its own."""

from fastapi import APIRouter
from starlette.responses import Response

from contracts.identifiers import Digest
from contracts.views import PublishedContract
from gateway.api.signed import AtDesk, MemberRoute, Writing, json_list, json_of

open_routes = APIRouter(tags=["contracts"])
member_routes = APIRouter(tags=["contracts"], route_class=MemberRoute)


@open_routes.get("/v1/contracts", operation_id="listContracts", response_model=list[PublishedContract])
def list_contracts(desk: AtDesk) -> Response:
    """Every published contract, as its agency signed it."""
    return json_list(desk.exchange.contracts())


@open_routes.get("/v1/contracts/{digest}", operation_id="getContract", response_model=PublishedContract)
def get_contract(digest: Digest, desk: AtDesk) -> Response:
    """One contract by its digest."""
    return json_of(desk.exchange.contract(digest))


@member_routes.post("/v1/contracts", operation_id="publishContract", response_model=PublishedContract, status_code=201)
def publish_contract(published: PublishedContract, caller: Writing, desk: AtDesk) -> Response:
    """Publish a contract that the agency's steward and DPO have signed."""
    desk.exchange.publish_contract(caller, published)
    return json_of(published, 201)
