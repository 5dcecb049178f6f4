"""Months in which recording went wrong, and months in which what is counted changed: found, flagged, not learnt.

A strike of clerks shows in one kind of offence in most areas at once while other kinds go on as usual; crime hardly
ever does that. So a month of a kind is marked when the total of the kind is far from its level, most areas say the
same, and most other kinds are calm. Up to five months like that are a recording shock: no model sees them. Six and more
are a change of what is counted: models see what came after it alone. Months and kinds that are known to have changed
are declared in ``breaks.toml`` and need not be found; events after which people report or act otherwise, while the same
things are counted, are declared there too: they are told, and nothing is forgotten for them.

Nothing of a later month is used: whether a month is marked depends on the months up to it, and a forecast of the past
sees the marks that could be seen then.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from forecasting.hierarchy import Hierarchy
from forecasting.panel import AREAS, MONTHS_A_YEAR, Bools, Floats, Ints, Panel
from forecasting.seasons import seasonal_factors, without_gaps

SURE = 5.0
"""Usual deviations of a kind's months from its level that a marked month is away from it."""

LEAST_FALL, LEAST_RISE = 0.35, 0.7
"""Least distance from the level, as a logarithm: a third less, or twice as much. Records get lost more often than they
get invented, and a rise of crime must be learnt at once."""

MOST_AREAS = 0.7
"""Share of the areas that stand out of their noise and must have moved the same way."""

STIRRED = 2.5
"""Usual deviations from its level at which a kind is no longer calm."""

FEW_KINDS = 1.0 / 3.0
"""Largest share of the kinds that may be stirred in a marked month; beyond it something happened to crime (an epidemic,
a curfew), not to a form."""

FEWEST_AREAS, FEWEST_KINDS = 5, 3
LASTING = 6
"""Marked months in a row that make a change of what is counted."""

WARM_UP = 24
_WEIGHT = 0.3
_SEEN = 36
_SMALLEST = 0.05
_DECLARED = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True, slots=True)
class Declared:
    """A change that is known: from ``month`` on (``YYYY-MM``) the codes named count something else, or begin or end.

    Where it does not reset, the same things are counted, but people report or act otherwise.
    """

    month: str
    codes: frozenset[str]
    event: str
    source: str
    resets: bool = True


@dataclass(frozen=True, slots=True)
class Marks:
    """What no model may learn from, for one level.

    Attributes:
        shocks: Series x months: whether recording went wrong in a month.
        begins: For each series the first month of what is counted today; 0 without a change.
        stirred: For each series whether a declared event that resets nothing lies after its first month.
    """

    shocks: Bools
    begins: Ints
    stirred: Bools

    def hidden(self) -> Bools:
        """Series x months: what is not learnt."""
        return np.asarray(self.shocks | (np.arange(self.shocks.shape[1]) < self.begins[:, None]))


@lru_cache(maxsize=1)
def declared() -> tuple[Declared, ...]:
    """The changes of Thai criminal statistics that are known, oldest first."""
    given = tomllib.loads(_DECLARED.read_text(encoding="utf-8"))["change"]
    return tuple(
        Declared(each["month"], frozenset(each["codes"]), each["event"], each["source"], each.get("resets", True))
        for each in given
    )


def find(hierarchy: Hierarchy, known: Sequence[Declared] | None = None) -> tuple[Marks, ...]:
    """The marks of every level.

    Args:
        hierarchy: Figures with known noise. Monthly; a hierarchy of weeks has declared changes alone.
        known: Declared changes; those of ``declared`` if not given.
    """
    changes = declared() if known is None else known
    by_kind = _found(_watched(hierarchy))
    return tuple(_marks(panel, by_kind, changes) for panel in hierarchy.levels)


def kinds_of(panel: Panel) -> list[tuple[str, ...]]:
    """What each pool counts, whatever the area: the labels of its series but that of the area."""
    first = np.unique(panel.pools, return_index=True)[1]
    labels = panel.rows(np.isin(np.arange(len(panel.pools)), first)).labels()
    told = {int(panel.pools[row]): each for row, each in zip(np.sort(first), labels, strict=True)}
    return [tuple(text for name, text in told[pool].items() if name not in AREAS) for pool in sorted(told)]


def _watched(hierarchy: Hierarchy) -> Panel:
    """The coarsest level with several areas: there the noise hides least."""
    for panel in hierarchy.levels:
        if len(panel.counts) >= FEWEST_AREAS * (int(panel.pools.max()) + 1):
            return panel
    return hierarchy.levels[-1]


def _marks(panel: Panel, by_kind: dict[tuple[str, ...], Bools], changes: Sequence[Declared]) -> Marks:
    shape = panel.figures.shape
    shocks, begins = np.zeros(shape, dtype=np.bool_), np.zeros(shape[0], dtype=np.int64)
    stirred = np.zeros(shape[0], dtype=np.bool_)
    months = panel.months
    when = [int((months < pd.Period(each.month, freq=months.freqstr)).sum()) for each in changes]
    for pool, kind in enumerate(kinds_of(panel)):
        marked = by_kind.get(kind)
        run, first = (np.zeros(shape[1], dtype=np.bool_), 0) if marked is None else _parted(marked)
        own = [(at, each.resets) for at, each in zip(when, changes, strict=True) if each.codes & set(kind)]
        members = panel.pools == pool
        shocks[members] = run
        begins[members] = max([first, *(at for at, resets in own if resets and at < shape[1])])
        stirred[members] = any(0 < at < shape[1] and not resets for at, resets in own)
    return Marks(shocks, begins, stirred)


