"""The application of the framework, with hot calls before it, and the fields that every answer has around all of it."""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from gateway.api.hot import Hot, HotCalls
from gateway.edges.headers import SafeAnswers, SafeFields

NO_TELEMETRY: Final[TelemetryConfig] = {"tracing": False, "metrics": False, "logs": False}
"""The framework would tell whoever is named in its environment of every call, and asks there at each."""


class Application(FastAPI):
    """A FastAPI application whose answers are safe to show.

    Args:
        binds_to_tls: See ``SafeFields``.
        hot: The calls that are answered before the framework looks at them.
        known: What FastAPI takes.
    """

    def __init__(self, *, binds_to_tls: bool, hot: Sequence[Hot], **known: Any) -> None:  # noqa: ANN401  # the framework's own arguments
        super().__init__(telemetry=NO_TELEMETRY, **known)
        # Outside all of the framework: its answer to a defect lies outside all of its own middleware.
        safe = SafeFields(binds_to_tls=binds_to_tls)
        self._outermost = HotCalls(self, hot, SafeAnswers(super().__call__, safe), safe)

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        await self._outermost(scope, receive, send)
