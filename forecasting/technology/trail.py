"""The trail of the money: transfers and amounts by hop and by way out, and where the holders of accounts are.

Distinct people do not add up: one holder may stand in two months, hops or years. So people are read from an answer that
has exactly the wanted labels, the newest alone, and never added; transfers and amounts are sums of released cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from contracts.cell_errors import cell_sigmas
from contracts.errors import InvalidInput
from contracts.measures import PEOPLE
from contracts.release import ReleaseBody
from forecasting.cells import ESTIMATE, SIGMA, cell_table

MULE = "tpo_mule"
TRANSFERS, AMOUNT = "count", "amount_thb:sum"


@dataclass(frozen=True, eq=False)
class Trail:
    """One breakdown of the trail.

    Attributes:
        by: The label.
        measure: What was counted: ``people``, ``count`` or ``amount_thb:sum``.
        frame: The label, ``estimate`` and ``sigma``.
        months: What it covers, ``YYYY-MM``.
        releases: What it came from.
    """

    by: str
    measure: str
    frame: pd.DataFrame
    months: tuple[str, ...]
    releases: tuple[str, ...]


def sums_of_trail(bodies: Sequence[ReleaseBody], by: str, measure: str) -> Trail | None:
    """Transfers or amounts by a label; none if no release tells them."""
    try:
        table = cell_table(bodies, MULE, measure, [by])
    except InvalidInput:
        return None
    return Trail(by, measure, table.frame, table.months, table.releases)


def holders(bodies: Sequence[ReleaseBody], by: str = "province") -> Trail | None:
    """Distinct holders of accounts by a label, from the newest answer with that label alone; none without one."""
    fitting = [
        body
        for body in bodies
        if MULE in {promise.contract.id for promise in body.promises}
        and [axis.name for axis in body.grid.axes] == [by]
        and not body.query.where
        and any(each.measure == PEOPLE for each in body.released)
    ]
    if not fitting:
        return None
    newest = max(fitting, key=lambda body: (body.query.period.until, body.created))
    released = next(each for each in newest.released if each.measure == PEOPLE)
    frame = pd.DataFrame(
        {
            by: list(newest.grid.axes[0].values),
            ESTIMATE: np.asarray(released.cells, dtype=np.float64),
            SIGMA: cell_sigmas(released, newest.grid),
        }
    )
    return Trail(by, PEOPLE, frame, newest.query.period.months(), (newest.id,))
