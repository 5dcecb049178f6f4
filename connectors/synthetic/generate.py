"""Filling an agency's database with made-up people and cases."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from zlib import crc32

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types

from connectors.synthetic.counts import Rows, Setting, days, draw_counts, expected, hours, months_before, rows_of
from connectors.synthetic.figures import figures
from connectors.synthetic.fitting import Fit, fitting_rows
from connectors.synthetic.people import assign
from connectors.synthetic.sketch import TableSketch, sketch_of
from connectors.synthetic.tables import TABLES, Year
from connectors.synthetic.truths import Planted, truths_of
from connectors.synthetic.writing import Shape, write
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput
from contracts.odcs import bundled_text, canonical_document, read_contract

FIRST_PERSON = {"tpo_complaint": 200_000_000, "crimes_case": 0, "dop_case": 0}
"""Some people are known to the police and to the Department of Probation; nobody else is in two agencies."""

_MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class GeneratedInfo:
    """What was generated: so many rows, with these truths in them."""

    rows: int
    truths: tuple[Planted, ...]


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is generated.

    Attributes:
        scale: 1 is real volume.
        months: How many months.
        until: The day before which the last month ends; the month that it stands in is left out.
        seed: Decides every draw.
    """

    scale: float
    months: int
    until: date
    seed: int


def generate(dataset_id: str, destination_url: str, scale: float, months: int, until: date, seed: int) -> GeneratedInfo:
    """As ``generate_for``, for a dataset whose contract comes with the program and whose truths are planted.

    Args:
        dataset_id: ``tpo_complaint``, ``crimes_case`` or ``dop_case``; also the name of the table.
        destination_url: Where to, as ``connectors.sources.open_source`` takes it.
        scale: 1 is real volume: about 340,000, 650,000 and 230,000 rows a year.
        months: See ``Extent``, also for what follows.
        until: The day before which the last month ends.
        seed: Decides every draw.

    Raises:
        InvalidInput: ``setting-invalid``, for an unknown dataset or destination, or nothing to generate.
    """
    if dataset_id not in TABLES:
        raise InvalidInput("setting-invalid", setting="dataset", why="it is none of the generated ones")
    text = bundled_text(dataset_id)
    extent = Extent(scale, months, until, seed)
    return generate_for(read_contract(text), canonical_document(text), destination_url, extent)


def generate_for(contract: DatasetContract, document: bytes, destination_url: str, extent: Extent) -> GeneratedInfo:
    """Make the table of a contract anew and fill it; the same arguments give the same rows.

    Rows lie in the contract's own months and are no older than the agency keeps them. Three datasets have truths
    planted in them; the rows of every other one are plausible, and no more.

    Args:
        contract: What was read from the document.
        document: The contract's document as JSON, checked before.
        destination_url: Where to, as ``connectors.sources.open_source`` takes it.
        extent: How much.

    Raises:
        InvalidInput: ``setting-invalid``, for an unknown destination, or nothing to generate; ``table-not-generated``,
            for a table that holds rows of somebody else.
    """
    if not (extent.scale > 0 and extent.months > 0):
        raise InvalidInput("setting-invalid", setting="scale", why="there is nothing to generate")
    table = sketch_of(contract, document)
    setting = Setting(contract.id, extent.scale, _months(contract, extent))
    shape = Shape(contract.table, contract.row_key, table.required)
    if not _is_planted(table):
        rng = np.random.Generator(np.random.PCG64([extent.seed, crc32(contract.id.encode())]))
        return GeneratedInfo(write(destination_url, shape, fitting_rows(_fit(rng, table, setting))), ())
    rng = np.random.Generator(np.random.PCG64([extent.seed, sorted(TABLES).index(contract.id)]))
    rows = write(destination_url, shape, _years(rng, setting))
    planted = (Planted(truth, _since(setting, truth.months_before_end)) for truth in truths_of(contract.id))
    return GeneratedInfo(rows, tuple(planted))


def _is_planted(table: TableSketch) -> bool:
    """Whether it is one of the three datasets, in the very form in which its rows are made."""
    name = table.contract.id
    if name not in TABLES:
        return False
    text = bundled_text(name)
    return table.columns == sketch_of(read_contract(text), canonical_document(text)).columns


def _months(contract: DatasetContract, extent: Extent) -> tuple[date, ...]:
    oldest = extent.until - timedelta(days=contract.retention_days)
    found = tuple(
        month
        for month in months_before(extent.until, extent.months)
        if month > oldest and contract.first_month <= f"{month:%Y-%m}" <= contract.last_month
    )
    if not found:
        raise InvalidInput("setting-invalid", setting="months", why="the contract covers none of them")
    return found


def _fit(rng: np.random.Generator, table: TableSketch, setting: Setting) -> Fit:
    per_year, first_person = (figures()["fitting"][name] for name in ("per_year", "first_person"))
    rows = per_year.get(setting.dataset, per_year["other"]) * setting.scale * len(setting.months) / _MONTHS_A_YEAR
    first = first_person.get(setting.dataset, first_person["other"])
    return Fit(rng=rng, table=table, months=setting.months, rows=max(1, round(rows)), first_person=first)


def _years(rng: np.random.Generator, setting: Setting) -> Iterator[pa.Table]:
    """The rows, twelve months at a time, so that memory does not grow with the number of months."""
    counts = draw_counts(rng, expected(setting))
    first_row, first_person = 0, FIRST_PERSON[setting.dataset]
    for start in range(0, len(setting.months), _MONTHS_A_YEAR):
        found = rows_of(counts[start : start + _MONTHS_A_YEAR])
        rows = Rows(found.month + start, found.province, found.category)
        person = assign(rng, len(rows.month), first_person)
        day, hour = days(rng, setting, rows), hours(rng, setting, rows)
        order = np.argsort(day * 24 + hour, kind="stable")
        rows = Rows(rows.month[order], rows.province[order], rows.category[order])
        yield TABLES[setting.dataset](Year(rng, setting, rows, person[order], day[order], hour[order], first_row))
        first_row += len(order)
        newcomers = 1 - figures()["people"]["returning"]
        first_person += int((person.max(initial=first_person) - first_person) * newcomers)


def _since(setting: Setting, months_before_end: int) -> str:
    """The first month that shows a truth; the first of all if it began before."""
    return f"{setting.months[max(0, len(setting.months) - months_before_end)]:%Y-%m}"
