"""From the error tree to RFC 9457: every refusal, wrong input and defect leaves as ``application/problem+json``.

Nothing that was sent is echoed but the names of fields, and nothing that went wrong inside is shown.
"""

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from contracts.errors import InvalidInput, Problem, SaphanError, Unavailable
from gateway.quiet_log import where_of

PROBLEM: Final = "application/problem+json"
MOST_PLACES: Final = 8
FIELD_NAME: Final = re.compile(r"[a-z][a-z_]{0,39}")
STATUS: Final[Mapping[str, HTTPStatus]] = {
    "token-missing": HTTPStatus.UNAUTHORIZED,
    "token-invalid": HTTPStatus.UNAUTHORIZED,
    "proof-invalid": HTTPStatus.UNAUTHORIZED,
    "unknown-address": HTTPStatus.NOT_FOUND,
    "unknown-contract": HTTPStatus.NOT_FOUND,
    "unknown-agreement": HTTPStatus.NOT_FOUND,
    "unknown-request": HTTPStatus.NOT_FOUND,
    "unknown-release": HTTPStatus.NOT_FOUND,
    "unknown-task": HTTPStatus.NOT_FOUND,
    "unknown-entry": HTTPStatus.NOT_FOUND,
    "unknown-publication": HTTPStatus.NOT_FOUND,
    "release-erased": HTTPStatus.GONE,
    "nothing-published": HTTPStatus.NOT_FOUND,
    "precondition-failed": HTTPStatus.PRECONDITION_FAILED,
    "idempotency-key-reused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "agreement-moved": HTTPStatus.CONFLICT,
    "body-too-large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "publication-too-large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "plans-not-registered": HTTPStatus.UNPROCESSABLE_ENTITY,
    "too-many-attempts": HTTPStatus.TOO_MANY_REQUESTS,
    "login-provider-refused": HTTPStatus.BAD_REQUEST,
    "gateway-defect": HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""Where one code deserves a closer HTTP status than its family's; the code decides, the status is for proxies."""

CHALLENGES: Final[Mapping[str, str]] = {
    "token-missing": 'DPoP algs="ES256", Bearer',
    "token-invalid": 'DPoP error="invalid_token", algs="ES256", Bearer error="invalid_token"',
    "proof-invalid": 'DPoP error="invalid_dpop_proof", algs="ES256"',
}
"""How to show a token (RFC 9449, section 7.1; RFC 6750, section 3), for what is answered with 401."""

log = logging.getLogger("saphan.gateway")


def problem_response(
    error: SaphanError, headers: Mapping[str, str] | None = None, status: int | None = None
) -> Response:
    """An error as its caller receives it; ``status`` replaces the one that its code or family has."""
    problem = error.problem()
    status = STATUS.get(problem.code, problem.status) if status is None else status
    body = Problem.model_validate({**problem.model_dump(), "status": int(status)})
    extra = {"www-authenticate": CHALLENGES[problem.code]} if problem.code in CHALLENGES else {}
    return Response(
        body.model_dump_json(), int(status), {"cache-control": "no-store", **extra, **(headers or {})}, PROBLEM
    )


def malformed(errors: list[ErrorDetails]) -> InvalidInput:
    """What a schema did not accept: the places, never the values. Names that are no field names stay unsaid."""
    places = (".".join(_place(part) for part in each["loc"]) for each in errors[:MOST_PLACES])
    return InvalidInput("malformed-body", where=", ".join(dict.fromkeys(places)))


def _place(part: int | str) -> str:
    return str(part) if isinstance(part, int) or FIELD_NAME.fullmatch(part) else "?"


def register_handlers(app: FastAPI) -> None:
    """Make every error of the application leave as a problem."""

    async def answer(_: Request, error: Exception) -> Response:
        return response_to(error)

    for kind in (SaphanError, RequestValidationError, HTTPException, ClientDisconnect, Exception):
        app.add_exception_handler(kind, answer)


def response_to(error: Exception) -> Response:
    """What the caller is told of any error."""
    match error:
        case SaphanError():
            return problem_response(error)
        case RequestValidationError():
            return problem_response(malformed(list(error.errors())))
        case HTTPException(status_code=HTTPStatus.NOT_FOUND | HTTPStatus.METHOD_NOT_ALLOWED):
            return problem_response(InvalidInput("unknown-address"), error.headers, error.status_code)
        case HTTPException() | ClientDisconnect():
            # Who hung up in the middle of his body hears nothing, and is no defect of ours to fill the log with.
            return problem_response(InvalidInput("malformed-body", where="body"))
        case _:
            log.error("defect: %s", where_of(error))
            return problem_response(Unavailable("gateway-defect"))
