"""Emergency suspensions: ordered and lifted by signed orders, open to every member."""

from fastapi import APIRouter
from starlette.responses import Response

from contracts.suspension import SuspensionView
from contracts.views import SignedText
from gateway import suspensions
from gateway.api.paging import Paged
from gateway.api.signed import MEMBERS_ONLY, AtDesk, MemberRoute, Writing, json_of

member_routes = APIRouter(tags=["suspensions"], route_class=MemberRoute)


@member_routes.get(
    "/v1/suspensions",
    operation_id="listSuspensions",
    response_model=list[SuspensionView],
    dependencies=[MEMBERS_ONLY],
)
def list_suspensions(desk: AtDesk, page: Paged) -> Response:
    """Every suspension, standing or past, newest first."""
    return page.of(suspensions.all_suspensions(desk.exchange.means), lambda each: each.id)


@member_routes.post("/v1/suspensions", operation_id="orderSuspension", response_model=SuspensionView, status_code=201)
async def order_suspension(text: SignedText, caller: Writing, desk: AtDesk) -> Response:
    """Suspend an agency or a dataset, or lift a suspension, by the order that its side has signed; at once."""
    view = await desk.workers.run(suspensions.order, desk.exchange.means, caller, text.document)
    return json_of(view, 201)
