"""The application tells nobody of the calls that it answers, whatever its environment says."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from fastapi import FastAPI
from opentelemetry import trace
from typing_extensions import override

from gateway.api.application import Application

pytestmark = pytest.mark.unit


class Listening(trace.TracerProvider):
    """Somebody who wants to be told."""

    asked = 0

    @override
    def get_tracer(self, *_args: object, **_known: object) -> trace.Tracer:
        self.asked += 1
        return trace.NoOpTracer()


def call(app: FastAPI) -> None:
    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request"}

    async def send(_: MutableMapping[str, Any]) -> None:
        pass

    scope: MutableMapping[str, Any] = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "headers": []}
    asyncio.run(app({**scope, "query_string": b"", "server": None, "client": None}, receive, send))


def test_nobody_is_told_of_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    listening = Listening()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: listening)

    call(Application(binds_to_tls=False, hot=()))
    assert not listening.asked

    call(FastAPI())  # the framework's own habit, which is switched off above
    assert listening.asked
