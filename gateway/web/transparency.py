"""The transparency page: who asked whom how often, for what, and what was refused; for everybody, late and coarse."""

import csv
import io
from collections.abc import Callable
from itertools import groupby
from operator import attrgetter
from typing import Annotated, Final

from fastapi import APIRouter, Cookie, Header, Query, Request
from fastapi.responses import HTMLResponse, Response

from contracts.log_usage import Usage
from gateway.web.home import COOKIE, FILE_HEADERS, PAGE_HEADERS
from gateway.web.page import Reader, render_page
from gateway.web.wording import language_of

COLUMNS: Final = ("month", "requester", "agency", "purpose", "requests", "released", "repeated", "refused", "reasons")
FEWER: Final = "<10"


def transparency_router(read: Callable[[], Usage], *, synthetic: bool) -> APIRouter:
    """The page's routes.

    Args:
        read: Gives the use of all months that are over.
        synthetic: Whether the data is made up for demonstration; the page then says so on top.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/transparency", response_class=HTMLResponse)
    def page(
        _: Request,
        lang: Annotated[str | None, Query()] = None,
        accept_language: Annotated[str, Header()] = "",
        saphan_lang: Annotated[str | None, Cookie(alias=COOKIE)] = None,
    ) -> HTMLResponse:
        reader = Reader(language_of(lang, saphan_lang, accept_language), synthetic=synthetic)
        return HTMLResponse(render_transparency(read(), reader), headers=PAGE_HEADERS)

    @router.get("/transparency.json")
    def as_json() -> Response:
        return Response(read().model_dump_json(), media_type="application/json", headers=FILE_HEADERS)

    @router.get("/transparency.csv")
    def as_csv() -> Response:
        return Response(usage_csv(read()), media_type="text/csv; charset=utf-8", headers=FILE_HEADERS)

    return router


def render_transparency(usage: Usage, reader: Reader) -> str:
    """The page as HTML; every text is escaped."""
    months = [(month, tuple(lines)) for month, lines in groupby(usage.lines, attrgetter("month"))]
    return render_page("transparency.html", reader, {"usage": usage, "by_month": months, "updated": None})


def usage_csv(usage: Usage) -> str:
    """The lines as CSV, with a byte order mark so that spreadsheets read it as UTF-8; below ten is ``<10``."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for line in usage.lines:
        reasons = " ".join(f"{each.code}={_shown(each.times)}" for each in line.reasons)
        numbers = (line.requests, line.released, line.repeated, line.refused)
        writer.writerow((line.month, line.requester, line.agency, line.purpose, *map(_shown, numbers), reasons))
    return f"\ufeff{file.getvalue()}"


def _shown(count: int | None) -> str:
    return FEWER if count is None else str(count)
