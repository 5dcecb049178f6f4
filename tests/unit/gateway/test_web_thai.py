"""Numbers and dates as Thai and English readers write them."""

from datetime import UTC, datetime

import pytest

from gateway.web import thai
from gateway.web.estimates import Estimate

pytestmark = pytest.mark.unit
LATE = datetime(2026, 12, 31, 18, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "decimals", "signed", "text"),
    [
        (1234.4, 0, False, "1,234"),
        (-3.14, 1, False, "−3.1"),
        (3.14, 1, True, "+3.1"),
        (-0.04, 1, True, "0.0"),
        (0.04, 1, True, "0.0"),
    ],
)
def test_numbers_have_separators_and_a_true_minus(value: float, decimals: int, signed: bool, text: str) -> None:  # noqa: FBT001  # a table of cases
    assert thai.number(value, decimals, signed=signed) == text


@pytest.mark.parametrize(
    ("figure", "shown"),
    [
        (Estimate(30857.3, 45.2), ("30,857", "46")),
        (Estimate(3.14159, 0.21), ("3.1", "0.3")),
        (Estimate(3.14159, 0.004), ("3.14", "0.01")),
        (Estimate(5, 2.0), ("5", "2")),
    ],
)
def test_a_figure_shows_only_the_decimals_that_its_error_leaves(figure: Estimate, shown: tuple[str, str]) -> None:
    text = thai.shown(figure)
    assert (text.value, text.error) == shown


def test_a_figure_can_be_held_to_fewer_decimals_and_its_error_is_rounded_up() -> None:
    assert thai.shown(Estimate(4.829, 0.021), most=1) == thai.Shown("4.8", "0.1")


@pytest.mark.parametrize(
    ("seconds", "unit"),
    [(84, ("seconds", 1)), (100, ("minutes", 60)), (5999, ("minutes", 60)), (6000, ("hours", 3600))],
)
def test_a_span_is_read_in_the_unit_that_fits(seconds: float, unit: tuple[str, float]) -> None:
    assert thai.time_unit(seconds) == unit


def test_months_and_days_are_buddhist_in_thai_and_common_in_english() -> None:
    assert thai.month("2026-11", "th") == "พ.ย. 2569"
    assert thai.month("2026-11", "en") == "Nov 2026"
    assert thai.months(("2025-11", "2026-10"), "en") == "Nov 2025 – Oct 2026"
    assert thai.months(("2026-10",), "th") == "ต.ค. 2569"


def test_a_day_is_the_day_in_bangkok() -> None:
    assert thai.day(LATE, "th") == "1 ม.ค. 2570"
    assert thai.day(LATE, "en") == "1 Jan 2027"
    assert thai.iso_day(LATE) == "2027-01-01"


def test_the_hour_after_the_last_is_midnight() -> None:
    assert thai.clock_time(24, "th") == "00.00"
    assert thai.clock_time(23, "en") == "23:00"
