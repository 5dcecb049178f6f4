"""The cells of some rows of a sheet, and what they say.

A large sheet has tens of millions of cells, so rows are taken apart by polars as columns of text, in the one form in
which spreadsheet programs write cells. Rows with a cell in another form are read by expat, which knows every form.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # ships no types

from connectors.intake.blocks import LARGEST_BLOCK, MOST_COLUMNS, Block, tidy
from connectors.intake.cells import SERIAL
from connectors.intake.thai_dates import Unclear, of_serial
from connectors.intake.xlsx_parts import guarded_parser

LETTERS: Final = 26
STRIDE: Final = 512
"""Places of one row; more than there are columns."""

PLAIN_DIGITS: Final = 15
"""A number with no more characters is shown as it is written; a longer one may be a binary fraction written out."""

SHARED, NUMBER, DATE, TEXT = range(4)
_ROW: Final = r'^r="(?P<number>[0-9]{1,7})"[^<>]*/?>\s*(?:</row>\s*)?$'
_CELL: Final = (
    r'^r="(?P<column>[A-Z]{1,3})[0-9]{1,7}"(?: s="(?P<style>[0-9]+)")?(?: t="(?P<kind>[A-Za-z]+)")?(?: [a-z]+="[^"]*")*'
    r"(?:/>|>(?:<f[^>]*>[^<]*</f>|<f[^>]*/>)?"
    r"(?:<v>(?P<value>[^<&]*)</v>|<v/>|<is><t(?: [^>]*)?>(?P<inline>[^<&]*)</t></is>)?</c>)\s*(?:</row>\s*)?$"
)
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of some rows.

    Attributes:
        numbers: The numbers of the rows.
        places: Row (counted within these) times ``STRIDE`` plus column, of each cell that holds anything.
        kinds: What each cell holds.
        texts: What stands in each cell.
    """

    numbers: Places
    places: Places
    kinds: Places
    texts: pa.Array


def cells_of(rows: str, dates: frozenset[str]) -> Cells:
    """The cells of whole rows.

    Args:
        rows: ``<row ...>...</row>``, any number of times.
        dates: The styles of cells that show dates.

    Raises:
        ValueError: For rows that are none of a sheet.
    """
    return _usual(rows, dates) or _any_form(rows, dates)


def _usual(rows: str, dates: frozenset[str]) -> Cells | None:
    """The cells if all are written in the usual form."""
    split = pl.DataFrame({"piece": [rows]}).select(pl.col("piece").str.split("<row ").explode())
    if split["piece"][0].strip():
        return None
    pieces = split.slice(1).with_row_index("row").select("row", pl.col("piece").str.split("<c "))
    heads = pieces.select(pl.col("piece").list.first().str.extract_groups(_ROW).struct.field("number"))["number"]
    found = (
        pieces.select("row", pl.col("piece").list.slice(1))
        .explode("piece")
        .drop_nulls("piece")
        .select("row", pl.col("piece").str.extract_groups(_CELL))
        .unnest("piece")
    )
    if heads.null_count() or found["column"].null_count():
        return None
    letters = {"A": 0} | {each: _place_of(each) for each in found["column"].unique().to_list()}
    filled = (
        found.with_columns(text=pl.coalesce("value", "inline"))
        .filter(pl.col("text").is_not_null() & (pl.col("text") != ""))
        .select(
            (
                pl.col("row").cast(pl.Int64) * STRIDE + pl.col("column").replace_strict(letters, return_dtype=pl.Int64)
            ).alias("place"),
            pl.when(pl.col("kind") == "s")
            .then(SHARED)
            .when(pl.col("kind").is_not_null() & (pl.col("kind") != "n"))
            .then(TEXT)
            .when(pl.col("style").is_in(sorted(dates)))
            .then(DATE)
            .otherwise(NUMBER)
            .cast(pl.Int64)
            .alias("kind"),
            "text",
        )
    )
    return Cells(
        heads.cast(pl.Int64).to_numpy(),
        filled["place"].to_numpy(),
        filled["kind"].to_numpy(),
        filled["text"].to_arrow().cast(pa.string()),
    )


def _any_form(rows: str, dates: frozenset[str]) -> Cells:
    """The cells by a full reading of the XML."""
    collector = _Collector(dates)
    parser = guarded_parser()
    parser.StartElementHandler = collector.start
    parser.EndElementHandler = collector.end
    parser.CharacterDataHandler = collector.text
    parser.Parse(f"<rows>{rows}</rows>", True)  # noqa: FBT003  # expat's own signature
    return Cells(
        np.array(collector.numbers, dtype=np.int64),
        np.array(list(collector.found), dtype=np.int64),
        np.array([kind for kind, _ in collector.found.values()], dtype=np.int64),
        pa.array([text for _, text in collector.found.values()], pa.string()),
    )


