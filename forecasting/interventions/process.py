"""How a measure is carried out, month by month: mean scores of the components, and fear and trust, of all stations.

A score says what was done, not what came of it; it needs no comparison and can be read monthly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contracts.errors import InvalidInput
from contracts.release import ReleaseBody
from forecasting.cells import ESTIMATE, SIGMA, cell_table
from forecasting.panel import MONTH

DATASET = "ssz_station_month"
SCORES = (
    *(f"component_score_{name}" for name in ("cctv", "ai", "sos", "ccoc", "apps", "cpted", "partner")),
    "fear_mean",
    "trust_mean",
)
_HALF_WIDTHS_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Score:
    """The mean of one score over the stations of a month, in points; ``error_95`` is the half-width of its interval."""

    month: str
    score: str
    mean: float
    error_95: float


def process_scores(bodies: Sequence[ReleaseBody]) -> tuple[Score, ...]:
    """Every score that the releases have, by month: the sum over the stations by their number, both with their noise.

    A month whose number of stations cannot be told from none is left out. Empty without such releases.
    """
    found: list[Score] = []
    for score in SCORES:
        try:
            sums = cell_table(bodies, DATASET, f"{score}:sum", (MONTH,)).frame.set_index(MONTH)
            counts = cell_table(bodies, DATASET, "count", (MONTH,)).frame.set_index(MONTH)
        except InvalidInput:
            continue
        for month in sums.index.intersection(counts.index):
            total, number = float(sums.loc[month, ESTIMATE]), float(counts.loc[month, ESTIMATE])
            if number <= _HALF_WIDTHS_95 * float(counts.loc[month, SIGMA]):
                continue
            mean = total / number
            # Delta method for a ratio of two figures with independent noise.
            error = np.hypot(float(sums.loc[month, SIGMA]), mean * float(counts.loc[month, SIGMA])) / number
            found.append(Score(str(month), score, mean, float(_HALF_WIDTHS_95 * error)))
    return tuple(found)
