"""The crime clock: hours, pace, and the error of both."""

import math

import numpy as np
import pytest

from contracts.errors import InvalidInput
from contracts.grid import HOURS
from forecasting.clock.day import hour_profiles, profile, seconds_of
from tests import factories
from tests.forecast_panels import SIGMA, body, grid

pytestmark = pytest.mark.unit

YEAR = factories.period("2025-01-01", "2026-01-01")


def test_a_year_has_its_seconds() -> None:
    assert seconds_of(YEAR) == 365 * 86_400


def test_shares_add_up_and_the_pace_is_the_periods_length_over_the_cases() -> None:
    found = profile(np.full(24, 100.0), 4.0, 86_400.0)

    assert sum(found.shares) == pytest.approx(1.0)
    assert found.pace is not None
    assert found.pace.seconds == pytest.approx(36.0)
    assert found.pace.low < 36.0 < found.pace.high


def test_every_label_has_a_profile_and_so_have_all_together() -> None:
    cells = grid(hour=HOURS, offence_group=("G1", "G2"))
    figures = [30 if number % 2 else 10 for number in range(48)]

    found = hour_profiles(body(cells, figures, YEAR))

    assert set(found) == {("G1",), ("G2",), ()}
    together, rare = found[()].pace, found[("G1",)].pace
    assert together is not None
    assert rare is not None
    assert together.seconds == pytest.approx(365 * 86_400 / (24 * 40))
    assert rare.seconds == pytest.approx(365 * 86_400 / (24 * 10))
    # The noise of two groups adds up in variance: 1.96 x sigma x sqrt(48).
    assert together.high == pytest.approx(365 * 86_400 / (960 - 1.959964 * SIGMA * math.sqrt(48)))


def test_hours_alone_are_one_profile() -> None:
    assert set(hour_profiles(body(grid(hour=HOURS), [10] * 24, YEAR))) == {()}


def test_errors_of_shares_are_what_repeated_noise_shows() -> None:
    truth = np.linspace(50, 400, 24)
    draw = np.random.default_rng(5)
    drawn = truth + draw.normal(0, 6.0, (4000, 24))
    spread = 1.959964 * (drawn / drawn.sum(axis=1, keepdims=True)).std(axis=0)

    found = profile(truth, 36.0, 1.0)

    assert np.allclose(found.errors_95, spread, rtol=0.08)


def test_noise_below_nothing_is_shown_as_nothing() -> None:
    hours = np.r_[-5.0, np.full(23, 50.0)]

    assert profile(hours, 9.0, 1.0).shares[0] == 0.0


def test_when_noise_hides_every_case_there_is_no_pace() -> None:
    hidden = profile(np.full(24, -1.0), 25.0, 86_400.0)
    open_ended = profile(np.r_[np.zeros(23), 10.0], 25.0, 86_400.0)

    assert hidden.pace is None
    assert hidden.errors_95 == (1.0,) * 24
    assert sum(hidden.shares) == pytest.approx(1.0)
    assert open_ended.pace is not None
    assert math.isinf(open_ended.pace.high)


@pytest.mark.parametrize("change", [{}, {"released": ()}])
def test_a_release_without_counts_by_hour_is_no_clock(change: dict[str, object]) -> None:
    cells = grid(hour=HOURS) if change else grid(province=("10",) * 1)
    with pytest.raises(InvalidInput) as error:
        hour_profiles(body(cells, [1] * cells.size, YEAR, **change))

    assert error.value.code == "release-not-a-series"
