"""Filling an agency's database with made-up people and cases."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types

from connectors.synthetic.counts import Rows, Setting, days, draw_counts, expected, hours, months_before, rows_of
from connectors.synthetic.figures import figures
from connectors.synthetic.people import assign
from connectors.synthetic.tables import TABLES, Year
from connectors.synthetic.truths import Planted, truths_of
from connectors.synthetic.writing import write
from contracts.errors import InvalidInput

FIRST_PERSON = {"tpo_complaint": 200_000_000, "crimes_case": 0, "dop_case": 0}
"""Some people are known to the police and to the Department of Probation; nobody else is in two agencies."""

_MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class GeneratedInfo:
    """What was generated: so many rows, with these truths in them."""

    rows: int
    truths: tuple[Planted, ...]


def generate(dataset_id: str, destination_url: str, scale: float, months: int, until: date, seed: int) -> GeneratedInfo:
    """Make the table of a dataset anew and fill it; the same arguments give the same rows.

    Args:
        dataset_id: ``tpo_complaint``, ``crimes_case`` or ``dop_case``; also the name of the table.
        destination_url: Where to, as ``connectors.sources.open_source`` takes it.
        scale: 1 is real volume: about 340,000, 650,000 and 230,000 rows a year.
        months: How many months.
        until: The day before which the last month ends; the month that it stands in is left out.
        seed: Decides every draw.

    Raises:
        InvalidInput: ``setting-invalid``, for an unknown dataset or destination, or nothing to generate.
    """
    if dataset_id not in TABLES:
        raise InvalidInput("setting-invalid", setting="dataset", why="it is none of the generated ones")
    if not (scale > 0 and months > 0):
        raise InvalidInput("setting-invalid", setting="scale", why="there is nothing to generate")
    setting = Setting(dataset_id, scale, months_before(until, months))
    rng = np.random.Generator(np.random.PCG64([seed, sorted(TABLES).index(dataset_id)]))
    rows = write(destination_url, dataset_id, _key(dataset_id), _years(rng, setting))
    planted = (Planted(truth, _since(setting, truth.months_before_end)) for truth in truths_of(dataset_id))
    return GeneratedInfo(rows, tuple(planted))


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


def _key(dataset: str) -> str:
    return {"tpo_complaint": "case_ref", "crimes_case": "case_no", "dop_case": "case_id"}[dataset]


def _since(setting: Setting, months_before_end: int) -> str:
    """The first month that shows a truth; the first of all if it began before."""
    return f"{setting.months[max(0, len(setting.months) - months_before_end)]:%Y-%m}"
