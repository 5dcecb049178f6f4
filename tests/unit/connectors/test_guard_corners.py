"""Guards of a connector that another guard usually hides: here each stands alone."""

from dataclasses import replace

import pytest

from connectors.guard import Guard
from contracts.errors import SaphanError
from tests.connector_world import Case, Known, case
from tests.factories import NOW

pytestmark = pytest.mark.unit


def guard_of(asked: Case) -> Guard:
    contract = asked.contract
    return Guard("ccib", asked.keys.federation, {contract.digest: contract}.get, Known())


def test_an_activity_that_the_agreement_lacks_is_refused_by_its_name() -> None:
    asked = case().asking(activity="something-else")

    with pytest.raises(SaphanError, match="unknown-activity"):
        guard_of(asked).check_task(asked.task(), NOW)


@pytest.mark.parametrize("issued", [NOW.timestamp() + 0.5, True, "1768446000"])
def test_a_token_whose_instant_is_no_whole_number_is_refused(issued: object) -> None:
    asked = case()

    with pytest.raises(SaphanError) as raised:
        guard_of(asked).check_delivery(asked.leased(iat=issued), NOW)

    assert raised.value.code == "token-invalid"


def test_a_request_that_another_key_of_the_agency_signed_is_refused() -> None:
    asked = replace(case(), client="oja#officer-1")

    with pytest.raises(SaphanError, match="key-unknown"):
        guard_of(asked).check_task(asked.task(), NOW)
