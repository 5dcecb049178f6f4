"""All routes of the interface, in the order in which they are tried."""

from fastapi import FastAPI

from gateway.api import (
    action_plans,
    agreements,
    analyses,
    budgets,
    catalogue,
    contracts,
    docs,
    forecasts,
    letters,
    log_tiles,
    oauth,
    people,
    personal_data,
    registers,
    registry,
    releases,
    requests,
    suspensions,
    tasks,
)
from gateway.api.description import describe
from gateway.api.errors import register_handlers
from gateway.api.hot import hot_of

ROUTERS = (
    oauth.open_routes,
    catalogue.open_routes,
    catalogue.member_routes,
    contracts.open_routes,
    contracts.member_routes,
    agreements.member_routes,
    letters.member_routes,
    people.member_routes,
    suspensions.member_routes,
    budgets.member_routes,
    releases.open_routes,
    releases.member_routes,
    forecasts.open_routes,
    forecasts.member_routes,
    analyses.open_routes,
    analyses.member_routes,
    action_plans.open_routes,
    action_plans.member_routes,
    registers.open_routes,
    registry.open_routes,
    log_tiles.open_routes,
    log_tiles.member_routes,
    personal_data.open_routes,
    personal_data.member_routes,
    docs.open_routes,
)

HOT_ROUTES = (*requests.ROUTES, *tasks.ROUTES, *oauth.ROUTES)
HOT = (*map(hot_of, HOT_ROUTES), *releases.HOT)
"""Calls that are answered before the framework looks at them."""


def add_routes(app: FastAPI) -> None:
    """Give the application its plain routes first, then the others, its description and its errors."""
    app.router.routes.extend(HOT_ROUTES)
    for router in ROUTERS:
        app.include_router(router)
    register_handlers(app)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]  # as the framework's documentation says
