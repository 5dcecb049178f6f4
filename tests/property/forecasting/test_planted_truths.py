"""What is planted must be found again through the noise; what is promised must hold over many draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.clock.day import profile
from forecasting.intervals import count_interval
from forecasting.panel import panel_of
from forecasting.run import look_ahead
from tests.forecast_panels import SIGMA, monthly_body, noisy, panel, season

pytestmark = pytest.mark.property


@settings(max_examples=6)
@given(
    seed=st.integers(0, 10_000),
    jumped=st.integers(0, 7),
    factor=st.sampled_from([1.6, 2.0, 3.0]),
    age=st.integers(6, 12),
)
def test_a_level_that_jumped_is_forecast_above_what_is_usual(seed: int, jumped: int, factor: float, age: int) -> None:
    truth = np.full((60, 8, 1), 60.0) * season(60)[:, None, None]
    truth[-age:, jumped] *= factor

    outlook = look_ahead(panel_of(monthly_body(truth, seed)))

    above = [sum(each.mean) / sum(each.usual) for each in outlook.series]
    assert int(np.argmax(above)) == jumped
    assert sum(outlook.series[jumped].mean) == pytest.approx(12 * 60.0 * factor, rel=0.25)


@settings(max_examples=3)
@given(seed=st.integers(0, 10_000), sigma=st.sampled_from([0.0, 4.0, 9.0]))
def test_intervals_hold_the_exact_count_about_as_often_as_they_say(seed: int, sigma: float) -> None:
    draw = np.random.default_rng(seed)
    rates = draw.lognormal(3.5, 0.8, 40)[:, None] * season(72)
    counts = draw.poisson(rates).astype(np.float64)
    released = counts[:, :60] + np.rint(draw.normal(0.0, sigma, (40, 60)))

    outlook = look_ahead(panel(released, sigma=sigma), level=90)

    low, high = np.array([s.low for s in outlook.series]), np.array([s.high for s in outlook.series])
    held = ((counts[:, 60:] >= low) & (counts[:, 60:] <= high)).mean()
    assert 0.83 <= held <= 0.985


@settings(max_examples=3)
@given(seed=st.integers(0, 10_000))
def test_more_noise_in_the_release_does_not_read_as_wilder_crime(seed: int) -> None:
    truth = np.full((25, 60), 100.0)

    quiet = look_ahead(panel(noisy(truth, seed, 0.0), sigma=0.0))
    loud = look_ahead(panel(noisy(truth, seed, 12.0), sigma=12.0))

    width = [
        np.mean([hi - lo for s in each.series for lo, hi in zip(s.low, s.high, strict=True)]) for each in (quiet, loud)
    ]
    # Counted as crime's variation the noise would give sqrt((100 + 144) / 100) = 1.56.
    assert width[1] < 1.3 * width[0]


@given(mean=st.floats(0.0, 5_000.0), extra=st.floats(0.0, 1e6), level=st.sampled_from([50, 80, 90, 99]))
def test_a_count_interval_is_ordered_and_not_below_zero(mean: float, extra: float, level: int) -> None:
    low, high = count_interval(np.array([[mean]]), np.array([[mean + extra]]), level)

    assert 0.0 <= low[0, 0] <= mean <= high[0, 0] < np.inf


@given(seed=st.integers(0, 10_000), shift=st.integers(0, 23))
def test_the_busiest_hour_is_found_again(seed: int, shift: int) -> None:
    truth = np.roll(np.r_[np.full(23, 60.0), 200.0], shift)
    released = truth + np.rint(np.random.default_rng(seed).normal(0, SIGMA, 24))

    found = profile(released, SIGMA**2, 86_400.0)

    assert int(np.argmax(found.shares)) == int(np.argmax(truth))
    assert found.pace is not None
    assert found.pace.low <= found.pace.seconds <= found.pace.high
