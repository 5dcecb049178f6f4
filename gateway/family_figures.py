"""The figures of a family that people read: whole numbers where it has them, each with the error of its estimate."""

from collections.abc import Sequence
from typing import Final

from contracts.release import ReleaseBody, ReleasedTable

ROUNDING: Final = 1.0
"""By how much a whole number may differ from its estimate, where that is not below nothing."""


def half_widths(body: ReleaseBody, table: ReleasedTable) -> float:
    """How many standard deviations are the half-width of the interval that holds the exact figure 95 times in 100."""
    (measured,) = (each for each in body.released if each.measure == table.measure)
    return measured.expected_error_95 / measured.sigma


def table_by(body: ReleaseBody, measure: str, by: Sequence[str]) -> ReleasedTable | None:
    """The table of a family with these axes, in any order; none if the release has no such table."""
    tables = (each for each in body.tables if each.measure == measure and sorted(each.by) == sorted(by))
    return next(tables, None)


def shown_figures(body: ReleaseBody, table: ReleasedTable) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Each cell's figure as people read it, and its error: how far off it may be 95 times in 100.

    A whole number has the error of its estimate and one more for the rounding by which all tables add up. That none is
    below nothing takes it nearer to what is counted, which is never below nothing either.
    """
    widths = half_widths(body, table)
    rounding = ROUNDING if table.integers else 0.0
    return tuple(table.integers or table.estimates), tuple(widths * sigma + rounding for sigma in table.sigmas)
