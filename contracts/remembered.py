"""What follows from a value that never changes is worked out once for that very object."""

from collections.abc import Callable
from typing import Final, TypeVar

from contracts.values import Value

Given = TypeVar("Given", bound=Value)
Made = TypeVar("Made")
MOST_KEPT: Final = 64


def remembered(make: Callable[[Given], Made]) -> Callable[[Given], Made]:
    """A function of one immutable value that remembers what it made of the last few objects.

    An object is known by itself, never by a name or a digest that it carries: an equal one, or a copy that was changed,
    is looked at anew. What is remembered is kept alive, so that no other object can take its place in memory.
    """
    kept: dict[int, tuple[Given, Made]] = {}

    def known(value: Given) -> Made:
        found = kept.get(id(value))
        if found is not None:
            return found[1]
        made = make(value)
        if len(kept) >= MOST_KEPT:
            kept.clear()
        kept[id(value)] = (value, made)
        return made

    return known
