"""YAML as a signed document may be written: plain data, every key once, no aliases."""

from collections.abc import Hashable, Mapping

import yaml
from yaml.events import AliasEvent
from yaml.nodes import MappingNode, Node

from contracts.errors import InvalidInput

LONGEST = 1_000_000
"""Characters; no dataset contract comes near."""


class _Loader(yaml.SafeLoader):
    """The safe loader without what makes two readers see two documents: aliases, repeated keys, implicit dates."""

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        if self.check_event(AliasEvent):
            raise InvalidInput(
                "contract-invalid", rule="yaml-plain", where=f"line {self.peek_event().start_mark.line + 1}"
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Hashable, object]:
        mapping = super().construct_mapping(node, deep=deep)
        if len(mapping) != len(node.value) or any(not isinstance(key, str) for key in mapping):
            raise InvalidInput("contract-invalid", rule="yaml-plain", where=f"line {node.start_mark.line + 1}")
        return mapping


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:merge")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse(text: str) -> Mapping[str, object]:
    """The mapping that a YAML text writes; dates stay text.

    Raises:
        InvalidInput: ``contract-invalid`` with rule ``yaml`` or ``yaml-plain`` and the line.
    """
    if len(text) > LONGEST:
        raise InvalidInput("contract-invalid", rule="yaml", where=f"character {LONGEST}")
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader, made stricter
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidInput("contract-invalid", rule="yaml", where=f"line {line}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InvalidInput("contract-invalid", rule="yaml", where="line 1") from error
    if not isinstance(document, dict):
        raise InvalidInput("contract-invalid", rule="yaml", where="line 1")
    return document
