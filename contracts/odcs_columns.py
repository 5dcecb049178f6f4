"""The columns of a contract's table as people and files see them: headings, types, ranges, codes.

``contracts.dataset`` keeps what answers need; this reads from the same document what those need who fill a table in.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, cast

from contracts.code_lists import code_list
from contracts.odcs import VENDOR
from contracts.values import Value

_NONE_BELOW: Final = re.compile(r"SELECT count\(\*\) FROM \{object\} WHERE \{property\} < (-?\d+)", re.IGNORECASE)


class ColumnType(StrEnum):
    """What a column holds, as ODCS calls it."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"


class ColumnFacts(Value):
    """One column of a contract's table.

    ``title`` is its Thai heading. ``minimum`` and ``maximum`` are the smallest and the largest number, both allowed;
    ``longest`` is the number of characters of a text. A coded column names its list, or has ``labels`` of its own.
    """

    name: str
    title: str
    description: str
    type: ColumnType
    required: bool
    key: bool
    classification: str
    minimum: float | None = None
    maximum: float | None = None
    longest: int | None = None
    example: str | None = None
    code_list: str | None = None
    labels: tuple[str, ...] = ()


def columns_of(document: Mapping[str, object]) -> tuple[ColumnFacts, ...]:
    """The columns of a document that ``contracts.odcs`` accepts, in its order."""
    (table,) = cast("list[dict[str, Any]]", document["schema"])
    return tuple(_column(each) for each in table["properties"])


def _column(written: Mapping[str, Any]) -> ColumnFacts:
    options = written.get("logicalTypeOptions", {})
    examples = written.get("examples") or [None]
    return ColumnFacts(
        name=written["name"],
        title=written.get("businessName", written["name"]),
        description=written.get("description", ""),
        type=ColumnType(written.get("logicalType", "string")),
        required=written.get("required", False),
        key=written.get("primaryKey", False),
        classification=written.get("classification", ""),
        minimum=options.get("minimum", _least(written)),
        maximum=options.get("maximum"),
        longest=options.get("maxLength"),
        example=None if examples[0] is None else str(examples[0]),
        code_list=_code_list(written),
        labels=tuple(str(label["value"]) for label in written.get("enum", ())),
    )


def _least(written: Mapping[str, Any]) -> float | None:
    """The smallest number by a quality rule that counts the rows below it and allows none."""
    for rule in written.get("quality", ()):
        found = _NONE_BELOW.fullmatch(str(rule.get("query", "")))
        if found and rule.get("mustBe") == 0:
            return float(found[1])
    return None


def _code_list(written: Mapping[str, Any]) -> str | None:
    """The list whose codes the column holds; none for times, for numbers that fall into bands, and for free text."""
    if written.get("logicalType") in (ColumnType.DATE, ColumnType.TIMESTAMP, ColumnType.NUMBER):
        return None
    for dimension in _dimensions(written):
        name, via = dimension.get("codeList"), dimension.get("via")
        if name is not None and not (name == via and code_list(name).bands):
            return str(via or name)
    return None


def _dimensions(written: Mapping[str, Any]) -> list[dict[str, str]]:
    for extra in written.get("customProperties", ()):
        if extra.get("vendor") == VENDOR and extra["property"] == "dimensions":
            return cast("list[dict[str, str]]", extra["value"])
    return []
