"""The geometry of the pictures."""

import re

import pytest

from gateway.web.charts import clock_face, fan_shape
from gateway.web.estimates import Estimate, Interval
from gateway.web.outlook import Choice, Fan

pytestmark = pytest.mark.unit


def _fan(history: int = 3, high: float = 120.0, series: int = 2) -> Fan:
    months = ("2026-12", "2027-01")
    expected = (Interval(100, 90, high), Interval(100, 99, 101))
    past = tuple((f"2026-{month:02d}", Estimate(80 + month, 4)) for month in range(12 - history, 12))
    return Fan(Choice(), past, months, expected, expected, (95.0, 95.0), 80, series)


def _length(path: str) -> float:
    x, y = map(float, re.findall(r"L([\d.]+) ([\d.]+)A", path)[0])
    return float(((x - 180) ** 2 + (y - 180) ** 2) ** 0.5)


def test_a_wedge_is_as_long_as_its_hour_is_busy() -> None:
    face = clock_face([Estimate(hour, 0) for hour in range(24)])
    lengths = [_length(wedge.path) for wedge in face.wedges]
    assert lengths == sorted(lengths)
    assert [wedge.level for wedge in face.wedges][-1] == 4
    assert face.wedges[0].level == 0
    assert lengths[-1] == pytest.approx(face.rim, abs=0.2)


def test_a_negative_figure_is_drawn_without_length() -> None:
    face = clock_face([Estimate(-9, 1), *(Estimate(5, 1) for _ in range(23))])
    assert _length(face.wedges[0].path) == pytest.approx(0.235 * 360, abs=0.2)
    assert face.wedges[0].level == 0


def test_an_empty_day_is_drawn_all_the_same() -> None:
    assert len(clock_face([Estimate(0, 0)] * 24).wedges) == 24


def test_midnight_stands_on_top() -> None:
    marks = {mark.label: (round(mark.x), round(mark.y)) for mark in clock_face([Estimate(1, 0)] * 24).marks}
    assert marks["00"][0] == 180
    assert marks["00"][1] < 30
    assert marks["06"][0] > 330


def test_the_band_and_the_lines_stay_inside_the_box() -> None:
    shape = fan_shape(_fan(), 600, 300)
    points = re.findall(r"([\d.]+) ([\d.]+)", shape.band + shape.past_band + shape.past + shape.future + shape.usual)
    assert all(shape.left <= float(x) <= shape.right for x, _ in points)
    assert all(shape.top <= float(y) <= shape.bottom for _, y in points)


def test_the_scale_starts_at_zero_and_covers_the_widest_end() -> None:
    shape = fan_shape(_fan(high=990.0), 600, 300)
    assert shape.grid[0].label == "0"
    assert shape.grid[0].y == shape.bottom
    assert float(shape.grid[-1].label.replace(",", "")) >= 990


def test_small_counts_keep_whole_numbers_on_the_scale() -> None:
    expected = (Interval(0.3, 0.1, 0.6),)
    shape = fan_shape(Fan(Choice(), (), ("2026-12",), expected, expected, (0.2,), 80, 1), 600, 300)
    assert [mark.label for mark in shape.grid] == ["0", "1"]


def test_years_are_marked_at_their_january() -> None:
    assert [mark.label for mark in fan_shape(_fan(), 600, 300).years] == ["2027"]


def test_the_labels_of_the_last_month_never_touch() -> None:
    high, mean, low = (mark.y for mark in fan_shape(_fan(), 600, 300).ends)
    assert high + 16 < mean < low - 16


def test_without_released_months_only_the_forecast_is_drawn() -> None:
    shape = fan_shape(_fan(history=0), 600, 300)
    assert (shape.past, shape.past_band, shape.now) == ("", "", None)
    assert shape.future.startswith("M")


def test_one_series_has_no_outer_band() -> None:
    assert fan_shape(_fan(series=1), 600, 300).outer == ""
    assert fan_shape(_fan(series=2), 600, 300).outer != ""
