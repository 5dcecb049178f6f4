"""Levels of one hierarchy: every level a panel of its own, and which of its series each leaf is part of.

A level may be a coarser place (the police region of a province) or a coarser kind (the group of an offence): the levels
of one hierarchy need not form a tree. Where they do, one pass up and one down reconcile any number of leaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from forecasting.panel import Floats, Ints, Panel


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """Panels of the same months that add up to each other, but for their noise.

    Attributes:
        levels: The coarsest first, the leaves last.
        of_leaf: For each level the row of its panel that each leaf is part of; for the last level its own row.
    """

    levels: tuple[Panel, ...]
    of_leaf: tuple[Ints, ...]

    def __post_init__(self) -> None:
        """Raises ``ValueError`` for levels that do not fit each other."""
        if len(self.levels) != len(self.of_leaf) or not self.levels:
            raise ValueError("every level says which of its series each leaf is part of")
        for panel, of_leaf in zip(self.levels, self.of_leaf, strict=True):
            if not panel.months.equals(self.levels[-1].months):
                raise ValueError("the levels are of the same months")
            if of_leaf.shape != (self.leaves,) or set(of_leaf.tolist()) != set(range(len(panel.counts))):
                raise ValueError("every series of a level has leaves, and every leaf one series in it")

    @property
    def leaves(self) -> int:
        """The number of leaves."""
        return len(self.levels[-1].counts)

    @property
    def nodes(self) -> int:
        """The number of series of all levels."""
        return sum(len(panel.counts) for panel in self.levels)

    def sums(self, leaves: Floats) -> tuple[Floats, ...]:
        """What figures of the leaves (leaves x anything) add up to on every level."""
        found = []
        for panel, of_leaf in zip(self.levels, self.of_leaf, strict=True):
            total = np.zeros((len(panel.counts), *leaves.shape[1:]))
            np.add.at(total, of_leaf, leaves)
            found.append(total)
        return tuple(found)

    @cached_property
    def parents(self) -> tuple[Ints, ...] | None:
        """For each level but the first the row of the level before that each series belongs to; None if no tree."""
        found: list[Ints] = []
        for above, below in zip(self.of_leaf, self.of_leaf[1:], strict=False):
            parent = np.zeros(int(below.max()) + 1, dtype=np.int64)
            parent[below] = above
            if not np.array_equal(parent[below], above):
                return None
            found.append(parent)
        return tuple(found)

    def until(self, months: int) -> Self:
        """The hierarchy as it was when only the first ``months`` had been released."""
        return type(self)(tuple(panel.until(months) for panel in self.levels), self.of_leaf)


def single_level(panel: Panel) -> Hierarchy:
    """A hierarchy of nothing but leaves."""
    return Hierarchy((panel,), (np.arange(len(panel.counts), dtype=np.int64),))


def tree(levels: Sequence[Panel], parents: Sequence[Ints]) -> Hierarchy:
    """A tree from each level's parents (as in ``Hierarchy.parents``), the coarsest level first."""
    of_leaf = [np.arange(len(levels[-1].counts), dtype=np.int64)]
    for parent in reversed(parents):
        of_leaf.insert(0, parent[of_leaf[0]])
    return Hierarchy(tuple(levels), tuple(of_leaf))
