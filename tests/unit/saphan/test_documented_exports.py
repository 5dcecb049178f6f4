"""Every export of a release that the documents show is of a form that the command writes."""

import re
from pathlib import Path

import pytest

from gateway.released_table import WRITERS

pytestmark = pytest.mark.unit

DOCS = Path(__file__).parents[3] / "docs"
EXPORT = re.compile(r"saphan release export\b(?: (\S+) ([^\s`]+))?")


def test_every_documented_export_names_a_file_of_a_form_that_can_be_written() -> None:
    shown = [
        (page.name, file)
        for page in sorted(DOCS.rglob("*.md"))
        for _, file in EXPORT.findall(page.read_text(encoding="utf-8"))
    ]
    assert shown
    assert [each for each in shown if each[1] != "FILE" and Path(each[1]).suffix not in WRITERS] == []
