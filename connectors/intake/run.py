"""One import of one file, straight through: read, check, list what is wrong, merge what is right.

Nothing of a row stands in what this returns or raises: counts, rules and columns only. Rows that were not imported are
listed in files in the agency's own home.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # ships no types

from connectors.home import Home
from connectors.intake import store
from connectors.intake.blocks import Rows, nothing_told
from connectors.intake.cells import Circumstances
from connectors.intake.checking import Checker
from connectors.intake.csv_rows import CsvRows
from connectors.intake.heading import Heading, find_heading
from connectors.intake.listing import write_listing
from connectors.intake.parquet_rows import ParquetRows
from connectors.intake.people import PEOPLE_SECRET, check_of
from connectors.intake.rules import KEY_REPEATED, OUTSIDE_PILOT, RULES, told
from connectors.intake.thai_dates import BANGKOK
from connectors.intake.xlsx_rows import XlsxRows
from connectors.shelf import WrittenContract, read_folder
from contracts.dataset import Text
from contracts.errors import InvalidInput
from contracts.odcs_columns import ColumnFacts, columns_of
from contracts.values import Value

LISTINGS: Final = "imports"
CHUNK: Final = 1 << 20
CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""How far another computer's clock may be ahead of this one's."""


class Stage(StrEnum):
    """How far an import is."""

    READING = "reading"
    LISTING = "listing"
    MERGING = "merging"
    STORED = "stored"


Progress = Callable[[Stage, float], None]
"""Told the stage and, while reading, which share of the file was read."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be imported and how.

    Attributes:
        dataset: The contract's identifier; the contract lies in the home.
        strict: Whether one bad row keeps the whole file out.
        ignore_unknown: Whether columns that the contract does not know are passed over.
        sheet: The sheet of a workbook; by default our template's, else the first that is shown.
    """

    dataset: str
    strict: bool = False
    ignore_unknown: bool = False
    sheet: str | None = None


class RuleCount(Value):
    """How many cells of a column broke a rule, or are noted; ``column`` is none for whole rows."""

    column: str | None
    rule: str
    cells: int
    says: Text


class ImportReport(Value):
    """What became of a file. ``accepted`` rows are ``added``, ``replaced`` or ``unchanged``.

    ``accepted + rejected + outside_pilot = rows``. ``errors_file`` and ``outside_file`` are names in the home's folder
    ``imports``. ``number`` is none when nothing was stored, since nothing would have changed.
    """

    dataset: str
    file_digest: str
    kind: str
    encoding: str | None
    number: int | None
    rows: int
    accepted: int
    added: int
    replaced: int
    unchanged: int
    rejected: int
    outside_pilot: int
    broken: tuple[RuleCount, ...]
    noted: tuple[RuleCount, ...]
    errors_file: str | None
    outside_file: str | None


def import_file(home: Home, path: Path, wanted: Wanted, now: datetime, progress: Progress) -> ImportReport:
    """Import a file into the home's store.

    Args:
        home: The connector's home.
        path: The file: CSV, XLSX or Parquet, told apart by content.
        wanted: What and how.
        now: The instant of the import.
        progress: Told how far it is.

    Returns:
        What became of the rows.

    Raises:
        InvalidInput: ``unknown-contract``, ``import-...``: the file as a whole cannot be imported, and
            nothing was. ``import-rejected``: ``strict``, and some rows are bad.
    """
    written = _contract(home, wanted.dataset)
    columns = columns_of(json.loads(written.document))
    digest = _digest(path)
    with nothing_told():
        rows = open_rows(path, wanted.sheet)
        heading = find_heading(rows.first(), columns, ignore_unknown=wanted.ignore_unknown)
    around = _around(home, written, rows, now)
    checker = Checker(columns, heading, written.contract.pilot, around)
    with nothing_told(), store.session(home.path / store.FILE, written.contract.table, columns) as session:
        session.require_people(check_of(around.person_key))
        counts = _read(rows, heading, checker, session, progress)
        counts["rejected"] += _reject_repeated(rows, heading, session, columns, checker)
        checker.require_one_order()
        if _digest(path) != digest:
            raise InvalidInput("import-file-changed")
        number, applied_as = session.applied_as(wanted.dataset, digest)
        progress(Stage.LISTING, 1.0)
        files = _list(home, f"{wanted.dataset}-{digest[8:16]}", rows, heading, session, counts)
        if wanted.strict and counts["rejected"]:
            raise InvalidInput("import-rejected", rejected=counts["rejected"], file=files[0])
        progress(Stage.MERGING, 1.0)
        merged = session.merge(applied_as)
        accepted = merged.added + merged.replaced + merged.unchanged
        entry = store.Entry(
            number=number,
            applied_as=applied_as,
            dataset=wanted.dataset,
            file_digest=digest,
            contract_digest=written.contract.digest,
            imported_at=now.isoformat(),
            rows=counts["rows"],
            added=merged.added,
            replaced=merged.replaced,
            unchanged=merged.unchanged,
            rejected=counts["rejected"],
            outside_pilot=counts["outside"],
        )
        changes = bool(merged.added or merged.replaced) or number == applied_as
        if changes:
            session.note(entry)
        else:
            session.leave_as_it_was()
    progress(Stage.STORED, 1.0)
    return _report(entry, accepted, changes, rows, checker, files)


