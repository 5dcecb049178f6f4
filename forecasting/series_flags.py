"""What a reader must know of single series: codes of ``forecasting.flags``, in a fixed order."""

from collections.abc import Sequence

import numpy as np

from forecasting.breaks import Marks, find
from forecasting.hierarchy import Hierarchy
from forecasting.panel import Bools, Panel
from forecasting.seasons import ABOVE_NOISE, without_gaps

BELOW_NOISE = "below-noise"
MONTH_MISSING = "month-missing"
RECORDING_BREAK = "recording-break"
LEARNT_SINCE_BREAK = "learnt-since-break"
HISTORY_TOO_SHORT = "short-history"
NEVER_CHANGES = "never-changes"
NOTHING_COUNTED = "nothing-counted"
NEGATIVE_TOTAL = "negative-total"


def flags_of(hierarchy: Hierarchy) -> list[Sequence[tuple[str, ...]]]:
    """The flags of every series of every level."""
    marks = find(hierarchy)
    return [_of_level(panel, each) for panel, each in zip(hierarchy.levels, marks, strict=True)]


def _of_level(panel: Panel, marks: Marks) -> list[tuple[str, ...]]:
    tests = _tests(panel, marks)
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
        HISTORY_TOO_SHORT: seen < 2 * panel.season,
    }
