"""One browser and one served page for the whole suite."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.web.pages import CHROMIUM, browsing, serving
from tests.web.sample import PublishedRecord, everything


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{CHROMIUM} is missing: apt-get install chromium")
        pytest.skip(f"{CHROMIUM} is missing: apt-get install chromium")
    with browsing() as found:
        yield found


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    with serving(everything()) as url:
        yield url


@pytest.fixture(scope="session")
def empty_address() -> Iterator[str]:
    with serving(PublishedRecord(), synthetic=False) as url:
        yield url
