"""Finding the heading of a file: which of its columns are the contract's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from connectors.intake.blocks import Line
from connectors.intake.matching import Matcher
from connectors.intake.thai_text import clean, unguarded
from contracts.errors import InvalidInput
from contracts.odcs_columns import ColumnFacts

ROW_COLUMN, ERRORS_COLUMN = "saphan_row", "saphan_errors"
OURS: Final = frozenset({ROW_COLUMN, ERRORS_COLUMN})
"""Columns that a file of rejected rows has beside the agency's own; they are left out when it comes back."""


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a file.

    Attributes:
        last: The number of the last row that belongs to it.
        texts: What stands in it, by position.
        positions: Where each column of the contract stands; columns that the file lacks are not in it.
        own: The positions that are the agency's: all but ours.
    """

    last: int
    texts: tuple[str, ...]
    positions: dict[str, int]
    own: tuple[int, ...]


def find_heading(lines: Sequence[Line], columns: Sequence[ColumnFacts], *, ignore_unknown: bool) -> Heading:
    """The row among the first that names most of the contract's columns, by name or by Thai heading.

    Raises:
        InvalidInput: ``import-heading``, naming required columns that no heading names; ``import-heading-twice``;
            ``import-unknown-columns``, unless they are to be ignored. Nothing is named before every required column
            was found: what stands in a file without a heading are people's data.
    """
    matcher = Matcher({each.name: (each.name, each.title) for each in columns})
    found = [(line, _named(line, matcher)) for line in lines]
    required = [each for each in columns if each.required]
    if not found:
        raise InvalidInput("import-heading", columns=_listed(required))
    line, names = max(found, key=lambda pair: len({name for name in pair[1] if name}))
    missing = [each for each in required if each.name not in names]
    if missing:
        raise InvalidInput("import-heading", columns=_listed(missing))
    texts = tuple(clean(unguarded(each or "")) for each in line.cells)
    positions = _positions(names)
    known = {*positions.values(), *(place for place, text in enumerate(texts) if text in OURS or not text)}
    unknown = [text for place, text in enumerate(texts) if place not in known]
    if unknown and not ignore_unknown:
        raise InvalidInput("import-unknown-columns", columns=", ".join(unknown))
    own = tuple(place for place, text in enumerate(texts) if text not in OURS)
    return Heading(_last(line, names, found), texts, positions, own)


def _named(line: Line, matcher: Matcher) -> list[str | None]:
    found = [matcher.find(each) if each else None for each in line.cells]
    return [each if isinstance(each, str) else None for each in found]


def _positions(names: list[str | None]) -> dict[str, int]:
    positions: dict[str, int] = {}
    for place, name in enumerate(names):
        if name in positions:
            raise InvalidInput("import-heading-twice", column=name)
        if name is not None:
            positions[name] = place
    return positions


def _last(line: Line, names: list[str | None], found: list[tuple[Line, list[str | None]]]) -> int:
    """Our templates name each column twice, in Thai and for machines: the second row is heading as well."""
    below = next(((each, same) for each, same in found if each.number == line.number + 1), None)
    return below[0].number if below is not None and below[1][: len(names)] == names else line.number


def _listed(columns: Sequence[ColumnFacts]) -> str:
    return ", ".join(f"{each.title} ({each.name})" for each in columns)
