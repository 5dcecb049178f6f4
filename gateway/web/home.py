"""The public routes: the page, the forecast as CSV, and the files that the page is made of."""

from pathlib import Path
from typing import Annotated, Protocol

from fastapi import APIRouter, Cookie, Header, Query, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import ConfigDict

from contracts.forecast import PublishedForecast
from contracts.release import Release
from contracts.values import Value
from gateway.web.forecast_csv import forecast_csv
from gateway.web.page import Reader, choice_of, render_home
from gateway.web.view import home_view
from gateway.web.wording import language_of

STATIC = Path(__file__).parent / "static"
COOKIE = "saphan_lang"
A_YEAR = 365 * 24 * 3600
PAGE_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "frame-ancestors 'none'; form-action 'self'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
    "vary": "Accept-Language, Cookie",
}
FILE_HEADERS = {"x-content-type-options": "nosniff", "cache-control": "public, max-age=3600"}
CSV_HEADERS = {**FILE_HEADERS, "content-disposition": 'attachment; filename="saphan-forecast.csv"'}


class Question(Value):
    """What the address of the page may ask; a wrong word means the default, so that no link is ever broken."""

    model_config = ConfigDict(extra="ignore")

    lang: str | None = None
    group: str | None = None
    province: str | None = None


class PublicRecord(Protocol):
    """What the page reads: ``gateway.exchange`` offers it."""

    def latest_forecast(self) -> PublishedForecast | None:
        """The newest published forecast."""
        ...

    def releases(self, agency: str | None, /) -> tuple[Release, ...]:
        """The releases that an agency may see; None asks for the public ones."""
        ...


def home_router(exchange: PublicRecord, *, synthetic: bool) -> APIRouter:
    """The public routes.

    Args:
        exchange: What is published.
        synthetic: Whether the data is made up for demonstration; the page then says so on top.
    """
    router = APIRouter(include_in_schema=False)
    files = StaticFiles(directory=STATIC)

    @router.get("/", response_class=HTMLResponse)
    def home(
        request: Request,
        asked: Annotated[Question, Query()],
        accept_language: Annotated[str, Header()] = "",
        saphan_lang: Annotated[str | None, Cookie()] = None,
    ) -> HTMLResponse:
        lang = language_of(asked.lang, saphan_lang, accept_language)
        choice = choice_of(asked.group, asked.province)
        view = home_view(exchange.latest_forecast(), exchange.releases(None), choice)
        page = HTMLResponse(render_home(view, Reader(lang, synthetic=synthetic), choice), headers=PAGE_HEADERS)
        if asked.lang == lang:
            secure = request.url.scheme == "https"
            page.set_cookie(COOKIE, lang, max_age=A_YEAR, httponly=True, samesite="lax", secure=secure)
        return page

    @router.get("/forecast.csv")
    def download() -> Response:
        body = forecast_csv(exchange.latest_forecast())
        return Response(body, media_type="text/csv; charset=utf-8", headers=CSV_HEADERS)

    @router.get("/static/{path:path}")
    async def static(path: str, request: Request) -> Response:
        answer = await files.get_response(path, request.scope)
        answer.headers.update(FILE_HEADERS)
        return answer

    return router
