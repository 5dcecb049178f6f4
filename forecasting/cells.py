"""Released figures as one table, joined over releases: what every analysis reads.

    releases of one dataset -> the table nearest to what is wanted -> newest answer of each month -> sums of cells

The figures are the signed, unbiased ones with the known standard deviation of their noise: of a family its estimates,
else what was measured. A year is the sum of its months' cells; nothing is asked again, so nothing more is spent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

import numpy as np
import pandas as pd

from contracts.cell_errors import bin_labels, cell_sigmas
from contracts.errors import InvalidInput
from contracts.grid import Grid
from contracts.periods import window_of
from contracts.release import ReleaseBody
from forecasting.panel import MONTH, Floats

BIN, YEAR = "bin", "fiscal_year"
ESTIMATE, VARIANCE, SIGMA = "estimate", "variance", "sigma"


@dataclass(frozen=True, eq=False)
class CellTable:
    """Figures by their labels.

    Attributes:
        frame: One column for each name of ``by``, then ``estimate`` and ``sigma``, in the measure's unit; every
            combination of labels that was released stands once, in the order of the code lists.
        by: The labels' names.
        months: The months that the figures cover, ``YYYY-MM``, oldest first; they may have gaps.
        releases: The identifiers of the releases that the figures came from.
    """

    frame: pd.DataFrame
    by: tuple[str, ...]
    months: tuple[str, ...]
    releases: tuple[str, ...]

    def rolled_up(self, fine: str, coarse: str, parents: Mapping[str, str]) -> Self:
        """The sums over what a finer label leads on to, such as the region of a province.

        The variances are added, as if the noise of the cells were independent. Cells of one family are not, and their
        sum is surer than this says: take the family's own table where there is one.
        """
        named = self.frame.assign(**{coarse: self.frame[fine].map(parents)})
        by = tuple(coarse if name == fine else name for name in self.by)
        return replace(self, frame=_added_up(named.assign(**{VARIANCE: named[SIGMA] ** 2}), by), by=by)


def cell_table(
    bodies: Sequence[ReleaseBody],
    dataset: str,
    measure: str,
    by: Sequence[str],
    where: Mapping[str, Sequence[str]] | None = None,
) -> CellTable:
    """The figures of one measure of one dataset by the labels wanted.

    Args:
        bodies: Valid releases, of anything; those of other datasets, and daily counters, are passed over. Of the months
            that several answer, the highest revision counts, then the newest. Answers without months cover their whole
            period: the newest counts, and older ones where they do not overlap it.
        dataset: The identifier of its contract.
        measure: A base measure, such as ``count`` or ``damage_thb:sum``. A histogram's bins are the label ``bin``.
        by: The labels wanted; ``fiscal_year`` may be added up from months.
        where: Only the cells with these labels, whether they are wanted in ``by`` or added up.

    Returns:
        Where cells are added up, so are their variances, as if the noise of each were independent. Of one family it is
        not: the error of a sum is then too large rather than too small, but that of a difference of such sums is not
        known to be.

    Raises:
        InvalidInput: ``release-not-a-series``, when no release tells it.
    """
    wanted = where or {}
    asked = {*by, *wanted}
    found = [table for body in bodies if (table := _nearest(body, dataset, measure, asked, wanted)) is not None]
    kept = _newest(found)
    if not kept:
        raise InvalidInput("release-not-a-series", why=f"{dataset} has no {measure} by {', '.join(by) or 'nothing'}")
    frame = pd.concat([table.frame for table in kept], ignore_index=True)
    for name, labels in wanted.items():
        frame = frame[frame[name].isin(list(labels))]
    months = tuple(sorted({month for table in kept for month in table.months}))
    return CellTable(_added_up(frame, tuple(by)), tuple(by), months, tuple(dict.fromkeys(each.name for each in kept)))


@dataclass(frozen=True, eq=False)
class _Answer:
    """One release's table, or what is kept of it."""

    name: str
    rank: tuple[bool, int, datetime]
    months: tuple[str, ...]
    frame: pd.DataFrame

    def without(self, months: set[str]) -> Self | None:
        """What it tells of other months; an answer without months tells of all or nothing."""
        left = tuple(month for month in self.months if month not in months)
        if len(left) == len(self.months):
            return self
        if not left or MONTH not in self.frame:
            return None
        return replace(self, months=left, frame=self.frame[self.frame[MONTH].isin(left)])


def _nearest(
    body: ReleaseBody, dataset: str, measure: str, asked: set[str], where: Mapping[str, Sequence[str]]
) -> _Answer | None:
    """The table of a release with the fewest cells that tells what is asked."""
    if body.query.counter or dataset not in {promise.contract.id for promise in body.promises}:
        return None
    filters = body.query.where
    if not set(filters) <= asked or any(not set(where[name]) <= set(filters.get(name, where[name])) for name in where):
        return None
    tables = [each for each in _tables(body, measure) if asked <= set(each.columns)]
    if not tables:
        return None
    frame = min(tables, key=len)
    revision = body.query.series.revision if body.query.series else 0
    rank = (not body.query.where, revision, body.created)
    return _Answer(body.id, rank, body.query.period.months(), frame)


def _tables(body: ReleaseBody, measure: str) -> list[pd.DataFrame]:
    """Every table of a measure that a release has: its labels, figures, and the variance of each."""
    family = [each for each in body.tables if each.measure == measure]
    if family:
        return [_frame(each.grid, (), np.asarray(each.estimates), np.asarray(each.sigmas)) for each in family]
    return [
        _frame(
            body.grid,
            bin_labels(each.bins) if each.bins else (),
            np.asarray(each.cells, dtype=np.float64),
            np.asarray(cell_sigmas(each, body.grid)),
        )
        for each in body.released
        if each.measure == measure
    ]


def _frame(grid: Grid, bins: tuple[str, ...], figures: Floats, sigmas: Floats) -> pd.DataFrame:
    """A table with its labels; the bins of a histogram run faster than the last axis, months tell their fiscal year."""
    keys = [(*key, name) for key in grid.keys() for name in bins] if bins else list(grid.keys())  # noqa: SIM118  # a grid is no mapping
    labels = pd.DataFrame(keys, columns=[*(axis.name for axis in grid.axes), *([BIN] if bins else [])])
    if MONTH in labels and YEAR not in labels:
        years = {month: window_of(pd.Period(month).start_time.date()) for month in labels[MONTH].unique()}
        labels = labels.assign(**{YEAR: labels[MONTH].map(years)})
    return labels.assign(**{ESTIMATE: figures, VARIANCE: sigmas**2})


def _newest(found: Sequence[_Answer]) -> list[_Answer]:
    """Of each month the answer that counts; a finer table never mixes with what it was added up from."""
    kept: list[_Answer] = []
    told: set[str] = set()
    for answer in sorted(found, key=lambda each: each.rank, reverse=True):
        rest = answer.without(told)
        if rest is not None:
            kept.append(rest)
            told.update(rest.months)
    return sorted(kept, key=lambda each: each.months)


def _added_up(frame: pd.DataFrame, by: tuple[str, ...]) -> pd.DataFrame:
    figures = [ESTIMATE, VARIANCE]
    if by:
        summed = frame.groupby(list(by), sort=False, observed=True)[figures].sum().reset_index()
    else:
        summed = frame[figures].sum().to_frame().T
    return summed.assign(**{SIGMA: np.sqrt(summed[VARIANCE])}).drop(columns=VARIANCE)[[*by, ESTIMATE, SIGMA]]
