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
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import InvalidInput, Problem, SaphanError, Unavailable

PROBLEM: Final = "application/problem+json"
MOST_PLACES: Final = 8
FIELD_NAME: Final = re.compile(r"[a-z][a-z_]{0,39}")
STATUS: Final[Mapping[str, HTTPStatus]] = {
    "token-missing": HTTPStatus.UNAUTHORIZED,
    "token-invalid": HTTPStatus.UNAUTHORIZED,
    "unknown-address": HTTPStatus.NOT_FOUND,
    "unknown-contract": HTTPStatus.NOT_FOUND,
    "unknown-agreement": HTTPStatus.NOT_FOUND,
    "unknown-request": HTTPStatus.NOT_FOUND,
    "unknown-release": HTTPStatus.NOT_FOUND,
    "unknown-task": HTTPStatus.NOT_FOUND,
    "nothing-published": HTTPStatus.NOT_FOUND,
    "body-too-large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "gateway-defect": HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""Where one code deserves a closer HTTP status than its family's; the code decides, the status is for proxies."""

log = logging.getLogger("saphan.gateway")


def problem_response(error: SaphanError, headers: Mapping[str, str] | None = None) -> Response:
    """An error as its caller receives it."""
    problem = error.problem()
    status = STATUS.get(problem.code, problem.status)
    body = Problem.model_validate({**problem.model_dump(), "status": int(status)})
    extra = {"www-authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}
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

    async def of_ours(_: Request, error: Exception) -> Response:
        if not isinstance(error, SaphanError):
            raise error
        return problem_response(error)

    async def of_schema(_: Request, error: Exception) -> Response:
        if not isinstance(error, RequestValidationError):
            raise error
        return problem_response(malformed(list(error.errors())))

    async def of_http(_: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        return http_problem(error)

    async def of_defects(_: Request, error: Exception) -> Response:
        # The type alone: the text of a foreign exception may hold values.
        log.error("defect: %s", type(error).__name__)
        return problem_response(Unavailable("gateway-defect"))

    app.add_exception_handler(SaphanError, of_ours)
    app.add_exception_handler(RequestValidationError, of_schema)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(Exception, of_defects)


def http_problem(error: HTTPException) -> Response:
    """What the framework itself refuses: no such address or method, a body beyond the limit."""
    match error.status_code:
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return problem_response(InvalidInput("body-too-large"))
        case HTTPStatus.NOT_FOUND | HTTPStatus.METHOD_NOT_ALLOWED:
            return problem_response(InvalidInput("unknown-address"), error.headers)
        case _:
            return problem_response(InvalidInput("malformed-body", where="body"))
