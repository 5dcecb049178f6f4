"""The page as people meet it: by eye, by keyboard, on a telephone, without JavaScript, through a screen reader's rules.

The accessibility rules are axe-core's; SAPHAN_AXE names the file axe.min.js of that npm package. Without it that one
test says so and is skipped, and fails when CI=true.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.e2e
DRESSES = list(product((1280, 390), ("light", "dark"), ("th", "en")))
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def _visit(browser: Browser, url: str, width: int = 1280, scheme: str = "light", **settings: bool) -> Iterator[Page]:
    """A page in its own context, with every console message and failed or foreign call as an error at the end."""
    troubles: list[str] = []
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        locale="th-TH",
        java_script_enabled=settings.get("script", True),
    )
    page = context.new_page()
    page.on("console", lambda message: troubles.append(message.text))
    page.on("requestfailed", lambda request: troubles.append(request.url))
    page.on("request", lambda request: None if request.url.startswith(url[:16]) else troubles.append(request.url))
    page.goto(url)
    yield page
    context.close()
    assert troubles == []


@pytest.mark.parametrize("lang", ["th", "en"])
@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_width_needs_scrolling_sideways(browser: Browser, address: str, width: int, lang: str) -> None:
    with _visit(browser, f"{address}/?lang={lang}", width) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_both_parts_of_the_typeface_are_loaded(browser: Browser, address: str) -> None:
    with _visit(browser, address) as page:
        page.evaluate("document.fonts.ready.then(() => true)")
        assert page.evaluate("[...document.fonts].filter(font => font.status === 'loaded').length") == 2


def test_dark_readers_get_a_dark_page(browser: Browser, address: str) -> None:
    with _visit(browser, address, scheme="dark") as page:
        assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(17, 21, 29)"


def test_the_language_link_switches_and_is_remembered(browser: Browser, address: str) -> None:
    with _visit(browser, address) as page:
        page.get_by_role("link", name="English").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("one case is reported")
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_contain_text("one case is reported")


def test_a_group_and_a_province_are_chosen_with_the_keyboard_and_without_javascript(
    browser: Browser, address: str
) -> None:
    with _visit(browser, f"{address}/?lang=en", script=False) as page:
        page.get_by_label("Offence group").select_option("G2")
        page.get_by_label("Area").select_option("50")
        page.get_by_role("button", name="Show").press("Enter")
        expect(page.get_by_role("heading", name="Property offences · Chiang Mai")).to_be_visible()


def test_the_tables_behind_the_pictures_open_without_javascript(browser: Browser, address: str) -> None:
    with _visit(browser, f"{address}/?lang=en", script=False) as page:
        page.get_by_text("Show all 77 provinces as a table").click()
        expect(page.get_by_role("row", name="Bangkok")).to_be_visible()


def test_the_forecast_downloads(browser: Browser, address: str) -> None:
    with _visit(browser, f"{address}/?lang=en") as page, page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    assert download.value.suggested_filename == "saphan-forecast.csv"


def test_the_first_tab_stop_skips_to_the_content(browser: Browser, address: str) -> None:
    with _visit(browser, f"{address}/?lang=en") as page:
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()


@pytest.mark.parametrize(("width", "seen", "hidden"), [(1280, "wide", "narrow"), (390, "narrow", "wide")])
def test_each_screen_gets_the_forecast_chart_whose_letters_it_can_read(
    browser: Browser, address: str, width: int, seen: str, hidden: str
) -> None:
    with _visit(browser, address, width) as page:
        expect(page.locator(f"svg.fan.{seen}")).to_be_visible()
        expect(page.locator(f"svg.fan.{hidden}")).to_be_hidden()


def test_the_empty_page_is_whole(browser: Browser, empty_address: str) -> None:
    with _visit(browser, empty_address, 390) as page:
        expect(page.get_by_role("heading", level=1)).to_have_text("ยังไม่มีตัวเลขที่เผยแพร่")


@pytest.fixture(scope="session")
def axe() -> str:
    path = Path(os.environ.get("SAPHAN_AXE", "axe.min.js"))
    if not path.is_file():
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say("SAPHAN_AXE names no axe.min.js: unpack the npm package axe-core")
    return path.read_text("utf-8")


@pytest.mark.parametrize(("width", "scheme", "lang"), DRESSES)
def test_no_accessibility_rule_is_broken(
    browser: Browser, address: str, axe: str, width: int, scheme: str, lang: str
) -> None:
    with _visit(browser, f"{address}/?lang={lang}", width, scheme) as page:
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        page.evaluate(axe)
        broken = page.evaluate("rules => axe.run(document, {runOnly: rules}).then(found => found.violations)", RULES)
        assert [(rule["id"], [node["target"] for node in rule["nodes"]][:3]) for rule in broken] == []
