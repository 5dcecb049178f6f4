"""Files made to harm: texts that swell, characters that no sheet holds, numbers that may be two days."""

import csv
import traceback
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # ships no types
import pytest

from connectors.intake import parquet_rows, xlsx_cells, xlsx_rows, xlsx_texts
from connectors.intake.blocks import CUT, LONGEST_CELL, nothing_told, tidy
from connectors.intake.cells import SERIAL, read_person
from connectors.intake.heading import Heading
from connectors.intake.listing import write_listing
from connectors.intake.parquet_rows import ParquetRows
from connectors.intake.xlsx_rows import XlsxRows
from contracts.errors import InvalidInput
from contracts.odcs_columns import ColumnType
from tests.unit.connectors.test_intake_cells import read
from tests.unit.connectors.test_intake_xlsx import MAIN, workbook

pytestmark = pytest.mark.unit
VALUE = "1100701234567"


@pytest.mark.parametrize("number", ["240167", "241215", "999999", "240167.5", "100000", "41067", "10101", "91299"])
def test_a_number_that_may_be_a_typed_day_is_unclear_without_a_date_format(number: str) -> None:
    assert read(ColumnType.TIMESTAMP, f"{SERIAL}{number}").rule == "date-unclear"


@pytest.mark.parametrize("number", ["45310", "41067.5", "41300", "40099", "41367"])
def test_a_number_that_is_no_typed_day_stays_a_day(number: str) -> None:
    assert read(ColumnType.TIMESTAMP, f"{SERIAL}{number}").rule is None


def test_every_spelling_of_a_citizen_number_is_one_person() -> None:
    spellings = (
        "1-1007-01234-56-7",
        VALUE,
        "๑๑๐๐๗๐๑๒๓๔๕๖๗",
        " 1 1007 01234 56 7 ",
        "1–1007–01234–56–7",
        f"{SERIAL}{VALUE}",
    )
    assert len({read_person(b"k" * 16, each).value for each in spellings}) == 1
    assert read_person(b"k" * 16, " - ").rule == "missing"


def test_a_text_loses_its_control_characters_and_a_long_one_its_end() -> None:
    assert tidy(pa.array(["a\x02b\tc\n", None, "ก" * LONGEST_CELL])).to_pylist() == [
        "ab\tc\n",
        None,
        "ก" * LONGEST_CELL,
    ]
    assert tidy(pa.array(["a" * 2001, "b"])).to_pylist() == ["a" * LONGEST_CELL + CUT, "b"]
    assert tidy(pa.array([], pa.string())).to_pylist() == []
    assert read(ColumnType.STRING, "a" * 20 + CUT).rule == "too-long"
    assert read(ColumnType.DATE, "2025-01-01" + CUT).rule == "too-long"


def cells(path: Path, width: int = 2) -> list[list[list[str | None]]]:
    return [[each.to_pylist() for each in block.cells] for block, _ in XlsxRows(path).blocks(0, width)]


def amplified(path: Path, length: int, rows: Iterable[int]) -> Path:
    lines = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c><c r="B{n}" t="s"><v>0</v></c></row>' for n in rows)
    texts = f'<sst xmlns="{MAIN}"><si><t>{"a" * length}</t></si></sst>'
    return workbook(path, lines, **{"xl/sharedStrings.xml": texts})


def test_one_long_text_in_many_cells_is_cut_and_held_some_rows_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = amplified(tmp_path / "a.xlsx", 30_000, range(1, 101))
    assert cells(path)[0][0][0] == "a" * LONGEST_CELL + CUT
    monkeypatch.setattr(xlsx_cells, "LARGEST_BLOCK", 50_000)
    parts = cells(path)
    assert len(parts) > 5
    assert sum(len(part[0]) for part in parts) == 100
    numbers = [n for block, _ in XlsxRows(path).blocks(3, 2) for n in block.numbers.to_pylist()]
    assert numbers == list(range(4, 101))
    monkeypatch.setattr(xlsx_rows, "LARGEST_FILE", 100_000)
    with pytest.raises(InvalidInput, match="import-too-large"):
        cells(path)


def test_an_inline_text_is_cut_and_its_control_characters_taken_out(tmp_path: Path) -> None:
    rows = f'<row r="1"><c r="A1" t="str"><v>{"x" * 9000}</v></c><c r="B1" t="str"><v>\x02{VALUE}</v></c></row>'
    assert cells(workbook(tmp_path / "a.xlsx", rows)) == [[["x" * LONGEST_CELL + CUT], [VALUE]]]


def test_too_many_shared_texts_are_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_texts, "LARGEST", 1000)
    with pytest.raises(InvalidInput, match="import-too-large"):
        XlsxRows(amplified(tmp_path / "a.xlsx", 30_000, [1]))


def test_one_long_text_in_many_rows_of_parquet_is_cut_and_held_some_rows_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pq.write_table(pa.table({"a": pa.array(["b" * 30_000] * 99 + [None]), "n": range(100)}), tmp_path / "a.parquet")
    rows = ParquetRows(tmp_path / "a.parquet")
    (whole,) = (block for block, _ in rows.blocks(0, 2))
    assert whole.cells[0].to_pylist() == ["b" * LONGEST_CELL + CUT] * 99 + [None]
    monkeypatch.setattr(parquet_rows, "LARGEST_BLOCK", 50_000)
    parts = [block for block, _ in rows.blocks(0, 2)]
    assert len(parts) > 3
    assert [n for part in parts for n in part.numbers.to_pylist()] == list(range(1, 101))
    monkeypatch.setattr(parquet_rows, "LARGEST_FILE", 100)
    with pytest.raises(InvalidInput, match="import-too-large"):
        rows.first()


@pytest.mark.parametrize("error", [csv.Error(VALUE), ValueError(VALUE), KeyError(VALUE), pa.ArrowException(VALUE)])
def test_what_is_told_of_odd_data_holds_no_value(error: Exception) -> None:
    with pytest.raises(InvalidInput, match="import-unreadable") as caught, nothing_told(7):
        raise error
    assert VALUE not in "".join(traceback.format_exception(caught.value))


def test_a_listing_holds_whatever_the_rows_held_and_runs_nothing(tmp_path: Path) -> None:
    heading = Heading(1, ("=cmd()", "b"), {}, (0, 1))
    odd = [(2, "e", (f"{SERIAL}{VALUE}x", "\x01a\ufffe")), (3, "e", (f"{SERIAL}nan", f"long{CUT}"))]
    name = write_listing(tmp_path, "a", ("csv", ","), heading, odd)
    assert (tmp_path / name).read_text(encoding="utf-8-sig").splitlines() == [
        "'=cmd(),b,saphan_row,saphan_errors",
        f"{VALUE}x,a,2,e",
        "nan,long…,3,e",
    ]
    sheet = write_listing(tmp_path, "a", ("xlsx", ","), heading, odd)
    found = cells(tmp_path / sheet)[0]
    assert found == [["=cmd()", f"{VALUE}x", "nan"], ["b", "a", "long…"]]
