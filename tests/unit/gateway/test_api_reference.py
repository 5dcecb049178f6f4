"""The page about the interface says what the interface does."""

from pathlib import Path

import pytest
from fastapi import FastAPI

from gateway.api.description import describe
from gateway.api.reference import page
from gateway.api.routes import add_routes

pytestmark = pytest.mark.unit
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "api.md"


def test_the_page_is_what_the_description_makes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_operation_stands_on_the_page_with_its_words() -> None:
    app = FastAPI()
    add_routes(app)
    paths = describe(app)["paths"]

    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert len(rows) == sum(len(methods) for methods in paths.values())
    assert all(line.split("|")[2].strip() for line in rows)


def test_the_description_names_the_headers_for_repeating() -> None:
    app = FastAPI()
    add_routes(app)
    paths = describe(app)["paths"]

    def headers(path: str, method: str) -> set[str]:
        return {each["name"] for each in paths[path][method].get("parameters", []) if each["in"] == "header"}

    assert "If-None-Match" in headers("/v1/releases", "get")
    assert "Idempotency-Key" in headers("/v1/requests", "post")
    assert "Idempotency-Key" not in headers("/v1/token", "post")
