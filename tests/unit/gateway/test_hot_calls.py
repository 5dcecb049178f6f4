"""Hot calls are answered before the framework looks at them, and all others by it."""

import asyncio
import re
from collections.abc import MutableMapping
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from contracts.errors import Problem, Refused
from gateway.api.hot import Hot, HotCalls, hot_of
from gateway.edges.headers import ALWAYS, SafeFields

pytestmark = pytest.mark.unit

PERSON = "1101700203451"


async def show(request: Request) -> Response:
    return PlainTextResponse(f"hot {request.path_params.get('name', '')}")


async def refuse(_: Request) -> Response:
    raise Refused("not-allowed")


async def break_down(_: Request) -> Response:
    raise RuntimeError(PERSON)


async def hang_up(_: Request) -> Response:
    raise ClientDisconnect


CALLS = (
    hot_of(Route("/things/{name}", show, methods=["POST"])),
    hot_of(Route("/readable", show, methods=["GET"])),
    hot_of(Route("/refused", refuse)),
    hot_of(Route("/broken", break_down)),
    hot_of(Route("/gone", hang_up)),
    Hot(frozenset({"GET"}), re.compile(r"/own/(?P<name>[a-z]+)"), show, needs_token=True),
)


async def framework(_scope: object, _receive: object, send: Any) -> None:  # noqa: ANN401  # as ASGI has it
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"framework"})


def answer(method: str, path: str, *headers: tuple[bytes, bytes], kind: str = "http") -> tuple[int, bytes]:
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": kind, "scheme": "http", "method": method, "path": path, "headers": list(headers)}
    asyncio.run(HotCalls(Starlette(), CALLS, framework, SafeFields(binds_to_tls=False))(scope, receive, send))
    assert kind != "http" or sent[1]["body"] == b"framework" or set(ALWAYS) <= set(sent[0]["headers"])
    return sent[0]["status"], sent[1]["body"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/things/one", b"hot one"),
        ("GET", "/readable", b"hot "),
        ("HEAD", "/readable", b"hot "),
        ("GET", "/things/one", b"framework"),
        ("POST", "/things/one/two", b"framework"),
        ("POST", "/things/", b"framework"),
        ("GET", "/readable\n", b"framework"),
        ("POST", "/x/things/one", b"framework"),
        ("GET", "/own/thing", b"framework"),
    ],
)
def test_method_and_whole_path_say_what_is_hot(method: str, path: str, body: bytes) -> None:
    assert answer(method, path) == (200, body)


def test_what_members_alone_read_so_is_hot_for_calls_with_a_token() -> None:
    token = (b"authorization", b"DPoP x")
    assert answer("GET", "/own/thing", token) == (200, b"hot thing")
    assert answer("GET", "/own/THING", token) == (200, b"framework")


def test_what_is_no_call_is_the_frameworks() -> None:
    assert answer("GET", "/readable", kind="lifespan") == (200, b"framework")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("/refused", 403, "not-allowed"), ("/broken", 500, "gateway-defect"), ("/gone", 422, "malformed-body")],
)
def test_errors_are_told_as_problems(path: str, status: int, code: str, caplog: pytest.LogCaptureFixture) -> None:
    told, body = answer("GET", path)
    assert (told, Problem.model_validate_json(body).code) == (status, code)
    assert ("defect" in caplog.text) == (path == "/broken")
    assert PERSON not in body.decode() + caplog.text
