"""Templates to fill in: a workbook with drop-downs and explanations, or a text file and what explains it."""

import csv
from io import BytesIO, StringIO
from typing import Final

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from connectors.intake.template_words import CodeSheet, Words
from connectors.intake.xlsx_parts import DATA_SHEET
from contracts.odcs_columns import ColumnFacts, ColumnType

EXPLANATION_SHEET, EXAMPLE_SHEET = "คำอธิบาย", "ตัวอย่าง"
FIRST_ROW: Final = 3
LAST_ROW: Final = 100_000
"""Rows that have drop-downs; more may be filled in."""

WIDEST: Final = 60
LONGEST_PROMPT: Final = 250
MARKED: Final = PatternFill("solid", fgColor="FFF2CC")
HEAD: Final = Font(bold=True)
MACHINE: Final = Font(color="808080", italic=True)
WRAPPED: Final = Alignment(wrap_text=True, vertical="top")
NUMBERS: Final = frozenset({ColumnType.INTEGER, ColumnType.NUMBER})


def workbook(words: Words) -> bytes:
    """The template as an XLSX workbook: data, explanation, an example, and a sheet for each code list."""
    book = Workbook()
    data = book.active
    assert isinstance(data, Worksheet)  # noqa: S101  # a new workbook has one
    data.title = DATA_SHEET
    _write_heading(data, words)
    _write_explanation(book.create_sheet(EXPLANATION_SHEET), words)
    example = book.create_sheet(EXAMPLE_SHEET)
    _write_heading(example, words)
    example.append(list(words.examples))
    for listed in words.lists:
        _write_codes(book.create_sheet(listed.sheet), listed, words)
    for place, column in enumerate(words.columns, start=1):
        _guide(data, place, column, words)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def text_file(words: Words) -> tuple[bytes, bytes]:
    """The template as CSV with a heading and nothing else, and the text that explains it."""
    heading = StringIO(newline="")
    csv.writer(heading).writerow(each.title for each in words.columns)
    lines = [words.title, "", *(f"- {note}" for note in words.notes), "", " | ".join(words.headings)]
    lines += [" | ".join(each) for each in words.explained]
    for listed in words.lists:
        lines += ["", listed.sheet, " | ".join(words.code_headings), *(" | ".join(row) for row in listed.rows)]
    return heading.getvalue().encode("utf-8-sig"), ("\r\n".join(lines) + "\r\n").encode("utf-8-sig")


def _write_heading(sheet: Worksheet, words: Words) -> None:
    sheet.append([each.title for each in words.columns])
    sheet.append([each.name for each in words.columns])
    for place, column in enumerate(words.columns, start=1):
        sheet.cell(1, place).font = HEAD
        sheet.cell(2, place).font = MACHINE
        if column.required:
            sheet.cell(1, place).fill = MARKED
        shown = sheet.column_dimensions[get_column_letter(place)]
        shown.width = max(14, len(column.title) + 4)
        if column.type not in NUMBERS:
            # As text, so that no spreadsheet turns 10-11 into a date or takes the zeros off a number.
            shown.number_format = "@"
    sheet.freeze_panes = f"A{FIRST_ROW}"


def _write_explanation(sheet: Worksheet, words: Words) -> None:
    sheet.append([words.title])
    sheet["A1"].font = HEAD
    for note in words.notes:
        sheet.append([note])
    sheet.append([])
    sheet.append(list(words.headings))
    for cell in sheet[sheet.max_row]:
        cell.font = HEAD
    for line in words.explained:
        sheet.append(list(line))
        for cell in sheet[sheet.max_row]:
            cell.alignment = WRAPPED
    for place, width in enumerate((28, 22, WIDEST, 16, 12, 36, 28), start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width


def _write_codes(sheet: Worksheet, listed: CodeSheet, words: Words) -> None:
    sheet.append(list(words.code_headings))
    for cell in sheet[1]:
        cell.font = HEAD
    for row in listed.rows:
        sheet.append(list(row))
    for place, width in enumerate((20, WIDEST, WIDEST), start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width


def _guide(sheet: Worksheet, place: int, column: ColumnFacts, words: Words) -> None:
    """A drop-down where there is a list, and a hint what to write."""
    listed = words.list_of(column)
    guide = DataValidation(allow_blank=True)
    if listed is not None:
        guide.type = "list"
        guide.formula1 = f"'{listed.sheet}'!$B$2:$B${len(listed.rows) + 1}"
        # A code is as good as a name, so another value is only asked about.
        guide.errorStyle = "warning"
        guide.showErrorMessage = True
    guide.promptTitle = column.title[:32]
    said = words.explained[place - 1]
    guide.prompt = " · ".join(part for part in (*said[3:6], said[6]) if part)[:LONGEST_PROMPT]
    guide.showInputMessage = True
    letter = get_column_letter(place)
    guide.add(f"{letter}{FIRST_ROW}:{letter}{LAST_ROW}")
    sheet.add_data_validation(guide)
