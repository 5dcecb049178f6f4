"""What people read of the registers on a terminal."""

from datetime import timedelta

import pytest

from contracts.breach import BreachView
from contracts.dataset import Contact
from contracts.personal_data import DisclosureLine, Right, SubjectCase, SubjectState, SubjectStep
from contracts.processing import Processing, ProcessingRecord
from contracts.retention import RetentionCertificate, RetentionRule, RuleOutcome
from saphan import breach_commands, record_commands, subject_commands
from saphan.retention_table import certificates_table
from tests.factories import NOW, contract, text
from tests.privacy_world import DIGEST, REFERENCE, breach

pytestmark = pytest.mark.unit

STEP = SubjectStep(at=NOW, signed_by="ccib#dpo-1", state=SubjectState.RECEIVED, digest=DIGEST)
CASE = SubjectCase(
    id=REFERENCE,
    right=Right.OBJECTION,
    section="32",
    desk="ccib",
    agency="ccib",
    dataset="tpo_complaint",
    received_at=NOW,
    due=NOW + timedelta(days=30),
    state=SubjectState.RECEIVED,
    overdue=True,
    contacts=(Contact(role="dpo", name="ศูนย์คุ้มครองข้อมูล"),),
    steps=(STEP,),
)
LINE = DisclosureLine(
    kind="release",
    at=NOW,
    agency="ccib",
    datasets=("tpo_complaint",),
    recipient="oja",
    public=True,
    agreement="AGR-1",
    activity="monthly-risk",
    purpose="crime-prevention",
    legal_basis=("pdpa-24-4",),
    oia24=("24(3)",),
    tier="statistics",
    category="",
    records=None,
    contracts=(DIGEST,),
    reference="rel-1",
    digest=DIGEST,
    log_index=3,
    state="withdrawn",
    reason="counted twice",
)


def cells(table: object) -> str:
    columns = table.columns  # type: ignore[attr-defined]  # a table of rich
    return " | ".join(str(cell) for column in columns for cell in column.cells)


def view(**changes: object) -> BreachView:
    fields: dict[str, object] = {
        "breach": breach(),
        "digest": DIGEST,
        "state": "open",
        "due": NOW,
        "seconds_left": 7200,
        "overdue": False,
        "late": False,
        "recorded_at": NOW,
        "updated_at": NOW,
        "signed_by": "ccib#dpo-1",
        "versions": 1,
    }
    return BreachView.model_validate(fields | changes)


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "2 ชั่วโมง"),
        ({"seconds_left": -7200, "overdue": True}, "เกินกำหนด 2 ชั่วโมง"),
        ({"seconds_left": None, "late": True, "state": "notified"}, "แจ้งล่าช้า"),
        ({"seconds_left": None, "state": "closed"}, "–"),
    ],
)
def test_a_breach_shows_the_time_that_is_left(changes: dict[str, object], shown: str) -> None:
    assert shown in cells(breach_commands._table([view(**changes)]))


def test_a_request_shows_that_it_is_overdue_and_whom_to_speak_to() -> None:
    shown = cells(subject_commands._case_table(CASE))
    assert "เกินกำหนด" in shown
    assert "ศูนย์คุ้มครองข้อมูล" in shown


def test_a_disclosure_of_a_withdrawn_release_says_why() -> None:
    assert "withdrawn: counted twice" in cells(record_commands._disclosures_table([LINE]))


def test_the_record_of_processing_has_a_line_for_each_dataset() -> None:
    held = contract()
    item = Processing(
        contract=held.reference,
        title=held.title,
        person=held.unit.person,
        collected=(),
        classification="sensitive",
        section26=(),
        exemption=None,
        purposes=(),
        retention_days=3650,
        contacts=(),
        rights=(),
        access=text("access"),
        recipients=(),
        refusals=(),
        requests=0,
        security=(),
    )
    record = ProcessingRecord(agency="ccib", title=text("CCIB"), made_at=NOW, log_size=1, processing=(item,))
    assert "3650" in cells(record_commands._processing_table(record))


def test_a_certificate_shows_what_each_rule_deleted() -> None:
    outcome = RuleOutcome(rule=RetentionRule.REQUESTS, what="bodies", count=7, root="0" * 64, left=0)
    made = RetentionCertificate(id="daily-2026-01-15", agency="oja", program="gateway", at=NOW, outcomes=(outcome,))
    assert "7" in cells(certificates_table([made]))
