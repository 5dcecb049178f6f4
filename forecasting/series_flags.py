"""What a reader must know of single series: codes of ``forecasting.flags``, in a fixed order."""

from collections.abc import Mapping, Sequence

import numpy as np

from forecasting.breaks import Marks, find
from forecasting.enforcement import TOLD_BY_VICTIMS, enforcement_codes
from forecasting.hierarchy import Hierarchy
from forecasting.panel import Bools, Panel
from forecasting.seasons import ABOVE_NOISE, without_gaps

ENFORCEMENT = "enforcement"
BELOW_NOISE = "below-noise"
MONTH_MISSING = "month-missing"
RECORDING_BREAK = "recording-break"
LEARNT_SINCE_BREAK = "learnt-since-break"
REPORTING_CHANGED = "reporting-changed"
HISTORY_TOO_SHORT = "short-history"
NEVER_CHANGES = "never-changes"
NOTHING_COUNTED = "nothing-counted"
NEGATIVE_TOTAL = "negative-total"


def flags_of(hierarchy: Hierarchy, dataset: str | None = None) -> list[Sequence[tuple[str, ...]]]:
    """The flags of every series of every level.

    Args:
        hierarchy: Its figures.
        dataset: The bundled contract that says which codes count enforcement; a level without a label of theirs adds
            them up unseen. None: labels that a dataset told by victims marks are recognised, and their sums.
    """
    arrests = counts_enforcement(hierarchy, dataset)
    levels = zip(hierarchy.levels, find(hierarchy), arrests, strict=True)
    return [_of_level(panel, marks, {ENFORCEMENT: each}) for panel, marks, each in levels]


def counts_enforcement(hierarchy: Hierarchy, dataset: str | None) -> tuple[Bools, ...]:
    """For each level which of its series count enforcement, if only in part: what any of its leaves does."""
    leaves = hierarchy.levels[-1]
    marked = [enforcement_codes(each) for each in ((dataset,) if dataset else TOLD_BY_VICTIMS)]
    pairs = {(name, code) for each in marked for name, codes in each.items() for code in codes}
    found = np.array([not pairs.isdisjoint(labels.items()) for labels in leaves.labels()], dtype=np.bool_)
    if dataset and pairs and not {name for name, _ in pairs} & set(leaves.dimensions):
        found[:] = True
    return tuple(total > 0 for total in hierarchy.sums(found.astype(np.float64)))


def _of_level(panel: Panel, marks: Marks, known: Mapping[str, Bools]) -> list[tuple[str, ...]]:
    tests = {**known, **_tests(panel, marks)}
    return [tuple(code for code, told in tests.items() if told[row]) for row in range(len(panel.counts))]


def _tests(panel: Panel, marks: Marks) -> dict[str, Bools]:
    figures, filled = panel.figures, without_gaps(panel.figures)
    known = np.isfinite(figures)
    year = filled[:, -panel.season :].mean(axis=1)
    highest, lowest = np.nanmax(figures, axis=1), np.nanmin(figures, axis=1)
    nothing = (highest == 0) & (lowest == 0)
    seen = (known & ~marks.hidden()).sum(axis=1)
    return {
        BELOW_NOISE: (year < ABOVE_NOISE * np.sqrt(panel.noise[:, 0])),
        NEGATIVE_TOTAL: year < 0,
        NOTHING_COUNTED: nothing,
        NEVER_CHANGES: (highest == lowest) & ~nothing,
        MONTH_MISSING: ~known.all(axis=1),
        RECORDING_BREAK: marks.shocks.any(axis=1),
        LEARNT_SINCE_BREAK: marks.begins > 0,
        REPORTING_CHANGED: marks.stirred,
        HISTORY_TOO_SHORT: seen < 2 * panel.season,
    }
