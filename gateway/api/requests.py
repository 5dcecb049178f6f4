"""Questions: ask one, and see where it stands. Hot routes, so plain Starlette."""

from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contracts.errors import InvalidInput
from contracts.request import RequestState
from contracts.views import RequestStatus
from gateway.api.desk import TICK, Desk, desk_of
from gateway.api.signed import answer_member, forwarded_of, json_of
from gateway.api.waiting import wait_until
from gateway.caller import Caller

LONGEST_WAIT: Final = 30
FINISHED: Final = frozenset({RequestState.RELEASED, RequestState.REFUSED})


async def _ask(request: Request) -> Response:
    desk, caller = desk_of(request), request.state.caller
    forwarded = forwarded_of(request.state.message)
    status = await run_in_threadpool(desk.exchange.submit, caller, forwarded)
    desk.bell.ring()
    return json_of(status, 202)


async def _follow(request: Request) -> Response:
    desk, caller = desk_of(request), request.state.caller
    wanted = _seconds(request.query_params.get("wait", "0"))
    await run_in_threadpool(desk.exchange.admit, caller)

    async def look() -> RequestStatus:
        return await run_in_threadpool(_status, desk, caller, request.path_params["request_id"])

    status = await wait_until(request, look, lambda seen: seen.state in FINISHED, wanted, (TICK,))
    return json_of(status)


def _status(desk: Desk, caller: Caller, request_id: str) -> RequestStatus:
    return desk.exchange.status(caller, request_id)


def _seconds(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > LONGEST_WAIT:
        raise InvalidInput("malformed-body", where="wait")
    return int(text)


async def ask(request: Request) -> Response:
    """POST /v1/requests: take a question on; 202 with where it stands."""
    return await answer_member(request, _ask)


async def follow(request: Request) -> Response:
    """GET /v1/requests/{id}?wait=seconds: where a question stands, waiting a while for it to be finished."""
    return await answer_member(request, _follow)


ROUTES: Final = (
    Route("/v1/requests", ask, methods=["POST"]),
    Route("/v1/requests/{request_id}", follow, methods=["GET"]),
)
