"""From the page's values to HTML, in one language."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import Field

from contracts.code_lists import code_list
from contracts.values import Value
from gateway.web import thai
from gateway.web.charts import clock_face, fan_shape
from gateway.web.counts import VICTIMISATION
from gateway.web.estimates import Estimate
from gateway.web.outlook import EVERYTHING, Choice
from gateway.web.view import BUSY_HOURS, HomeView
from gateway.web.wording import text

HERE = Path(__file__).parent
MILLION = 1e6
WIDE, NARROW = (1080.0, 320.0), (420.0, 300.0)
"""Both sizes of the forecast chart; the style sheet shows the one in which its letters stay legible."""


class Outline(Value):
    """A province's shape: an SVG path, and a point inside it."""

    d: str
    cx: float
    cy: float


class Outlines(Value):
    """The vendored outlines of the provinces, by DOPA code."""

    view_box: str = Field(alias="viewBox")
    projection: dict[str, str | float]
    source: str
    provinces: dict[str, Outline]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: in which language, and whether to be told that the data is synthetic."""

    lang: str
    synthetic: bool


@lru_cache(maxsize=1)
def outlines() -> Outlines:
    """The map, read once."""
    path = HERE / "static" / "vendor" / "th-provinces" / "provinces.json"
    return Outlines.model_validate_json(path.read_text("utf-8"))


def choice_of(group: str | None, province: str | None) -> Choice:
    """What the reader chose; anything that is not on the lists means everything."""
    return Choice(
        group=group if group in VICTIMISATION else EVERYTHING,
        province=province if province in code_list("provinces").values else EVERYTHING,
    )


def render_home(view: HomeView, reader: Reader, choice: Choice) -> str:
    """The public page as HTML; every text is escaped, nothing is inline script or style."""
    keep = urlencode({"group": choice.group, "province": choice.province})
    names = {"keep": f"&{keep}", "view": view, "choice": choice, "map": outlines(), "updated": view.updated}
    return render_page("home.html", reader, {**names, **_pictures(view)})


def render_page(name: str, reader: Reader, names: Mapping[str, object]) -> str:
    """A page as HTML in the reader's language.

    Args:
        name: The template's file.
        reader: Who reads.
        names: What the template shows; ``updated`` is the instant of the newest of it, or none.
    """
    lang = reader.lang
    known = {"lang": lang, "other": "en" if lang == "th" else "th", "reader": reader, "keep": ""}
    return _environment().get_template(name).render({**known, **_words(lang), **names})


def _words(lang: str) -> dict[str, object]:
    """What templates call to write names and figures in one language."""
    return {
        "t": partial(text, lang),
        "num": thai.number,
        "shown": thai.shown,
        "month": partial(thai.month, lang=lang),
        "months": partial(thai.months, lang=lang),
        "day": partial(thai.day, lang=lang),
        "calendar_day": partial(thai.calendar_day, lang=lang),
        "iso_day": thai.iso_day,
        "year": lambda text: thai.year(int(text), lang),
        "clock_time": partial(thai.clock_time, lang=lang),
        "moment": partial(thai.moment, lang=lang),
        "title": partial(_title, lang),
        "titles": lambda name: [(code, _title(lang, name, code)) for code in code_list(name).values],
        "span": partial(_span, lang),
        "millions": lambda baht: thai.shown(baht.times(1 / MILLION)),
    }


def _title(lang: str, name: str, code: str) -> str:
    """What a code is called; a code that its list does not know stands for itself."""
    found = code_list(name).titles.get(code)
    if found is None:
        return code
    return found.th if lang == "th" else found.en


def _span(lang: str, seconds: Estimate) -> dict[str, str]:
    unit, size = thai.time_unit(seconds.value)
    figure = thai.shown(seconds.times(1 / size), most=1)
    names = {"unit": text(lang, unit), "short": text(lang, f"{unit}_short")}
    return {"value": figure.value, "error": figure.error, **names}


def _pictures(view: HomeView) -> dict[str, object]:
    return {
        "face": clock_face([each.cases for each in view.clock.hours]) if view.clock else None,
        "shapes": {"wide": fan_shape(view.fan, *WIDE), "narrow": fan_shape(view.fan, *NARROW)} if view.fan else {},
        "groups": VICTIMISATION,
        "busy_hours": BUSY_HOURS,
        "everything": EVERYTHING,
    }


@lru_cache(maxsize=1)
def _environment() -> Environment:
    loader = FileSystemLoader(HERE / "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
