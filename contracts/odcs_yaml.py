"""YAML as a signed document may be written: plain data, every key once, no aliases, dates as text.

Two readers must never see two documents in one text, and a short text must never unfold into a huge one.
"""

from collections.abc import Mapping, Sequence

import yaml
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent
from yaml.nodes import MappingNode, Node, SequenceNode

from contracts.errors import InvalidInput

LONGEST = 1_000_000
"""Characters; no dataset contract comes near."""

DEEPEST = 32
"""Mappings and lists inside each other; a contract has about ten."""

TEXT = "tag:yaml.org,2002:str"
IMPLICIT = frozenset({"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:merge"})
"""What YAML would make of bare text and JSON has no word for."""


class _Loader(yaml.SafeLoader):
    """The safe loader, to which a date is text and ``<<`` a key like any other."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in IMPLICIT]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse(text: str) -> Mapping[str, object]:
    """The mapping that a YAML text writes.

    Raises:
        InvalidInput: ``contract-invalid`` with rule ``yaml`` or ``yaml-plain`` and the line.
    """
    if len(text) > LONGEST:
        raise _refusal("yaml", 1)
    try:
        _check_shape(text)
        loader = _Loader(text)
        root = loader.get_single_node()
        if not isinstance(root, MappingNode):
            raise _refusal("yaml", 1)
        _check_keys(root)
        document: dict[str, object] = loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        raise _refusal("yaml", error.problem_mark.line + 1 if error.problem_mark else 1) from error
    except (yaml.YAMLError, ValueError) as error:
        raise _refusal("yaml", 1) from error
    return document


def outline(text: str) -> Node | None:
    """The tree of a text that ``parse`` reads, with the places in which everything stands."""
    return yaml.compose(text, Loader=_Loader)


def line_of(root: Node | None, steps: Sequence[str | int]) -> int:
    """The line, from 1, at which a part of a document is written.

    Args:
        root: What ``outline`` gave.
        steps: Keys and indices from the top to the part, all of them written.
    """
    node, line = root, 1
    for step in steps:
        if isinstance(node, MappingNode):
            key, node = next(pair for pair in node.value if pair[0].value == str(step))
            line = key.start_mark.line + 1
        elif isinstance(node, SequenceNode):
            node = node.value[int(step)]
            line = node.start_mark.line + 1
    return line


def _check_shape(text: str) -> None:
    """Before anything is built, for nesting costs the parser time that grows with the square of its depth."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > DEEPEST or isinstance(event, AliasEvent):
            raise _refusal("yaml-plain", event.start_mark.line + 1 if event.start_mark else 1)


def _check_keys(node: Node) -> None:
    if isinstance(node, SequenceNode):
        for item in node.value:
            _check_keys(item)
    if isinstance(node, MappingNode):
        keys = [key.value for key, _ in node.value if key.tag == TEXT]
        if len(keys) != len(node.value) or len(set(keys)) != len(keys):
            raise _refusal("yaml-plain", node.start_mark.line + 1)
        for _, value in node.value:
            _check_keys(value)


def _refusal(rule: str, line: int) -> InvalidInput:
    return InvalidInput("contract-invalid", rule=rule, where=f"line {line}")
