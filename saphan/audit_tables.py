"""The tables of ``saphan audit``: who asked what under which agreement at what cost."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from rich.table import Table

from contracts.log_use import Asked, Use
from saphan.output import millions, table_of

COLUMNS: Final = tuple(Asked.model_fields)
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would calculate."""


def write_requests(path: Path, requests: Iterable[Asked]) -> None:
    """Write requests as CSV while they are read, so that a long log needs no more memory than a short one."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for each in requests:
            writer.writerow([_cell(value) for value in each.model_dump(mode="json").values()])


def uses_table(uses: Sequence[Use]) -> Table:
    """What was asked under each activity, in numbers; amounts in millions of nano-rho."""
    figures = ("requests", "released", "repeated", "refused", "charged")
    table = table_of("requester", "agreement", "activity", "purpose", *figures, figures=figures)
    for each in uses:
        numbers = (each.requests, each.released, each.repeated, each.refused)
        words = (each.requester, each.agreement, each.activity, each.purpose)
        table.add_row(*words, *(f"{number:,}" for number in numbers), millions(each.charged))
    return table


def _cell(value: object) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
