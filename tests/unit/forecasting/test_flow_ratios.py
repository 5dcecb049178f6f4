import math

import numpy as np
import pytest

from forecasting.flow.ratios import Count, ratio, share_of

pytestmark = pytest.mark.unit


def test_a_share_of_exact_counts_is_exact() -> None:
    found = share_of(Count(30.0, 1e-12), Count(70.0, 1e-12), 95)

    assert found.value == pytest.approx(0.3)
    assert found.low == pytest.approx(0.3, abs=1e-6)
    assert found.high == pytest.approx(0.3, abs=1e-6)


def test_a_divisor_below_two_of_its_deviations_gives_no_ratio_and_says_so() -> None:
    noisy = share_of(Count(5.0, 50.0), Count(5.0, 50.0), 95)

    assert (noisy.value, noisy.low, noisy.high) == (None, None, None)
    assert noisy.flags == ("divisor-below-noise",)
    assert ratio(Count(5.0, 1.0), Count(-40.0, 1.0), 0.0, 95).flags == ("divisor-below-noise",)


def test_a_level_at_which_the_divisor_may_be_zero_gives_no_ratio() -> None:
    unsure = Count(22.0, 100.0)

    assert ratio(Count(5.0, 1.0), unsure, 0.0, 90).value is not None
    assert ratio(Count(5.0, 1.0), unsure, 0.0, 99).flags == ("divisor-below-noise",)


def test_a_share_stays_between_nothing_and_all_though_the_noise_does_not() -> None:
    below = share_of(Count(-20.0, 100.0), Count(400.0, 100.0), 95)
    above = share_of(Count(420.0, 100.0), Count(-20.0, 100.0), 95)

    assert below.value == 0.0
    assert below.low == 0.0
    assert below.flags == ("below-noise",)
    assert above.value == 1.0
    assert above.high == 1.0


def test_a_ratio_of_unsure_counts_is_wider_above_than_below() -> None:
    found = ratio(Count(100.0, 25.0), Count(50.0, 100.0), 0.0, 90)

    assert found.value == 2.0
    assert found.low is not None
    assert found.high is not None
    assert found.high - 2.0 > 2.0 - found.low


def test_the_interval_of_a_share_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(2000):
        part, rest = 60 + rng.normal(0, 12), 240 + rng.normal(0, 12)
        found = share_of(Count(part, 144.0), Count(rest, 144.0), 80)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.2 <= found.high

    assert 0.77 <= held / 2000 <= 0.83


def test_counts_of_different_entries_add_up_with_their_variances() -> None:
    both = Count(3.0, 4.0) + Count(4.0, 5.0)

    assert both == Count(7.0, 9.0)
    assert both.sigma == math.sqrt(9.0)
