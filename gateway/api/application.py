"""The application of the framework, with the fields that every answer has around all of it, its own errors included."""

from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp
from typing_extensions import override

from gateway.edges.headers import SafeAnswers


class Application(FastAPI):
    """A FastAPI application whose answers are safe to show.

    Args:
        binds_to_tls: See ``SafeAnswers``.
        known: What FastAPI takes.
    """

    def __init__(self, *, binds_to_tls: bool, **known: Any) -> None:  # noqa: ANN401  # the framework's own arguments
        self._binds_to_tls = binds_to_tls
        super().__init__(**known)

    @override
    def build_middleware_stack(self) -> ASGIApp:
        """Put the fields around what the framework builds: its answer to a defect lies outside all middleware."""
        return SafeAnswers(super().build_middleware_stack(), binds_to_tls=self._binds_to_tls)
