"""What the names of columns say: which are identifiers, which hold codes of a list, which is the time of the event.

Pure, and strict: what looks like an identifier is never offered, and what matches nothing is sensitive and not offered
either. Names and declared types are all that is looked at; no row is.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, cast

from connectors.sources import SourceColumn
from contracts.code_lists import code_list
from contracts.odcs import VENDOR, bundled_ids, bundled_text
from contracts.odcs_yaml import parse

DIRECT: Final = "direct-identifier"
QUASI: Final = "quasi-identifier"
SENSITIVE: Final = "sensitive"
PLAIN: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
TIME_TYPES: Final = ("date", "timestamp")

_NAMES: Final[dict[str, Any]] = tomllib.loads(
    files("connectors").joinpath("draft_names.toml").read_text(encoding="utf-8")
)
_IDENTIFIERS: Final = frozenset(_NAMES["identifiers"])
_ALIASES: Final = {other: name for name, others in _NAMES["aliases"].items() for other in others}


@dataclass(frozen=True, slots=True)
class Guess:
    """A column as it would stand in a contract; ``dimensions`` are extras as they are written there."""

    name: str
    type: str
    required: bool
    classification: str
    dimensions: tuple[Mapping[str, object], ...] = ()

    @property
    def lists(self) -> tuple[str, ...]:
        """The code lists that its dimensions use, each once."""
        named = (each.get(key) for each in self.dimensions for key in ("codeList", "via"))
        return tuple(dict.fromkeys(str(name) for name in named if name is not None))


def is_plain(name: str) -> bool:
    """Whether a name can stand in a contract."""
    return PLAIN.fullmatch(name) is not None


def guess(column: SourceColumn) -> Guess:
    """How a column of a plain name would stand in a contract."""
    known = _known(column.name)
    name, kind = column.name, _type_of(column)
    if column.key or is_identifier(name):
        return Guess(name, kind, column.required, DIRECT)
    if known is None or not _fits(known, column.type):
        classification = QUASI if kind in TIME_TYPES else SENSITIVE
        return Guess(name, kind, column.required, classification)
    return Guess(name, column.type or known.type, column.required, QUASI, _renamed(known, name))


def is_identifier(name: str) -> bool:
    """Whether a name has a part that identifiers have."""
    return not _IDENTIFIERS.isdisjoint(_parts(name))


def is_time(guessed: Guess) -> bool:
    """Whether a column may be the time of an event, by its declared type or by its name."""
    return guessed.classification != DIRECT and guessed.type in TIME_TYPES


def event_times(columns: Sequence[Guess]) -> tuple[Guess, ...]:
    """The columns that may be the time of the event, the likeliest first."""
    order = {word: place for place, word in enumerate(_NAMES["event_times"])}
    times = [each for each in columns if is_time(each)]
    return tuple(sorted(times, key=lambda each: min((order.get(p, len(order)) for p in _parts(each.name)), default=99)))


def row_key(columns: Sequence[SourceColumn], table: str) -> str | None:
    """The declared key, or the one column whose name says that it is."""
    declared = [each.name for each in columns if each.key]
    usual = ("id", f"{table}_id", f"{table}_no", f"{table}_ref")
    named = [each.name for each in columns if each.name in usual]
    return next(iter((*declared, *named)), None)


@dataclass(frozen=True, slots=True)
class _Known:
    """A column that bundled contracts have, and the dimensions that all of them derive from it."""

    name: str
    type: str
    dimensions: tuple[Mapping[str, Any], ...]

    def agreed(self, other: "_Known") -> "_Known":
        """What two contracts have in common, each dimension under the shorter, more general title."""
        theirs = {_derivation(each): each for each in other.dimensions}
        both = [(each, theirs[_derivation(each)]) for each in self.dimensions if _derivation(each) in theirs]
        general = (min(pair, key=lambda each: (len(each["title"]["en"]), each["title"]["en"])) for pair in both)
        return replace(self, dimensions=tuple(general))


def _known(name: str) -> _Known | None:
    """The bundled column of that name, of another spelling of it, or of what follows a prefix: ``victim_sex``."""
    parts = name.split("_")
    for start in range(len(parts)):
        ending = "_".join(parts[start:])
        found = _bundled().get(_ALIASES.get(ending, ending))
        if found is not None:
            return found
    return None


@lru_cache(maxsize=1)
def _bundled() -> Mapping[str, _Known]:
    """By name, the coded columns on which all bundled contracts agree that have codes in them."""
    found: dict[str, _Known] = {}
    for dataset in bundled_ids():
        (table,) = cast("list[dict[str, Any]]", parse(bundled_text(dataset))["schema"])
        for column in table["properties"]:
            known = _coded(column)
            if known.dimensions:
                found[known.name] = found.get(known.name, known).agreed(known)
    return {name: each for name, each in found.items() if each.dimensions and name not in _NAMES["ambiguous"]}


def _coded(column: Mapping[str, Any]) -> _Known:
    extras = [e for e in column.get("customProperties", ()) if (e["vendor"], e["property"]) == (VENDOR, "dimensions")]
    dimensions = tuple(each for extra in extras for each in extra["value"] if "codeList" in each)
    return _Known(str(column["name"]), str(column["logicalType"]), dimensions)


def _derivation(dimension: Mapping[str, Any]) -> tuple[str, str, str]:
    return (str(dimension["name"]), str(dimension["codeList"]), str(dimension.get("via")))


def _fits(known: _Known, declared: str | None) -> bool:
    """Bands are of numbers; codes are texts, or numbers that are written like them."""
    banded = any(code_list(str(each["codeList"])).bands and "via" in each for each in known.dimensions)
    return declared is None or declared in (("integer",) if banded else ("string", "integer", "boolean"))


def _renamed(known: _Known, name: str) -> tuple[Mapping[str, object], ...]:
    """The dimensions under names of their own: ``victim_province`` gives it and ``victim_police_region``."""
    prefix = next((name.removesuffix(end) for end in (known.name, *_spellings(known.name)) if name.endswith(end)), "")
    return tuple({**each, "name": f"{prefix}{each['name']}"} for each in known.dimensions)


def _spellings(name: str) -> tuple[str, ...]:
    return tuple(sorted((other for other, meant in _ALIASES.items() if meant == name), key=len, reverse=True))


def _type_of(column: SourceColumn) -> str:
    """The declared type; text and undeclared columns with the name of a time are taken for one."""
    parts = _parts(column.name)
    if column.type in (None, "string") and not parts.isdisjoint(_NAMES["times"]):
        return "date" if "date" in parts or "day" in parts else "timestamp"
    return column.type or "string"


def _parts(name: str) -> frozenset[str]:
    return frozenset(part.rstrip("0123456789") for part in name.lower().split("_"))
