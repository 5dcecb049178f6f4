"""From releases to panels: the tables of a standing series, joined over its releases, as models read them.

Nothing here is clipped or rounded: a figure stays signed, with the variance of the noise that is known to be in it. A
month that no release tells is not a number, never nought.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from contracts.errors import InvalidInput
from contracts.release import ReleaseBody
from forecasting.cells import ESTIMATE, SIGMA, cell_table
from forecasting.panel import MONTH, Panel

COUNT: Final = "count"
ALL: Final = "all"
SERIES: Final = "series"


def series_panel(bodies: Sequence[ReleaseBody], dataset: str, by: Sequence[str], measure: str = COUNT) -> Panel:
    """The panel of one measure over all months that releases tell, by labels besides the month.

    Args:
        bodies: Valid releases; of a month that several tell, the newest revision counts.
        dataset: The identifier of its contract.
        by: The labels of a series, such as province and offence group; none for one series in all.
        measure: A base measure.

    Returns:
        From the first month that is told to the last; a month between them that no release tells is NaN. The noise of a
        series is the mean of its months' variances, which in a series hardly differ.

    Raises:
        InvalidInput: ``release-not-a-series``, when no release tells it, or when a month lacks some of the series.
    """
    cells = cell_table(bodies, dataset, measure, (MONTH, *by)).frame
    keyed = (cells if by else cells.assign(**{SERIES: ALL})).set_index([*(by or [SERIES]), MONTH])
    rows = keyed.index.droplevel(MONTH).unique()
    figures = _wide(keyed[ESTIMATE], rows)
    variances = np.nanmean(_wide(keyed[SIGMA], rows).to_numpy() ** 2, axis=1)
    return Panel(figures, float(variances.max()), tuple(variances.tolist()))


def missing_months(panel: Panel) -> tuple[str, ...]:
    """The months of a panel that no release tells."""
    return tuple(str(panel.months[int(place)]) for place in np.flatnonzero(np.isnan(panel.figures).all(axis=0)))


def _wide(figures: "pd.Series[float]", rows: pd.Index) -> pd.DataFrame:
    """Series x consecutive months."""
    wide = figures.unstack(MONTH).loc[rows]  # noqa: PD010  # pivot() takes no series
    if bool(wide.isna().to_numpy().any()):
        raise InvalidInput("release-not-a-series", why="a cell is missing")
    wide.columns = pd.PeriodIndex([str(month) for month in wide.columns], freq="M")
    return wide.reindex(columns=pd.period_range(wide.columns.min(), wide.columns.max(), freq="M")).astype(np.float64)
