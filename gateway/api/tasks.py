"""Work for connectors: lease tasks by long poll, post a signed part. Hot routes, so plain Starlette."""

from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contracts.chain import PART_FIELDS
from contracts.protocol import choose, offered
from contracts.task import Lease, LeaseCall
from gateway.api.desk import desk_of
from gateway.api.signed import answer_member, forwarded_of, json_of
from gateway.api.waiting import wait_until
from gateway.store import topics

MOST_PART_BYTES: Final = 2**25
"""A part of a million cells and several measures."""


async def _lease(request: Request) -> Response:
    desk, caller = desk_of(request), request.state.caller
    # Before all else: a call of another version may hold what this one does not know.
    choose(offered(request.state.message.body), desk.exchange.means.settings.speaks)
    call = LeaseCall.model_validate_json(request.state.message.body)
    await run_in_threadpool(desk.exchange.admit, caller)

    async def look() -> Lease:
        return await run_in_threadpool(desk.exchange.lease, caller, call)

    if desk.bell.waiting() >= desk.most_waiting:
        return json_of(_later(await look(), call))
    leased = await wait_until(
        request, look, _has_work, call.wait_seconds, (topics.of_agency(call.agency), topics.EVERY_AGENCY)
    )
    return json_of(leased)


def _later(leased: Lease, call: LeaseCall) -> Lease:
    """A lease without work, from a gateway at which too many wait: the connector waits at home instead."""
    return leased if _has_work(leased) else leased.model_copy(update={"pause_seconds": call.wait_seconds})


def _has_work(leased: Lease) -> bool:
    return bool(leased.tasks or leased.notices or leased.lost)


async def _post_part(request: Request) -> Response:
    desk, caller = desk_of(request), request.state.caller
    forwarded = forwarded_of(request.state.message, *PART_FIELDS)
    await run_in_threadpool(desk.exchange.accept_part, caller, request.path_params["task_id"], forwarded)
    desk.bell.ring()
    return Response(status_code=204)


async def lease(request: Request) -> Response:
    """POST /v1/tasks:lease: this agency's tasks and the notices that are new to it, waiting a while for the first."""
    return await answer_member(request, _lease)


async def post_part(request: Request) -> Response:
    """POST /v1/tasks/{id}/part: take a connector's part; 204."""
    return await answer_member(request, _post_part, MOST_PART_BYTES)


ROUTES: Final = (
    Route("/v1/tasks:lease", lease, methods=["POST"]),
    Route("/v1/tasks/{task_id}/part", post_part, methods=["POST"]),
)
