"""Long lists come in pages: ``?limit=`` items after the one that ``?after=`` names, and ``Link: <...>; rel="next"``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import InvalidInput
from gateway.api.signed import json_list

USUAL: Final = 100
MOST: Final = 1000
OWN: Final = frozenset({"limit", "after"})
Item = TypeVar("Item", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted: at most ``limit`` items after the item ``after``.

    ``path`` names the list, with ``filters``: what else the call asked for.
    """

    path: str
    limit: int
    after: str | None
    filters: tuple[tuple[str, str], ...] = ()

    def of(self, items: Sequence[Item], name: Callable[[Item], str]) -> Response:
        """This page of a list, with a link to the next one if there is more.

        Args:
            items: The whole list, in an order in which an item keeps its place.
            name: What an item is called in ``after``; no two are called alike.

        Raises:
            InvalidInput: ``malformed-body``, when ``after`` names nothing in the list.
        """
        start = self._start([name(each) for each in items])
        part = items[start : start + self.limit]
        response = json_list(part)
        if start + self.limit < len(items):
            query = urlencode([*self.filters, ("limit", str(self.limit)), ("after", name(part[-1]))])
            response.headers["link"] = f'<{self.path}?{query}>; rel="next"'
        return response

    def _start(self, names: Sequence[str]) -> int:
        if self.after is None:
            return 0
        if self.after not in names:
            raise InvalidInput("malformed-body", where="after")
        return names.index(self.after) + 1


async def _page(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MOST)] = USUAL,
    after: Annotated[str | None, Query(max_length=200)] = None,
) -> Page:
    filters = tuple((name, value) for name, value in request.query_params.multi_items() if name not in OWN)
    return Page(request.url.path, limit, after, filters)


Paged = Annotated[Page, Depends(_page)]
"""The page that a call asks for."""
