"""What follows from a question is remembered for its very text and contracts, and never beyond the day it holds for."""

from datetime import timedelta

import pytest

from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput
from contracts.lifecycle import AgreementState
from contracts.request import Request
from contracts.task import Forwarded
from gateway import question
from gateway.question import Asked, check_under, question_text, read_request
from gateway.store.registry import HeldAgreement
from tests import factories
from tests.factories import NOW
from tests.gateway_world import forwarded

pytestmark = pytest.mark.unit


def asked(request: Request, *contracts: DatasetContract) -> Asked:
    agreed = factories.agreement(contracts)
    held = HeldAgreement(agreed, request.agreement_digest, "", (), AgreementState.ACTIVE)
    activity = agreed.activities[0]
    return Asked(request, "digest", contracts, held, activity, check_under(activity, request.query, contracts, NOW))


def test_one_text_is_read_once_and_another_one_anew() -> None:
    sent = forwarded(factories.request())
    other = forwarded(factories.request(nano_rho=7))

    assert read_request(sent) is read_request(sent.model_copy(update={"headers": {}}))
    assert read_request(other).nano_rho == 7


def test_a_long_text_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = forwarded(factories.request())
    monkeypatch.setattr(question, "SMALL", len(sent.body) - 1)

    assert read_request(sent) == read_request(sent)
    assert read_request(sent) is not read_request(sent)


def test_what_is_no_request_is_refused_each_time() -> None:
    wrong = Forwarded(method="POST", path="/v1/requests", headers={}, body="{}")
    for _ in range(2):
        with pytest.raises(InvalidInput, match="malformed-body"):
            read_request(wrong)


def test_the_same_question_to_other_contracts_or_at_another_price_is_another_one() -> None:
    one, other = factories.contract(), factories.contract(version="1.1.0")
    request = factories.request(factories.agreement((one,)))
    dearer = request.model_copy(update={"nano_rho": request.nano_rho + 1})
    keys = {asked(request, one).question, asked(request, other).question, asked(dearer, one).question}

    assert len(keys) == 3
    assert asked(request, one).question in keys


def test_a_day_that_is_not_closed_is_refused_until_it_is() -> None:
    contract = factories.contract()
    query = factories.query(period=factories.period("2026-01-01", "2026-04-01"))
    activity = factories.agreement((contract,)).activities[0]
    closed = NOW.replace(year=2026, month=4, day=20)
    assert check_under(activity, query, (contract,), closed).size > 0

    with pytest.raises(InvalidInput, match="period"):
        check_under(activity, query, (contract,), closed - timedelta(days=60))


def test_each_question_has_its_own_text() -> None:
    assert question_text(factories.query()) != question_text(factories.query(dimensions=("month",)))
    assert question_text(factories.query()) == question_text(factories.query())
