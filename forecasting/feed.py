"""From releases to panels: the tables of a standing series, joined over its releases, as models read them.

Nothing here is clipped or rounded: a figure stays signed, with the variance of the noise that is known to be in it.
"""

from collections.abc import Sequence
from typing import Final

from contracts.release import ReleaseBody
from forecasting.cells import ESTIMATE, SIGMA, cell_table
from forecasting.panel import MONTH, Panel, panel_of_table, with_cell_noise

COUNT: Final = "count"


def series_panel(bodies: Sequence[ReleaseBody], dataset: str, by: Sequence[str], measure: str = COUNT) -> Panel:
    """The panel of one measure over all months that releases tell, by labels besides the month.

    Args:
        bodies: Valid releases; of a month that several tell, the newest revision counts.
        dataset: The identifier of its contract.
        by: The labels of a series, such as province and offence group; none for one series in all.
        measure: A base measure.

    Raises:
        InvalidInput: ``release-not-a-series``, when no release tells it, or when a month or a cell is missing.
    """
    cells = cell_table(bodies, dataset, measure, (MONTH, *by)).frame
    made = panel_of_table(cells[[MONTH, *by, ESTIMATE]], ESTIMATE, float(cells[SIGMA].max()))
    return with_cell_noise(made, panel_of_table(cells[[MONTH, *by, SIGMA]], SIGMA, 0.0).figures)
