"""The two neighbouring worlds of an audit: their contracts, their made-up rows, and what every cell holds exactly.

Neighbours differ by one person, and a pair of them moves one cell, which gives one draw of the noise: far too few to
say anything. So the world with the person has *another* such person in every cell, each with as many rows as the
contract lets count, all in that one cell. Two things make the cells of one release a valid sample of what happens to
one person in one cell:

* The noise of each cell is drawn by itself at one scale and depends on no other cell (``privacy.audit.dependence``
  tests that it is not shared). A cell in one world and the same cell in the other are then a pair of answers about
  neighbours, and the two releases hold as many independent pairs as cells: one call stands for as many repetitions.
* The person's rows lie all in one cell, the worst case that the contract allows: the worlds are as far apart in a cell
  as the sensitivity that the noise was scaled for.

What is tested is this mechanism. That the losses of several releases, windows and datasets add up is the arithmetic of
the ledger, which has tests of its own and needs no statistics.

Each added person has one row more in the source than may count. A connector that forgot its bound would move the cell
further than it is paid for, and be found out by the same tests.
"""

from datetime import date, datetime, timedelta
from importlib.resources import files
from itertools import product
from pathlib import Path
from string import Template
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # ships no types
from pydantic_core import to_json

from contracts.dataset import ProtectAt
from contracts.errors import InvalidInput
from contracts.periods import FISCAL_YEAR_STARTS_IN, Period
from contracts.query import Mechanism, Query
from privacy.audit import FEWEST

ROWS_THAT_COUNT: Final = 3
"""How many rows of a person in a fiscal year the contract lets count."""

ROWS_WRITTEN: Final = ROWS_THAT_COUNT + 1
EXACT_ABSENT: Final = 1
"""Somebody else's row, in every cell of both worlds."""

EXACT_PRESENT: Final = EXACT_ABSENT + ROWS_THAT_COUNT
DELTA: Final = "1e-7"
DIMENSIONS: Final = ("month", "weekday", "hour", "block")
MONTHS, WEEKDAYS, HOURS = 12, 7, 24
CELLS_OF_A_BLOCK: Final = MONTHS * WEEKDAYS * HOURS
BANGKOK: Final = timedelta(hours=7)
MIDDLE_OF_THE_HOUR: Final = np.timedelta64(30, "m")


class World(NamedTuple):
    """One dataset of the audit: ``has_person`` tells the two neighbours apart."""

    agency: str
    protect_at: ProtectAt
    has_person: bool

    @property
    def dataset(self) -> str:
        """The identifier of its contract, and the name of its table."""
        return f"audit_{self.agency}_{'present' if self.has_person else 'absent'}"


def blocks(cells: int) -> tuple[str, ...]:
    """The labels of as many blocks as make at least that number of cells.

    Raises:
        InvalidInput: ``audit-too-small``.
    """
    if cells < FEWEST:
        raise InvalidInput("audit-too-small", fewest=FEWEST)
    return tuple(f"b{number:03d}" for number in range(-(-cells // CELLS_OF_A_BLOCK)))


def last_whole_year(now: datetime) -> Period:
    """The last Thai fiscal year that is over."""
    today = (now + BANGKOK).date()
    ended = today.year if today.month >= FISCAL_YEAR_STARTS_IN else today.year - 1
    start, until = (date(year, FISCAL_YEAR_STARTS_IN, 1) for year in (ended - 1, ended))
    return Period.model_validate({"from": start, "until": until})


def question(period: Period, mechanism: Mechanism) -> Query:
    """The count in every cell, under the noise of that law."""
    return Query(measures=("count",), dimensions=DIMENSIONS, period=period, mechanism=mechanism)


def contract_text(world: World, labels: tuple[str, ...], period: Period, nano_rho: int) -> str:
    """The contract of one world as an ODCS document, with ``nano_rho`` for its budget of a fiscal year."""
    text = files("saphan").joinpath("privacy_audit", "contract.odcs.yaml").read_text(encoding="utf-8")
    months = period.months()
    return Template(text).substitute(
        dataset=world.dataset,
        agency=world.agency,
        protect_at=world.protect_at.value,
        blocks=to_json([{"value": label} for label in labels]).decode(),
        rows_per_window=ROWS_THAT_COUNT,
        first_month=months[0],
        last_month=months[-1],
        nano_rho=nano_rho,
        delta=DELTA,
    )


def write_rows(folder: Path, world: World, labels: tuple[str, ...], period: Period) -> None:
    """Write the table of one world as ``<dataset>.parquet``."""
    days = np.array(_days(period), dtype="datetime64[m]")
    hours = np.arange(HOURS).astype("timedelta64[h]")
    at = (days[:, None] + hours[None, :] + MIDDLE_OF_THE_HOUR).ravel()
    at, block = np.repeat(at, len(labels)), np.tile(np.array(labels), len(at))
    cells = np.arange(len(at))
    row_cells, people = cells, cells
    if world.has_person:
        added = np.repeat(cells, ROWS_WRITTEN)
        row_cells, people = np.concatenate((cells, added)), np.concatenate((cells, added + len(cells)))
    table = pa.table(
        {
            "row_id": np.arange(len(row_cells)),
            "person_id": people,
            "happened_at": at[row_cells].astype("datetime64[us]"),
            "block": block[row_cells],
        }
    )
    pq.write_table(table, folder / f"{world.dataset}.parquet")


def _days(period: Period) -> list[date]:
    """One day for each month and weekday: the first week of a month has all of them."""
    first_days = (date.fromisoformat(f"{month}-01") for month in period.months())
    return [first + timedelta(days=day) for first, day in product(first_days, range(WEEKDAYS))]
