"""Work for connectors: lease tasks by long poll, post a signed part. Hot routes, so plain Starlette."""

from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contracts.chain import PART_FIELDS
from contracts.protocol import choose, offered
from contracts.task import Lease, LeaseCall
from gateway.api.member_calls import MemberCall, Waiting, answer_call
from gateway.api.signed import forwarded_of, json_of
from gateway.store import topics

MOST_PART_BYTES: Final = 2**25
"""A part of a million cells and several measures."""


def _lease(call: MemberCall) -> Response | Waiting:
    desk, caller = call.desk, call.caller
    # Before all else: a call of another version may hold what this one does not know.
    choose(offered(call.message.body), desk.exchange.means.settings.speaks)
    wanted = LeaseCall.model_validate_json(call.message.body)
    desk.exchange.admit(caller)
    look = partial(desk.exchange.lease, caller, wanted)
    if desk.bell.waiting() >= desk.most_waiting:
        return json_of(_later(look(), wanted))
    return Waiting(look, _has_work, wanted.wait_seconds, (topics.of_agency(wanted.agency), topics.EVERY_AGENCY))


def _later(leased: Lease, call: LeaseCall) -> Lease:
    """A lease without work, from a gateway at which too many wait: the connector waits at home instead."""
    return leased if _has_work(leased) else leased.model_copy(update={"pause_seconds": call.wait_seconds})


def _has_work(leased: Lease) -> bool:
    return bool(leased.tasks or leased.notices or leased.lost)


def _post_part(call: MemberCall) -> Response:
    forwarded = forwarded_of(call.message, *PART_FIELDS)
    call.desk.exchange.accept_part(call.caller, call.request.path_params["task_id"], forwarded)
    return Response(status_code=204)


async def lease(request: Request) -> Response:
    """POST /v1/tasks:lease: this agency's tasks and the notices that are new to it, waiting a while for the first."""
    return await answer_call(request, _lease)


async def post_part(request: Request) -> Response:
    """POST /v1/tasks/{id}/part: take a connector's part; 204."""
    return await answer_call(request, _post_part, MOST_PART_BYTES)


ROUTES: Final = (
    Route("/v1/tasks:lease", lease, methods=["POST"]),
    Route("/v1/tasks/{task_id}/part", post_part, methods=["POST"]),
)
