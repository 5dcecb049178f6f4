"""House rules about the code itself."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from contracts.error_catalogue import CATALOGUE
from contracts.errors import FAMILIES

pytestmark = pytest.mark.architecture

ROOT = Path(__file__).parents[2]
PACKAGES = (
    *("contracts", "policies", "privacy", "keys", "transport", "trust"),
    *("forecasting", "connectors", "gateway", "saphan"),
)
FOLDERS = (*PACKAGES, "benchmarks", "tests")
CEILING = 400
FORBIDDEN_NAMES = {"utils", "util", "core", "common", "helpers", "base", "manager", "misc"}
KINDS = {"unit", "property", "integration", "e2e", "architecture", "web"}
FIRST_DIGITS = {"invalid-input": {11, 15}, "refused": {12, 16}, "unavailable": {13}, "integrity": {14}}


def modules() -> Iterator[Path]:
    """Every Python file of the project."""
    return (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))


def tracked() -> list[Path]:
    """Every file under version control."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    return [ROOT / name for name in names.decode().split("\0") if name]


def imported() -> set[str]:
    """Every package that the product imports, also at its first use by ``import_module``."""
    found = set()
    for node in (each for folder in PACKAGES for path in (ROOT / folder).rglob("*.py") for each in nodes(path)):
        match node:
            case ast.Import(names=names):
                found |= {each.name.partition(".")[0] for each in names}
            case ast.ImportFrom(module=str(module)):
                found.add(module.partition(".")[0])
            case ast.Call(func=ast.Name("import_module"), args=[ast.Constant(str(module)), *_]):
                found.add(module.partition(".")[0])
    return found


def nodes(path: Path) -> Iterator[ast.AST]:
    """Everything that a module says."""
    return ast.walk(ast.parse(path.read_text()))


def test_no_module_is_longer_than_the_ceiling() -> None:
    long = {str(path.relative_to(ROOT)) for path in modules() if len(path.read_text().splitlines()) > CEILING}

    assert not long


def test_no_module_hides_behind_an_empty_name() -> None:
    vague = {str(p.relative_to(ROOT)) for p in modules() if {p.stem, p.parent.name} & FORBIDDEN_NAMES}

    assert not vague


def test_a_package_s_init_holds_its_docstring_and_nothing_else() -> None:
    full = []
    for path in modules():
        if path.name == "__init__.py" and "tests" not in path.relative_to(ROOT).parts[:1]:
            tree = ast.parse(path.read_text())
            if len(tree.body) != 1 or ast.get_docstring(tree) is None:
                full.append(str(path.relative_to(ROOT)))

    assert not full


def test_every_test_lives_in_a_known_kind_and_says_so() -> None:
    for path in (ROOT / "tests").rglob("test_*.py"):
        kind = path.relative_to(ROOT / "tests").parts[0]

        assert kind in KINDS, path
        if kind != "web":
            assert re.search(rf"pytest\.mark\.{kind}\b", path.read_text()), path


def test_error_numbers_are_unique_and_in_their_family() -> None:
    numbers = [entry.number for entry in CATALOGUE.values()]

    assert len(numbers) == len(set(numbers))
    for code, entry in CATALOGUE.items():
        assert entry.family in FAMILIES, code
        assert entry.number // 100 in FIRST_DIGITS[entry.family], code


def test_every_error_speaks_both_languages() -> None:
    thai = re.compile(r"[\u0e00-\u0e7f]")
    for code, entry in CATALOGUE.items():
        assert thai.search(entry.th), code
        assert thai.search(entry.advice_th), code
        assert not thai.search(entry.en + entry.advice_en), code


def test_every_error_code_that_the_code_raises_is_in_the_catalogue() -> None:
    raised = re.compile(r"(?:Refused|InvalidInput|Unavailable|IntegrityError|from_code)\(\s*\"([a-z-]+)\"")
    used = {
        code
        for path in modules()
        if "tests" not in path.relative_to(ROOT).parts[:1]
        for code in raised.findall(path.read_text())
    }

    assert used <= set(CATALOGUE)


def test_every_error_has_its_section_in_the_reference() -> None:
    text = (ROOT / "docs/reference/errors.md").read_text(encoding="utf-8")
    for code, entry in CATALOGUE.items():
        assert f"## {entry.number} `{code}`" in text, code
        assert entry.th in text, code


def test_documentation_links_resolve() -> None:
    link = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
    for page in (*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")):
        for target in link.findall(page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} -> {target}"


def test_no_tracked_file_names_this_machine_or_a_package_host() -> None:
    words = re.compile(
        rb"files\.pythonhosted|pypi\.org/simple|registry\.npmjs|deb\.debian\.org|(?<![\w./-])/(?:work|farm)/"
    )
    own = Path(__file__)
    named = [str(p.relative_to(ROOT)) for p in tracked() if p != own and p.is_file() and words.search(p.read_bytes())]

    assert not named


def test_the_lock_names_no_host_and_hashes_everything() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pinned = re.findall(r"^[A-Za-z0-9_.\[\]-]+==\S+", lock, flags=re.MULTILINE)

    assert "://" not in lock
    assert lock.count("--hash=sha256:") >= len(pinned) > 50


def test_every_distribution_that_the_product_asks_for_is_imported_by_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {re.split(r"[^\w.-]", each)[0].lower().replace("_", "-") for each in project["dependencies"]}
    known = packages_distributions()
    used = {name.lower().replace("_", "-") for package in imported() for name in known.get(package, ())}

    assert asked <= used


def test_nobody_looks_at_the_clock_or_the_environment_but_the_ways_in() -> None:
    """ruff bans both; a noqa for them may stand only in main and settings modules and at the command line."""
    for path in modules():
        silenced = re.findall(r"noqa: .*TID251", path.read_text())
        folder = path.relative_to(ROOT).parts[0]
        if silenced and folder not in {"tests", "benchmarks"}:
            assert path.stem in {"main", "settings", "client", "__main__"} or folder == "saphan", path
