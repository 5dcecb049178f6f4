"""The panel: released cells as rows of months, signed and noisy as they came, with the noise known to be in them.

A released cell may be negative. It stays so until something is published: cutting the noise off on one side would lift
every small series, and the models would forecast the lift.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contracts.cell_errors import cell_sigmas
from contracts.errors import InvalidInput
from contracts.grid import Grid
from contracts.release import ReleaseBody

MONTH = "month"
AREAS = ("province", "police_region", "district", "station", "area")
"""Dimensions that say where: their series share one seasonal pattern, which no single noisy series could show."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MONTHS_A_YEAR = 12
WEEKS_A_YEAR = 52


@dataclass(frozen=True)
class Panel:
    """Counts of many series by month, or by week.

    Attributes:
        counts: One row for each series, in cases; the index levels are the dimensions without ``month``, the columns
            consecutive months or weeks (``PeriodIndex``), oldest first. Signed; NaN where nothing was released.
        noise_variance: Variance of the noise in every cell, in cases squared; 0 for exact counts. The largest, where
            series differ.
        variances: That of each series, where they differ: a sum's noise follows the clamp of each code, that of an
            estimate of a family the size of the groups that it is in.
    """

    counts: pd.DataFrame
    noise_variance: float
    variances: tuple[float, ...] = ()

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The names of the labels that tell the series apart."""
        return tuple(str(name) for name in self.counts.index.names)

    @cached_property
    def figures(self) -> Floats:
        """The counts as series x months."""
        return self.counts.to_numpy(dtype=np.float64)

    @cached_property
    def noise(self) -> Floats:
        """The variance of the noise in each cell of each series: series x 1."""
        return np.asarray(self.variances or [self.noise_variance] * len(self.counts), dtype=np.float64)[:, None]

    @property
    def months(self) -> pd.PeriodIndex:
        """The months of the columns."""
        return pd.PeriodIndex(self.counts.columns)

    @cached_property
    def month_of_year(self) -> NDArray[np.int64]:
        """For each column, 0 for January to 11 for December."""
        return np.asarray(self.months.month, dtype=np.int64) - 1

    @property
    def season(self) -> int:
        """Columns of one year: 12 for months, 52 for weeks."""
        return season_of(self.months)

    @cached_property
    def place_in_year(self) -> Ints:
        """For each column its place in the year, 0 to ``season`` - 1."""
        return places_in_year(self.months)

    def labels(self) -> tuple[dict[str, str], ...]:
        """The labels of each series, in the order of the rows."""
        return tuple(dict(zip(self.dimensions, _texts(key), strict=True)) for key in self.counts.index)

    @cached_property
    def pools(self) -> NDArray[np.int64]:
        """For each series the number of its pool: the series that differ from it in nothing but the area."""
        kinds = [name for name in self.dimensions if name not in AREAS]
        if not kinds:
            return np.zeros(len(self.counts), dtype=np.int64)
        numbers = self.counts.groupby(kinds, sort=False, observed=True).ngroup()
        return np.asarray(numbers, dtype=np.int64)

    def until(self, months: int) -> Self:
        """The panel as it was when only the first ``months`` had been released."""
        return type(self)(self.counts.iloc[:, :months], self.noise_variance, self.variances)

    def showing(self, figures: Floats) -> Self:
        """The same series and months with other figures; NaN where nothing is to be known."""
        counts = pd.DataFrame(figures, index=self.counts.index, columns=self.counts.columns)
        return type(self)(counts, self.noise_variance, self.variances)

    def rows(self, kept: Bools) -> Self:
        """Some of the series."""
        return type(self)(self.counts[kept], self.noise_variance, tuple(self.noise[kept, 0].tolist()))

    def latest(self, months: int) -> Self:
        """The newest ``months`` alone."""
        return type(self)(self.counts.iloc[:, -months:], self.noise_variance, self.variances)


def months_after(months: pd.PeriodIndex, horizon: int) -> pd.PeriodIndex:
    """The ``horizon`` months, or weeks, that follow the last one."""
    return pd.period_range(months[-1] + 1, periods=horizon, freq=months.freq)


def season_of(months: pd.PeriodIndex) -> int:
    """Periods of one year: 12 for months, 52 for weeks."""
    return WEEKS_A_YEAR if str(months.freqstr).startswith("W") else MONTHS_A_YEAR


def places_in_year(months: pd.PeriodIndex) -> Ints:
    """January is 0, and so is the first ISO week; the rare 53rd week goes with the 52nd."""
    if season_of(months) == MONTHS_A_YEAR:
        return np.asarray(months.month, dtype=np.int64) - 1
    return np.minimum(np.array([each.week for each in months], dtype=np.int64), WEEKS_A_YEAR) - 1


def panel_of(body: ReleaseBody, measure: str = "count") -> Panel:
    """The panel of one measure of a release.

    Of a family it has the unbiased estimates of the finest table, which are better than what was measured and may be
    negative; never the whole numbers, which are lifted where little is counted.

    Raises:
        InvalidInput: ``release-not-a-series`` without that measure, without months, or with a gap between them.
    """
    if body.tables:
        return panel_of_family(body, measure, [axis.name for axis in body.grid.axes])
    released = next((each for each in body.released if each.measure == measure), None)
    if released is None:
        raise InvalidInput("release-not-a-series", why=f"it has no {measure}")
    made = panel_of_cells(body.grid, released.cells, released.sigma)
    if released.along is None:
        return made
    each = _series(np.asarray(cell_sigmas(released, body.grid)) ** 2, body.grid).max(axis=1)
    return Panel(made.counts, made.noise_variance, tuple(each.tolist()))


def panel_of_family(body: ReleaseBody, measure: str, by: Sequence[str]) -> Panel:
    """The panel of one table of a family, by its axes.

    Raises:
        InvalidInput: ``release-not-a-series`` as ``panel_of``, and without that table.
    """
    tables = (each for each in body.tables if each.measure == measure and sorted(each.by) == sorted(by))
    found = next(tables, None)
    if found is None:
        raise InvalidInput("release-not-a-series", why=f"it has no {measure} by {', '.join(by)}")
    made = panel_of_cells(found.grid, found.estimates, max(found.sigmas))
    return with_cell_noise(made, _series(np.asarray(found.sigmas, dtype=np.float64), found.grid))


def with_cell_noise(panel: Panel, sigmas: Floats) -> Panel:
    """The panel with the noise of each cell, series x months; of a series' months the mean variance is kept.

    In a family an estimate's noise follows the size of the groups that its cell is in, hardly that of its month.
    """
    variances = (sigmas**2).mean(axis=1)
    return Panel(panel.counts, float(variances.max()), tuple(variances.tolist()))


def panel_of_cells(grid: Grid, cells: Sequence[float], sigma: float) -> Panel:
    """The panel of signed noisy cells over a grid with a ``month`` axis; ``sigma`` is the noise in each, in cases.

    Raises:
        InvalidInput: ``release-not-a-series``.
    """
    names = [axis.name for axis in grid.axes]
    if MONTH not in names or len(cells) != grid.size:
        raise InvalidInput("release-not-a-series", why="it is not by month")
    months = _consecutive(grid.axes[names.index(MONTH)].values)
    others = Grid(axes=tuple(axis for axis in grid.axes if axis.name != MONTH))
    rows = _series(np.asarray(cells, dtype=np.float64), grid)
    return Panel(pd.DataFrame(rows, index=_index(others), columns=months), sigma**2)


def panel_of_table(table: pd.DataFrame, figure: str, sigma: float) -> Panel:
    """The panel of a released table: label columns, among them ``month``, and one column of signed noisy figures.

    Raises:
        InvalidInput: ``release-not-a-series`` without months, with a gap between them, or with a cell missing or twice.
    """
    labels = [name for name in table.columns if name not in (MONTH, figure)]
    if MONTH not in table:
        raise InvalidInput("release-not-a-series", why="it is not by month")
    keyed = (table if labels else table.assign(series="all")).set_index([*(labels or ["series"]), MONTH])[figure]
    if not keyed.index.is_unique:
        raise InvalidInput("release-not-a-series", why="a cell stands twice")
    rows = keyed.index.droplevel(MONTH).unique()
    wide = keyed.unstack(MONTH).loc[rows]  # noqa: PD010  # pivot() takes no series
    if bool(wide.isna().to_numpy().any()):
        raise InvalidInput("release-not-a-series", why="a cell is missing")
    months = _consecutive([str(month) for month in wide.columns])
    return Panel(pd.DataFrame(wide.to_numpy(dtype=np.float64), index=wide.index, columns=months), sigma**2)


def _series(figures: Floats, grid: Grid) -> Floats:
    """Figures of a grid as series x months."""
    place = [axis.name for axis in grid.axes].index(MONTH)
    shaped = figures.reshape([len(axis.values) for axis in grid.axes])
    return np.moveaxis(shaped, place, -1).reshape(-1, len(grid.axes[place].values))


def _consecutive(names: Sequence[str]) -> pd.PeriodIndex:
    months = pd.PeriodIndex(list(names), freq="M")
    if any(later - 1 != earlier for earlier, later in pairwise(months)):
        raise InvalidInput("release-not-a-series", why="a month is missing")
    return months


def _index(others: Grid) -> pd.MultiIndex:
    if not others.axes:
        return pd.MultiIndex.from_tuples([("all",)], names=["series"])
    return pd.MultiIndex.from_tuples(list(others.keys()), names=[axis.name for axis in others.axes])


def _texts(key: object) -> tuple[str, ...]:
    """The labels of one row: an index of one level gives them bare."""
    return tuple(str(label) for label in key) if isinstance(key, tuple) else (str(key),)
