"""Calls that come so often that the framework's way to their routes would cost more than their work.

They are found by one look at method and path, before all that the framework does for every call. What a hot call is
answered is what the framework's way to the same route answers: its errors are told by the same function. Whatever is
not hot goes on to the framework.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api.errors import response_to
from gateway.edges.headers import SafeFields

Endpoint = Callable[[Request], Awaitable[Response]]


class Hot(NamedTuple):
    """One kind of call.

    Args:
        methods: Its methods.
        path: Matches its decoded path, with the parameters as named groups.
        endpoint: Answers it.
        needs_token: Whether calls without a token are the framework's.
    """

    methods: frozenset[str]
    path: re.Pattern[str]
    endpoint: Endpoint
    needs_token: bool = False


def hot_of(route: Route) -> Hot:
    """A plain route, found sooner; its parameters are plain text."""
    return Hot(frozenset(route.methods or ()), route.path_regex, route.endpoint)


class HotCalls:
    """An application that answers hot calls itself.

    Args:
        app: Whose state the endpoints work with.
        calls: Which they are.
        otherwise: Answers the others.
        safe: The fields of every answer.
    """

    def __init__(self, app: Starlette, calls: Iterable[Hot], otherwise: ASGIApp, safe: SafeFields) -> None:
        self._app = app
        self._calls = tuple(calls)
        self._otherwise = otherwise
        self._safe = safe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        endpoint = self._endpoint(scope) if scope["type"] == "http" else None
        if endpoint is None:
            await self._otherwise(scope, receive, send)
            return
        scope["app"] = self._app
        try:
            response = await endpoint(Request(scope, receive))
        except Exception as error:  # noqa: BLE001  # every error is told as a problem, a defect as one of the gateway's
            response = response_to(error)
        response.raw_headers = self._safe.beside(response.raw_headers, scope["scheme"])
        await response(scope, receive, send)

    def _endpoint(self, scope: Scope) -> Endpoint | None:
        """Who answers; the parameters of the path go into the scope, as the framework's router puts them."""
        method, path = scope["method"], scope["path"]
        for call in self._calls:
            if method in call.methods and (found := call.path.fullmatch(path)) is not None:
                if call.needs_token and not _has_token(scope):
                    return None
                scope["path_params"] = found.groupdict()
                return call.endpoint
        return None


def _has_token(scope: Scope) -> bool:
    return any(name == b"authorization" for name, _ in scope["headers"])
