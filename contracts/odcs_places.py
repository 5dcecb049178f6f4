"""Where in a contract's file a finding points: the JSON path, and the line of the text that was written there.

Rules name places in the words of the format (``damage_thb.clampBy.SHOP``, ``pdpa.purposes``); this turns them into
steps through the document. A place that is not written, such as an extra that is missing, points to what would hold it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from contracts.errors import InvalidInput
from contracts.odcs_yaml import line_of, outline, parse
from contracts.values import Value

Step = str | int
Steps = tuple[Step, ...]

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
_UNEXPECTED = re.compile(r"\('([^']+)' was unexpected\)")
"""How the official schema names a key that it does not know."""

_TABLE: Steps = ("schema", 0)
_ELSEWHERE: Mapping[str, Steps] = {"table": (*_TABLE, "physicalName"), "dimensions": (*_TABLE, "properties")}
"""Parts of the contract that machines execute, and where the document writes them."""


class Place(Value):
    """A JSON path such as ``$.schema[0].properties[2]`` and the line, from 1, at which it stands in the text."""

    path: str
    line: int


def places_in(text: str, wheres: Iterable[str]) -> tuple[Place, ...]:
    """The places that findings in one text mean.

    Args:
        text: The file as it was examined; it may be no contract, or no YAML at all.
        wheres: As in ``contracts.odcs.Finding``.
    """
    try:
        document = parse(text)
    except InvalidInput:
        return tuple(Place(path="$", line=_said_line(where)) for where in wheres)
    root = outline(text)
    located = [_located(document, where) for where in wheres]
    return tuple(Place(path=_json_path(steps), line=line_of(root, steps)) for steps in located)


def _said_line(where: str) -> int:
    """What cannot be read as YAML says its line and nothing else."""
    number = where.removeprefix("line ")
    return int(number) if number.isdigit() else 1


def _located(document: Mapping[str, object], where: str) -> Steps:
    words = re.split(r": | \(", where, maxsplit=1)[0]
    if words.startswith("$"):
        steps = tuple(_steps(words[1:]))
        steps = _ELSEWHERE.get(str(steps[0]), steps) if steps and steps[0] not in document else steps
        unexpected = _UNEXPECTED.search(where)
        return _as_far_as_written(document, (*steps, unexpected.group(1)) if unexpected else steps)
    readers: tuple[Callable[[Mapping[str, object], list[str]], Steps], ...] = (_in_column, _in_table, _in_document)
    # The whole text first: a column may have any name, with a dot or a colon in it.
    for tokens in ([where], words.split(".")):
        found = max((reader(document, tokens) for reader in readers), key=len)
        if found:
            return _as_far_as_written(document, found)
    return ()


def _steps(path: str) -> list[Step]:
    found = (match.groups() for match in _STEP.finditer(path))
    return [int(number or name) if (number or name).isdigit() else name for name, number in found]


def _in_column(document: Mapping[str, object], tokens: list[str]) -> Steps:
    columns = _at(document, (*_TABLE, "properties"))
    number = _index(columns, "name", tokens[0])
    if number is None:
        return ()
    base, rest = (*_TABLE, "properties", number), tokens[1:]
    extras = _at(document, (*base, "customProperties"))
    match rest:
        case ["customProperties", *inside]:
            return (*base, "customProperties", *_in_extra(extras, inside))
        case ["clampBy", name]:
            clamps = (*base, "customProperties", *_in_extra(extras, ["measure", "clampBy"]))
            code = (*clamps, "clamps", name)
            return code if _at(document, code) is not None else (*clamps, "column")
        case [dimension]:
            offered = (*base, "customProperties", *_in_extra(extras, ["dimensions"]))
            place = _index(_at(document, offered), "name", dimension)
            return base if place is None else (*offered, place)
        case _:
            return base


def _in_table(document: Mapping[str, object], tokens: list[str]) -> Steps:
    extras = _at(document, (*_TABLE, "customProperties"))
    base = (*_TABLE, "customProperties")
    if _index(extras, "property", tokens[0]) is not None:
        return (*base, *_in_extra(extras, tokens))
    if tokens[0] not in (_at(document, (*_TABLE, "name")), _at(document, (*_TABLE, "physicalName"))):
        return ()
    return (*base, *_in_extra(extras, tokens[2:])) if tokens[1:2] == ["customProperties"] else _TABLE


def _in_document(document: Mapping[str, object], tokens: list[str]) -> Steps:
    extras = document.get("customProperties")
    if tokens[0] == "customProperties":
        return ("customProperties", *_in_extra(extras, tokens[1:]))
    if _index(extras, "property", tokens[0]) is not None:
        return ("customProperties", *_in_extra(extras, tokens))
    if tokens[0] not in document:
        return ()
    number = _index(document[tokens[0]], "property", tokens[1]) if tokens[1:] else None
    return (tokens[0], *tokens[1:]) if number is None else (tokens[0], number)


def _in_extra(extras: object, tokens: list[str]) -> Steps:
    """Into the value of the extra that the first token names."""
    number = _index(extras, "property", tokens[0]) if tokens else None
    if number is None:
        return ()
    return (number, "value", *(int(each) if each.isdigit() else each for each in tokens[1:]))


def _index(items: object, key: str, value: str) -> int | None:
    """The last item whose ``key`` holds the value: of two that share a name, the later one is too much."""
    if not isinstance(items, list):
        return None
    found = [number for number, each in enumerate(items) if isinstance(each, Mapping) and each.get(key) == value]
    return found[-1] if found else None


def _at(document: object, steps: Sequence[Step]) -> object:
    """What stands there, none where nothing does."""
    for step in steps:
        document = _inside(document, step)
    return document


def _inside(node: object, step: Step) -> object:
    match node:
        case Mapping():
            return node.get(str(step))
        case list() if isinstance(step, int) and step < len(node):
            return node[step]
        case _:
            return None


def _as_far_as_written(document: Mapping[str, object], steps: Sequence[Step]) -> Steps:
    written: list[Step] = []
    node: object = document
    for step in steps:
        node = _inside(node, step)
        if node is None:
            break
        written.append(step)
    return tuple(written)


def _json_path(steps: Steps) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
