"""What differs between two contract documents beside the terms that machines execute.

Classifications, requirements, quality checks and the digests of code lists stand in the document alone; whatever else
differs there is words. Pure; the rules are those of ``contract_diff.toml``.
"""

from collections.abc import Iterator, Mapping
from typing import cast

VENDOR = "saphan"
DIRECT = "direct-identifier"
CLASSES = ("", "public", "internal", "quasi-identifier", "sensitive", DIRECT)
"""How carefully a column is handled, least first; a column without a class is handled the least."""

ACCESS = ("servers", "roles")
"""Where the data lies and who may reach it: no words."""

WORDS_OF_COLUMN = frozenset({"businessName", "description", "tags", "examples", "authoritativeDefinitions"})
APART = frozenset({"version", "schema", "customProperties", "slaProperties", *ACCESS})
"""Compared piece by piece and not whole; ``version`` differs always."""

Node = Mapping[str, object]
Told = tuple[str, str, object, object]


def document_changes(old: Node, new: Node) -> Iterator[Told]:
    """Rule, path, before and after of everything that only the documents tell."""
    yield from _columns(_named(_table(old).get("properties")), _named(_table(new).get("properties")))
    yield from _lists(_extra(old, "codeLists"), _extra(new, "codeLists"))
    for name in ACCESS:
        if old.get(name) != new.get(name):
            yield ("access-changed", name, old.get(name), new.get(name))
    if _quality(old) != _quality(new):
        yield ("quality-changed", "schema.quality", _quality(old), _quality(new))
    before, after = _words(old), _words(new)
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) != after.get(path):
            yield ("words", path, before.get(path), after.get(path))


def _columns(old: Mapping[str, Node], new: Mapping[str, Node]) -> Iterator[Told]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before is not None and after is not None:
            yield from _class(name, before.get("classification") or "", after.get("classification") or "")
        was, becomes = _facts(before), _facts(after)
        if was != becomes:
            yield ("column-changed", f"schema.{name}", was, becomes)


def _class(name: str, before: object, after: object) -> Iterator[Told]:
    """A class that falls; one that is not known to be higher counts as lower."""
    is_known = before in CLASSES and after in CLASSES
    if before == after or (is_known and CLASSES.index(str(after)) > CLASSES.index(str(before))):
        return
    rule = "identifier-unmarked" if before == DIRECT else "column-classified-lower"
    yield (rule, f"schema.{name}.classification", before, after)


def _lists(old: Node, new: Node) -> Iterator[Told]:
    """The same list under another digest; a list that came or went shows in the dimensions that use it."""
    for name in sorted(old.keys() & new.keys()):
        if old[name] != new[name]:
            yield ("codes-meaning", f"codeLists.{name}", old[name], new[name])


def _facts(column: Node | None) -> Node | None:
    """What a column is, without words, quality and our extras."""
    if column is None:
        return None
    left_out = WORDS_OF_COLUMN | {"customProperties", "quality"}
    return {key: value for key, value in column.items() if key not in left_out}


def _words(document: Node) -> Node:
    """Everything that no machine reads, by its path."""
    table = _table(document)
    words: dict[str, object] = {key: value for key, value in document.items() if key not in APART}
    words |= {f"schema.{key}": value for key, value in table.items() if key not in _TERMS_OF_TABLE}
    for name, column in _named(table.get("properties")).items():
        words |= {f"schema.{name}.{key}": column[key] for key in sorted(WORDS_OF_COLUMN & column.keys())}
        words |= _foreign(f"schema.{name}.customProperties", column)
    words |= {f"customProperties.{key}": _extra(document, key) for key in ("title", "catalogue")}
    words |= _foreign("customProperties", document) | _foreign("schema.customProperties", table)
    words["slaProperties"] = [each for each in _nodes(document.get("slaProperties")) if not _is_retention(each)]
    return words


_TERMS_OF_TABLE = frozenset({"properties", "customProperties", "quality", "physicalName"})


def _foreign(path: str, node: Node) -> dict[str, object]:
    """Custom properties of other vendors."""
    others = [each for each in _nodes(node.get("customProperties")) if each.get("vendor") != VENDOR]
    return {path: others} if others else {}


def _quality(document: Node) -> Node:
    table = _table(document)
    columns = _named(table.get("properties"))
    checks = {"": table.get("quality")} | {name: each.get("quality") for name, each in columns.items()}
    return {name: each for name, each in checks.items() if each}


def _is_retention(each: Node) -> bool:
    return each.get("property") == "retention"


def _extra(node: Node, name: str) -> Node:
    found = (e for e in _nodes(node.get("customProperties")) if (e.get("vendor"), e.get("property")) == (VENDOR, name))
    value = next((each.get("value") for each in found), None)
    return cast("Node", value) if isinstance(value, Mapping) else {}


def _table(document: Node) -> Node:
    return next(iter(_nodes(document.get("schema"))), {})


def _named(value: object) -> Mapping[str, Node]:
    return {str(each.get("name")): each for each in _nodes(value)}


def _nodes(value: object) -> list[Node]:
    return [cast("Node", each) for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
