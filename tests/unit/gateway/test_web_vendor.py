"""Vendored files are as they came, each with its licence."""

import hashlib
import tomllib
from pathlib import Path

import pytest

from gateway.web.home import STATIC

pytestmark = pytest.mark.unit
VENDOR = STATIC / "vendor"
LISTED = tomllib.loads((VENDOR / "VENDOR.toml").read_text("utf-8"))


def _files(folder: Path) -> set[str]:
    return {path.relative_to(VENDOR).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["anuphan", "th-provinces"])
def test_every_vendored_file_is_listed_with_its_digest(name: str) -> None:
    digests = LISTED[name]["sha256"]
    assert set(digests) == _files(VENDOR / name)
    for path, digest in digests.items():
        assert hashlib.sha256((VENDOR / path).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("name", ["anuphan", "th-provinces"])
def test_every_vendored_work_carries_its_licence(name: str) -> None:
    assert LISTED[name]["licence_file"] in _files(VENDOR / name)
    assert LISTED[name]["version"]


def test_the_style_sheet_loads_nothing_from_elsewhere() -> None:
    sheet = (STATIC / "app.css").read_text("utf-8")
    assert "//" not in sheet
    assert "@import" not in sheet
