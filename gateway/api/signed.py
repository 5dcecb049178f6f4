"""Calls of members: read whole, checked at the door, answered with the gateway's signature."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Annotated, Any, Final

from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from typing_extensions import override

from contracts.errors import InvalidInput, SaphanError
from contracts.signature_base import Message, headers_of
from contracts.task import Forwarded
from gateway.api import idempotency
from gateway.api.conditional import with_tag
from gateway.api.desk import Desk, desk_of
from gateway.api.errors import malformed, problem_response
from gateway.caller import Caller

JSON: Final = "application/json"
JSON_TYPE: Final = JSON.encode()
NOT_STORED: Final = {b"cache-control": b"no-store"}
"""Of answers to members, unless they say something else."""

MOST_BYTES: Final = 2**20
SHORT_BYTES: Final = 2**16
"""Bodies so long are read for a token that is known; for longer ones all that their heads show is checked before."""

MOST_DIGITS: Final = 9
"""Of the length of a body; a longer number is not read."""

FORWARDED: Final = ("content-type", "content-digest", "signature-input", "signature")
"""The headers that a connector needs to check the requester's signature again; the token is not among them."""

TOLD: Final = (SaphanError, RequestValidationError, ValidationError)
"""What a caller whom the door let in is told in a signed answer."""

Handler = Callable[[Request], Awaitable[Response]]


async def body_of(request: Request, most: int) -> bytes:
    """The whole body.

    Raises:
        InvalidInput: ``body-too-large``, beyond ``most`` bytes; the rest is not read.
        ClientDisconnect: When its sender has gone before its end.
    """
    # Grows where it is: bytes would be copied whole for each piece that comes, on the loop of everybody.
    body, is_more = bytearray(), True
    while is_more:
        event = await request.receive()
        if event["type"] == "http.disconnect":
            raise ClientDisconnect
        body += event.get("body", b"")
        if len(body) > most:
            raise InvalidInput("body-too-large")
        is_more = event.get("more_body", False)
    return bytes(body)


def certificate_of(request: Request) -> str | None:
    """SHA-256 of the client certificate of the connection, base64url; none without one.

    The server puts it there from the connection itself. No header says it: whoever calls could write one.
    """
    found = request.scope.get("state", {}).get("x5t_s256")
    return found if isinstance(found, str) else None


async def received(desk: Desk, request: Request, most: int) -> Message:
    """A call as the signature sees it, its body read only when a token is shown; who signed it is not checked yet.

    A token that is known already is looked at closely together with the signature (``Desk.enter``) if the body is
    short; a longer one is read only from whoever also shows what the token is bound to.

    Args:
        desk: What answers it.
        request: The call, its body not read yet.
        most: The largest body, in bytes.

    Raises:
        Refused: As ``Door.check_head``, for a call with a body.
        InvalidInput: ``body-too-large``.
    """
    scope = request.scope
    method, path, query = scope["method"], scope["raw_path"], scope["query_string"]
    target = (path + b"?" + query if query else path).decode("latin-1")
    headers = headers_of(scope["headers"])
    if not _has_body(headers):
        return Message(method, target, headers, b"")
    now, door = desk.clock(), desk.door
    if not _is_short(headers):
        head = Message(method, target, headers, b"")
        await desk.workers.run(door.check_head, head, now, certificate_of(request))
    elif not door.recalls(headers, now):
        await desk.workers.run(door.shown, headers, now, certificate_of(request))
    return Message(method, target, headers, await body_of(request, most))


def _has_body(headers: Mapping[str, str]) -> bool:
    """Whether a body follows (RFC 9112, section 6.3)."""
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _is_short(headers: Mapping[str, str]) -> bool:
    """Whether it says that its body is short; one in chunks does not say."""
    length = headers.get("content-length", "")
    is_number = length.isascii() and length.isdigit() and len(length) <= MOST_DIGITS
    return is_number and int(length) <= SHORT_BYTES and "transfer-encoding" not in headers


def forwarded_of(message: Message, *more: str) -> Forwarded:
    """A signed call as it is kept and handed on: exact body, the headers that its signature covers, ``more``."""
    try:
        body = message.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise malformed([]) from error
    headers = {name: message.headers[name] for name in (*FORWARDED, *more) if name in message.headers}
    return Forwarded(method=message.method, path=message.path, headers=headers, body=body)


