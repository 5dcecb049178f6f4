"""What a contract says about each column of its table: all that is needed to make up rows that fit it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from contracts.code_lists import Band, code_list
from contracts.dataset import DatasetContract, MeasureColumn

TIMES = frozenset({"date", "timestamp"})
NUMBERS = frozenset({"integer", "number"})
IDENTIFIER = "direct-identifier"
BUDDHIST_YEARS = (2400, 2700)
"""A whole number that must lie between these is a year of the Buddhist era."""


class Kind(Enum):
    """What the values of a column are."""

    ROW_KEY = auto()
    PERSON = auto()
    TIME = auto()
    CODE = auto()
    BAND = auto()
    YEAR = auto()
    AMOUNT = auto()
    SCORE = auto()
    FLAG = auto()
    IDENTIFIER = auto()
    PLACE = auto()


@dataclass(frozen=True, slots=True)
class Sketch:
    """One column.

    Attributes:
        name: Its name.
        type: Its logical type in the document.
        required: Whether every row has a value.
        kind: What its values are.
        codes: The public codes that it may hold.
        code_list: The list that they come from.
        bands: The spans of whole numbers that its values fall into.
        span: The least and the greatest number that the document allows; none where it says nothing.
        measured: How it may be summed.
    """

    name: str
    type: str
    required: bool
    kind: Kind
    codes: tuple[str, ...] = ()
    code_list: str | None = None
    bands: tuple[Band, ...] = ()
    span: tuple[float, float] | None = None
    measured: MeasureColumn | None = None


@dataclass(frozen=True, slots=True)
class TableSketch:
    """A table: its columns in the document's order, and the contract that rows must fit."""

    contract: DatasetContract
    columns: tuple[Sketch, ...]

    def of(self, *kinds: Kind) -> tuple[Sketch, ...]:
        """The columns of these kinds."""
        return tuple(each for each in self.columns if each.kind in kinds)

    @property
    def required(self) -> frozenset[str]:
        """The columns that are never empty."""
        return frozenset(each.name for each in self.columns if each.required)


def sketch_of(contract: DatasetContract, document: bytes) -> TableSketch:
    """The columns of a contract.

    Args:
        contract: What was read from the document.
        document: The contract's document as JSON, checked before.
    """
    (table,) = json.loads(document)["schema"]
    return TableSketch(contract, tuple(_column(contract, each) for each in table["properties"]))


def _column(contract: DatasetContract, written: Mapping[str, Any]) -> Sketch:
    name, form = str(written["name"]), str(written.get("logicalType") or "string")
    codes, source = _codes(contract, name, [str(each["value"]) for each in written.get("enum", ())])
    bands = _bands(contract, name)
    span = _span(written.get("logicalTypeOptions") or {})
    kinds = (
        (Kind.ROW_KEY, name == contract.row_key),
        (Kind.PERSON, name == contract.unit.column),
        (Kind.TIME, form in TIMES),
        (Kind.FLAG, form == "boolean"),
        (Kind.YEAR, form in NUMBERS and _is_year(span)),
        (Kind.CODE, bool(codes)),
        (Kind.BAND, bool(bands)),
    )
    return Sketch(
        name=name,
        type=form,
        required=bool(written.get("required")),
        kind=next((kind for kind, holds in kinds if holds), _kind(form, written, span)),
        codes=codes,
        code_list=source,
        bands=bands,
        span=span,
        measured=contract.measure_column(name),
    )


def _kind(form: str, written: Mapping[str, Any], span: tuple[float, float] | None) -> Kind:
    """What the values are where no public codes are known."""
    if form in NUMBERS:
        return Kind.SCORE if span is not None else Kind.AMOUNT
    return Kind.IDENTIFIER if written.get("classification") == IDENTIFIER else Kind.PLACE


def _is_year(span: tuple[float, float] | None) -> bool:
    return span is not None and BUDDHIST_YEARS[0] <= span[0] <= span[1] <= BUDDHIST_YEARS[1]


def _codes(contract: DatasetContract, name: str, labels: Sequence[str]) -> tuple[tuple[str, ...], str | None]:
    """The codes that the column itself holds: of its own list, of the list that leads on to others, or its enum."""
    for each in (each for each in contract.dimensions if each.column == name and each.grain is None):
        source = each.via or each.code_list
        if source is None:
            return each.values, None
        if not code_list(source).bands or each.via is None:
            return code_list(source).values, source
    return tuple(labels), None


def _bands(contract: DatasetContract, name: str) -> tuple[Band, ...]:
    lists = (
        each.via for each in contract.dimensions if each.column == name and each.via and each.via == each.code_list
    )
    return next((code_list(each).bands for each in lists), ())


def _span(options: Mapping[str, Any]) -> tuple[float, float] | None:
    if "minimum" not in options or "maximum" not in options:
        return None
    return float(options["minimum"]), float(options["maximum"])
