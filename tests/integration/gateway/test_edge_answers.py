"""What every answer carries, what a page may load, and what stands in an address."""

import asyncio
import logging
import re
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from gateway.api.application import Application
from gateway.api.errors import register_handlers
from gateway.edges.headers import PAGE, SCRIPTED_PAGE
from tests.api_world import ApiWorld

pytestmark = pytest.mark.integration

TEMPLATES = Path(__file__).parents[3] / "gateway"
FIELDS = {"x-content-type-options": "nosniff", "cross-origin-resource-policy": "same-origin"}
OF_PAGES = {"referrer-policy": "no-referrer", "cross-origin-opener-policy": "same-origin"}
INLINE = re.compile(
    r"<style|\sstyle\s*=|\son[a-z]+\s*=|javascript:|<script(?![^>]*(?:\ssrc=|application/ld\+json))", re.IGNORECASE
)
IMPERSONAL = {
    *("after", "agency", "agreement_id", "analysis_id", "as_of", "breach_id", "dataset", "digest", "forecast_id"),
    *("form", "format", "kind", "limit", "name", "owner", "place", "plan_id", "province", "reference", "release_id"),
    *("request_id", "task_id", "to", "wait"),
}
"""Names of agencies, documents, pages of lists and code lists; nothing that tells of a person who is in the data."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> ApiWorld:
    return ApiWorld(tmp_path_factory.mktemp("answers") / "home")


@pytest.mark.parametrize(
    "path", ["/health/live", "/", "/docs", "/openapi.json", "/static/app.css", "/v1/budget", "/no"]
)
def test_every_answer_is_safe_to_show(world: ApiWorld, path: str) -> None:
    answer = world.http.get(path)
    assert {name: answer.headers.get(name) for name in FIELDS} == FIELDS
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert all(each in policy for each in ("base-uri 'none'", "frame-ancestors 'none'"))
    assert "unsafe" not in policy
    assert len(answer.headers.get_list("x-content-type-options")) == 1


@pytest.mark.parametrize("path", ["/", "/catalogue.html", "/docs"])
def test_a_page_tells_other_pages_nothing_and_uses_no_device(world: ApiWorld, path: str) -> None:
    headers = world.http.get(path).headers
    assert {name: headers.get(name) for name in OF_PAGES} == OF_PAGES
    assert "camera=()" in headers["permissions-policy"]


def test_the_public_page_runs_no_script_and_what_is_no_page_loads_nothing(world: ApiWorld) -> None:
    assert world.http.get("/").headers["content-security-policy"] == PAGE
    assert world.http.get("/catalogue.html").headers["content-security-policy"] == PAGE
    assert "-src 'self'" not in world.http.get("/openapi.json").headers["content-security-policy"]
    assert world.http.get("/docs").headers["content-security-policy"].startswith("default-src 'none';")


def test_page_policies_name_this_origin_and_no_other() -> None:
    for policy in (PAGE, SCRIPTED_PAGE):
        sources = {word for part in policy.split("; ") for word in part.split()[1:]}
        assert sources == {"'none'", "'self'"}


def test_no_template_has_a_style_or_a_script_of_its_own() -> None:
    pages = [path for kind in ("*.html", "*.j2") for path in (TEMPLATES / "web").rglob(kind)]
    assert len(pages) > 10
    found = {path.name: INLINE.findall(path.read_text("utf-8")) for path in pages}
    assert not {name: found for name, found in found.items() if found}


@pytest.mark.parametrize(
    "inline", ['<b style="x">', "<style>", '<a onclick="x">', '<a href="javascript:x">', "<script>"]
)
def test_that_search_would_find_one(inline: str) -> None:
    assert INLINE.search(f"<p>{inline}</p>")


def defective(*, binds_to_tls: bool) -> TestClient:
    """An application with a defect, as browsers reach it over TLS and without."""
    app = Application(binds_to_tls=binds_to_tls, hot=())

    @app.get("/defect")
    def defect() -> None:
        raise ZeroDivisionError

    register_handlers(app)
    return TestClient(app, raise_server_exceptions=False)


def test_the_answer_to_a_defect_is_safe_to_show_too() -> None:
    answer = defective(binds_to_tls=True).get("/defect")
    assert answer.status_code == 500
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_over_tls_browsers_are_told_to_come_by_tls_alone() -> None:
    http = defective(binds_to_tls=True)
    assert http.get("https://g.example/no").headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in http.get("http://g.example/no").headers


def test_a_gateway_on_localhost_does_not_bind_every_other_program_on_localhost() -> None:
    assert "strict-transport-security" not in defective(binds_to_tls=False).get("https://localhost/no").headers


def test_the_gateway_binds_browsers_by_the_name_that_the_federation_gave_it(world: ApiWorld) -> None:
    answer = world.http.get(f"{world.desk.door.federation.gateway}/health/live")
    assert answer.headers["strict-transport-security"].startswith("max-age=")


def test_no_address_holds_anything_of_a_person(world: ApiWorld) -> None:
    paths = world.http.get("/openapi.json").json()["paths"].values()
    places = [place for path in paths for operation in path.values() for place in operation.get("parameters", [])]
    named = {place["name"] for place in places if place["in"] in {"path", "query"}}
    assert len(named) > 10
    assert named <= IMPERSONAL


def test_who_hangs_up_in_the_middle_of_a_body_is_no_defect(world: ApiWorld, caplog: pytest.LogCaptureFixture) -> None:
    said = asyncio.run(_hang_up(world.app))
    assert said[0]["status"] == 422
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def _hang_up(app: FastAPI) -> list[MutableMapping[str, Any]]:
    events: Iterator[MutableMapping[str, Any]] = iter(
        [{"type": "http.request", "body": b"grant_type=", "more_body": True}, {"type": "http.disconnect"}]
    )
    said: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return next(events)

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message)

    head = [(b"content-type", b"application/x-www-form-urlencoded")]
    scope: MutableMapping[str, Any] = {"type": "http", "http_version": "1.1", "method": "POST", "scheme": "http"}
    place = {"path": "/v1/token", "raw_path": b"/v1/token", "query_string": b"", "headers": head, "state": {}}
    await app({**scope, **place, "root_path": "", "client": ("x", 1), "server": ("y", 1)}, receive, send)
    return said
