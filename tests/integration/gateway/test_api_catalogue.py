"""The catalogue and the letter, over HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from rdflib import Graph

from tests.api_world import ApiWorld, problem_in, running
from tests.gateway_world import AGREEMENT

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    with running(Path(tmp_path_factory.mktemp("catalogue")) / "home") as up:
        yield up


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/ld+json", "application/ld+json"),
        ("*/*", "application/ld+json"),
        ("text/turtle, application/ld+json;q=0.5", "text/turtle; charset=utf-8"),
    ],
)
def test_the_catalogue_comes_in_the_form_that_is_accepted(world: ApiWorld, accept: str, media_type: str) -> None:
    answer = world.http.get("/catalogue", headers={"accept": accept})

    assert answer.headers["content-type"] == media_type
    assert answer.headers["vary"] == "Accept"
    assert (
        world.http.get("/catalogue", headers={"accept": accept, "if-none-match": answer.headers["etag"]}).status_code
        == 304
    )


def test_a_browser_is_sent_to_the_page(world: ApiWorld) -> None:
    answer = world.http.get("/catalogue", headers={"accept": "text/html,*/*;q=0.8", "accept-language": "en"})

    assert answer.url.path == "/catalogue.html"
    assert "Catalogue of datasets" in answer.text
    assert "Online complaints" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_every_form_is_served_and_unknown_ones_are_refused(world: ApiWorld) -> None:
    dcat = world.http.get("/catalogue.jsonld").json()
    assert [each["dct:identifier"] for each in dcat["dcat:dataset"]] == ["ccib/tpo_complaint"]
    assert Graph().parse(data=world.http.get("/catalogue.ttl").text, format="turtle")
    assert world.http.get("/catalogue.schema-org.jsonld").json()["@type"] == "DataCatalog"
    assert world.http.get("/catalogue.gd-catalog.json").json()["success"] is True
    assert world.http.get("/catalogue.dataspace.json").json()["@type"] == "Catalog"
    assert problem_in(world.http.get("/catalogue.xml")).code == "malformed-body"


def test_names_of_datasets_and_agencies_lead_to_the_page(world: ApiWorld) -> None:
    dataset = world.http.get("/catalogue/datasets/ccib/tpo_complaint", follow_redirects=False)
    agency = world.http.get("/catalogue/agencies/ccib", follow_redirects=False)

    assert dataset.headers["location"] == "/catalogue.html#ccib-tpo_complaint"
    assert agency.headers["location"] == "/catalogue.html#ccib"


def test_the_letter_is_for_members_in_html_and_pdf(world: ApiWorld) -> None:
    oja, path = world.member(), f"/v1/agreements/{AGREEMENT.id}/letter"

    page, pdf = oja.get(path), oja.get(f"{path}?format=pdf&to=ccib")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "ขอความอนุเคราะห์ข้อมูลสถิติ" in page.text
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-")
    assert problem_in(oja.get(f"{path}?to=dop")).code == "not-a-provider"
    assert problem_in(oja.get("/v1/agreements/AGR-NONE/letter")).code == "unknown-agreement"
    assert problem_in(world.http.get(path)).code == "token-missing"


def test_an_agreement_that_was_not_concluded_is_no_agreement_of_a_dataspace(world: ApiWorld) -> None:
    answer = world.member().get(f"/v1/agreements/{AGREEMENT.id}/dataspace")

    assert answer.status_code == 200 or problem_in(answer).code == "agreement-not-concluded"
    if answer.status_code == 200:
        assert json.loads(answer.content)[0]["@type"] == "Agreement"
