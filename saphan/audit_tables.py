"""What ``saphan audit`` found, and its tables: who asked what under which agreement at what cost."""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import AwareDatetime
from rich.console import Group
from rich.table import Table

from contracts.log_use import Asked, Use
from contracts.values import Value
from saphan.output import millions, table_of

COLUMNS: Final = tuple(Asked.model_fields)
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would calculate."""

NAMES: Final = ("ผู้ขอ\nrequester", "ข้อตกลง\nagreement", "กิจกรรม\nactivity", "วัตถุประสงค์\npurpose")
FIGURES: Final = (
    "คำขอ\nrequests",
    "ได้ผล\nreleased",
    "ใช้ผลเดิม\nrepeated",
    "ถูกปฏิเสธ\nrefused",
    "งบที่ใช้\ncharged",
)
USES: Final = "การใช้งาน (งบเป็นล้าน nano-rho) · what was asked (charged: millions of nano-rho)"
NOBODY: Final = "ไม่มีหน่วยงานใด · no agency"


class Verified(Value):
    """What the check of a log found: its size, its root, the agencies that stand by it, and what was asked.

    ``since`` is the size of the earlier checkpoint from which it was proved to have only grown. ``keys_known_until`` is
    when the registry that the home last saw ran out, where nobody was asked.
    """

    size: int
    root: str
    witnesses: tuple[str, ...]
    verified: bool
    since: int | None = None
    keys_known_until: AwareDatetime | None = None
    uses: tuple[Use, ...] = ()


class Proved(Value):
    """What the check of one release found: its entry's place, and the agencies that stand by its checkpoint."""

    release: str
    digest: str
    entry: int
    log_size: int
    witnesses: tuple[str, ...]
    verified: bool
    keys_known_until: AwareDatetime | None = None


def write_requests(path: Path, requests: Iterable[Asked]) -> None:
    """Write requests as CSV while they are read, so that a long log needs no more memory than a short one."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for each in requests:
            writer.writerow([_cell(value) for value in each.model_dump(mode="json").values()])


def verified_table(found: Verified) -> Group:
    """What was checked of a log, and below it the use under each activity."""
    table = table_of("การตรวจบันทึก\nthe check of the log", "ผล\nresult")
    table.add_row("ทุกรายการและลายมือชื่อ\nevery entry and signature", "ถูกต้อง · verified")
    table.add_row("จำนวนรายการ\nentries", f"{found.size:,}")
    table.add_row("ค่าแฮชของราก\nroot hash", found.root)
    if found.since is not None:
        table.add_row("มีแต่เพิ่มขึ้นจากรายการที่\nonly grown since entry", f"{found.since:,}")
    _believed(table, found.witnesses, found.keys_known_until)
    return Group(table, "", uses_table(found.uses))


def proved_table(found: Proved) -> Table:
    """What was checked of one release."""
    table = table_of("การตรวจผลเผยแพร่\nthe check of the release", "ผล\nresult")
    table.add_row("ลายมือชื่อและหลักฐานในบันทึก\nsignature and proof in the log", "ถูกต้อง · verified")
    table.add_row("ผลเผยแพร่\nrelease", found.release)
    table.add_row("ค่าแฮช\ndigest", found.digest)
    table.add_row("รายการในบันทึก\nentry of the log", f"{found.entry:,} / {found.log_size:,}")
    _believed(table, found.witnesses, found.keys_known_until)
    return table


def _believed(table: Table, witnesses: Sequence[str], until: datetime | None) -> None:
    table.add_row("หน่วยงานที่ร่วมลงชื่อ\nagencies that stand by it", ", ".join(witnesses) or NOBODY)
    if until is not None:
        table.add_row("ทราบกุญแจถึงเวลา\nkeys known until", f"{until:%Y-%m-%d %H:%M}Z")


def uses_table(uses: Sequence[Use]) -> Table:
    """What was asked under each activity, in numbers; amounts in millions of nano-rho."""
    table = table_of(*NAMES, *FIGURES, figures=FIGURES, title=USES)
    for each in uses:
        numbers = (each.requests, each.released, each.repeated, each.refused)
        words = (each.requester, each.agreement, each.activity, each.purpose)
        table.add_row(*words, *(f"{number:,}" for number in numbers), millions(each.charged))
    return table


def _cell(value: object) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
