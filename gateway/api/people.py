"""People of the gateway's pages, for the command line: orders signed by a steward or by the operator."""

from fastapi import APIRouter
from starlette.responses import Response

from contracts.people import PeopleAnswer
from contracts.views import SignedText
from gateway.api.signed import AtDesk, MemberRoute, Writing, json_of
from gateway.people import orders

member_routes = APIRouter(tags=["people"], route_class=MemberRoute)


@member_routes.post("/v1/people/orders", operation_id="orderPeople", response_model=PeopleAnswer)
def order_people(text: SignedText, caller: Writing, desk: AtDesk) -> Response:
    """List, invite, cancel an invitation, give or take a role, end sessions or close an account, as a steward or the operator has signed."""
    return json_of(orders.by_key(desk.exchange.means, caller, text.document))
