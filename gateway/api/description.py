"""The description of the interface (OpenAPI 3.1): the framework's, and the hot routes that it does not see."""

from typing import Any, Final, NamedTuple

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from contracts.calls import FORM_TYPE, INTROSPECTION_PATH, REVOCATION_PATH, TOKEN_PATH
from contracts.errors import Problem
from contracts.registry import RegistryBatch, Taken
from contracts.request import Request
from contracts.task import Lease, LeaseCall, Part
from contracts.views import RequestStatus

TITLE: Final = "Saphan gateway"
SUMMARY: Final = (
    "Federated statistics between justice agencies. Every call of a member carries an access token from /v1/token, "
    "what that token is bound to (a DPoP proof or the connection's client certificate) and an RFC 9421 signature by "
    "the member's key; every answer to a member is signed by the gateway."
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
    Operation(
        "/v1/registry/updates",
        "post",
        "updateRegistry",
        "registry",
        "Take in what officers and registrars signed: all of it, or nothing.",
        RegistryBatch,
        Taken,
        200,
    ),
)

REPEATS: Final = {
    "get": ("If-None-Match", "An ETag that is known already: 304 if it still stands."),
    "post": (
        "Idempotency-Key",
        "8 to 64 letters, digits, - or _: the same call again gets the same answer, for a day.",
    ),
}

PROBLEM_TYPE: Final = "application/problem+json"
NOT_NEW: Final = "what is known already still stands"
PROBLEMS: Final = {
    "400": "the request is unclear, and was not read",
    "401": "no token, or not one that this call may show",
    "403": "refused; the problem names every rule that said no",
    "404": "there is no such thing, or the caller may not know of it",
    "422": "the call does not fit its schema, or what it names does not fit together",
    "503": "not now: an agency or the gateway is not ready; nothing is lost",
}
"""What any call may end with; each is a problem (RFC 9457) whose code says more."""

PROBLEMS_OF: Final[dict[str, dict[str, str]]] = {
    "get": {"410": "it was here, and was erased as agreed"},
    "post": {
        "409": "it does not fit what stands here",
        "412": "it changed since the caller looked",
        "413": "too large",
        "429": "too many attempts; try again later",
    },
}
"""What calls of one method may end with besides."""

ASSERTION: Final = ("client_assertion_type", "client_assertion")


class FormOperation(NamedTuple):
    """One endpoint of the authorization server: where it is, its form, and what it gives."""

    path: str
    name: str
    text: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    gives: str


FORMS: Final = (
    FormOperation(
        TOKEN_PATH,
        "getToken",
        "An access token of five minutes for a client that signs an assertion (RFC 7523, ES256), bound to the "
        "connection's certificate (RFC 8705) or else to the key of the call's DPoP proof (RFC 9449).",
        ("grant_type", *ASSERTION),
        ("client_id", "authorization_details", "resource"),
        "the token",
    ),
    FormOperation(
        REVOCATION_PATH,
        "revokeToken",
        "Have a token of the client's own agency refused from now on (RFC 7009).",
        ("token", *ASSERTION),
        ("client_id", "token_type_hint"),
        "it opens nothing any more",
    ),
    FormOperation(
        INTROSPECTION_PATH,
        "introspectToken",
        "What a token of the client's own agency says, and whether it is good (RFC 7662).",
        ("token", *ASSERTION),
        ("client_id", "token_type_hint"),
        "what it says; of every other token only that it is not active",
    ),
)
OAUTH_PATHS: Final = frozenset(each.path for each in FORMS)


def describe(app: FastAPI) -> dict[str, Any]:
    """The whole description; made once, kept by the application."""
    if app.openapi_schema is None:
        schema = get_openapi(title=TITLE, version=app.version, description=SUMMARY, routes=app.routes)
        models = {model for each in HOT for model in (each.takes, each.gives) if model} | {Problem}
        ordered = sorted(models, key=lambda model: model.__name__)
        _, definitions = models_json_schema([(model, "serialization") for model in ordered], ref_template=REFERENCES)
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(definitions["$defs"])
        for form in FORMS:
            schema["paths"][form.path] = {"post": _form_operation(form)}
        for each in HOT:
            schema["paths"].setdefault(each.path, {})[each.method] = _operation(each)
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                operation.setdefault("parameters", []).extend(_headers(path, method))
                operation["responses"] |= _problems(path, method)
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        app.openapi_schema = schema
    return app.openapi_schema


def _headers(path: str, method: str) -> list[dict[str, Any]]:
    """The headers that every operation of a method understands; OAuth's endpoints have their own."""
    if path == TOKEN_PATH:
        text = "A proof of possession of the key to which the token shall be bound (RFC 9449)."
        return [{"name": "DPoP", "in": "header", "required": False, "description": text, "schema": {"type": "string"}}]
    if path in OAUTH_PATHS:
        return []
    name, text = REPEATS[method]
    return [{"name": name, "in": "header", "required": False, "description": text, "schema": {"type": "string"}}]


def _problems(path: str, method: str) -> dict[str, Any]:
    """What an operation may end with instead of what it is for; OAuth's calls have errors of their own."""
    if path == TOKEN_PATH:
        return {}
    known = {"304": {"description": NOT_NEW}} if method == "get" else {}
    texts = PROBLEMS | PROBLEMS_OF.get(method, {})
    content = {PROBLEM_TYPE: _schema(Problem)}
    return known | {status: {"description": text, "content": content} for status, text in texts.items()}


def _form_operation(each: FormOperation) -> dict[str, Any]:
    names = (*each.required, *each.optional)
    schema = {"type": "object", "required": list(each.required), "properties": {n: {"type": "string"} for n in names}}
    return {
        "operationId": each.name,
        "tags": ["identity"],
        "summary": each.text,
        "requestBody": {"required": True, "content": {FORM_TYPE: {"schema": schema}}},
        "responses": {
            "200": {"description": each.gives},
            "400": {"description": "an OAuth error (RFC 6749)"},
            "default": {"description": "problem", "content": {"application/problem+json": _schema(Problem)}},
        },
    }


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
    operation["responses"] = {str(each.status): answer}
    return operation


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": _schema(model)}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return {"schema": {"$ref": REFERENCES.format(model=model.__name__)}}
