"""Months whose recording broke: known ones, and those in which so many areas moved together that crime did not do it.

A strike of clerks, a new system or a new definition moves a group in the whole country at once and in the same
direction. Crime hardly ever does. Such a month raises no warning and teaches nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from contracts.code_lists import crosswalk
from forecasting.breaks import Declared
from forecasting.enforcement import VICTIMISATION
from forecasting.panel import Panel
from forecasting.warnings.chart import Marks, Windows

GROUP: Final = "offence_group"
PROVINCE: Final = "province"
REGION: Final = "police_region"

FAR: Final = 1.5
"""Standard deviations from the forecast, upwards or downwards."""

SHARE: Final = 0.5
"""Part of a group's areas that must be so far off in the same direction; by chance one in fifteen is."""

MOST_LOOKS: Final = 6
"""How often breaks are looked for again after those found were taken out: a longer break hides behind its beginning."""

SETTLING: Final = 8
"""Months from a declared change on in which nothing is judged: two are passed over, the forecast learns from others."""

FEWEST: Final = 8
"""Areas below which a share says nothing."""


@dataclass(frozen=True, slots=True)
class Break:
    """A month in which the recording changed and not, or not only, the crime.

    Attributes:
        month: ``YYYY-MM``.
        groups: The offence groups that it touches.
        areas: The codes of the provinces or regions that it touches; empty for the whole country.
    """

    month: str
    groups: tuple[str, ...] = VICTIMISATION
    areas: tuple[str, ...] = ()


def declared_breaks(months: Sequence[str], changes: Sequence[Declared]) -> tuple[Break, ...]:
    """The months after declared changes of what is counted in which figures cannot be told from the change.

    Args:
        months: Those that are looked at, ``YYYY-MM``, oldest first.
        changes: As of ``forecasting.breaks.declared``; of events that reset nothing, none.
    """
    found: list[Break] = []
    for each in changes:
        groups = tuple(group for group in VICTIMISATION if group in each.codes)
        if each.resets and groups and months[0] < each.month <= months[-1]:
            start = sum(month < each.month for month in months)
            found.extend(Break(month, groups) for month in months[start : start + SETTLING])
    return tuple(found)


def found_breaks(panel: Panel, chart: Windows) -> tuple[Break, ...]:
    """The months in which at least half of a group's areas left their forecast in the same direction.

    Args:
        panel: Signed noisy counts by area and group.
        chart: Its windows of one month.
    """
    scores = (chart.figure - chart.expected) / np.sqrt(chart.variance)
    groups = np.array([labels[GROUP] for labels in panel.labels()])
    found: list[Break] = []
    for group in dict.fromkeys(groups.tolist()):
        own = scores[groups == group]
        judged = np.isfinite(own).sum(axis=0)
        far = np.maximum((own > FAR).sum(axis=0), (own < -FAR).sum(axis=0))
        months = np.flatnonzero((judged >= FEWEST) & (far >= SHARE * judged))
        found.extend(Break(str(panel.months[int(month)]), (str(group),)) for month in months)
    return tuple(found)


def break_marks(panel: Panel, breaks: Sequence[Break]) -> Marks:
    """Series x months: where the recording broke. A province is also touched by a break of its region, and back."""
    kind = PROVINCE if PROVINCE in panel.dimensions else REGION
    months = [str(month) for month in panel.months]
    parents = crosswalk("provinces", "police_commands")
    found = np.zeros(panel.figures.shape, dtype=np.bool_)
    for each in breaks:
        if each.month in months:
            touched = _touched(kind, each.areas, parents)
            rows = [
                row
                for row, labels in enumerate(panel.labels())
                if labels[GROUP] in each.groups and (touched is None or labels[kind] in touched)
            ]
            found[rows, months.index(each.month)] = True
    return found


def _touched(kind: str, areas: Sequence[str], parents: Mapping[str, str]) -> frozenset[str] | None:
    """The areas of one kind that a break touches; None for all of them."""
    if not areas:
        return None
    if kind == PROVINCE:
        return frozenset(areas) | {province for province, region in parents.items() if region in areas}
    return frozenset(parents.get(area, area) for area in areas)
