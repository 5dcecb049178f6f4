"""What a register entry may say, and what it may not."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from contracts.breach import NATURES, RISKS, Breach, BreachNature, BreachState, Risk
from contracts.personal_data import REFUSALS, RIGHTS, RefusalReason, Right, names_somebody
from tests.factories import NOW
from tests.privacy_world import DIGEST, act, breach, filing

pytestmark = pytest.mark.unit

LATE = NOW + timedelta(hours=80)


@pytest.mark.parametrize(
    "text",
    [
        "1-1037-00123-45-6",
        "เลขบัตร ๑๑๐๓๗๐๐๑๒๓๔๕๖",
        "โทร 081-234-5678",
        "081 234 5678",
        "บัญชี 1234567890",
        "somchai@example.com",
    ],
)
def test_numbers_and_addresses_of_people_are_noticed(text: str) -> None:
    assert names_somebody(text)


@pytest.mark.parametrize("text", ["ข้อมูลคดี 40 ราย", "วันที่ 2026-01-15", "พ.ศ. 2566 มาตรา 4 (1)", "15 มกราคม 2569", ""])
def test_other_words_are_not(text: str) -> None:
    assert not names_somebody(text)


def test_every_right_reason_nature_and_risk_has_its_words() -> None:
    assert set(RIGHTS) == set(Right)
    assert set(REFUSALS) == set(RefusalReason)
    assert set(NATURES) == set(BreachNature)
    assert set(RISKS) == set(Risk)
    assert [terms.section for terms in RIGHTS.values()] == ["19", "30", "31", "32", "33", "34", "35-36"]


def test_a_reference_tells_nothing_of_the_person() -> None:
    with pytest.raises(ValidationError):
        filing(id="1103700123456")


@pytest.mark.parametrize(
    ("move", "changes"),
    [
        ("refuse", {}),
        ("fulfil", {"reason": "public-task"}),
        ("forward", {}),
        ("forward", {"to_agency": "rtp"}),
        ("fulfil", {"to_agency": "rtp", "to_dataset": "crimes_case"}),
    ],
)
def test_a_refusal_has_a_reason_and_what_is_forwarded_a_goal(move: str, changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        act(move, DIGEST, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"occurred_at": NOW},
        {"notified_pdpc_at": NOW - timedelta(hours=11)},
        {"closed_at": NOW},
        {"risk": "high", "notified_pdpc_at": NOW, "closed_at": NOW},
        {"notified_pdpc_at": LATE},
        {"nature": []},
    ],
)
def test_a_breach_that_cannot_be_so_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        breach(**changes)


def test_a_breach_without_risk_needs_no_notification() -> None:
    harmless = breach(risk="none")
    assert not harmless.is_overdue(LATE)
    assert breach(risk="none", closed_at=NOW).state is BreachState.CLOSED


def test_a_breach_of_high_risk_is_closed_once_the_people_know() -> None:
    told = {"risk": "high", "notified_pdpc_at": NOW, "people_informed_at": NOW, "closed_at": NOW}
    assert breach(**told).state is BreachState.CLOSED


def test_the_clock_ends_72_hours_after_the_detection_and_not_before() -> None:
    made: Breach = breach()
    assert made.due - made.detected_at == timedelta(hours=72)
    assert not made.is_overdue(made.due)
    assert made.is_overdue(made.due + timedelta(seconds=1))
    late = breach(notified_pdpc_at=LATE, late_reason="ตรวจสอบขอบเขต")
    assert late.is_late
    assert not late.is_overdue(LATE)
