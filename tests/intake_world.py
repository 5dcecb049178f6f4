"""An agency that has files instead of an interface: its home, and files as its offices make them."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import openpyxl

from connectors.home import Home
from connectors.intake.run import ImportReport, Stage, Wanted, import_file
from connectors.intake.store import FILE
from contracts.odcs import bundled_text

NOW = datetime(2026, 11, 21, 5, tzinfo=UTC)
DATASET = "tpo_complaint"
TITLES = {
    "case_ref": "เลขรับแจ้งความ",
    "victim_id": "รหัสผู้เสียหาย",
    "reported_at": "วันเวลาที่รับแจ้ง",
    "occurred_at": "วันเวลาเกิดเหตุ",
    "province": "จังหวัดของผู้เสียหาย",
    "station": "สถานีที่รับเรื่อง",
    "channel": "ช่องทางรับแจ้ง",
    "case_type": "ประเภทคดีออนไลน์",
    "platform": "ช่องทางที่ถูกหลอก",
    "victim_age": "อายุผู้เสียหาย",
    "victim_sex": "เพศผู้เสียหาย",
    "damage_thb": "มูลค่าความเสียหาย (บาท)",
    "linked": "เชื่อมโยงกับคำร้องทุกข์อื่น",
    "stage": "ขั้นตอนคดี",
    "crimes_ref": "เลขคดีใน CRIMES",
}
GOOD = {
    "case_ref": "T-๐๐๑/๒๕๖๘",
    "victim_id": "1-1007-01234-56-7",
    "reported_at": "๒๕ กุมภาพันธ์ ๒๕๖๘ เวลา ๐๙.๓๐ น.",
    "occurred_at": "24 ก.พ. 68",
    "province": "จ.เชียงใหม่",
    "station": "สภ.เมืองเชียงใหม่",
    "channel": "AOC",
    "case_type": "SHOP",
    "platform": "เฟซบุ๊ก",
    "victim_age": "๓๕ ปี",
    "victim_sex": "หญิง",
    "damage_thb": "๑๒,๓๔๕.๕๐ บาท",
    "linked": "ไม่ใช่",
    "stage": "รับคำร้องทุกข์/กล่าวโทษ (แจ้งความ)",
    "crimes_ref": "",
}
PILOT = """customProperties:
  - property: pilot
    vendor: saphan
    value: {column: province, codes: ["50", "10"]}
"""


def wall(*parts: int) -> datetime:
    """A moment on a Bangkok wall clock: year, month, day, hour, ..."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001  # Thai systems write no offset


def row(number: int = 1, **changes: str) -> dict[str, str]:
    """A row like an office's, with a key of its own."""
    return {**GOOD, "case_ref": f"T-{number:05}", **changes}


def home_in(folder: Path, *, pilot: bool = False) -> Home:
    """A home that holds the contract of online-crime complaints, for a pilot area if asked."""
    home = Home(folder / "home")
    home.make()
    text = bundled_text(DATASET)
    if pilot:
        before, mark, after = text.rpartition("\ncustomProperties:\n")
        text = f"{before}\n{PILOT}{after}" if mark else text
    (home.contracts / f"{DATASET}.odcs.yaml").write_text(text, encoding="utf-8")
    return home


def csv_file(path: Path, rows: Sequence[Mapping[str, str]], encoding: str = "utf-8", delimiter: str = ",") -> Path:
    """Rows as a text file under Thai headings."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    names = list(rows[0])
    writer.writerow(TITLES.get(name, name) for name in names)
    writer.writerows([each[name] for name in names] for each in rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def xlsx_file(path: Path, lines: Sequence[Sequence[object]]) -> Path:
    """Lines as a workbook of one sheet."""
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(list(line))  # type: ignore[union-attr]  # a new workbook has a sheet
    book.save(path)
    return path


def imported(home: Home, path: Path, **how: object) -> ImportReport:
    """Import a file; the sums of every report must add up."""
    report = import_file(home, path, Wanted(DATASET, **how), NOW, quiet)  # type: ignore[arg-type]  # as Wanted says
    assert report.accepted + report.rejected + report.outside_pilot == report.rows
    assert report.added + report.replaced + report.unchanged == report.accepted
    return report


def quiet(stage: Stage, share: float) -> None:
    """Nobody watches."""


def stored(home: Home, columns: str = "*") -> list[tuple[object, ...]]:
    """The rows of the store, by key."""
    with duckdb.connect(str(home.path / FILE), read_only=True) as connection:
        return connection.execute(f"SELECT {columns} FROM {DATASET} ORDER BY case_ref").fetchall()  # noqa: S608  # a test's own words


def broken(report: ImportReport) -> dict[tuple[str | None, str], int]:
    """How many cells broke which rule."""
    return {(each.column, each.rule): each.cells for each in report.broken}


def listed(home: Home, name: str | None) -> list[dict[str, str]]:
    """The rows of a listing in text form."""
    assert name is not None
    with (home.path / "imports" / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