def open_rows(path: Path, sheet: str | None = None) -> Rows:
    """The rows of a file, whose kind is told by how it begins.

    Raises:
        InvalidInput: ``import-kind``, for an old or encrypted workbook; ``import-encoding``; ``import-unreadable``.
    """
    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith(b"PAR1"):
        return ParquetRows(path)
    if head.startswith(b"PK\x03\x04"):
        return XlsxRows(path, sheet)
    if head.startswith((b"\xd0\xcf\x11\xe0", b"%PDF", b"\x1f\x8b")):
        raise InvalidInput("import-kind")
    return CsvRows(path)


def _contract(home: Home, dataset: str) -> WrittenContract:
    found = next((each for each in read_folder(home.contracts) if each.contract.id == dataset), None)
    if found is None:
        raise InvalidInput("unknown-contract", contract=dataset)
    return found


def _around(home: Home, written: WrittenContract, rows: Rows, now: datetime) -> Circumstances:
    return Circumstances(
        now=(now + CLOCK_TOLERANCE).astimezone(BANGKOK).replace(tzinfo=None),
        person_column=written.contract.unit.column,
        person_key=home.secret(PEOPLE_SECRET),
        from_1904=rows.from_1904,
    )


def _read(rows: Rows, heading: Heading, checker: Checker, session: store.Session, progress: Progress) -> Counter[str]:
    counts: Counter[str] = Counter()
    for block, share in rows.blocks(heading.last, len(heading.texts)):
        whole = block.written()
        checked = checker.check(whole)
        session.stage(checked.accepted)
        session.reject(checked.rejected, checked.rejections)
        session.set_aside(checked.outside)
        counts["rows"] += len(whole.numbers)
        counts["rejected"] += len(checked.rejected.numbers)
        counts["outside"] += len(checked.outside.numbers)
        progress(Stage.READING, share)
    return counts


def _reject_repeated(
    rows: Rows, heading: Heading, session: store.Session, columns: tuple[ColumnFacts, ...], checker: Checker
) -> int:
    """Reject every row whose key another row has too; these are read again, since only now they are known."""
    numbers = session.repeated()
    if not len(numbers):
        return 0
    key = next(each for each in columns if each.key)
    checker.tally.broken[key.name, KEY_REPEATED] += len(numbers)
    for block, _ in rows.blocks(heading.last, len(heading.texts)):
        some = block.kept(pc.is_in(block.numbers, value_set=numbers))
        session.reject(some, pa.array([told(KEY_REPEATED, key)] * len(some.numbers), pa.string()))
    return len(numbers)


def _list(
    home: Home, stem: str, rows: Rows, heading: Heading, session: store.Session, counts: Counter[str]
) -> tuple[str | None, str | None]:
    """Write what was not imported; gives the names of the two files, none where there is nothing to list."""
    layout = (rows.kind, rows.written_as[1] if rows.written_as else ",")
    folder, errors, outside = home.path / LISTINGS, None, None
    if counts["rejected"]:
        errors = write_listing(folder, f"{stem}-errors", layout, heading, session.listed("rejected"))
    if counts["outside"]:
        told_so = told(OUTSIDE_PILOT)
        listed = ((number, told_so, cells) for number, _, cells in session.listed("outside"))
        outside = write_listing(folder, f"{stem}-outside-pilot", layout, heading, listed)
    return errors, outside


def _report(
    entry: store.Entry,
    accepted: int,
    changes: bool,  # noqa: FBT001  # whether anything was stored
    rows: Rows,
    checker: Checker,
    files: tuple[str | None, str | None],
) -> ImportReport:
    return ImportReport(
        dataset=entry.dataset,
        file_digest=entry.file_digest,
        kind=rows.kind,
        encoding=rows.written_as[0] if rows.written_as else None,
        number=entry.number if changes else None,
        rows=entry.rows,
        accepted=accepted,
        added=entry.added,
        replaced=entry.replaced,
        unchanged=entry.unchanged,
        rejected=entry.rejected,
        outside_pilot=entry.outside_pilot,
        broken=_counts(checker.tally.broken),
        noted=_counts(checker.tally.noted),
        errors_file=files[0],
        outside_file=files[1],
    )


def _counts(tally: Counter[tuple[str | None, str]]) -> tuple[RuleCount, ...]:
    return tuple(
        RuleCount(column=column, rule=rule, cells=cells, says=RULES[rule])
        for (column, rule), cells in sorted(tally.items(), key=lambda each: (-each[1], str(each[0])))
        if cells
    )


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except OSError:
        raise InvalidInput("import-no-file") from None
    return f"sha-256:{digest.hexdigest()}"
