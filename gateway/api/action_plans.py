"""The register of provinces' action plans: members register their own, everybody reads them, as JSON or CSV."""

from enum import StrEnum
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from contracts.action_plan import PlanView, Registered, SignedPlans
from contracts.identifiers import AgencyId, Identifier
from contracts.views import SignedText
from gateway import action_plans
from gateway.api.paging import Paged
from gateway.api.publishing import AsOf, PublishingRoute
from gateway.api.signed import Anybody, AtDesk, OpenRoute, Writing, json_of
from gateway.plan_csv import MEDIA_TYPE, plans_csv
from gateway.store.action_plans import Wanted

open_routes = APIRouter(tags=["action plans"], route_class=OpenRoute)
member_routes = APIRouter(tags=["action plans"], route_class=PublishingRoute)

BOTH: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {MEDIA_TYPE: {}}, "description": "JSON in pages, or the whole register with ?format=csv."}
}


class PlanFormat(StrEnum):
    """How the register is given."""

    JSON = "json"
    CSV = "csv"


@open_routes.get("/v1/action-plans", operation_id="listActionPlans", response_model=list[PlanView], responses=BOTH)
def list_action_plans(
    _caller: Anybody,
    desk: AtDesk,
    page: Paged,
    province: str | None = None,
    owner: AgencyId | None = None,
    as_of: AsOf = None,
    form: Annotated[PlanFormat, Query(alias="format")] = PlanFormat.JSON,
) -> Response:
    """The newest version of every plan by province; ?province=, ?owner= and ?as_of= narrow it, ?format=csv exports."""
    views = action_plans.plans(desk.exchange.means, Wanted(province, owner, as_of))
    if form is PlanFormat.CSV:
        return Response(plans_csv(views), media_type=MEDIA_TYPE)
    return page.of(views, lambda each: each.plan.id)


@open_routes.get("/v1/action-plans/{plan_id}", operation_id="getActionPlan", response_model=PlanView)
def get_action_plan(plan_id: Identifier, _caller: Anybody, desk: AtDesk, as_of: AsOf = None) -> Response:
    """The newest version of a plan (?as_of= then), flagged when the forecast that it cites is."""
    return json_of(action_plans.versions(desk.exchange.means, plan_id, as_of)[0])


@open_routes.get(
    "/v1/action-plans/{plan_id}/versions", operation_id="listActionPlanVersions", response_model=list[PlanView]
)
def list_action_plan_versions(
    plan_id: Identifier, _caller: Anybody, desk: AtDesk, page: Paged, as_of: AsOf = None
) -> Response:
    """Every version of a plan, newest first."""
    return page.of(action_plans.versions(desk.exchange.means, plan_id, as_of), lambda each: str(each.plan.version))


@member_routes.post("/v1/action-plans", operation_id="registerActionPlan", response_model=Registered, status_code=201)
def register_action_plan(text: SignedText, caller: Writing, desk: AtDesk) -> Response:
    """Register a plan, or a new version of one, that the caller owns and has signed."""
    return json_of(action_plans.register(desk.exchange.means, caller, (text.document,)), 201)


@member_routes.post(
    "/v1/action-plans/batch", operation_id="registerActionPlans", response_model=Registered, status_code=201
)
def register_action_plans(plans: SignedPlans, caller: Writing, desk: AtDesk) -> Response:
    """Register many plans, each signed: all of them, or none when one is refused."""
    return json_of(action_plans.register(desk.exchange.means, caller, plans.documents), 201)
