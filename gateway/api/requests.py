"""Questions: ask one, and see where it stands. Hot routes, so plain Starlette."""

from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contracts.errors import InvalidInput
from contracts.request import RequestState
from contracts.views import RequestStatus
from gateway.api.desk import TICK
from gateway.api.member_calls import MemberCall, Waiting, answer_call
from gateway.api.signed import forwarded_of, json_of

LONGEST_WAIT: Final = 30
FINISHED: Final = frozenset({RequestState.RELEASED, RequestState.REFUSED})


def _ask(call: MemberCall) -> Response:
    status = call.desk.exchange.submit(call.caller, forwarded_of(call.message))
    return json_of(status, 202)


def _follow(call: MemberCall) -> Waiting:
    seconds = _seconds(call.request.query_params.get("wait", "0"))
    call.desk.exchange.admit(call.caller)
    look = partial(call.desk.exchange.status, call.caller, call.request.path_params["request_id"])
    return Waiting(look, _is_finished, seconds, (TICK,))


def _is_finished(status: RequestStatus) -> bool:
    return status.state in FINISHED


def _seconds(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > LONGEST_WAIT:
        raise InvalidInput("malformed-body", where="wait")
    return int(text)


async def ask(request: Request) -> Response:
    """POST /v1/requests: take a question on; 202 with where it stands."""
    return await answer_call(request, _ask)


async def follow(request: Request) -> Response:
    """GET /v1/requests/{id}?wait=seconds: where a question stands, waiting a while for it to be finished."""
    return await answer_call(request, _follow)


ROUTES: Final = (
    Route("/v1/requests", ask, methods=["POST"]),
    Route("/v1/requests/{request_id}", follow, methods=["GET"]),
)
