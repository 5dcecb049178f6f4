"""Series that a user loads: a CSV of ``province``, ``month`` or ``fiscal_year``, and one column for each factor.

Without ``province`` a row is for the whole country. A file with anything wrong is refused as a whole, with every wrong
row named: a factor with silently dropped rows would be another factor.
"""

import csv
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from contracts.code_lists import code_list
from contracts.errors import InvalidInput

PROVINCE, MONTH, FISCAL_YEAR, NATION = "province", "month", "fiscal_year", ""
MOST_TOLD = 12
"""Problems that an error names; it counts the rest."""

MOST_FACTORS = 24
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
_MONTH = re.compile(r"(19|20)\d\d-(0[1-9]|1[0-2])\Z")
_YEAR = re.compile(r"(?:FY)?(2[45]\d\d)\Z")

Key = tuple[str, str]
"""A province's code, or nothing for the country, and a month ``YYYY-MM`` or a fiscal year ``FY2569``."""


@dataclass(frozen=True, slots=True)
class CovariateFile:
    """A file's series.

    Attributes:
        name: The file's name, for messages.
        grain: ``month`` or ``fiscal_year``.
        nationwide: Whether its rows are for the whole country.
        factors: The names of its columns.
        rows: By province and period one figure for each factor.
    """

    name: str
    grain: str
    nationwide: bool
    factors: tuple[str, ...]
    rows: Mapping[Key, tuple[float, ...]]


def read_covariates(text: str, name: str) -> CovariateFile:
    """Read a covariate file.

    Args:
        text: CSV with a heading row, UTF-8.
        name: The file's name, for messages.

    Raises:
        InvalidInput: ``covariates-invalid``, naming every wrong row and column; figures are never repeated.
    """
    lines = list(csv.reader(text.removeprefix("\ufeff").splitlines()))
    if len(lines) < 2:  # noqa: PLR2004  # a heading and a row
        _refuse(name, ["it has no rows"])
    head = [each.strip() for each in lines[0]]
    grain, factors = _heading(head, name)
    found: dict[Key, tuple[float, ...]] = {}
    problems: list[str] = []
    for number, line in enumerate(lines[1:], start=2):
        row = _row(dict(zip(head, (each.strip() for each in line), strict=False)), grain, factors)
        wrong = [f"it has {len(line)} columns instead of {len(head)}"] if len(line) != len(head) else row.problems
        if row.key in found and not wrong:
            wrong = ["it repeats the province and period of an earlier row"]
        problems += [f"row {number}: {each}" for each in wrong]
        found[row.key] = row.figures
    if problems:
        _refuse(name, problems)
    return CovariateFile(name, grain, PROVINCE not in head, factors, found)


@dataclass(frozen=True, slots=True)
class _Row:
    key: Key
    figures: tuple[float, ...]
    problems: list[str]


def _heading(head: Sequence[str], name: str) -> tuple[str, tuple[str, ...]]:
    grains = [each for each in (MONTH, FISCAL_YEAR) if each in head]
    factors = tuple(each for each in head if each not in (PROVINCE, MONTH, FISCAL_YEAR))
    problems = [f"column {each} stands twice" for each, times in Counter(head).items() if times > 1]
    if len(grains) != 1:
        problems.append("it needs one column named month, or one named fiscal_year")
    if not factors:
        problems.append("it has no column with figures")
    if len(factors) > MOST_FACTORS:
        problems.append(f"it has more than {MOST_FACTORS} columns with figures")
    wrong = [number for number, each in enumerate(head, start=1) if not _NAME.match(each)]
    problems += [f"the name of column {number} is not lower-case letters, digits and _" for number in wrong]
    if problems:
        _refuse(name, problems)
    return grains[0], factors


def _row(cells: Mapping[str, str], grain: str, factors: Sequence[str]) -> _Row:
    province, period = cells.get(PROVINCE, NATION), _period(cells.get(grain, ""), grain)
    problems = []
    if PROVINCE in cells and province not in code_list("provinces").values:
        problems.append("its province is not a code of the list provinces, such as 10")
    if period is None:
        form = "a month such as 2026-01" if grain == MONTH else "a fiscal year of the Buddhist era such as 2569"
        problems.append(f"its {grain} is not {form}")
    figures = tuple(_figure(cells.get(each, "")) for each in factors)
    problems += [
        f"its {factor} is not a number" for factor, figure in zip(factors, figures, strict=True) if figure is None
    ]
    known = tuple(math.nan if figure is None else figure for figure in figures)
    return _Row((province, period or ""), known, problems)


def _period(written: str, grain: str) -> str | None:
    if grain == MONTH:
        return written if _MONTH.match(written) else None
    found = _YEAR.match(written)
    return f"FY{found[1]}" if found else None


def _figure(written: str) -> float | None:
    try:
        figure = float(written)
    except ValueError:
        return None
    return figure if math.isfinite(figure) else None


def _refuse(name: str, problems: Sequence[str]) -> NoReturn:
    raise InvalidInput("covariates-invalid", where=name, why="; ".join(_told(problems)))


def _told(problems: Sequence[str]) -> Iterator[str]:
    yield from problems[:MOST_TOLD]
    if len(problems) > MOST_TOLD:
        yield f"and {len(problems) - MOST_TOLD} more"