async def answer_member(request: Request, handler: Handler, most: int = MOST_BYTES) -> Response:
    """Check who calls, let the handler answer, and sign the answer, also when it is a refusal.

    Args:
        request: The call, its body not read yet.
        handler: Answers a caller whom the door let in.
        most: The largest body, in bytes. Without a token none is read.

    Raises:
        Refused: When the door stays shut; such an answer is not signed, for it answers nobody.
    """
    desk = desk_of(request)
    message = await received(desk, request, most)
    request.state.message = message
    request.state.caller = await desk.workers.run(desk.enter, message, certificate_of(request))
    try:
        response = with_tag(message.method, message.headers, await _once(request, handler))
    except TOLD as error:
        response = told(error)
    return signed(desk, response, message)


async def _once(request: Request, handler: Handler) -> Response:
    """The handler's answer, or the one that it gave when this call was sent before under its ``Idempotency-Key``."""
    desk, caller, message = desk_of(request), request.state.caller, request.state.message
    key = idempotency.key_in(message)
    if key is None:
        return await handler(_again(request, message.body))
    before = await desk.workers.run(idempotency.answer_again, desk, caller, key, message)
    if before is not None:
        return before
    response = await handler(_again(request, message.body))
    await desk.workers.run(idempotency.keep, desk, caller, key, message, response)
    return response


def _again(request: Request, body: bytes) -> Request:
    """The same call with its body to be read once more; what comes after the body is the original's."""
    parts = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> MutableMapping[str, Any]:
        return parts.pop() if parts else await request.receive()

    return Request(request.scope, receive)


def told(error: SaphanError | RequestValidationError | ValidationError) -> Response:
    """What a caller whom the door let in is told of an error."""
    match error:
        case SaphanError():
            return problem_response(error)
        case RequestValidationError():
            return problem_response(malformed(list(error.errors())))
        case ValidationError():
            return problem_response(malformed(error.errors(include_input=False, include_url=False)))


def signed(desk: Desk, response: Response, call: Message) -> Response:
    """An answer with the gateway's signature, for this call alone."""
    said = dict(response.raw_headers)
    headers = {"content-type": said.get(b"content-type", JSON_TYPE).decode("latin-1")}
    answer = Message(call.method, call.path, headers, bytes(response.body), response.status_code, call)
    fields = {name.encode(): value.encode("latin-1") for name, value in desk.signed(answer).headers.items()}
    response.raw_headers = [*{**NOT_STORED, **said, **fields}.items()]
    return response


class MemberRoute(APIRoute):
    """A route for members only: token, signature and signed answer."""

    @override
    def get_route_handler(self) -> Callable[[Request], Any]:
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await answer_member(request, inner)

        return handle


class OpenRoute(APIRoute):
    """A route for everybody that shows members more: a call that carries a token is checked like any other."""

    @override
    def get_route_handler(self) -> Callable[[Request], Any]:
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            if "authorization" in request.headers:
                return await answer_member(request, inner)
            response: Response = await inner(request)
            return with_tag(request.method, request.headers, response)

        return handle


async def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


def _admitted(request: Request) -> Caller:
    caller: Caller = request.state.caller
    desk_of(request).exchange.admit(caller)
    return caller


def _perhaps_admitted(request: Request) -> Caller | None:
    return _admitted(request) if hasattr(request.state, "caller") else None


async def _desk(request: Request) -> Desk:
    return desk_of(request)


AtDesk = Annotated[Desk, Depends(_desk)]
Writing = Annotated[Caller, Depends(_caller)]
"""Who calls a step that writes and spends the nonce in its own transaction."""

Reading = Annotated[Caller, Depends(_admitted)]
"""Who calls a step that only reads: the nonce is spent here."""

MEMBERS_ONLY = Depends(_admitted)
"""The same where it does not matter which member reads."""

Anybody = Annotated[Caller | None, Depends(_perhaps_admitted)]
"""Who reads, if it is a member."""


class JsonResponse(Response):
    """A JSON text, its header fields as they are sent: the framework would encode them at each call."""

    def __init__(self, text: bytes, status: int = 200) -> None:
        self.status_code = status
        self.body = text
        self.background = None
        self.raw_headers = [(b"content-type", JSON_TYPE), (b"content-length", b"%d" % len(text))]


def json_of(value: BaseModel, status: int = 200) -> Response:
    """A value as its JSON, without the second validation that the framework would make."""
    return JsonResponse(value.model_dump_json(by_alias=True).encode(), status)


def json_list(values: Sequence[BaseModel]) -> Response:
    """Several values as a JSON list."""
    items = TypeAdapter(list[BaseModel]).dump_json(list(values), by_alias=True, serialize_as_any=True)
    return JsonResponse(items)
