"""Every threat names its control and its tests, and they exist; ``test_pdpa_map.py`` sees to every other name."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.architecture

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/explanation/threat-model.md"
HEAD = ["who", "tries", "held off by", "where", "test"]
CONTROL = re.compile(
    r"`((?:contracts|policies|privacy|keys|transport|trust|forecasting|connectors|gateway|saphan|deploy)/[\w./-]+?)/?`"
)
TEST = re.compile(r"`(tests/[\w./-]+\.py)::(test_\w+)`")
MOST_ROWS_OF_ONE_TEST = 5


def rows() -> list[list[str]]:
    """The cells of every table of threats, without the heads."""
    found, inside = [], False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")] if line.startswith("|") else []
        if cells == HEAD:
            inside = True
        elif not cells:
            inside = False
        elif inside and not line.startswith("|---"):
            found.append(cells)
    return found


def test_every_row_names_who_what_control_place_and_tests() -> None:
    assert len(rows()) >= 50
    for row in rows():
        assert len(row) == len(HEAD), row[:2]
        assert all(row), row[:2]
        assert CONTROL.search(row[3]) or "`./run" in row[3], row[:2]
        assert TEST.search(row[4]), row[:2]


def test_every_control_and_every_test_of_a_row_exists() -> None:
    for row in rows():
        for place in CONTROL.findall(row[3]):
            assert (ROOT / place).exists(), place
        for file, test in TEST.findall(row[4]):
            text = (ROOT / file).read_text(encoding="utf-8")
            assert re.search(rf"^(?:async )?def {test}\(", text, re.MULTILINE), f"{file}::{test}"


def test_no_row_stands_twice_and_no_test_is_named_for_everything() -> None:
    threats = [(row[0], row[1]) for row in rows()]
    assert len(set(threats)) == len(threats)
    named = [each for row in rows() for each in set(TEST.findall(row[4]))]
    assert max(named.count(each) for each in named) <= MOST_ROWS_OF_ONE_TEST


def test_the_page_says_what_is_protected_where_the_boundaries_are_and_what_is_not_covered() -> None:
    heads = re.findall(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    for head in ("Assets", "Boundaries", "Attacks on the exchange", "Attacks on the statistics", "Not covered yet"):
        assert head in heads
