"""The section of warnings on the public page."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from contracts.dataset import Text
from gateway.web.area_warnings import MOST_SHOWN, area_warnings
from gateway.web.home import home_router
from tests.web.sample import PublishedRecord, everything, warnings

pytestmark = pytest.mark.unit


def page(record: PublishedRecord, lang: str = "en") -> str:
    app = FastAPI()
    app.include_router(home_router(record, synthetic=True))
    return TestClient(app).get("/", params={"lang": lang}).text


def with_warnings(count: int = 2, flagged: tuple[str, ...] = ()) -> PublishedRecord:
    record = everything()
    record.warnings = warnings(count, flagged)
    return record


def test_without_published_warnings_there_is_no_section() -> None:
    assert area_warnings(None) is None
    assert 'id="warnings"' not in page(everything())


def test_the_newest_warnings_are_told_in_the_readers_language_with_what_they_do_not_say() -> None:
    english, thai = page(with_warnings()), page(with_warnings(), "th")

    assert "Area 1 is above expectation." in english
    assert "พื้นที่ที่ 1 สูงกว่าที่คาด" in thai
    assert "It does not say why." in english
    assert "These warnings cite withdrawn data." not in english
    assert "The limits are wrong at most once a year." in english
    assert "/v1/analyses/warnings-2026-10/tables/warnings.csv" in english


def test_everybody_is_told_whom_to_call() -> None:
    shown = page(with_warnings(0))

    assert all(number in shown for number in ("191", "1441", "1599"))


def test_of_many_warnings_the_first_stand_on_the_page_and_the_rest_are_counted() -> None:
    shown = area_warnings(warnings(MOST_SHOWN + 3))

    assert shown is not None
    assert (len(shown.shown), shown.others, len(shown.notes)) == (MOST_SHOWN, 3, 1)
    assert "3 more stand in the table." in page(with_warnings(MOST_SHOWN + 3))


def test_no_warning_is_told_as_such() -> None:
    shown = area_warnings(warnings(0))

    assert shown is not None
    assert shown.shown == ()
    assert shown.notes == (Text(th="เกณฑ์ผิดพลาดไม่เกินปีละครั้ง", en="The limits are wrong at most once a year."),)


def test_warnings_from_a_withdrawn_release_say_so() -> None:
    assert "These warnings cite withdrawn data." in page(with_warnings(flagged=("rel-crimes-monthly",)))


def test_a_page_is_made_anew_when_warnings_are_published_or_flagged() -> None:
    record = everything()
    app = FastAPI()
    app.include_router(home_router(record, synthetic=True))
    client = TestClient(app)

    pages = []
    for published in (None, warnings(0), warnings(0, ("rel-crimes-monthly",))):
        record.warnings = published
        pages.append(client.get("/", params={"lang": "en"}).text)

    assert len(set(pages)) == len(pages)
