"""The page as it leaves: what it says, what it must never contain."""

import csv
import re
from collections import Counter
from html.parser import HTMLParser
from io import StringIO

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from typing_extensions import override

from gateway.web.home import home_router
from gateway.web.page import choice_of, outlines
from tests.web.sample import (
    PROVINCES,
    PublishedRecord,
    crimes_clock,
    crimes_monthly,
    everything,
    forecast,
    release,
    withdrawn,
)

pytestmark = pytest.mark.unit
VOID = {"meta", "link", "br", "img", "input"}


class _Reading(HTMLParser):
    """Every tag with its attributes; complains of a tag that is closed out of turn."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _client(record: PublishedRecord, *, synthetic: bool = False, base_url: str = "http://testserver") -> TestClient:
    app = FastAPI()
    app.include_router(home_router(record, synthetic=synthetic))
    return TestClient(app, base_url=base_url)


def _read(html: str) -> _Reading:
    reading = _Reading()
    reading.feed(html)
    assert reading.open == []
    return reading


def _words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


@pytest.fixture(scope="module")
def thai() -> str:
    return _client(everything(), synthetic=True).get("/").text


@pytest.fixture(scope="module")
def english() -> str:
    return _client(everything(), synthetic=True).get("/?lang=en").text


def test_the_page_has_no_inline_script_or_style_and_names_no_other_host(thai: str) -> None:
    for tag, attributes in _read(thai).tags:
        assert tag not in {"script", "style", "iframe", "base"}
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        links = [attributes.get(name, "") for name in ("href", "src", "action")]
        assert not [link for link in links if "//" in link]


def test_identifiers_stand_once_and_every_label_points_at_one(thai: str) -> None:
    tags = _read(thai).tags
    ids = Counter(attributes["id"] for _, attributes in tags if "id" in attributes)
    assert set(ids.values()) == {1}
    pointed = {name for _, each in tags for name in each.get("aria-labelledby", "").split()}
    anchors = {each["href"][1:] for tag, each in tags if tag == "a" and each["href"].startswith("#")}
    assert pointed | anchors <= set(ids)


def test_every_picture_is_an_image_with_title_and_description(thai: str) -> None:
    pictures = re.findall(
        r'<svg class="chart[^>]*role="img"[^>]*>\s*<title[^>]*>[^<]+</title>\s*<desc[^>]*>[^<]+</desc>', thai
    )
    assert len(pictures) == thai.count('<svg class="chart') == 4


def test_the_page_says_its_figures_with_their_errors_in_thai(thai: str) -> None:
    words = _words(thai)
    assert '<html lang="th">' in thai
    assert re.search(r"ทุก [\d.]+ นาที ± [\d.]+ มีการแจ้งความหนึ่งคดี", words)
    assert re.search(r"คดีรับแจ้ง ต.ค. 2569 [\d,]+ ± \d+", words)
    assert re.search(r"คาดการณ์ พ.ย. 2569 [\d,]+ ± [\d,]+", words)
    assert '<time datetime="2026-10">ต.ค. 2569</time>' in thai
    assert "ไม่ใช่การให้คะแนนหรือคาดการณ์รายบุคคล" in words
    assert "ประชากรตามทะเบียน" in words


def test_the_page_says_the_same_in_english(english: str) -> None:
    words = _words(english)
    assert '<html lang="en">' in english
    assert re.search(r"Every [\d.]+ minutes ± [\d.]+ one case is reported", words)
    assert '<time datetime="2026-10">Oct 2026</time>' in english
    assert "Nobody is scored or predicted." in words
    assert "Nakhon Ratchasima" in words


def test_the_map_has_every_province_by_its_name_and_level(thai: str) -> None:
    drawn = re.findall(r'<path class="q(\d)" d="[^"]+"><title>([^:<]+): [^<]+%</title>', thai)
    assert len(drawn) == len(PROVINCES) == 77
    assert set(outlines().provinces) == set(PROVINCES)
    assert {level for level, _ in drawn} == {"0", "1", "2", "3", "4"}
    assert "กรุงเทพมหานคร" in {name for _, name in drawn}


def test_every_source_is_cited_with_its_promise_and_its_withdrawal(thai: str) -> None:
    words = _words(thai)
    assert 'href="/v1/releases/rel-crimes-monthly"' in thai
    assert "ε 0.83 (δ 1e-6) · ผู้เสียหาย" in words
    assert "rel-crimes-old" in words
    assert "ถูกถอน" in words
    assert "ตัวเลขเดือน ส.ค. นำเข้าซ้ำ" in words


def test_a_superseded_source_names_what_replaced_it() -> None:
    record = PublishedRecord(None, (withdrawn(crimes_clock(), replaced_by="rel-newer"),))
    words = _words(_client(record).get("/?lang=en").text)
    assert "Superseded" in words
    assert "Replaced by rel-newer" in words


def test_a_forecast_that_cites_withdrawn_data_is_flagged_on_the_page() -> None:
    record = PublishedRecord(forecast(flagged=("rel-bad-0001",)), (crimes_monthly(),))
    html = _client(record).get("/?lang=en").text
    assert 'role="alert"' in html
    assert "This forecast cites withdrawn data." in html
    assert "rel-bad-0001" in html


def test_a_sound_forecast_raises_no_alarm(thai: str) -> None:
    assert 'role="alert"' not in thai


def test_synthetic_data_says_so_on_top_and_real_data_does_not(thai: str) -> None:
    assert 'class="banner"' in thai
    assert thai.count("ข้อมูลสังเคราะห์เพื่อการสาธิต") == 2
    assert "ข้อมูลสังเคราะห์" not in _client(everything(), synthetic=False).get("/").text


@pytest.mark.parametrize(("lang", "text"), [("th", "ยังไม่มีตัวเลขที่เผยแพร่"), ("en", "Nothing is published yet")])
def test_before_anything_is_published_the_page_says_so(lang: str, text: str) -> None:
    answer = _client(PublishedRecord()).get(f"/?lang={lang}")
    assert answer.status_code == 200
    assert text in answer.text
    assert "<table" not in answer.text
    _read(answer.text)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (PublishedRecord(None, (crimes_clock(),)), "No monthly counts can be relied on"),
        (PublishedRecord(None, (crimes_monthly(),)), "No hourly counts can be relied on"),
        (PublishedRecord(forecast(), ()), "12-month forecast"),
        (
            PublishedRecord(
                forecast().model_copy(update={"forecast": forecast().forecast.model_copy(update={"series": ()})}),
                (crimes_clock(),),
            ),
            "no series for this choice",
        ),
    ],
)
def test_a_page_with_a_part_missing_says_which(record: PublishedRecord, said: str) -> None:
    answer = _client(record).get("/?lang=en")
    _read(answer.text)
    assert said in _words(answer.text)


def test_the_page_asks_for_public_releases_only() -> None:
    record = everything()
    _client(record).get("/")
    assert record.asked == [None]


def test_a_withdrawal_shows_at_once_although_pages_are_kept() -> None:
    record = PublishedRecord(forecast(), (crimes_monthly(),))
    client = _client(record)
    assert client.get("/?lang=en").text == client.get("/?lang=en").text
    record.published = (withdrawn(crimes_monthly()),)
    assert "Withdrawn" in client.get("/?lang=en").text
    record.published = (withdrawn(crimes_monthly(), replaced_by="rel-newer"),)
    assert "Superseded" in client.get("/?lang=en").text
    record.forecast = forecast(flagged=("rel-crimes-monthly",))
    assert 'role="alert"' in client.get("/?lang=en").text
    record.forecast, record.published = None, ()
    assert "Nothing is published yet" in client.get("/?lang=en").text


def test_text_from_a_release_is_shown_and_never_run() -> None:
    record = PublishedRecord(None, (withdrawn(crimes_clock(), "<script>alert(1)</script>"),))
    html = _client(record).get("/").text
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_the_page_travels_under_a_strict_policy() -> None:
    headers = _client(PublishedRecord()).get("/").headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["vary"] == "Accept-Language, Cookie"


def test_a_chosen_language_is_remembered() -> None:
    client = _client(PublishedRecord())
    chosen = client.get("/?lang=en")
    assert "HttpOnly" in chosen.headers["set-cookie"]
    assert "SameSite=lax" in chosen.headers["set-cookie"]
    assert "Secure" not in chosen.headers["set-cookie"]
    assert '<html lang="en">' in client.get("/").text


def test_over_tls_the_language_cookie_stays_there() -> None:
    chosen = _client(PublishedRecord(), base_url="https://testserver").get("/?lang=th")
    assert "Secure" in chosen.headers["set-cookie"]


@pytest.mark.parametrize("query", ["", "?lang=de", "?group=G4&province=99&utm_source=x"])
def test_a_wrong_or_missing_choice_is_the_default_and_nothing_is_remembered(query: str) -> None:
    answer = _client(everything()).get(f"/{query}")
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert "ทุกกลุ่ม · ทั้งประเทศ" in answer.text


def test_the_browser_language_counts_where_nothing_was_chosen() -> None:
    answer = _client(PublishedRecord()).get("/", headers={"accept-language": "en-GB,en;q=0.9"})
    assert '<html lang="en">' in answer.text


def test_a_choice_stays_chosen_in_the_form_and_across_languages() -> None:
    html = _client(everything()).get("/?group=G2&province=50").text
    assert '<option value="G2" selected>' in html
    assert '<option value="50" selected>เชียงใหม่' in html
    assert 'href="?lang=en&amp;group=G2&amp;province=50"' in html
    assert "ทรัพย์ · เชียงใหม่" in html


def test_a_code_that_its_list_does_not_know_stands_for_itself() -> None:
    made = release("tpo-monthly", {"month": ("2026-10",), "case_type": ("BRAND_NEW",)}, {"count": lambda key: 50})
    assert "BRAND_NEW" in _client(PublishedRecord(None, (made,))).get("/").text


def test_enforcement_cannot_be_chosen() -> None:
    assert choice_of("G4", "10").group == "all"


def test_the_forecast_downloads_as_csv_with_iso_months() -> None:
    answer = _client(everything()).get("/forecast.csv")
    lines = list(csv.DictReader(StringIO(answer.text)))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="saphan-forecast.csv"' in answer.headers["content-disposition"]
    assert len(lines) == 77 * 4 * 12
    assert {line["month"] for line in lines} >= {"2026-11", "2027-10"}
    assert (lines[0]["province"], lines[0]["province_th"], lines[0]["province_en"]) == ("10", "กรุงเทพมหานคร", "Bangkok")
    assert {(line["offence_group"], line["counts"]) for line in lines} == {
        *((group, "victimisation") for group in ("G1", "G2", "G3")),
        ("G4", "enforcement"),
    }
    assert {line["cites_withdrawn_release"] for line in lines} == {"no"}


def test_a_flagged_forecast_says_so_on_every_line_of_the_csv() -> None:
    text = _client(PublishedRecord(forecast(flagged=("rel-bad-0001",)))).get("/forecast.csv").text
    assert {line["cites_withdrawn_release"] for line in csv.DictReader(StringIO(text))} == {"yes"}


def test_without_a_forecast_the_csv_has_only_its_header() -> None:
    assert _client(PublishedRecord()).get("/forecast.csv").text.count("\n") == 1


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("app.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
        ("vendor/anuphan/anuphan-thai-wght-normal.woff2", "font/woff2"),
    ],
)
def test_the_page_brings_its_own_files(path: str, kind: str) -> None:
    answer = _client(PublishedRecord()).get(f"/static/{path}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["nothing.css", "../home.py", "%2e%2e/home.py", "..%2f..%2fmain.py", ""])
def test_no_other_file_is_served(path: str) -> None:
    assert _client(PublishedRecord()).get(f"/static/{path}").status_code == 404
