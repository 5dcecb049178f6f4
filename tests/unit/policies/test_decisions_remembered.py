"""A decision that was made once stands for the very same facts, second and rules, and for no others."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.lifecycle import AgreementState
from contracts.standing import Standing
from contracts.suspension import Suspended
from policies.decide import Denial, decide
from policies.rules import EXCHANGE, Rules, installed, installed_texts, rules_of
from tests.connector_world import case
from tests.factories import NOW

pytestmark = pytest.mark.unit

CASE = case()
FINE = Standing(at_agency=True)


def reasons(
    standing: Standing = FINE, now: datetime = NOW, rules: Rules | None = None, asking: str = "oja"
) -> tuple[str, ...]:
    made = decide(
        CASE.request,
        CASE.agreement,
        standing=standing,
        contracts=[CASE.contract],
        asking_agency=asking,
        now=now,
        rules=rules,
    )
    return made.reasons if isinstance(made, Denial) else ()


def test_what_was_permitted_is_denied_as_soon_as_something_stopped_and_permitted_again_after() -> None:
    assert reasons() == ()
    assert reasons(FINE.model_copy(update={"agreement": AgreementState.SUSPENDED})) != ()
    assert reasons(FINE.model_copy(update={"suspended": Suspended(agencies=frozenset({"ccib"}))})) != ()
    assert reasons(FINE.model_copy(update={"retired": frozenset({CASE.contract.digest})})) != ()
    assert reasons(asking="rtp") != ()
    assert reasons() == ()


def test_what_was_permitted_is_denied_in_the_first_second_after_the_agreement() -> None:
    until = CASE.agreement.period.until
    end = datetime(until.year, until.month, until.day, tzinfo=UTC) - timedelta(hours=7)

    assert reasons(now=end - timedelta(seconds=1)) == ()
    assert reasons(now=end) != ()
    assert reasons(now=end - timedelta(seconds=1)) == ()


def test_other_rules_decide_anew() -> None:
    texts = installed_texts()
    stricter = rules_of(
        {**texts, EXCHANGE: texts[EXCHANGE] + '\n@id("nobody")\nforbid (principal, action, resource);\n'}
    )

    assert (reasons(rules=installed()), reasons(rules=stricter), reasons(rules=installed())) == ((), ("nobody",), ())


def test_what_is_remembered_of_an_agreement_and_a_contract_is_not_said_of_their_changed_copies() -> None:
    earlier = CASE.agreement.period.model_copy(update={"until": NOW.date()})
    over = CASE.agreement.model_copy(update={"period": earlier})
    elsewhere = CASE.contract.model_copy(update={"purposes": ("victim-help",)})

    decided = [
        decide(CASE.request, agreement, standing=FINE, contracts=[contract], asking_agency="oja", now=NOW)
        for agreement in (CASE.agreement, over)
        for contract in (CASE.contract, elsewhere)
    ]

    assert [isinstance(each, Denial) for each in decided] == [False, True, True, True]