def _parted(marked: Bools) -> tuple[Bools, int]:
    """Short runs of marked months, and the month in which the last long one began."""
    shocks, begins = marked.copy(), 0
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(np.int64), [0]])))
    for first, end in edges.reshape(-1, 2):
        if end - first >= LASTING:
            shocks[first:end] = False
            begins = int(first)
    return shocks, begins


def _found(panel: Panel) -> dict[tuple[str, ...], Bools]:
    """For each kind of a panel the months that are marked."""
    kinds = int(panel.pools.max()) + 1
    if panel.season != MONTHS_A_YEAR or kinds < FEWEST_KINDS or len(panel.months) <= WARM_UP:
        return {}
    adjusted = without_gaps(panel.figures) / seasonal_factors(panel)[:, panel.place_in_year]
    marked = np.zeros((kinds, adjusted.shape[1]), dtype=np.bool_)
    watch = _Watch(panel, adjusted, kinds)
    for month in range(WARM_UP, adjusted.shape[1]):
        marked[:, month] = watch.far(month)
        watch.follow(month, marked[:, month])
    return dict(zip(kinds_of(panel), marked, strict=True))


class _Watch:
    """The level of every kind and area up to a month, and how far its months usually are from it."""

    def __init__(self, panel: Panel, adjusted: Floats, kinds: int) -> None:
        """Start from the first two years."""
        self._pools = panel.pools
        self._kinds = kinds
        self._areas = adjusted
        self._total = self._sum(adjusted)
        self._noise = self._sum(panel.noise)[:, 0]
        self._own = panel.noise[:, 0]
        self._level = adjusted[:, :WARM_UP].mean(axis=1)
        self._away: list[Floats] = []
        self._run = np.zeros(kinds, dtype=np.int64)
        for month in range(WARM_UP):
            self.follow(month, np.zeros(kinds, dtype=np.bool_))

    def far(self, month: int) -> Bools:
        """For each kind whether the month is far from its level, in its total and most areas, while others are calm."""
        level = np.maximum(self._sum(self._level[:, None])[:, 0], 1.0)
        away = self._distance(self._total[:, month], level)
        usual = self._usual(level)
        if (np.abs(away) > STIRRED * usual).mean() > FEW_KINDS:
            return np.zeros(self._kinds, dtype=np.bool_)
        moved = np.abs(away) > np.maximum(SURE * usual, np.where(away < 0, LEAST_FALL, LEAST_RISE))
        loud = level > 3.0 * np.sqrt(self._noise)
        return np.asarray(moved & loud & (self._agreeing(month, away) >= MOST_AREAS))

    def follow(self, month: int, marked: Bools) -> None:
        """Let levels move on: not with marked kinds, not far with a wild month, at once with what has lasted."""
        level = np.maximum(self._sum(self._level[:, None])[:, 0], 1.0)
        away = self._distance(self._total[:, month], level)
        self._away.append(np.where(marked, 0.0, away))
        self._run = np.where(marked, self._run + 1, 0)
        tame = np.minimum(1.0, STIRRED * self._usual(level) / np.maximum(np.abs(away), _SMALLEST))
        weight = np.where(marked, 0.0, _WEIGHT * tame)[self._pools]
        self._level = self._level + weight * (self._areas[:, month] - self._level)
        lasted = (self._run == LASTING)[self._pools]
        self._level = np.where(
            lasted, self._areas[:, max(month + 1 - LASTING, 0) : month + 1].mean(axis=1), self._level
        )

    def _usual(self, level: Floats) -> Floats:
        """The deviation of a kind's months from its level: the median one of three years, and never below chance."""
        past = np.array(self._away[-_SEEN:])
        usual = 1.4826 * np.median(np.abs(past - np.median(past, axis=0)), axis=0)
        return np.asarray(np.maximum(usual, np.sqrt(1.0 / level + self._noise / level**2)))

    def _agreeing(self, month: int, away: Floats) -> Floats:
        """The share of the areas out of their noise that went the way of their kind by half its distance or more."""
        telling = self._level > np.maximum(2.0 * np.sqrt(self._own), 2.0)
        own = self._distance(self._areas[:, month], np.maximum(self._level, 1.0))
        going = telling & (own * np.sign(away)[self._pools] > 0.5 * np.abs(away)[self._pools])
        number = np.bincount(self._pools, telling, self._kinds)
        return np.asarray(np.bincount(self._pools, going, self._kinds) / np.maximum(number, FEWEST_AREAS))

    def _sum(self, rows: Floats) -> Floats:
        total = np.zeros((self._kinds, rows.shape[1]))
        np.add.at(total, self._pools, rows)
        return total

    @staticmethod
    def _distance(figure: Floats, level: Floats) -> Floats:
        return np.asarray(np.log(np.maximum(figure / level, _SMALLEST)), dtype=np.float64)
