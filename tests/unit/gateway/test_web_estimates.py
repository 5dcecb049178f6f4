"""Figures keep an honest error through sums and ratios."""

import pytest

from gateway.web.estimates import Estimate, Interval, change, pace, total, total_interval, widest_interval

pytestmark = pytest.mark.unit


def test_errors_of_independent_cells_add_as_squares() -> None:
    assert total([Estimate(10, 3), Estimate(20, 4)]) == Estimate(30, 5)


def test_the_sum_of_no_cells_is_nothing() -> None:
    assert total([]) == Estimate(0, 0)


def test_a_unit_scales_the_error_with_the_figure() -> None:
    assert Estimate(60, 6).times(-0.5) == Estimate(-30, 3)


def test_a_change_carries_the_errors_of_both_months() -> None:
    found = change(Estimate(110, 3.3), Estimate(100, 4))
    assert found is not None
    assert found.value == pytest.approx(10)
    assert found.error == pytest.approx(5.5)


@pytest.mark.parametrize(("now", "before"), [(Estimate(0, 1), Estimate(9, 1)), (Estimate(9, 1), Estimate(4, 4))])
def test_no_change_is_claimed_where_a_month_drowns_in_noise(now: Estimate, before: Estimate) -> None:
    assert change(now, before) is None


def test_a_pace_is_the_time_between_two_cases() -> None:
    assert pace(8640, Estimate(100, 5)) == Estimate(86.4, 86.4 * 0.05)


def test_no_pace_is_claimed_where_the_count_drowns_in_noise() -> None:
    assert pace(8640, Estimate(5, 5)) is None


def test_intervals_of_independent_series_add_as_squares_on_each_side() -> None:
    assert total_interval([Interval(10, 7, 16), Interval(20, 16, 28)]) == Interval(30, 25, 40)


def test_a_summed_interval_never_promises_fewer_than_no_cases() -> None:
    assert total_interval([Interval(1, -4, 2)]).low == 0


def test_the_widest_interval_adds_the_ends_as_they_are() -> None:
    assert widest_interval([Interval(10, 7, 16), Interval(20, 16, 28)]) == Interval(30, 23, 44)


def test_one_plus_minus_is_the_wider_side() -> None:
    assert Interval(10, 7, 16).half_width == 6
    assert Interval(10, 1, 16).half_width == 9


@pytest.mark.parametrize(("value", "held"), [(6.9, False), (7, True), (16, True), (16.1, False)])
def test_an_interval_holds_its_ends(value: float, held: bool) -> None:  # noqa: FBT001  # a table of cases
    assert Interval(10, 7, 16).holds(value) is held
