"""What a question would cost, and what is left to spend."""

from fastapi import APIRouter
from starlette.responses import Response

from contracts.budget_view import BudgetView
from contracts.views import BudgetLine, Preview, PreviewCall
from gateway.api.signed import AtDesk, MemberRoute, Reading, json_list, json_of

member_routes = APIRouter(tags=["budget"], route_class=MemberRoute)


@member_routes.post("/v1/preview", operation_id="previewQuestion", response_model=Preview)
def preview(call: PreviewCall, caller: Reading, desk: AtDesk) -> Response:
    """The cost and the expected error of a question; nothing is spent and no data is touched."""
    return json_of(desk.exchange.preview(caller, call))


@member_routes.get("/v1/budget", operation_id="listBudget", response_model=list[BudgetLine])
def budget(caller: Reading, desk: AtDesk) -> Response:
    """The budget of every window of every source that concerns the caller."""
    return json_list(desk.exchange.budget(caller))


@member_routes.get("/v1/budget/sums", operation_id="sumBudget", response_model=BudgetView)
def budget_sums(caller: Reading, desk: AtDesk) -> Response:
    """The budget with its epsilon, summed for one person who stands in every window and in every dataset."""
    return json_of(desk.exchange.budget_view(caller))
