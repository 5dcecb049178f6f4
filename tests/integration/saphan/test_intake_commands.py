"""The whole way of an agency without an interface: template, fill in, import, correct, refresh, answer."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from connectors.compile import compile_query, run
from connectors.home import Home
from connectors.intake.run import ImportReport
from connectors.intake.store import prune_imported
from connectors.retention import retain
from contracts.errors import InvalidInput, Problem
from contracts.grid import grid_of
from contracts.keys import new_key
from contracts.odcs import bundled_text, read_contract
from contracts.query import Query
from contracts.retention import RetentionRule
from saphan.connector_commands import Refreshed, Snapshots, app
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
    rows = [
        row(1),
        row(2, province="กทม.", case_type="JOB"),
        row(3, province="เชียงไหม่", victim_id="P2"),
        row(4, victim_id="P3"),
    ]
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


def test_a_home_that_imported_nothing_says_so(home: Path) -> None:
    code, out, _ = saphan("imports", "--home", home)
    assert (code, out) == (0, "ยังไม่มีการนำเข้า · nothing was imported yet\n")
    assert saphan("imports", "--home", home, "--json")[1] == '{"imports":[]}\n'


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
    assert "nothing was imported yet" in saphan("imports", "--home", home)[1]


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


def key(home: Path, given: str, *more: str) -> tuple[int, str, str]:
    arguments = ["object", "--dataset", DATASET, "--home", str(home), "--json", *more]
    result = CliRunner().invoke(app, arguments, input=f"{given}\n")
    return result.exit_code, result.stdout, result.stderr


def refreshed(home: Path) -> Refreshed:
    code, out, err = saphan("refresh", "--home", home, "--json")
    assert code == 0, err
    return Snapshots.model_validate_json(out).datasets[0]


def test_who_objects_in_another_spelling_is_left_out_of_imported_rows(home: Path, tmp_path: Path) -> None:
    rows = [row(1), row(2, case_type="JOB"), row(3, victim_id="2-1007-01234-56-8")]
    assert saphan("import", csv_file(tmp_path / "in.csv", rows), "--dataset", DATASET, "--home", home)[0] == 0
    assert refreshed(home).kept_rows == 3
    assert key(home, "๑ ๑๐๐๗–๐๑๒๓๔ ๕๖ ๗")[0] == 0
    after = refreshed(home)
    assert (after.kept_rows, after.unmatched_objections) == (1, 0)
    assert key(home, "1100701234567", "--lift")[0] == 0
    assert refreshed(home).kept_rows == 3


def test_a_key_that_matches_nobody_is_counted_at_the_refresh(home: Path, tmp_path: Path) -> None:
    assert key(home, "3100701234567")[0] == 0
    assert key(home, "-")[0] == 2
    assert saphan("import", csv_file(tmp_path / "in.csv", [row(1)]), "--dataset", DATASET, "--home", home)[0] == 0
    found = refreshed(home)
    assert (found.kept_rows, found.unmatched_objections) == (1, 1)
    assert "1 keys of people to leave out match nobody" in saphan("refresh", "--home", home)[1]


def test_a_secret_that_was_lost_and_made_anew_is_refused(home: Path, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "in.csv", [row(1)])
    assert saphan("import", path, "--dataset", DATASET, "--home", home)[0] == 0
    secret = home / "import-people.secret"
    kept, before = secret.read_bytes(), (home / "import.duckdb").read_bytes()
    secret.unlink()
    assert "import-people-secret (1138)" in saphan("import", path, "--dataset", DATASET, "--home", home)[2]
    assert "import-people-secret (1138)" in key(home, "1100701234567")[2]
    assert (home / "import.duckdb").read_bytes() == before
    secret.write_bytes(kept)
    assert saphan("import", path, "--dataset", DATASET, "--home", home)[0] == 0


def test_imported_rows_past_a_day_are_deleted_and_told_by_digest(home: Path, tmp_path: Path) -> None:
    place, contract = Home(home), read_contract(bundled_text(DATASET))
    assert prune_imported(place, contract, date(2030, 1, 1)) == ()
    old = row(2, reported_at="24/2/2568")
    assert saphan("import", csv_file(tmp_path / "in.csv", [row(1), old]), "--dataset", DATASET, "--home", home)[0] == 0
    due = prune_imported(place, contract, date(2025, 2, 25), dry_run=True)
    assert len(due) == 1
    assert refreshed(home).rows == 2
    assert prune_imported(place, contract, date(2025, 2, 25)) == due
    assert prune_imported(place, contract, date(2025, 2, 25)) == ()
    assert refreshed(home).rows == 1
    (home / "import.duckdb").write_bytes(b"no database" * 1000)
    with pytest.raises(InvalidInput, match="import-store-damaged"):
        prune_imported(place, contract, date(2025, 2, 25))


def test_retention_certifies_the_imported_rows_that_it_deletes(home: Path, tmp_path: Path) -> None:
    place, contract = Home(home), read_contract(bundled_text(DATASET))
    assert saphan("import", csv_file(tmp_path / "in.csv", [row(1)]), "--dataset", DATASET, "--home", home)[0] == 0
    key = new_key("ccib#connector-1")

    issued = retain(place, [contract], key, datetime(2046, 1, 1, tzinfo=UTC))

    outcomes = {each.rule: each for each in issued.certificate.outcomes}
    assert outcomes[RetentionRule.IMPORTED_ROWS].count == 1
    assert outcomes[RetentionRule.IMPORTED_ROWS].left == 0
    again = retain(place, [contract], key, datetime(2046, 1, 2, tzinfo=UTC))
    assert {each.count for each in again.certificate.outcomes} == {0}
