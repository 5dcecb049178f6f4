"""Released counts as the page reads them: cells by their labels, from the newest release that is still valid."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

from contracts.cell_errors import cell_errors_95
from contracts.release import Release, ReleaseBody, ReleaseState
from gateway.family_figures import shown_figures, table_by
from gateway.web.estimates import Estimate

CRIMES_MONTHLY = "crimes-monthly"
CRIMES_CLOCK = "crimes-clock"
FRAUD_MONTHLY = "tpo-monthly"

VICTIMISATION = ("G1", "G2", "G3")
"""The offence groups that count what befell somebody. G4 counts arrests: it follows enforcement and is never risk."""

GROUP = "offence_group"

Cells = Mapping[tuple[str, ...], Estimate]
"""Figures by their labels, in the order of the axes that were asked for."""


def is_valid(release: Release) -> bool:
    """Whether a release may still be relied on."""
    return release.withdrawal is None or release.withdrawal.state is ReleaseState.VALID


def standing_cells(releases: Sequence[Release], activity: str, axes: tuple[str, ...], measure: str = "count") -> Cells:
    """The cells of a standing activity over all its releases, labels in the order of ``axes``.

    Where releases overlap, the highest revision of the series counts, then the newest.

    Of a family they are those of the table with these axes: its whole numbers, which add up over all its tables.

    A release that keeps back any part of the country is left out: its sums would read as national.
    """
    cells: dict[tuple[str, ...], Estimate] = {}
    for release in _usable(releases, activity, axes):
        cells.update(_cells_of(release, axes, measure))
    return cells


def newest_cells(releases: Sequence[Release], activity: str, axes: tuple[str, ...]) -> tuple[Release, Cells] | None:
    """The newest valid release of an activity without a month axis, with its counts."""
    usable = _usable(releases, activity, axes)
    return (usable[-1], _cells_of(usable[-1], axes, "count")) if usable else None


def grouped(cells: Cells, label: Callable[[tuple[str, ...]], str | None]) -> Mapping[str, tuple[Estimate, ...]]:
    """The cells by one label of theirs; cells labelled None are left out."""
    groups: dict[str, list[Estimate]] = {}
    for key, figure in cells.items():
        name = label(key)
        if name is not None:
            groups.setdefault(name, []).append(figure)
    return {name: tuple(figures) for name, figures in sorted(groups.items())}


def _usable(releases: Sequence[Release], activity: str, axes: tuple[str, ...]) -> tuple[Release, ...]:
    fitting = (each for each in releases if is_valid(each) and _fits(each, activity, axes))
    return tuple(sorted(fitting, key=_rank))


def _rank(release: Release) -> tuple[int, date, datetime]:
    query = release.body.query
    return (query.series.revision if query.series else 0, query.period.until, release.body.created)


def _fits(release: Release, activity: str, axes: tuple[str, ...]) -> bool:
    body = release.body
    if not release.is_public or body.activity != activity or not _has_axes(body, axes):
        return False
    groups = next((set(axis.values) for axis in body.grid.axes if axis.name == GROUP), set(VICTIMISATION))
    return set(body.query.where) <= {GROUP} and set(VICTIMISATION) <= groups


def _has_axes(body: ReleaseBody, axes: tuple[str, ...]) -> bool:
    """Whether it is about these axes, or a table of its family is."""
    families = (sorted(each.by) == sorted(axes) for each in body.tables)
    return set(body.query.dimensions) == set(axes) or any(families)


def _cells_of(release: Release, axes: tuple[str, ...], measure: str) -> Cells:
    body = release.body
    released = next((each for each in body.released if each.measure == measure), None)
    if released is None or released.bins:
        return {}
    table = table_by(body, measure, axes)
    grid = table.grid if table else body.grid
    figures, errors = shown_figures(body, table) if table else (released.cells, cell_errors_95(released, grid))
    names = [axis.name for axis in grid.axes]
    order = [names.index(name) for name in axes]
    keys = (tuple(key[place] for place in order) for key in grid.keys())  # noqa: SIM118  # a grid is no mapping
    return {key: Estimate(float(cell), error) for key, cell, error in zip(keys, figures, errors, strict=True)}
