"""Requests, tasks and parts."""

from datetime import datetime, timedelta

import pytest
from pydantic import ValidationError

from contracts.request import LONGEST_DELIVERY, TRANSITIONS, RequestState
from contracts.task import Charge, Part, PartMeasure
from contracts.views import BudgetLine
from tests.factories import ISSUER, NOW, agreement, contract, request

pytestmark = pytest.mark.unit

DIGEST = f"sha-256:{'0' * 64}"


def part(**changes: object) -> Part:
    fields: dict[str, object] = {
        "task": "TASK-0001",
        "task_digest": DIGEST,
        "agency": "ccib",
        "contract": contract().reference,
        "request_digest": DIGEST,
        "data_version": 3,
        "charged": True,
        "measures": (PartMeasure(measure="count", cells=(1, 2, 3)),),
        "finished": NOW,
    }
    return Part.model_validate(fields | changes)


def test_a_request_cites_what_it_stands_on() -> None:
    agreed = agreement()

    asked = request(agreed)

    assert (asked.agreement, asked.requester, asked.gateway) == (agreed.id, "oja", ISSUER)
    assert asked.contracts == agreed.activities[0].contracts


def test_a_request_is_deliverable_until_its_last_instant() -> None:
    asked = request()

    assert asked.is_deliverable(asked.deliver_until)
    assert not asked.is_deliverable(asked.deliver_until + timedelta(microseconds=1))


def test_delivery_lasts_seven_days_at_most() -> None:
    assert request(deliver_until=NOW + LONGEST_DELIVERY).is_deliverable(NOW + LONGEST_DELIVERY)
    for until in (NOW, NOW - timedelta(seconds=1), NOW + LONGEST_DELIVERY + timedelta(seconds=1)):
        with pytest.raises(ValidationError, match="seven days"):
            request(deliver_until=until)


@pytest.mark.parametrize(
    "changes",
    [
        {"contracts": (contract().reference, contract().reference)},
        {"contracts": ()},
        {"nano_rho": 0},
        {"nano_rho": -1},
        {"nano_rho": 1.5},
        {"created": datetime(2026, 1, 15, 3, 0)},  # noqa: DTZ001  # what is tested
        {"gateway": "x" * 201},
        {"unknown": 1},
    ],
)
def test_a_request_that_makes_no_sense_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        request(**changes)


def test_what_is_released_or_refused_stays_so() -> None:
    final = {state for state, following in TRANSITIONS.items() if not following}

    assert set(TRANSITIONS) == set(RequestState)
    assert final == {RequestState.RELEASED, RequestState.REFUSED}
    assert RequestState.RECEIVED not in set().union(*TRANSITIONS.values())


def test_a_part_answers_or_refuses() -> None:
    assert part().refusal is None
    assert part(measures=(), refusal="budget-exceeded", charged=False).charged is False
    assert part(measures=(), refusal="source-unreachable", charged=True).charged is True
    with pytest.raises(ValidationError, match="answers or refuses"):
        part(measures=())
    with pytest.raises(ValidationError, match="answers or refuses"):
        part(refusal="budget-exceeded")


def test_an_answer_is_always_charged() -> None:
    with pytest.raises(ValidationError, match="is charged"):
        part(charged=False)


def test_a_charge_belongs_to_a_fiscal_year() -> None:
    assert Charge(source="ccib/tpo", window="FY2569", nano_rho=1).window == "FY2569"
    with pytest.raises(ValidationError):
        Charge(source="ccib/tpo", window="2026", nano_rho=1)


def test_what_is_left_is_neither_spent_nor_reserved() -> None:
    line = BudgetLine(source="ccib/tpo", window="FY2569", budget=100, spent=30, reserved=20)

    assert line.left == 50
