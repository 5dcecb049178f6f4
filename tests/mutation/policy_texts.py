"""Forbids out of order: the policies without one of them."""

from collections.abc import Mapping

from policies import rules
from tests.mutation.guards import forbids
from tests.mutation.switch import SWITCH

FILES = (rules.EXCHANGE, rules.ACTS)


def names() -> tuple[str, ...]:
    """Every forbid of the policies, parsed from their texts."""
    return tuple(name for file in FILES for name in forbids(file, rules.installed_texts()[file]))


def watch() -> None:
    """From now on the switch learns which forbid spoke."""
    denials = rules.Rules.denials

    def watched(self: rules.Rules, file: str, *args: object, **more: object) -> frozenset[str]:
        said: frozenset[str] = denials(self, file, *args, **more)  # type: ignore[arg-type]  # passed on as they came
        for reason in said:
            SWITCH.guards(f"{file}: {reason}")
        return said

    rules.Rules.denials = watched  # type: ignore[method-assign]  # only in the fork of the first run


def disable(name: str) -> None:
    """Take a forbid out of the policies of this process."""
    file = name.partition(":")[0]
    whole = rules.installed_texts()
    changed: Mapping[str, str] = whole | {file: forbids(file, whole[file])[name]}
    rules.installed_texts = lambda: dict(changed)
    rules.installed.cache_clear()
