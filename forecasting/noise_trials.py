"""What protection costs a forecast: exact counts of a hierarchy, protected as the exchange would protect them.

Every level is counted on its own and gets its own noise, the price split equally over the levels, so one person or
incident, which changes one cell of each level in a month, moves the whole vector by the root of the number of levels.
The noise comes from ``privacy.mechanisms``, and so from the operating system: no two trials are alike and none can be
repeated. Then least squares makes the estimates consistent, with variances known from the design.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from forecasting.consistent import consistent
from forecasting.hierarchy import Hierarchy
from forecasting.panel import Floats, Panel
from privacy.mechanisms import NANO, epsilon_of, gaussian_scale

DELTA = "1e-6"
MONTHS_A_YEAR = 12

Draw = Callable[[Sequence[int], float], list[int]]
"""``privacy.mechanisms.draw_gaussian``."""


@lru_cache(maxsize=64)
def nano_rho_of(epsilon: float, delta: str = DELTA) -> int:
    """The largest zCDP price whose epsilon at ``delta`` is no more than this, by OpenDP's own conversion.

    Args:
        epsilon: Above 0, at most 100.
        delta: As text.
    """
    low, high = 0, NANO
    while epsilon_of(high, delta) <= epsilon:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if epsilon_of(middle, delta) <= epsilon else (low, middle)
    return low


def sigma_of(nano_rho: int, levels: int) -> float:
    """The noise of every cell of a month whose price is split equally over the levels, in cases."""
    return gaussian_scale(levels, nano_rho)


def person_year_epsilon(nano_rho: int, delta: str = DELTA) -> float:
    """The epsilon of a year at that price a month, for a person who may stand once in each of its twelve months."""
    return epsilon_of(MONTHS_A_YEAR * nano_rho, delta)


def month_price_of_year(epsilon: float, delta: str = DELTA) -> int:
    """The price of a month at which twelve of them cost a person no more than this epsilon."""
    return nano_rho_of(epsilon, delta) // MONTHS_A_YEAR


def protected(exact: Hierarchy, sigma: float, draw: Draw) -> Hierarchy:
    """The hierarchy as it is released and made consistent: signed estimates with their known variances.

    Args:
        exact: Whole counts.
        sigma: Of the noise of every cell of every level.
        draw: The mechanism.

    Raises:
        InvalidInput: ``hierarchy-contradicts`` for levels that are no tree and too many.
    """
    return consistent(released(exact, sigma, draw))


def released(exact: Hierarchy, sigma: float, draw: Draw) -> Hierarchy:
    """The noisy figures of every level as they leave the mechanism; they do not add up. See ``protected``."""
    noisy = _drawn([panel.figures for panel in exact.levels], sigma, draw)
    panels = [
        Panel(pd.DataFrame(figures, index=panel.counts.index, columns=panel.counts.columns), sigma**2)
        for panel, figures in zip(exact.levels, noisy, strict=True)
    ]
    return Hierarchy(tuple(panels), exact.of_leaf)


def _drawn(levels: Sequence[Floats], sigma: float, draw: Draw) -> list[Floats]:
    """One draw over the cells of all levels: they are one vector of one release."""
    flat = np.concatenate([level.ravel() for level in levels]).astype(np.int64)
    noisy = np.asarray(draw(flat.tolist(), sigma), dtype=np.float64)
    ends = np.cumsum([level.size for level in levels])[:-1]
    return [part.reshape(level.shape) for part, level in zip(np.split(noisy, ends), levels, strict=True)]
