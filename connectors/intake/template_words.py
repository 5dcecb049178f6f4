"""What a template says of a contract: how to fill it in, what each column means, which codes there are."""

import json
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from connectors.shelf import WrittenContract
from contracts.code_lists import code_list
from contracts.dataset import DatasetContract
from contracts.odcs_columns import ColumnFacts, ColumnType, columns_of

SHEET_NAME = 31
"""Characters that a sheet's name may have."""


@dataclass(frozen=True, slots=True)
class CodeSheet:
    """A code list as it stands in a template: its name, its sheet, and code, Thai and English name of each entry."""

    name: str
    sheet: str
    rows: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Words:
    """Everything that a template says.

    Attributes:
        title: The template's title.
        notes: How to fill it in, and what must never stand in it.
        columns: The contract's columns.
        explained: For each column what ``headings`` announce.
        headings: The headings of the explanation.
        code_headings: The headings of a code list.
        examples: A value for each column.
        lists: The code lists, each once.
    """

    title: str
    notes: tuple[str, ...]
    columns: tuple[ColumnFacts, ...]
    explained: tuple[tuple[str, ...], ...]
    headings: tuple[str, ...]
    code_headings: tuple[str, ...]
    examples: tuple[str, ...]
    lists: tuple[CodeSheet, ...]

    def list_of(self, column: ColumnFacts) -> CodeSheet | None:
        """The code list of a column."""
        return next((each for each in self.lists if each.name == list_name(column)), None)


def words_of(written: WrittenContract) -> Words:
    """What the template of a contract says."""
    contract, columns = written.contract, columns_of(json.loads(written.document))
    names = dict.fromkeys(name for name in map(list_name, columns) if name is not None)
    examples = tuple(_example(each, contract) for each in columns)
    explained = tuple(_explained(column, example) for column, example in zip(columns, examples, strict=True))
    return Words(
        title=_texts()["title"].format(title=contract.title.th, id=contract.id, version=contract.version),
        notes=tuple(_notes(contract, columns)),
        columns=columns,
        explained=explained,
        headings=tuple(_texts()["headings"]),
        code_headings=tuple(_texts()["codes"]),
        examples=examples,
        lists=tuple(_sheet(name) for name in names),
    )


def list_name(column: ColumnFacts) -> str | None:
    """The list whose names a column's cells may hold."""
    return "yes_no" if column.type is ColumnType.BOOLEAN else column.code_list


@lru_cache(maxsize=1)
def _texts() -> dict[str, Any]:
    return tomllib.loads(files("connectors.intake").joinpath("template_texts.toml").read_text(encoding="utf-8"))


def _notes(contract: DatasetContract, columns: tuple[ColumnFacts, ...]) -> list[str]:
    titles = {each.name: each.title for each in columns}
    notes = [each.format(id=contract.id, key=titles[contract.row_key]) for each in _texts()["how"]]
    notes += _texts()["never"]
    if contract.unit.column is not None:
        notes.append(_texts()["person"].format(column=titles[contract.unit.column]))
    if contract.pilot is not None:
        codes = ", ".join(contract.pilot.codes)
        notes.append(_texts()["pilot"].format(column=titles[contract.pilot.column], codes=codes))
    return notes


def _explained(column: ColumnFacts, example: str) -> tuple[str, ...]:
    texts = _texts()
    return (
        column.title,
        column.name,
        column.description,
        texts["types"][column.type.value],
        texts["required"] if column.required else texts["optional"],
        _allowed(column),
        example,
    )


def _allowed(column: ColumnFacts) -> str:
    texts, name = _texts(), list_name(column)
    if name is not None:
        return str(texts["list"].format(list=name, sheet=_sheet_name(name)))
    if column.labels:
        return str(texts["labels"].format(labels=", ".join(column.labels)))
    if column.minimum is None and column.maximum is None:
        return ""
    low, high = (("…" if each is None else f"{each:g}") for each in (column.minimum, column.maximum))
    return str(texts["range"].format(low=low, high=high))


def _example(column: ColumnFacts, contract: DatasetContract) -> str:
    examples = _texts()["examples"]
    if column.example is not None:
        return column.example
    if column.name == contract.unit.column:
        return str(examples["person"])
    if column.code_list is not None:
        listed = code_list(column.code_list)
        codes = contract.pilot.codes if contract.pilot and contract.pilot.column == column.name else listed.values
        return listed.titles[codes[0]].th
    if column.labels:
        return column.labels[0]
    if column.minimum is not None and (column.type is ColumnType.INTEGER or column.maximum is not None):
        return f"{column.minimum:g}"
    return str(examples["month" if column.name == "month" else column.type.value])


def _sheet(name: str) -> CodeSheet:
    listed = code_list(name)
    rows = tuple((code, listed.titles[code].th, listed.titles[code].en) for code in listed.values)
    return CodeSheet(name, _sheet_name(name), rows)


def _sheet_name(name: str) -> str:
    return f"code_{name}"[:SHEET_NAME]
