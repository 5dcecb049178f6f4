"""The pages that map a promise or a section of law to code name only files and tests that exist."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.architecture

ROOT = Path(__file__).parents[2]
EXPLANATION = ROOT / "docs/explanation"
COLUMNS = ["section · มาตรา", "asks", "rule in Saphan", "file", "test", "certainty"]
FOLDERS = "contracts|policies|privacy|forecasting|connectors|gateway|saphan|benchmarks|tests|docs"
NAMED = re.compile(rf"`((?:{FOLDERS})/[\w./-]+?)/?(?:::(\w+))?`")
SECTIONS = (
    "4 (2)",
    "19",
    "21",
    "22",
    "23",
    "24",
    "26",
    "27",
    "30",
    "31",
    "32",
    "33",
    "35",
    "37 (1)",
    "37 (2)",
    "37 (3)",
)
MORE_SECTIONS = ("37 (4)", "39", "40", "41", "OIA 2540, 24")


def rows() -> list[list[str]]:
    """The cells of the map of the Act, without its head."""
    lines = (EXPLANATION / "pdpa.md").read_text(encoding="utf-8").splitlines()
    start = lines.index(f"| {' | '.join(COLUMNS)} |") + 2
    found = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found


def missing(text: str) -> list[str]:
    """Every file or test function that a text names and that does not exist."""
    absent = []
    for path, test in NAMED.findall(text):
        file = ROOT / path
        if not file.exists() or (test and not re.search(rf"^(?:async )?def {test}\(", file.read_text(), re.MULTILINE)):
            absent.append(f"{path}::{test}" if test else path)
    return absent


@pytest.mark.parametrize("page", sorted(EXPLANATION.glob("*.md")), ids=lambda page: page.stem)
def test_every_file_and_test_that_a_page_names_exists(page: Path) -> None:
    assert not missing(page.read_text(encoding="utf-8"))


def test_every_section_has_its_words_a_rule_a_file_a_test_and_how_sure_it_is() -> None:
    for row in rows():
        assert len(row) == len(COLUMNS), row[0]
        assert all(row), row[0]
        section, _, _, files, tests, certainty = row
        assert re.search(r"[ก-๛]", section), section
        assert re.search(r"[A-Za-z]", section), section
        assert NAMED.search(files), section
        assert all(path.startswith("tests/") and test for path, test in NAMED.findall(tests)), section
        assert NAMED.search(tests), section
        assert "seen" in certainty or "counsel" in certainty, section


@pytest.mark.parametrize("section", [*SECTIONS, *MORE_SECTIONS])
def test_no_section_that_concerns_the_system_is_left_out(section: str) -> None:
    assert any(re.search(rf"(?<![\d(]){re.escape(section)}(?![\d])", row[0]) for row in rows())


def test_what_does_not_exist_is_found() -> None:
    named = (
        "`privacy/plan.py` `privacy/nowhere.py` `tests/architecture/test_pdpa_map.py::test_nothing_of_the_kind` "
        "`tests/architecture/test_pdpa_map.py::test_what_does_not_exist_is_found` `./run mutate`"
    )

    assert missing(named) == ["privacy/nowhere.py", "tests/architecture/test_pdpa_map.py::test_nothing_of_the_kind"]