class _Collector:
    """Takes expat's calls; ``found`` has kind and text by place."""

    def __init__(self, dates: frozenset[str]) -> None:
        self.numbers: list[int] = []
        self.found: dict[int, tuple[int, str]] = {}
        self._dates = dates
        self._column = -1
        self._kind = TEXT
        self._reading = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self._reading = name in ("v", "t")
        if name == "row":
            last = self.numbers[-1] if self.numbers else 0
            self.numbers.append(int(attributes.get("r", last + 1)))
            self._column = -1
        elif name == "c":
            reference = attributes.get("r")
            self._column = self._column + 1 if reference is None else _place_of(reference.rstrip("0123456789"))
            kind = attributes.get("t", "n")
            number = DATE if attributes.get("s") in self._dates else NUMBER
            self._kind = SHARED if kind == "s" else number if kind == "n" else TEXT

    def end(self, _: str) -> None:
        """An element ends; what stands between elements is no text of a cell."""
        self._reading = False

    def text(self, text: str) -> None:
        """A piece of text: a value as a rule, but its pieces where the format changes inside it."""
        if self._reading:
            place = (len(self.numbers) - 1) * STRIDE + self._column
            self.found[place] = (self._kind, self.found.get(place, (0, ""))[1] + text)


def portions(cells: Cells, lengths: pa.Array) -> Iterator[tuple[Cells, int]]:
    """The cells some rows at a time, so that what they say is not held all at once, and how many bytes that is.

    Args:
        cells: Cells of some rows.
        lengths: The bytes of each shared text.

    Raises:
        ValueError: For a shared text that is not there.
    """
    said = pc.binary_length(cells.texts).to_numpy().astype(np.int64)
    shared = cells.kinds == SHARED
    said[shared] = lengths.take(cells.texts.filter(pa.array(shared)).cast(pa.int64())).to_numpy()
    rows = cells.places // STRIDE
    upto = np.cumsum(np.bincount(rows, said, minlength=len(cells.numbers))).astype(np.int64)
    part = upto // LARGEST_BLOCK
    for each in np.unique(part):
        here = part[rows] == each
        (those,) = np.nonzero(part == each)
        texts = cells.texts.filter(pa.array(here))
        places = cells.places[here] - those[0] * STRIDE
        yield Cells(cells.numbers[those], places, cells.kinds[here], texts), int(said[here].sum())


def block_of(cells: Cells, width: int, shared: pa.Array, *, from_1904: bool) -> Block:
    """The cells as columns of text.

    Raises:
        ValueError: For a number that is none, or a shared text that is not there.
    """
    texts = [_said(cells, kind, shared, from_1904=from_1904) for kind in range(4)]
    values = pa.concat_arrays(texts)
    places = np.concatenate([cells.places[cells.kinds == kind] for kind in range(4)])
    rows = len(cells.numbers)
    return Block(
        numbers=pa.array(cells.numbers),
        cells=tuple(_column(values, places, column, rows) for column in range(width)),
        misshapen=_beyond(values, places, width, rows),
    )


def _place_of(letters: str) -> int:
    place = 0
    for letter in letters:
        place = place * LETTERS + ord(letter) - ord("A") + 1
    return min(place - 1, MOST_COLUMNS)


def _said(cells: Cells, kind: int, shared: pa.Array, *, from_1904: bool) -> pa.Array:
    texts = cells.texts.filter(pa.array(cells.kinds == kind))
    if kind == SHARED:
        return shared.take(texts.cast(pa.int64()))
    if kind == TEXT:
        return tidy(texts)
    plain = [each.strip() for each in texts.to_pylist()]
    if kind == NUMBER:
        return pa.array([_number(each) for each in plain], pa.string())
    return pa.array([_date(each, from_1904=from_1904) for each in plain], pa.string())


def _number(text: str) -> str:
    number = float(text)
    if len(text) <= PLAIN_DIGITS and "E" not in text and "e" not in text:
        return SERIAL + text
    return SERIAL + (str(int(number)) if number.is_integer() else repr(number))


def _date(text: str, *, from_1904: bool) -> str:
    try:
        return of_serial(float(text), from_1904=from_1904).isoformat(sep=" ")
    except Unclear:
        return SERIAL + text


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
