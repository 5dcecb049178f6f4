"""What follows from values that never change is worked out once for these very objects."""

from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

from contracts.values import Value

Given = TypeVar("Given", bound=Value)
Made = TypeVar("Made")
MOST_KEPT: Final = 64


class Memory(Generic[Made]):
    """What was made of the last few objects, and of something beside them that can be compared.

    An object is known by itself, never by a name or a digest that it carries: an equal one, or a copy that was changed,
    is looked at anew. What is remembered is kept alive, so that no other object can take its place in memory.

    Args:
        most: How much is kept before all of it is forgotten.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._kept: dict[Hashable, tuple[tuple[object, ...], Made]] = {}

    def of(self, objects: tuple[object, ...], beside: Hashable, make: Callable[[], Made]) -> Made:
        """What was made of these objects and what stands beside them, or is made now."""
        place = (*map(id, objects), beside)
        found = self._kept.get(place)
        if found is not None:
            return found[1]
        made = make()
        if len(self._kept) >= self._most:
            self._kept.clear()
        self._kept[place] = (objects, made)
        return made


def remembered(make: Callable[[Given], Made]) -> Callable[[Given], Made]:
    """A function of one immutable value that remembers what it made of the last few objects."""
    memory = Memory[Made]()

    def known(value: Given) -> Made:
        return memory.of((value,), None, lambda: make(value))

    return known
