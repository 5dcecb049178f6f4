"""Workbooks (XLSX): the gateway's one place that writes them.

Every text is written as text. A spreadsheet would run what begins with ``=`` as a formula, and these cells hold words
that members sent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

Plain = str | int | float | bool | None
MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDEST: Final = 60
TEXT: Final = "s"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its name, its headings, its rows."""

    title: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Plain]]


def save(sheets: Iterable[Sheet], path: Path) -> None:
    """Write a workbook to a file."""
    _book(sheets).save(path)


def to_bytes(sheets: Iterable[Sheet]) -> bytes:
    """A workbook as bytes."""
    out = BytesIO()
    _book(sheets).save(out)
    return out.getvalue()


def _book(sheets: Iterable[Sheet]) -> Workbook:
    book = Workbook(write_only=True)
    for each in sheets:
        sheet = book.create_sheet(each.title)
        if each.headings:
            sheet.freeze_panes = "A2"
            for place, heading in enumerate(each.headings, 1):
                sheet.column_dimensions[get_column_letter(place)].width = min(WIDEST, max(16, len(heading) + 4))
            sheet.append([_heading(sheet, heading) for heading in each.headings])
        for row in each.rows:
            sheet.append([_cell(sheet, value) for value in row])
    return book


def _heading(sheet: WriteOnlyWorksheet, text: str) -> Cell:
    cell = _text(sheet, text)
    cell.font = Font(bold=True)
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def _cell(sheet: WriteOnlyWorksheet, value: Plain) -> Cell | Plain:
    return _text(sheet, value) if isinstance(value, str) else value


def _text(sheet: WriteOnlyWorksheet, text: str) -> Cell:
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", text))
    cell.data_type = TEXT
    return cell
