"""Releases: everybody reads public ones, a member its own; the requester may withdraw one."""

import re
from typing import Final, get_args

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import InvalidInput
from contracts.identifiers import Identifier
from contracts.release import Release, Withdrawal
from contracts.views import ReleaseSummary
from gateway.api.hot import Hot
from gateway.api.member_calls import MemberCall, answer_call
from gateway.api.paging import Paged
from gateway.api.signed import Anybody, AtDesk, MemberRoute, OpenRoute, Writing, json_of

IDENTIFIER: Final = get_args(Identifier)[1].pattern.strip("^$")

open_routes = APIRouter(tags=["releases"], route_class=OpenRoute)
member_routes = APIRouter(tags=["releases"], route_class=MemberRoute)


@open_routes.get("/v1/releases", operation_id="listReleases", response_model=list[ReleaseSummary])
def list_releases(caller: Anybody, desk: AtDesk, page: Paged) -> Response:
    """The public releases, and with a token those of the own agency."""
    return page.of(desk.exchange.releases(caller), lambda each: each.id)


@open_routes.get("/v1/releases/{release_id}", operation_id="getRelease", response_model=Release)
def get_release(release_id: Identifier, caller: Anybody, desk: AtDesk) -> Response:
    """One release with its receipt, and with its withdrawal if it was withdrawn."""
    return json_of(desk.exchange.release(caller, release_id))


@member_routes.post("/v1/releases/{release_id}/withdrawal", operation_id="withdrawRelease", response_model=Release)
def withdraw_release(release_id: Identifier, withdrawal: Withdrawal, caller: Writing, desk: AtDesk) -> Response:
    """Say that a release is no longer to be relied on; whatever cites it is then flagged."""
    if withdrawal.release != release_id:
        raise InvalidInput("malformed-body", where="release")
    return json_of(desk.exchange.withdraw(caller, withdrawal))


def _read(call: MemberCall) -> Response:
    call.desk.exchange.admit(call.caller)
    return json_of(call.desk.exchange.release(call.caller, call.request.path_params["release_id"]))


async def read(request: Request) -> Response:
    """GET /v1/releases/{id} by a member: as ``get_release``."""
    return await answer_call(request, _read)


HOT: Final = (
    Hot(
        frozenset({"GET"}),
        re.compile(rf"/v1/releases/(?P<release_id>{IDENTIFIER})"),
        read,
        needs_token=True,
    ),
)
