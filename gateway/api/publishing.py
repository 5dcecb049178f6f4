"""Routes for what may be larger than other calls: forecasts, analyses, files of plans; and reading "as of"."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import AwareDatetime
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import override

from contracts.publication import MOST_PUBLISHED_BYTES
from gateway.api.signed import MemberRoute, answer_member

MOST_BODY_BYTES: Final = MOST_PUBLISHED_BYTES * 3 // 2
"""A document in base64, which takes a third more, in its envelope."""

AsOf = Annotated[
    AwareDatetime | None,
    Query(description="An instant with its zone, such as 2026-01-31T00:00:00Z: what stood then. Not in the future."),
]


class PublishingRoute(MemberRoute):
    """A member's route that takes a whole publication."""

    @override
    def get_route_handler(self) -> Callable[[Request], Any]:
        inner = super(MemberRoute, self).get_route_handler()

        async def handle(request: Request) -> Response:
            return await answer_member(request, inner, MOST_BODY_BYTES)

        return handle
