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
    """Do what a steward or the operator signed: list, invite, cancel, give or take a role, end sessions, close."""
    return json_of(orders.by_key(desk.exchange.means, caller, text.document))
