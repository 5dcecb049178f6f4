"""Files of rows that were not imported, in the layout in which they came, so that they can be corrected and come again.

They hold the agency's own rows and lie in its own home, closed to others. A text that a spreadsheet would take for a
formula is written behind an apostrophe; the importer takes it off again.
"""

import csv
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Final

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from connectors.home import PRIVATE_FILE
from connectors.intake.blocks import CUT, nothing_told
from connectors.intake.cells import SERIAL
from connectors.intake.heading import ERRORS_COLUMN, ROW_COLUMN, Heading
from connectors.intake.thai_text import guarded
from connectors.intake.xlsx_parts import DATA_SHEET

UTF8_WITH_MARK: Final = "utf-8-sig"
"""Spreadsheets take a text file for UTF-8 only if it begins with the mark."""

_IN_NO_SHEET: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold: one such character would end the whole listing."""

Listed = tuple[int, str | None, tuple[str | None, ...]]


def write_listing(folder: Path, stem: str, layout: tuple[str, str], heading: Heading, rows: Iterable[Listed]) -> str:
    """Write rows in their own layout, with their row numbers and errors; whole or not at all.

    Args:
        folder: Where; made if absent, closed to others.
        stem: The file's name without its ending.
        layout: The kind of the file that the rows came in, and its delimiter if it is a text file.
        heading: Its heading.
        rows: The rows.

    Returns:
        The file's name.

    Raises:
        InvalidInput: ``import-unreadable``, for rows that no file can hold; ``import-store-damaged``, without room.
    """
    kind, delimiter = layout
    folder.mkdir(mode=0o700, exist_ok=True)
    name = f"{stem}.{'xlsx' if kind == 'xlsx' else 'csv'}"
    titles = [*(heading.texts[place] for place in heading.own), ROW_COLUMN, ERRORS_COLUMN]
    lines = (_line(row, heading.own) for row in rows)
    with nothing_told(), _private(folder / name) as file:
        if kind == "xlsx":
            _write_xlsx(file, titles, lines)
        else:
            _write_csv(file, titles, lines, delimiter)
    return name


def _line(row: Listed, own: Sequence[int]) -> list[str]:
    number, errors, cells = row
    return [*(cells[place] or "" for place in own), str(number), errors or ""]


def _write_csv(file: IO[bytes], titles: list[str], lines: Iterator[list[str]], delimiter: str) -> None:
    text = TextIOWrapper(file, encoding=UTF8_WITH_MARK, newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(guarded(_shown(each)) for each in titles)
    writer.writerows([guarded(_shown(each)) for each in line] for line in lines)
    text.flush()
    text.detach()


def _write_xlsx(file: IO[bytes], titles: list[str], lines: Iterator[list[str]]) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet(DATA_SHEET)
    text = _text_cell(sheet)
    sheet.append([text(each) for each in titles])
    for line in lines:
        sheet.append([text(each) for each in line])
    book.save(file)


def _text_cell(sheet: WriteOnlyWorksheet) -> Callable[[str], Cell]:
    def made(text: str) -> Cell:
        number = _number(text)
        if number is not None:  # a number stays one, for it may mean a day
            return WriteOnlyCell(sheet, number)
        cell = WriteOnlyCell(sheet, _shown(text))
        cell.data_type = "s"
        cell.number_format = "@"
        return cell

    return made


def _number(text: str) -> float | None:
    if not text.startswith(SERIAL):
        return None
    try:
        number = float(text.removeprefix(SERIAL))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _shown(text: str) -> str:
    return _IN_NO_SHEET.sub("", text.replace(CUT, "…"))


@contextmanager
def _private(path: Path) -> Iterator[IO[bytes]]:
    part = path.with_name(f"{path.name}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(handle, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
