"""The cells of a sheet, collected while expat calls their beginnings and values, and put into columns at once.

Called many million times for a large sheet, so a cell is two list entries here: its place, which is row and column in one
number, and its text. What the text means is worked out for a whole block.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types

from connectors.intake.blocks import MOST_COLUMNS, Block
from connectors.intake.cells import SERIAL
from connectors.intake.thai_dates import Unclear, of_serial

LETTERS: Final = 26
LAST_ROW: Final = 1_048_576
STRIDE: Final = 512
"""Places of one row; more than there are columns."""

PLAIN_DIGITS: Final = 15
"""A number with no more characters is shown as it is written; a longer one may be a binary fraction written out."""

SHARED, NUMBER, DATE, TEXT = range(4)
_MARKED: Final = frozenset({"row", "f", "v"})
Places = npt.NDArray[np.int64]
Event = str | list[str] | tuple[str, list[str]]
"""A piece of text, the attributes of a cell, or name and attributes of a row or a formula."""


@dataclass(slots=True)
class Cells:
    """The rows collected so far: their numbers in the sheet, and places and texts by kind of cell."""

    numbers: list[int] = field(default_factory=list)
    places: tuple[list[int], ...] = field(default_factory=lambda: ([], [], [], []))
    texts: tuple[list[str], ...] = field(default_factory=lambda: ([], [], [], []))


class Collector:
    """Makes rows of a sheet's events.

    Args:
        dates: The styles of cells that show dates.
        at_once: Rows of a block.
    """

    def __init__(self, dates: frozenset[str], at_once: int) -> None:
        self._at_once = at_once
        self.events: list[Event] = []
        self._dates = dates
        self._now = Cells()
        self._columns: dict[str, int] = {}
        self._number = self._column = 0
        self._place = self._last = -1
        self._kind = TEXT
        self._value = self._formula = False
        self._base = self._digits = 0
        self.rest()

    def start(self, name: str, attributes: list[str]) -> None:
        """An element begins. What it means is left to ``fold``: here every comparison costs."""
        if name == "c":
            self.events.append(attributes)
        elif name == "v":
            if self._formula:
                self._formula = False
                self.events.append((name, attributes))
        elif name == "row" or name == "f":  # noqa: PLR1714  # two comparisons are the fastest
            self._formula = name == "f"
            self.events.append((name, attributes))

    def fold(self) -> Iterator[Cells]:
        """Take up the events so far; gives each block of rows as it is full.

        Raises:
            ValueError: For rows or cells that stand in no sheet.
        """
        events, self.events = self.events, []
        for event in events:
            if type(event) is list:
                self._begin_cell(event)
            elif type(event) is str:
                if self._place == self._last:
                    self._now.texts[self._kind][-1] += event
                elif self._value:
                    self._places[self._kind](self._place)
                    self._texts[self._kind](event)
                    self._last = self._place
            elif event[0] == "row":
                if len(self._now.numbers) >= self._at_once:
                    yield self.rest()
                self._begin_row(dict(zip(event[1][::2], event[1][1::2], strict=True)))
            else:  # the text of a formula is no value; what comes after it is
                self._value = event[0] != "f"

    def rest(self) -> Cells:
        """The rows that are not given yet; they are complete."""
        done = self._now
        self._now = now = Cells()
        self._places = [each.append for each in now.places]
        self._texts = [each.append for each in now.texts]
        return done

    def _begin_cell(self, attributes: list[str]) -> None:
        reference, style, kind = None, "", "n"
        for place in range(0, len(attributes), 2):
            name = attributes[place]
            if name == "r":
                reference = attributes[place + 1]
            elif name == "t":
                kind = attributes[place + 1]
            elif name == "s":
                style = attributes[place + 1]
        column = self._column + 1 if reference is None else self._column_of(reference)
        self._column = column
        self._place = self._base + column
        self._value = True
        self._kind = (DATE if style in self._dates else NUMBER) if kind == "n" else SHARED if kind == "s" else TEXT

    def _begin_row(self, attributes: dict[str, str]) -> None:
        number = int(attributes.get("r", self._number + 1))
        if not self._number < number <= LAST_ROW:
            raise ValueError("rows of a sheet follow each other")
        self._number = number
        self._digits = len(str(number))
        self._base = len(self._now.numbers) * STRIDE
        self._now.numbers.append(number)
        self._column, self._last, self._value = -1, -1, False

    def _column_of(self, reference: str) -> int:
        letters = reference[: -self._digits]
        place = self._columns.get(letters)
        if place is None:
            place = 0
            for letter in reference.rstrip("0123456789"):
                place = place * LETTERS + ord(letter) - ord("A") + 1
            place = min(place - 1, MOST_COLUMNS)
            self._columns[letters] = place
        return place


def block_of(cells: Cells, width: int, shared: pa.ChunkedArray, *, from_1904: bool) -> Block:
    """The collected rows as columns of text.

    Raises:
        ValueError: For a number that is none, or a shared text that is not there.
    """
    texts = [pa.array(each, pa.string()) for each in cells.texts]
    texts[SHARED] = _shared(cells.texts[SHARED], shared)
    texts[NUMBER] = pa.array([_number(each) for each in cells.texts[NUMBER]], pa.string())
    texts[DATE] = pa.array([_date(each, from_1904=from_1904) for each in cells.texts[DATE]], pa.string())
    values = pa.concat_arrays(texts)
    places = np.concatenate([np.array(each, dtype=np.int64) for each in cells.places])
    return Block(
        numbers=pa.array(cells.numbers, pa.int64()),
        cells=tuple(_column(values, places, column, len(cells.numbers)) for column in range(width)),
        misshapen=_beyond(values, places, width, len(cells.numbers)),
    )


def _shared(numbers: list[str], shared: pa.ChunkedArray) -> pa.Array:
    if not numbers:
        return pa.array([], pa.string())
    taken = shared.take(pa.array(list(map(int, numbers)), pa.int64()))
    return taken.combine_chunks() if isinstance(taken, pa.ChunkedArray) else taken


def _number(text: str) -> str:
    if len(text) <= PLAIN_DIGITS and "E" not in text and "e" not in text and not text.isspace():
        float(text)
        return SERIAL + text.strip()
    number = float(text)
    return SERIAL + (str(int(number)) if number.is_integer() else repr(number))


def _date(text: str, *, from_1904: bool) -> str:
    try:
        return of_serial(float(text), from_1904=from_1904).isoformat(sep=" ")
    except Unclear:
        return SERIAL + text.strip()


def _column(values: pa.Array, places: Places, column: int, rows: int) -> pa.Array:
    (here,) = np.nonzero(places % STRIDE == column)
    taken = np.full(rows, -1, dtype=np.int64)
    taken[places[here] // STRIDE] = here
    return values.take(pa.array(taken, mask=taken < 0))


def _beyond(values: pa.Array, places: Places, width: int, rows: int) -> pa.Array:
    beyond: list[str | None] = [None] * rows
    for here in np.nonzero(places % STRIDE >= width)[0]:
        text = values[int(here)].as_py().removeprefix(SERIAL).strip()
        row = int(places[here]) // STRIDE
        if text:
            beyond[row] = text if beyond[row] is None else f"{beyond[row]} | {text}"
    return pa.array(beyond, pa.string())
