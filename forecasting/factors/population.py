"""Whom the rates are of: registered people by province, and how young or old they are.

From a file in the shape of the open dataset ``ref_population`` (province, year of the Buddhist era, sex, age_band,
population), or else the totals of 31 December 2566 in the code list of provinces.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from contracts.code_lists import code_list
from contracts.errors import InvalidInput
from contracts.periods import BUDDHIST_ERA
from forecasting.panel import Floats

COLUMNS = ("province", "year", "sex", "age_band", "population")
LISTED_YEAR = 2566
STRUCTURE: Mapping[str, tuple[str, ...]] = {
    "share_15_29": ("A15_17", "A18_21", "A22_29"),
    "share_60_over": ("A60P",),
}
"""The factors of the population's structure, by the age bands that they add up; in per cent of all."""


@dataclass(frozen=True, slots=True)
class Population:
    """Registered people by province and year of the Buddhist era, and the share of each age group in per cent."""

    totals: Mapping[tuple[str, int], float]
    shares: Mapping[str, Mapping[tuple[str, int], float]]

    @property
    def years(self) -> tuple[int, ...]:
        """The years that were counted, each on 31 December."""
        return tuple(sorted({year for _, year in self.totals}))

    def at(self, table: Mapping[tuple[str, int], float], areas: Sequence[str], middles: Sequence[date]) -> Floats:
        """A table's figures at the count nearest to the middle of each period: areas x periods; NaN without one."""
        years = [
            min(self.years, key=lambda year: abs((date(year - BUDDHIST_ERA, 12, 31) - day).days)) for day in middles
        ]
        return np.array([[table.get((area, year), np.nan) for year in years] for area in areas])


def listed_population() -> Population:
    """The totals of the code list of provinces; it has no ages."""
    people = code_list("provinces").facts["pop_2566"]
    return Population({(area, LISTED_YEAR): float(count) for area, count in people.items()}, {})


def read_population(text: str, name: str) -> Population:
    """Read a population file.

    Args:
        text: CSV with the columns of ``ref_population``; others are passed over.
        name: The file's name, for messages.

    Raises:
        InvalidInput: ``covariates-invalid``.
    """
    reader = csv.DictReader(text.removeprefix("\ufeff").splitlines())
    missing = [each for each in COLUMNS if each not in (reader.fieldnames or ())]
    if missing:
        raise InvalidInput("covariates-invalid", where=name, why=f"it has no column {', '.join(missing)}")
    counts: dict[tuple[str, int, str], float] = {}
    for number, row in enumerate(reader, start=2):
        province, year, band, people = _row(row, f"{name}, row {number}")
        counts[province, year, band] = counts.get((province, year, band), 0.0) + people
    if not counts:
        raise InvalidInput("covariates-invalid", where=name, why="it has no rows")
    return _population(counts)


def _row(row: Mapping[str, str], where: str) -> tuple[str, int, str, float]:
    wrong = [
        *(["province"] if row["province"] not in code_list("provinces").values else []),
        *(["age_band"] if row["age_band"] not in code_list("age_bands").values else []),
        *(
            each
            for each in ("year", "population")
            if not (row[each] or "").isascii() or not (row[each] or "").isdigit()
        ),
    ]
    if wrong:
        raise InvalidInput("covariates-invalid", where=where, why=f"{', '.join(wrong)} cannot be read")
    return row["province"], int(row["year"]), row["age_band"], float(row["population"])


def _population(counts: Mapping[tuple[str, int, str], float]) -> Population:
    totals: dict[tuple[str, int], float] = {}
    for (province, year, _), people in counts.items():
        totals[province, year] = totals.get((province, year), 0.0) + people
    filled = {key: people for key, people in totals.items() if people > 0}
    shares = {
        name: {
            key: 100.0 * sum(counts.get((*key, band), 0.0) for band in bands) / people for key, people in filled.items()
        }
        for name, bands in STRUCTURE.items()
    }
    return Population(filled, shares)
