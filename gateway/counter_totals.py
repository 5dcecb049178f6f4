"""The releases of one daily counter, put together: see ``privacy.counter`` for what their nodes tell."""

from collections.abc import Sequence

from contracts.errors import InvalidInput
from contracts.release import Release
from privacy.counter import CountedRun, NodeFigure, runs_of


def counted_runs(releases: Sequence[Release]) -> tuple[CountedRun, ...]:
    """Every day that the releases count, with running totals, by runs of days that follow each other.

    Args:
        releases: Checked releases of one counter, each once, in any order.

    Raises:
        InvalidInput: ``not-one-counter``, for a release of something else, of another series, that overlaps another
            one, or that is not to be relied on any more.
    """
    for each in releases:
        if not each.body.query.counter:
            raise InvalidInput("not-one-counter", release=each.body.id, why="it counts no days")
        if each.withdrawal is not None:
            raise InvalidInput("not-one-counter", release=each.body.id, why="it was withdrawn")
        if _series(each) != _series(releases[0]):
            raise InvalidInput("not-one-counter", release=each.body.id, why="it is of another series")
    figures = [figure for each in releases for figure in _figures(each)]
    if len({each.label for each in figures}) != len(figures):
        raise InvalidInput("not-one-counter", release=releases[-1].body.id, why="it overlaps another one")
    return tuple(run.counted() for run in runs_of(figures))


def _series(release: Release) -> tuple[object, ...]:
    """What all releases of one series share, as far as they tell."""
    contracts = sorted(promise.contract.id for promise in release.body.promises)
    return release.body.query.model_dump_json(exclude={"period"}), tuple(contracts)


def _figures(release: Release) -> list[NodeFigure]:
    (axis,) = release.body.grid.axes
    (released,) = release.body.released
    cells = zip(axis.values, released.cells, strict=True)
    return [NodeFigure(label, float(figure), released.sigma) for label, figure in cells]
