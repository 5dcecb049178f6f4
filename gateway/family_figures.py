"""The figures of a family that people read: whole numbers where it has them, each with the error of its estimate."""

from collections.abc import Sequence

from contracts.release import ReleaseBody, ReleasedTable


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

    Whole numbers are nearer to what is known than the estimates are, since nothing is counted below nothing; so the
    error of the estimate is theirs too.
    """
    widths = half_widths(body, table)
    return tuple(table.integers or table.estimates), tuple(widths * sigma for sigma in table.sigmas)
