"""The catalogue for people: every dataset, what may be asked of it, whom it protects, and what was released from it."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Cookie, Header, Query, Request
from fastapi.responses import HTMLResponse

from contracts.code_lists import code_list
from gateway.catalogue.entry import Catalogue
from gateway.catalogue.schema_org import schema_org_of
from gateway.web.home import COOKIE, PAGE_HEADERS
from gateway.web.page import Reader, render_page
from gateway.web.wording import language_of


def catalogue_router(read: Callable[[], Catalogue], *, synthetic: bool) -> APIRouter:
    """The page's route.

    Args:
        read: Gives the catalogue as it stands.
        synthetic: Whether the data is made up for demonstration; the page then says so on top.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/catalogue.html", response_class=HTMLResponse)
    def page(
        _: Request,
        lang: Annotated[str | None, Query()] = None,
        accept_language: Annotated[str, Header()] = "",
        saphan_lang: Annotated[str | None, Cookie(alias=COOKIE)] = None,
    ) -> HTMLResponse:
        reader = Reader(language_of(lang, saphan_lang, accept_language), synthetic=synthetic)
        return HTMLResponse(render_catalogue(read(), reader), headers=PAGE_HEADERS)

    return router


def render_catalogue(catalogue: Catalogue, reader: Reader) -> str:
    """The page as HTML; every text is escaped. Its schema.org description is data that no browser runs."""
    updated = max((each.published_at for each in catalogue.entries), default=None)
    names = {
        "entries": catalogue.entries,
        "linked_data": schema_org_of(catalogue),
        "levels": code_list("data_classification").titles,
        "updated": updated,
    }
    return render_page("catalogue.html", reader, names)
