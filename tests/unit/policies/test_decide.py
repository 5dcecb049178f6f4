"""Every rule of the exchange policy, alone: delete one and a test fails."""

from datetime import timedelta
from pathlib import Path

import pytest

from contracts.dataset import ContractRef
from contracts.errors import InvalidInput
from contracts.standing import Standing
from policies.decide import Denial, Permit, decide, details
from tests import factories as make
from tests.policy_cases import ASKS, DECISION, Ask
from tests.policy_page import page

pytestmark = pytest.mark.unit

PAGE = Path(__file__).parents[3] / "docs/reference/policy-cases.md"


@pytest.mark.parametrize("case", ASKS, ids=lambda case: case.title)
def test_every_question_gets_the_decision_of_its_case(case: Ask) -> None:
    answer = case.decide()

    assert (answer.reasons if isinstance(answer, Denial) else ()) == case.reasons


def test_the_page_of_the_reference_lists_the_cases_as_they_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "run: python -m tests.policy_page > docs/reference/policy-cases.md"
    )


def test_a_permit_names_the_activity_whose_terms_hold() -> None:
    answer = ASKS[0].decide()

    assert isinstance(answer, Permit)
    assert answer.activity.id == make.ACTIVITY


def test_an_activity_that_the_agreement_lacks_is_an_input_error() -> None:
    with pytest.raises(InvalidInput, match="unknown-activity"):
        Ask("", request={"activity": "something-else"}).decide()


def test_without_any_contract_there_is_nothing_to_permit() -> None:
    agreed = make.agreement()

    with pytest.raises(InvalidInput, match="unknown-contract"):
        decide(make.request(agreed), agreed, standing=Standing(), contracts=[], asking_agency="oja", now=make.NOW)


def test_a_contract_is_cited_by_its_digest_alone() -> None:
    offered = make.contract()
    renamed = ContractRef(id="renamed", version="9.9.9", digest=offered.digest)

    assert isinstance(Ask("", activity={"contracts": (renamed,)}).decide(), Permit)


def test_two_agreements_with_activities_of_one_name_are_not_confused() -> None:
    """Prepared terms are kept by their whole content: a name that comes again opens nothing."""
    narrow = Ask("", activity={"dimensions": ("month",)})

    assert isinstance(Ask("").decide(), Permit)
    assert narrow.decide() == Denial(reasons=("dimension-not-agreed",))
    assert isinstance(Ask("").decide(), Permit)


def test_a_moment_within_a_second_counts_as_that_second() -> None:
    end = ASKS[2].now + timedelta(microseconds=999_999)

    assert isinstance(Ask("", now=end).decide(), Permit)


def test_a_denial_names_agreement_contract_and_tier() -> None:
    agreed = make.agreement()
    named = details(make.request(agreed), agreed)

    assert named == {"agreement": "AGR-2569-001", "contract": "tpo_complaint", "tier": "statistics"}


def test_an_unknown_activity_has_no_tier_to_name() -> None:
    agreed = make.agreement()

    assert details(make.request(agreed, activity="something-else"), agreed)["tier"] == "-"


def test_a_policy_decision_says_its_number_and_its_day() -> None:
    assert (DECISION.number, DECISION.decided_on.isoformat()) == ("12/2569", "2026-01-05")
