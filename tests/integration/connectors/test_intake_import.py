"""Importing files of agencies without an interface: what is taken, what is listed, what is refused, what survives."""

import csv
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import openpyxl
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # ships no types
import pytest

from connectors.home import Home
from connectors.intake.run import Stage, Wanted, import_file
from connectors.intake.store import FILE, imports
from contracts.errors import InvalidInput
from tests.intake_world import (
    DATASET,
    GOOD,
    NOW,
    TITLES,
    broken,
    csv_file,
    home_in,
    imported,
    listed,
    quiet,
    row,
    stored,
    wall,
    xlsx_file,
)

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[3]


def refusal(home: Home, path: Path, **how: object) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        imported(home, path, **how)
    return caught.value


def test_a_pilot_agency_s_file_with_thai_dates_digits_and_names_imports(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    report = imported(home, csv_file(tmp_path / "in.csv", [GOOD]))
    assert (report.rows, report.added, report.encoding) == (1, 1, "utf-8")
    ((*cells, mark),) = stored(home)
    assert mark == 1
    assert cells[0] == "T-001/2568"
    assert cells[2:] == [
        *(wall(2025, 2, 25, 9, 30), wall(2025, 2, 24), "50", "สภ.เมืองเชียงใหม่", "AOC", "SHOP", "FACEBOOK"),
        *(35, "F", 12345.5, False, "COMPLAINT", None),
    ]


def test_no_person_s_number_is_stored_and_a_home_s_files_are_closed(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    imported(home, csv_file(tmp_path / "in.csv", [GOOD, row(2, victim_id="1100701234567"), row(3, victim_age="x")]))
    people = stored(home, "victim_id")
    assert len(set(people)) == 1
    assert b"1100701234567" not in (home.path / FILE).read_bytes()
    for path in (home.path / FILE, *(home.path / "imports").iterdir()):
        assert path.stat().st_mode & 0o777 == 0o600
    assert (home.path / "imports").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("tis-620", ","), ("cp874", ";"), ("utf-16", "\t"), ("utf-8-sig", ",")]
)
def test_a_text_file_is_read_in_the_encoding_it_has(tmp_path: Path, encoding: str, delimiter: str) -> None:
    home = home_in(tmp_path)
    report = imported(home, csv_file(tmp_path / "in.csv", [GOOD], encoding, delimiter))
    assert report.added == 1
    assert stored(home, "province, station") == [("50", "สภ.เมืองเชียงใหม่")]


