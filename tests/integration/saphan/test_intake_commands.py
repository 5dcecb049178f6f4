"""The whole way of an agency without an interface: template, fill in, import, correct, refresh, answer."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from connectors.compile import compile_query, run
from connectors.home import Home
from connectors.intake.run import ImportReport
from contracts.errors import Problem
from contracts.grid import grid_of
from contracts.odcs import bundled_text, read_contract
from contracts.query import Query
from saphan.connector_commands import app
from saphan.intake_commands import PastImports, Written
from tests.intake_world import DATASET, GOOD, csv_file, row

pytestmark = pytest.mark.integration


def saphan(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = tmp_path / "agency"
    source = f"duckdb:///{place / 'import.duckdb'}"
    code, _, _ = saphan(
        *("init", "--home", place, "--agency", "ccib", "--gateway", "http://localhost:1"),
        *("--source", source, "--dataset", DATASET),
    )
    assert code == 0
    return place


def fill(template: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    """Type rows into a template, as somebody would."""
    book = openpyxl.load_workbook(template)
    sheet = book["ข้อมูล"]
    for number, each in enumerate(rows, start=3):
        for place, name in enumerate(GOOD, start=1):
            sheet.cell(number, place).value = each[name]
    filled = template.with_name("filled.xlsx")
    book.save(filled)
    return filled


def test_from_the_template_to_an_answer_over_a_corrected_file(home: Path, tmp_path: Path) -> None:
    template = tmp_path / "template.xlsx"
    assert saphan("template", DATASET, "--output", template, "--home", home)[0] == 0
    rows = [row(1), row(2, province="กทม."), row(3, province="เชียงไหม่", victim_id="P2"), row(4, victim_id="P3")]
    code, out, _ = saphan("import", fill(template, rows), "--dataset", DATASET, "--home", home, "--json")
    report = ImportReport.model_validate_json(out)
    assert (code, report.rows, report.added, report.rejected) == (0, 4, 3, 1)
    assert "เชียงไหม่" not in out

    errors = home / "imports" / str(report.errors_file)
    book = openpyxl.load_workbook(errors)
    sheet = book["ข้อมูล"]
    assert sheet.cell(2, 16).value == "5"
    assert "code-unknown" in str(sheet.cell(2, 17).value)
    sheet.cell(2, 5).value = "เชียงใหม่"
    book.save(errors)
    code, out, _ = saphan("import", errors, "--dataset", DATASET, "--home", home, "--json")
    assert (code, ImportReport.model_validate_json(out).added) == (0, 1)

    assert saphan("refresh", "--home", home)[0] == 0
    assert counts(home) == {"50": 3, "10": 1}


def counts(home: Path) -> dict[str, int]:
    """Complaints by province, as a connector computes them for an answer."""
    contract = read_contract(bundled_text(DATASET))
    query = Query.model_validate(
        {"measures": ("count",), "dimensions": ("province",), "period": {"from": "2024-10-01", "until": "2025-10-01"}}
    )
    grid = grid_of(query, contract)
    cells = run(Home(home).snapshot, compile_query(query, contract, grid), query, grid)["count"]
    return {code: cell for code, cell in zip(grid.axes[0].values, cells, strict=True) if cell}


def test_the_journal_of_imports_holds_counts_and_no_name(home: Path, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "นายสมชาย.csv", [row(1), row(2, victim_sex="?")])
    code, out, err = saphan("import", path, "--dataset", DATASET, "--home", home)
    assert code == 0
    assert "2 rows: 1 accepted (1 new, 0 replaced, 0 unchanged), 1 rejected" in out
    assert "victim_sex  code-unknown" in out
    assert "imports/tpo_complaint-" in err
    code, out, _ = saphan("imports", "--home", home, "--json")
    (entry,) = PastImports.model_validate_json(out).imports
    assert (entry.number, entry.rows, entry.added, entry.rejected) == (1, 2, 1, 1)
    assert "สมชาย" not in out
    assert "1 new" in saphan("imports", "--home", home)[1]


def test_strict_import_ends_with_its_code_in_both_languages(home: Path, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "in.csv", [row(1), row(2, victim_sex="?")])
    code, out, err = saphan("import", path, "--dataset", DATASET, "--home", home, "--strict", "--json")
    assert code == 2
    assert Problem.model_validate_json(out.splitlines()[-1]).number == 1195
    assert "Nothing was imported" in err
    assert "จึงไม่ได้นำเข้า" in err
    assert saphan("imports", "--home", home)[1].strip() == ""


def test_rows_are_not_imported_beside_another_source(tmp_path: Path) -> None:
    place = tmp_path / "agency"
    saphan(
        *("init", "--home", place, "--agency", "ccib", "--gateway", "http://localhost:1"),
        *("--source", f"sqlite:///{tmp_path / 'cases.db'}", "--dataset", DATASET),
    )
    path = csv_file(tmp_path / "in.csv", [row(1)])
    code, _, err = saphan("import", path, "--dataset", DATASET, "--home", place)
    assert code == 2
    assert "import-not-source (1185)" in err
    assert not (place / "import.duckdb").exists()


def test_a_template_needs_no_home_and_knows_two_kinds_of_files(tmp_path: Path) -> None:
    code, out, _ = saphan("template", "dop_case", "-o", tmp_path / "t.csv", "--home", tmp_path, "--json")
    assert code == 0
    assert Written.model_validate_json(out).files == ("t.csv", "t.txt")
    assert (tmp_path / "t.csv").read_text(encoding="utf-8-sig").startswith("เลขคดีคุมประพฤติ,")
    assert saphan("template", "dop_case", "-o", tmp_path / "t.pdf", "--home", tmp_path)[0] == 2
    assert saphan("template", "no_such", "-o", tmp_path / "t.csv", "--home", tmp_path)[0] == 2
