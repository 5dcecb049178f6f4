"""The public routes: the page, the forecast as CSV, and the files that the page is made of."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Protocol

from fastapi import APIRouter, Cookie, Header, Query, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import ConfigDict

from contracts.analysis import PublishedAnalysis
from contracts.forecast import PublishedForecast
from contracts.release import Release
from contracts.values import Value
from gateway.edges.headers import PAGE, SCRIPTED_PAGE
from gateway.web.forecast_csv import forecast_csv
from gateway.web.outlook import Choice
from gateway.web.page import Reader, choice_of, render_home
from gateway.web.view import home_view
from gateway.web.wording import language_of

STATIC = Path(__file__).parent / "static"
COOKIE = "saphan_lang"
A_YEAR = 365 * 24 * 3600
PAGES_KEPT = 64
"""Rendered pages (about 130 kB each) that are kept until something is published or withdrawn."""

PAGE_HEADERS = {
    "content-security-policy": PAGE,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
    "vary": "Accept-Language, Cookie",
}
SCRIPTED_PAGE_HEADERS = {**PAGE_HEADERS, "content-security-policy": SCRIPTED_PAGE}
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

    def latest_warnings(self) -> PublishedAnalysis | None:
        """The newest warnings that everybody may read."""
        ...

    def releases(self, agency: str | None, /) -> tuple[Release, ...]:
        """The releases that an agency may see; None asks for the public ones."""
        ...


@dataclass(frozen=True, slots=True)
class Published:
    """All that the page shows, equal to another as long as nothing was published or withdrawn between them."""

    version: tuple[str, ...]
    forecast: PublishedForecast | None = field(compare=False)
    releases: tuple[Release, ...] = field(compare=False)
    warnings: PublishedAnalysis | None = field(compare=False)


def home_router(exchange: PublicRecord, *, synthetic: bool) -> APIRouter:
    """The public routes.

    Args:
        exchange: What is published.
        synthetic: Whether the data is made up for demonstration; the page then says so on top.
    """
    router = APIRouter(include_in_schema=False)
    files = StaticFiles(directory=STATIC)
    rendered = lru_cache(maxsize=PAGES_KEPT)(_rendered)

    @router.get("/", response_class=HTMLResponse)
    def home(
        request: Request,
        asked: Annotated[Question, Query()],
        accept_language: Annotated[str, Header()] = "",
        saphan_lang: Annotated[str | None, Cookie()] = None,
    ) -> HTMLResponse:
        lang = language_of(asked.lang, saphan_lang, accept_language)
        choice = choice_of(asked.group, asked.province)
        html = rendered(_published(exchange), Reader(lang, synthetic=synthetic), choice)
        page = HTMLResponse(html, headers=PAGE_HEADERS)
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


def _rendered(published: Published, reader: Reader, choice: Choice) -> str:
    return render_home(home_view(published.forecast, published.releases, choice, published.warnings), reader, choice)


def _published(exchange: PublicRecord) -> Published:
    forecast, releases, warnings = exchange.latest_forecast(), exchange.releases(None), exchange.latest_warnings()
    of_forecast = (forecast.digest, *forecast.flagged) if forecast else ()
    of_warnings = (warnings.digest, *warnings.flagged) if warnings else ()
    withdrawals = (each.withdrawal.model_dump_json() for each in releases if each.withdrawal)
    version = (*of_forecast, "", *of_warnings, "", *(each.digest for each in releases), *withdrawals)
    return Published(version, forecast, releases, warnings)
