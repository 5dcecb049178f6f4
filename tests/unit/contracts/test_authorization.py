"""Authorization details: one type, three fields, nothing else."""

import json

import pytest

from contracts.authorization import MOST_DETAILS, ActivityDetail, details_in, details_text, read_details
from contracts.errors import InvalidInput

pytestmark = pytest.mark.unit

DETAIL = {"type": "saphan_activity", "agreement": "AGR-2569-001", "activity": "monthly-risk"}
OURS = ActivityDetail.of("AGR-2569-001", "monthly-risk")


def test_what_is_written_is_read_again() -> None:
    other = ActivityDetail.of("AGR-2569-002", "monthly-risk")
    assert read_details(details_text([OURS, other])) == (OURS, other)
    assert json.loads(details_text([OURS])) == [DETAIL]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "{}",
        "[]",
        json.dumps(DETAIL),
        json.dumps([DETAIL, DETAIL]),
        json.dumps([{**DETAIL, "type": "payment_initiation"}]),
        json.dumps([{**DETAIL, "actions": ["read"]}]),
        json.dumps([{**DETAIL, "locations": ["https://gateway.example"]}]),
        json.dumps([{name: DETAIL[name] for name in ("agreement", "activity")}]),
        json.dumps([{name: DETAIL[name] for name in ("type", "agreement")}]),
        json.dumps([{name: DETAIL[name] for name in ("type", "activity")}]),
        json.dumps([{**DETAIL, "agreement": "x' OR 1"}]),
        json.dumps([{**DETAIL, "activity": 7}]),
        json.dumps([{**DETAIL, "activity": f"activity-{n}"} for n in range(MOST_DETAILS + 1)]),
    ],
)
def test_what_is_not_such_a_list_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="malformed-body"):
        read_details(text)


def test_as_many_as_allowed_are_read() -> None:
    many = [ActivityDetail.of("AGR-2569-001", f"activity-{n}") for n in range(MOST_DETAILS)]
    assert len(read_details(details_text(many))) == MOST_DETAILS


def test_a_token_without_the_claim_is_for_no_activity_and_a_bent_claim_is_refused() -> None:
    assert details_in(None) == ()
    assert details_in([DETAIL]) == (OURS,)
    for bent in (DETAIL, "all", 7, [{**DETAIL, "more": 1}]):
        with pytest.raises(InvalidInput, match="malformed-body"):
            details_in(bent)
