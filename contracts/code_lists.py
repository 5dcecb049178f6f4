"""The public code lists, and how a source's value becomes one of their codes.

A list is a file ``code_lists/<name>.csv`` with ``code``, ``name_th`` and ``name_en``. Further columns mean:

* ``otherwise``: ``yes`` marks the one code under which missing and unlisted values are counted. In a dimension whose
  list has no such code, rows with another value fall in no cell.
* ``written``: other forms, split by ``;``, in which sources write the code.
* ``low``, ``high``: the whole numbers that the code stands for, both ends inside; an empty ``high`` is without end.
* the name of another list: the code of that list into which this one falls.
* anything else is a fact about the code, such as a population; it changes no answer.

The lists come from the federation's domain files; a contract pins each list that it uses by ``CodeList.digest``.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

from contracts.canonical import digest_of
from contracts.dataset import Dimension, Grain, Text
from contracts.errors import InvalidInput

FOLDER = files("contracts").joinpath("code_lists")
NAMES = frozenset(each.name.removesuffix(".csv") for each in FOLDER.iterdir() if each.name.endswith(".csv"))
"""The name of every list."""

Rows = Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Band:
    """The whole numbers ``low`` to ``high``, both inside, that a code stands for; ``high`` None is without end."""

    code: str
    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class CodeList:
    """A public list of codes, in the order in which they are shown.

    ``facts`` has, by column and code, whatever else the file says. ``digest`` covers all that can change an answer
    (codes, mappings, bands), not titles and facts.
    """

    name: str
    values: tuple[str, ...]
    titles: Mapping[str, Text]
    otherwise: str | None
    bands: tuple[Band, ...]
    facts: Mapping[str, Mapping[str, str]]
    digest: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """A source's values, as text, and the code that each is counted under; ``otherwise`` takes all the rest."""

    mapping: Mapping[str, str]
    otherwise: str | None

    def code_of(self, value: object) -> str | None:
        """The code of a source's value; None if it falls in no cell."""
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return self.mapping.get(text, self.otherwise)


@dataclass(frozen=True, slots=True)
class Bands:
    """Whole numbers and the code that each is counted under; ``otherwise`` takes all the rest."""

    bands: tuple[Band, ...]
    otherwise: str | None

    def code_of(self, value: object) -> str | None:
        """The code of a source's value; None if it falls in no cell."""
        if not isinstance(value, int):
            return self.otherwise
        inside = (band.code for band in self.bands if band.low <= value and (band.high is None or value <= band.high))
        return next(inside, self.otherwise)


@lru_cache(maxsize=64)
def code_list(name: str) -> CodeList:
    """The list of that name.

    Raises:
        InvalidInput: ``unknown-code-list``.
    """
    if name not in NAMES:
        raise InvalidInput("unknown-code-list", list=name, choices=", ".join(sorted(NAMES)))
    text = FOLDER.joinpath(f"{name}.csv").read_text(encoding="utf-8")
    rows = tuple(csv.DictReader(text.splitlines()))
    columns = tuple(column for column in rows[0] if column not in ("code", "name_th", "name_en"))
    return CodeList(
        name=name,
        values=tuple(row["code"] for row in rows),
        titles=MappingProxyType({row["code"]: Text(th=row["name_th"], en=row["name_en"]) for row in rows}),
        otherwise=next((row["code"] for row in rows if row.get("otherwise") == "yes"), None),
        bands=tuple(_band(row) for row in rows if row.get("low")),
        facts=MappingProxyType({column: {row["code"]: row[column] for row in rows} for column in columns}),
        digest=_digest(rows),
    )


def crosswalk(via: str, target: str) -> Mapping[str, str]:
    """The code of list ``target`` for each code of list ``via``, such as a province's police region.

    Raises:
        InvalidInput: ``unknown-code-list``, also when ``via`` does not lead to ``target``.
    """
    facts = code_list(via).facts
    if target not in NAMES or target not in facts:
        raise InvalidInput("unknown-code-list", list=f"{via} > {target}", choices=", ".join(sorted(NAMES & set(facts))))
    return facts[target]


def derivation(dimension: Dimension) -> Lookup | Bands | None:
    """How the dimension's column becomes one of its codes; None for a time dimension.

    Raises:
        InvalidInput: ``unknown-code-list``.
    """
    if dimension.grain is not None:
        return None
    if dimension.code_list is None:
        return Lookup(MappingProxyType({code: code for code in dimension.values}), None)
    target = code_list(dimension.code_list)
    if dimension.via == dimension.code_list and target.bands:
        return Bands(target.bands, target.otherwise)
    if dimension.via is not None:
        return Lookup(crosswalk(dimension.via, dimension.code_list), target.otherwise)
    return Lookup(MappingProxyType(_written(target)), target.otherwise)


def titles_of(dimension: Dimension) -> Mapping[str, Text]:
    """The titles of the dimension's codes in both languages; empty where the codes speak for themselves."""
    name = "weekdays" if dimension.grain is Grain.WEEKDAY else dimension.code_list
    return code_list(name).titles if name else MappingProxyType({})


def _written(target: CodeList) -> dict[str, str]:
    forms = {code: code for code in target.values}
    for code, written in target.facts.get("written", {}).items():
        forms.update({form: code for form in written.split(";") if form})
    return forms


def _band(row: Mapping[str, str]) -> Band:
    return Band(row["code"], int(row["low"]), int(row["high"]) if row["high"] else None)


def _digest(rows: Rows) -> str:
    decisive = ("code", "otherwise", "written", "low", "high", *sorted(NAMES))
    return digest_of([{column: row[column] for column in decisive if row.get(column)} for row in rows])
