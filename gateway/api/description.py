"""The description of the interface (OpenAPI 3.1): the framework's, and the hot routes that it does not see."""

from typing import Any, Final, NamedTuple

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from contracts.calls import TOKEN_PATH
from contracts.errors import Problem
from contracts.request import Request
from contracts.task import Lease, LeaseCall, Part
from contracts.views import RequestStatus

TITLE: Final = "Saphan gateway"
SUMMARY: Final = (
    "Federated statistics between justice agencies. Every call of a member carries an access token from /v1/token and "
    "an RFC 9421 signature by the same key; every answer to a member is signed by the gateway."
)
REFERENCES: Final = "#/components/schemas/{model}"


class Operation(NamedTuple):
    """One hot route: where it is, what goes in and what comes out."""

    path: str
    method: str
    name: str
    tag: str
    text: str
    takes: type[BaseModel] | None
    gives: type[BaseModel] | None
    status: int
    parameter: str | None = None


HOT: Final = (
    Operation("/v1/requests", "post", "askQuestion", "requests", "Ask a question.", Request, RequestStatus, 202),
    Operation(
        "/v1/requests/{request_id}",
        "get",
        "getRequest",
        "requests",
        "Where a question stands; ?wait=seconds (at most 30) waits for it to be finished.",
        None,
        RequestStatus,
        200,
        "request_id",
    ),
    Operation(
        "/v1/tasks:lease", "post", "leaseTasks", "tasks", "Tasks for the caller's agency.", LeaseCall, Lease, 200
    ),
    Operation(
        "/v1/tasks/{task_id}/part", "post", "postPart", "tasks", "A connector's part.", Part, None, 204, "task_id"
    ),
)

REPEATS: Final = {
    "get": ("If-None-Match", "An ETag that is known already: 304 if it still stands."),
    "post": (
        "Idempotency-Key",
        "8 to 64 letters, digits, - or _: the same call again gets the same answer, for a day.",
    ),
}

FORM: Final = ("grant_type", "client_assertion_type", "client_assertion")
TOKEN: Final[dict[str, Any]] = {
    "operationId": "getToken",
    "tags": ["identity"],
    "summary": "An access token of five minutes, for a client that signs an assertion (RFC 7523, ES256).",
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": list(FORM),
                    "properties": {name: {"type": "string"} for name in FORM},
                }
            }
        },
    },
    "responses": {"200": {"description": "the token"}, "400": {"description": "an OAuth error (RFC 6749)"}},
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The whole description; made once, kept by the application."""
    if app.openapi_schema is None:
        schema = get_openapi(title=TITLE, version=app.version, description=SUMMARY, routes=app.routes)
        models = {model for each in HOT for model in (each.takes, each.gives) if model} | {Problem}
        ordered = sorted(models, key=lambda model: model.__name__)
        _, definitions = models_json_schema([(model, "serialization") for model in ordered], ref_template=REFERENCES)
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(definitions["$defs"])
        schema["paths"][TOKEN_PATH] = {"post": TOKEN}
        for each in HOT:
            schema["paths"].setdefault(each.path, {})[each.method] = _operation(each)
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                operation.setdefault("parameters", []).extend(_headers(path, method))
        app.openapi_schema = schema
    return app.openapi_schema


def _headers(path: str, method: str) -> list[dict[str, Any]]:
    """The headers that every operation of a method understands; the token's call is OAuth's."""
    if path == TOKEN_PATH:
        return []
    name, text = REPEATS[method]
    return [{"name": name, "in": "header", "required": False, "description": text, "schema": {"type": "string"}}]


def _operation(each: Operation) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": each.name, "tags": [each.tag], "summary": each.text}
    if each.parameter:
        operation["parameters"] = [
            {"name": each.parameter, "in": "path", "required": True, "schema": {"type": "string"}}
        ]
    if each.takes:
        operation["requestBody"] = {"required": True, "content": _content(each.takes)}
    answer: dict[str, Any] = {"description": "done"}
    if each.gives:
        answer["content"] = _content(each.gives)
    problem = {"description": "problem", "content": {"application/problem+json": _schema(Problem)}}
    operation["responses"] = {str(each.status): answer, "default": problem}
    return operation


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": _schema(model)}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return {"schema": {"$ref": REFERENCES.format(model=model.__name__)}}
