"""What everybody may see of the log's use: late, coarse, by pair of agencies, purpose and month."""

from datetime import UTC, datetime

import pytest

from contracts.log_usage import coarse, month_of, usage_lines
from contracts.log_use import Asked, Outcome

pytestmark = pytest.mark.unit


def asked(at: str = "2026-01-15", **changes: object) -> Asked:
    fields: dict[str, object] = {
        "request": "R",
        "at": datetime.fromisoformat(at).replace(tzinfo=UTC),
        "requester": "oja",
        "agencies": ("ccib",),
        "agreement": "A",
        "activity": "monthly-risk",
        "purpose": "crime-prevention",
        "tier": "statistics",
        "question": "count",
        "nano_rho": 1,
        "outcome": Outcome.RELEASED,
    }
    return Asked.model_validate(fields | changes)


@pytest.mark.parametrize(
    ("count", "shown"), [(0, None), (1, None), (9, None), (10, 10), (19, 10), (20, 20), (105, 100)]
)
def test_a_number_is_rounded_down_to_tens_and_below_ten_not_told(count: int, shown: int | None) -> None:
    assert coarse(count) == shown


def test_a_month_is_told_when_it_is_over() -> None:
    requests = [asked("2026-01-15")] * 12 + [asked("2026-02-01")] * 40

    (line,) = usage_lines(requests, "2026-02")

    assert (line.month, line.requests, line.released, line.refused) == ("2026-01", 10, 10, None)


def test_the_month_is_that_of_thailand() -> None:
    assert month_of(datetime(2026, 1, 31, 17, 0, tzinfo=UTC)) == "2026-02"
    assert month_of(datetime(2026, 1, 31, 16, 59, tzinfo=UTC)) == "2026-01"


def test_a_question_to_several_agencies_counts_for_each() -> None:
    lines = usage_lines([asked(agencies=("ccib", "rtp"))] * 30, "2026-02")

    assert [(line.agency, line.requests) for line in lines] == [("ccib", 30), ("rtp", 30)]


def test_refusals_are_told_with_their_reasons() -> None:
    often = asked(outcome=Outcome.REFUSED, reasons=("budget-exceeded", "not-allowed"))
    seldom = asked(outcome=Outcome.REFUSED, reasons=("not-allowed",))

    (line,) = usage_lines([often] * 15 + [seldom] * 5, "2026-02")

    assert line.refused == 20
    assert [(each.code, each.times) for each in line.reasons] == [("budget-exceeded", 10), ("not-allowed", 20)]


def test_lines_come_newest_month_first_and_apart_by_purpose() -> None:
    lines = usage_lines([asked("2025-12-01"), asked(purpose="prevention"), asked()], "2026-02")

    assert [(line.month, line.purpose) for line in lines] == [
        ("2026-01", "crime-prevention"),
        ("2026-01", "prevention"),
        ("2025-12", "crime-prevention"),
    ]


def test_no_identifier_of_a_request_is_told() -> None:
    (line,) = usage_lines([asked(request="req-4711", release="REL-1")] * 12, "2026-02")

    assert "4711" not in line.model_dump_json()
    assert "REL-1" not in line.model_dump_json()