def test_the_same_file_twice_changes_nothing(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    path = csv_file(tmp_path / "in.csv", [row(1), row(2), row(3, province="ดาวอังคาร")])
    first = imported(home, path)
    before = (home.path / FILE).read_bytes()
    second = imported(home, path)
    assert (first.number, second.number) == (1, None)
    assert (second.unchanged, second.rejected) == (2, 1)
    assert (home.path / FILE).read_bytes() == before
    assert first.errors_file == second.errors_file


def test_an_old_file_that_comes_again_undoes_no_correction(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    old = csv_file(tmp_path / "old.csv", [row(1, victim_age="30"), row(2)])
    imported(home, old)
    assert imported(home, csv_file(tmp_path / "new.csv", [row(1, victim_age="40")])).replaced == 1
    assert imported(home, old).unchanged == 2
    assert stored(home, "case_ref, victim_age") == [("T-00001", 40), ("T-00002", 35)]
    assert [(each.number, each.added, each.replaced) for each in imports(home.path / FILE)] == [(1, 2, 0), (2, 0, 1)]


def test_a_row_that_comes_again_replaces_only_the_columns_that_came(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    imported(home, csv_file(tmp_path / "in.csv", [row(1)]))
    few = {name: text for name, text in row(1, stage="CASE_OPEN").items() if name not in ("station", "victim_age")}
    assert imported(home, csv_file(tmp_path / "few.csv", [few])).replaced == 1
    assert stored(home, "stage, station, victim_age") == [("CASE_OPEN", "สภ.เมืองเชียงใหม่", 35)]


def test_bad_rows_are_listed_by_row_column_and_rule_and_come_back_corrected(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    rows = [row(1), row(2, reported_at="31/4/2568", province="ระอง"), row(3), row(4, damage_thb="-5", case_ref="=T-4")]
    report = imported(home, csv_file(tmp_path / "in.csv", rows))
    assert broken(report) == {
        ("reported_at", "not-a-date"): 1,
        ("province", "code-unclear"): 1,
        ("damage_thb", "too-small"): 1,
    }
    errors = listed(home, report.errors_file)
    assert [each["saphan_row"] for each in errors] == ["3", "5"]
    assert "จังหวัดของผู้เสียหาย (province): [code-unclear] อาจหมายถึง" in errors[0]["saphan_errors"]
    assert "may mean more than one" in errors[0]["saphan_errors"]
    assert errors[0][TITLES["province"]] == "ระอง"
    assert errors[1][TITLES["case_ref"]] == "'=T-4"  # no spreadsheet runs it
    assert report.errors_file is not None
    path = home.path / "imports" / report.errors_file
    text = path.read_text(encoding="utf-8-sig").replace("31/4/2568", "30/4/2568").replace("ระอง", "ระนอง")
    path.write_text(text.replace("-5", "5"), encoding="utf-8-sig")
    assert imported(home, path).added == 2
    assert stored(home, "case_ref")[0] == ("=T-4",)


def test_strict_import_takes_all_rows_or_none(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    path = csv_file(tmp_path / "in.csv", [row(1), row(2, victim_sex="?")])
    error = refusal(home, path, strict=True)
    assert (error.code, error.details["rejected"]) == ("import-rejected", "1")
    assert not (home.path / FILE).exists()
    assert len(listed(home, error.details["file"])) == 1
    assert imported(home, path).added == 1


def test_rows_outside_the_pilot_area_are_listed_and_not_imported(tmp_path: Path) -> None:
    home = home_in(tmp_path, pilot=True)
    rows = [
        *(row(1), row(2, province="ภูเก็ต"), row(3, province="กทม."), row(4, province=""), row(5, province="ระอง")),
        row(6, province="ตาก", victim_age="x"),  # outside: nothing needs to be corrected
    ]
    report = imported(home, csv_file(tmp_path / "in.csv", rows))
    assert (report.added, report.outside_pilot, report.rejected) == (2, 3, 1)
    outside = listed(home, report.outside_file)
    assert [each["saphan_row"] for each in outside] == ["3", "5", "7"]
    assert all("[outside-pilot]" in each["saphan_errors"] for each in outside)


def test_rows_that_share_a_key_are_all_rejected(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    rows = [row(1), row(2), row(1, victim_age="50"), row(3), row(4, victim_age="x")]
    report = imported(home, csv_file(tmp_path / "in.csv", rows))
    assert (report.added, report.rejected) == (2, 3)
    assert broken(report)["case_ref", "key-repeated"] == 2
    assert [each["saphan_row"] for each in listed(home, report.errors_file)] == ["2", "4", "6"]


def test_unknown_columns_are_named_and_passed_over_only_if_asked(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    path = csv_file(tmp_path / "in.csv", [{**row(1), "ชื่อผู้เสียหาย": "สมชาย", "เบอร์โทร": "0812345678"}])
    error = refusal(home, path)
    assert error.code == "import-unknown-columns"
    assert error.details["columns"] == "ชื่อผู้เสียหาย, เบอร์โทร"
    assert "สมชาย" not in str(error.problem())
    assert imported(home, path, ignore_unknown=True).added == 1


def test_a_file_without_a_heading_tells_nothing_of_its_rows(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    path = tmp_path / "in.csv"
    path.write_text("สมชาย,1100701234567\nสมหญิง,1100701234568\n", encoding="utf-8")
    error = refusal(home, path)
    assert error.code == "import-heading"
    assert "สมชาย" not in str(error.problem())
    assert "เลขรับแจ้งความ (case_ref)" in error.details["columns"]
    path.write_bytes(b"")
    assert refusal(home, path).code == "import-heading"


def test_a_heading_may_stand_below_titles_and_name_columns_in_either_way(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    titled = csv_file(tmp_path / "in.csv", [row(1)]).read_text(encoding="utf-8")
    machine = ",".join(GOOD)
    (tmp_path / "in.csv").write_text(
        f'รายงานประจำเดือน\n\n"ก\nข"\n{titled.replace("วันเวลา", "วน เวลา", 1)}', encoding="utf-8"
    )
    assert imported(home, tmp_path / "in.csv").added == 1
    (tmp_path / "two.csv").write_text(titled.replace("\r\n", f"\r\n{machine}\r\n", 1), encoding="utf-8")
    assert imported(home, tmp_path / "two.csv").rows == 1
    twice = titled.replace("เลขคดีใน CRIMES", "case_ref")
    (tmp_path / "twice.csv").write_text(twice, encoding="utf-8")
    assert refusal(home, tmp_path / "twice.csv").code == "import-heading-twice"


def test_rows_of_another_width_are_listed_with_their_right_number(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    path = csv_file(tmp_path / "in.csv", [row(1, station='a"b\nc'), row(2), row(3), row(4)])
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[3] += ",เกิน,มา"  # row 2, since the first has a line break
    lines.insert(4, "")
    lines[5] = lines[5].rsplit(",", 3)[0]
    path.write_text("\n".join(lines), encoding="utf-8")
    report = imported(home, path)
    assert (report.rows, report.added) == (4, 1)
    assert broken(report) == {(None, "row-shape"): 2, ("station", "line-break"): 1, ("stage", "missing"): 1}
    errors = {each["saphan_row"]: each["saphan_errors"] for each in listed(home, report.errors_file)}
    assert set(errors) == {"2", "3", "5"}
    assert "เกิน | มา" in errors["3"]


def test_dates_with_the_month_first_stop_the_whole_file(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    path = csv_file(tmp_path / "in.csv", [row(1, reported_at="02/03/2025"), row(2, reported_at="2/25/2025")])
    error = refusal(home, path)
    assert (error.code, error.details["column"]) == ("import-dates-unclear", "วันเวลาที่รับแจ้ง (reported_at)")
    assert not (home.path / FILE).exists()
    fine = csv_file(tmp_path / "in.csv", [row(1, reported_at="02/03/2568"), row(2, reported_at="2/25/2025")])
    assert imported(home, fine).added == 1


def test_a_missing_quotation_mark_loses_no_row_silently(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    path = csv_file(tmp_path / "in.csv", [row(each, damage_thb="5") for each in range(1, 6)])
    text = path.read_text(encoding="utf-8").replace("สภ.เมืองเชียงใหม่", '"สภ.เมืองเชียงใหม่', 1)
    path.write_text(text, encoding="utf-8")
    report = imported(home, path)
    assert (report.rows, report.added, report.rejected) == (1, 0, 1)
    assert "T-00005" in path.read_text(encoding="utf-8")
    assert "สภ.เมืองเชียงใหม่,AOC" in (home.path / "imports" / str(report.errors_file)).read_text(encoding="utf-8-sig")


def test_a_workbook_s_cells_are_read_by_what_they_are(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    lines: list[list[object]] = [list(GOOD)]
    cells = {
        "reported_at": wall(2568, 2, 25, 9, 30),
        "occurred_at": date(2025, 2, 24),
        "province": 50,
        "victim_age": 35,
    }
    lines.append(
        [{**row(1), **cells, "damage_thb": 0.1 + 0.2, "linked": True, "crimes_ref": None}[name] for name in GOOD]
    )
    lines.append([None] * 15)
    lines.append([{**row(2), "reported_at": 45713.395833333336, "victim_age": 35.5}[name] for name in GOOD])
    lines.append([*(row(3)[name] for name in GOOD), None, "เกิน"])
    lines.append([*[row(4)[name] for name in GOOD][:-1]])
    report = imported(home, xlsx_file(tmp_path / "in.xlsx", lines))
    assert (report.kind, report.rows, report.added) == ("xlsx", 4, 2)
    assert broken(report) == {("victim_age", "not-whole"): 1, (None, "row-shape"): 1}
    first = stored(home, "reported_at, occurred_at, province, victim_age, damage_thb, linked")[0]
    assert first == (wall(2025, 2, 25, 9, 30), wall(2025, 2, 24), "50", 35, 0.3, True)
    assert report.errors_file is not None
    book = openpyxl.load_workbook(home.path / "imports" / report.errors_file)
    sheet = book["ข้อมูล"]
    assert [cell.value for cell in sheet[1]][-2:] == ["saphan_row", "saphan_errors"]
    assert [sheet.cell(each, 16).value for each in (2, 3)] == ["4", "5"]
    sheet.cell(2, 10).value = "36"
    corrected = tmp_path / "corrected.xlsx"
    book.save(corrected)
    assert imported(home, corrected).added == 2


def test_a_parquet_file_is_read_by_its_types(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    table = {name: pa.array([text]) for name, text in row(1).items()}
    table |= {
        "reported_at": pa.array([wall(2025, 2, 25, 2, 30)], pa.timestamp("ns", "UTC")),
        "occurred_at": pa.array([date(2025, 2, 24)]),
        "province": pa.array(["50"]).dictionary_encode(),
        "victim_age": pa.array([35.0]),
        "damage_thb": pa.array([12.25]),
        "linked": pa.array([True]),
        "crimes_ref": pa.nulls(1, pa.float64()),
    }
    pq.write_table(pa.table(table), tmp_path / "in.parquet")
    report = imported(home, tmp_path / "in.parquet")
    assert (report.kind, report.added) == ("parquet", 1)
    assert stored(home, "reported_at, victim_age, damage_thb, linked, province, crimes_ref") == [
        (wall(2025, 2, 25, 9, 30), 35, 12.25, True, "50", None)
    ]


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("old.xls", b"\xd0\xcf\x11\xe0 old", "import-kind"),
        ("broken.parquet", b"PAR1 and no more", "import-unreadable"),
        ("broken.xlsx", b"PK\x03\x04 and no more", "import-unreadable"),
        ("latin.csv", "é,à\n".encode("latin-1"), "import-encoding"),
        ("wide.csv", b"," * 400 + b"\n", "import-unreadable"),
        ("long.csv", b"a,b\n" + b"x" * 200_000 + b",1\n", "import-unreadable"),
    ],
)
def test_what_is_no_file_of_rows_is_refused(tmp_path: Path, name: str, data: bytes, code: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert refusal(home_in(tmp_path), tmp_path / name).code == code


def test_a_missing_file_a_missing_contract_and_a_damaged_store_are_told(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    assert refusal(home, tmp_path / "none.csv").code == "import-no-file"
    path = csv_file(tmp_path / "in.csv", [row(1)])
    with pytest.raises(InvalidInput, match="unknown-contract"):
        import_file(home, path, Wanted("dop_case"), NOW, quiet)
    (home.path / FILE).write_bytes(b"no database" * 1000)
    assert refusal(home, path).code == "import-store-damaged"
    assert (home.path / FILE).read_bytes() == b"no database" * 1000
    with pytest.raises(InvalidInput, match="import-store-damaged"):
        imports(home.path / FILE)


def test_a_store_follows_its_contract_but_never_changes_a_type(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    with duckdb.connect(str(home.path / FILE)) as connection:
        connection.execute(f"CREATE TABLE {DATASET} (case_ref VARCHAR, saphan_import INTEGER)")
        connection.execute(f"INSERT INTO {DATASET} VALUES ('T-00000', 0)")  # noqa: S608  # a test's own words
    assert imported(home, csv_file(tmp_path / "in.csv", [row(1)])).added == 1
    assert stored(home, "case_ref, victim_age") == [("T-00000", None), ("T-00001", 35)]
    with duckdb.connect(str(home.path / FILE)) as connection:
        connection.execute(f"ALTER TABLE {DATASET} ALTER victim_age TYPE VARCHAR")
    assert refusal(home, tmp_path / "in.csv").details["where"] == f"{DATASET}.victim_age"


def test_a_file_that_changes_while_it_is_read_is_not_imported(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    path = csv_file(tmp_path / "in.csv", [row(1)])

    def meddle(stage: Stage, share: float) -> None:
        if stage is Stage.READING:
            path.write_bytes(path.read_bytes() + b"\n")

    with pytest.raises(InvalidInput, match="import-file-changed"):
        import_file(home, path, Wanted(DATASET), NOW, meddle)
    assert not (home.path / FILE).exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from connectors.home import Home
from connectors.intake.run import Stage, Wanted, import_file
from tests.intake_world import DATASET, NOW

def die(stage, share):
    if stage.value == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)

import_file(Home(Path(sys.argv[1])), Path(sys.argv[2]), Wanted(DATASET), NOW, die)
"""


@pytest.mark.parametrize("stage", [Stage.READING, Stage.MERGING, Stage.STORED])
def test_an_import_that_is_killed_loses_nothing(tmp_path: Path, stage: Stage) -> None:
    home = home_in(tmp_path)
    imported(home, csv_file(tmp_path / "first.csv", [row(1)]))
    second = csv_file(tmp_path / "second.csv", [row(1, victim_age="40"), row(2)])
    ended = subprocess.run([sys.executable, "-c", KILLED, home.path, second, stage.value], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    ages = {(("T-00001", 35),), (("T-00001", 40), ("T-00002", 35))}
    assert tuple(stored(home, "case_ref, victim_age")) in ages
    assert tuple(stored(home, "case_ref, victim_age")) == (max(ages) if stage is Stage.STORED else min(ages))
    again = imported(home, second)
    assert again.accepted == 2
    assert stored(home, "case_ref, victim_age") == [("T-00001", 40), ("T-00002", 35)]
    assert not [each for each in home.path.iterdir() if each.suffix == ".next"]


def test_a_large_file_comes_in_whole_over_many_blocks(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    path = tmp_path / "large.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(GOOD)
        writer.writerows([*row(each).values()] for each in range(60_000))
    report = imported(home, path)
    assert (report.rows, report.added) == (60_000, 60_000)
    assert stored(home, "case_ref")[-1] == ("T-59999",)
