"""Bands of series that drown in noise are too wide rather than too narrow, and right where cases are many."""

import numpy as np
import pandas as pd
import pytest

from forecasting.panel import Panel
from forecasting.run import look_ahead

pytestmark = pytest.mark.property

LEVEL, KNOWN, AHEAD, SERIES, SIGMA = 80, 42, 6, 60, 5.0


@pytest.mark.parametrize(("mean", "least", "most"), [(0.3, 0.95, 1.0), (3.0, 0.78, 0.92), (30.0, 0.75, 0.87)])
def test_the_band_holds_the_exact_count_as_often_as_the_limits_page_says(
    mean: float, least: float, most: float
) -> None:
    draw = np.random.default_rng(5)
    exact = draw.poisson(mean, (SERIES, KNOWN + AHEAD)).astype(np.float64)
    noisy = exact[:, :KNOWN] + np.rint(draw.normal(0.0, SIGMA, (SERIES, KNOWN)))
    index = pd.Index([f"{number:02}" for number in range(SERIES)], name="province")
    panel = Panel(
        pd.DataFrame(noisy, index=index, columns=pd.period_range("2020-01", periods=KNOWN, freq="M")), SIGMA**2
    )

    made = look_ahead(panel, AHEAD, LEVEL)

    low, high = np.array([each.low for each in made.series]), np.array([each.high for each in made.series])
    came = exact[:, KNOWN:]
    # 360 months: a standard error of 0.02 at 80 %.
    assert least <= ((low <= came) & (came <= high)).mean() <= most
