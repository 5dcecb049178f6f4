"""Every rule of the exchange policy, alone: delete one and a test fails."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

import cedarpy
import pytest

from contracts.dataset import ContractRef, DatasetContract, Tier
from contracts.error_catalogue import CATALOGUE
from contracts.errors import InvalidInput
from contracts.lifecycle import AgreementState
from contracts.standing import Standing
from policies import decide as module
from policies.decide import Denial, Permit, decide
from tests import factories as make

pytestmark = pytest.mark.unit


def verdict(
    changes_request: dict[str, Any] | None = None,
    changes_activity: dict[str, Any] | None = None,
    contracts: Sequence[DatasetContract] | None = None,
    *,
    agreement_active: bool = True,
    asking_agency: str = "oja",
    now: datetime = make.NOW,
) -> Permit | Denial:
    """Decide a request that is fine but for the changes."""
    offered = contracts or [make.contract()]
    activity = make.activity(offered).model_copy(update=changes_activity or {})
    agreed = make.agreement(offered, activities=(activity,))
    return decide(
        make.request(agreed, **(changes_request or {})),
        agreed,
        standing=Standing(agreement=AgreementState.ACTIVE if agreement_active else AgreementState.SUBMITTED),
        contracts=offered,
        asking_agency=asking_agency,
        now=now,
    )


def test_a_request_within_its_activity_is_permitted() -> None:
    answer = verdict()

    assert isinstance(answer, Permit)
    assert answer.activity.id == make.ACTIVITY


@pytest.mark.parametrize(
    ("reason", "case"),
    [
        ("agreement-not-active", {"agreement_active": False}),
        ("agreement-expired", {"now": make.NOW + timedelta(days=400)}),
        ("agreement-expired", {"now": make.NOW - timedelta(days=200)}),
        (
            "purpose-not-agreed",
            {
                "contracts": [make.contract(purposes=("crime-prevention", "marketing"))],
                "changes_request": {"purpose": "marketing"},
            },
        ),
        ("purpose-not-in-contract", {"contracts": [make.contract(purposes=("other",))]}),
        ("legal-basis-not-agreed", {"contracts": [make.contract(legal_basis=("pdpa-26",))]}),
        ("measure-not-agreed", {"changes_activity": {"measures": ("damage_thb:sum",)}}),
        ("dimension-not-agreed", {"changes_activity": {"dimensions": ("month",)}}),
        ("price-above-activity", {"changes_request": {"nano_rho": 100_000_001}}),
        ("tier-not-offered", {"contracts": [make.contract(tiers=(Tier.FEED,))]}),
        (
            "tier-not-offered",
            {"contracts": [make.contract(tiers=(Tier.MICRODATA,))], "changes_activity": {"tier": Tier.MICRODATA}},
        ),
        ("requester-not-party", {"asking_agency": "rtp"}),
        ("requester-not-party", {"asking_agency": "rtp", "changes_request": {"requester": "rtp"}}),
    ],
)
def test_each_rule_says_no_by_itself(reason: str, case: dict[str, Any]) -> None:
    assert verdict(**case) == Denial(reasons=(reason,))


def test_a_filter_counts_as_a_dimension() -> None:
    asked = make.query(where={"case_type": ("romance_scam",)})

    answer = verdict(changes_request={"query": asked}, changes_activity={"dimensions": ("month", "province")})

    assert answer == Denial(reasons=("dimension-not-agreed",))


def test_another_version_of_the_contract_is_not_agreed() -> None:
    old = make.contract()
    agreed = make.agreement([old])
    new = make.contract(version="1.0.1")

    answer = decide(
        make.request(agreed), agreed, standing=Standing(), contracts=[new], asking_agency="oja", now=make.NOW
    )

    assert answer == Denial(reasons=("contract-not-agreed",))


def test_every_rule_that_says_no_is_named() -> None:
    answer = verdict({"purpose": "marketing", "nano_rho": 10**9}, agreement_active=False)

    assert answer == Denial(
        reasons=("agreement-not-active", "price-above-activity", "purpose-not-agreed", "purpose-not-in-contract")
    )


def test_one_contract_that_says_no_denies_the_whole_question() -> None:
    fine, closed = make.contract(), make.contract(id="crimes_case", agency="rtp", purposes=("other",))

    assert verdict(contracts=[fine, closed]) == Denial(reasons=("purpose-not-in-contract",))


def test_an_activity_that_the_agreement_lacks_is_an_input_error() -> None:
    with pytest.raises(InvalidInput, match="unknown-activity"):
        verdict({"activity": "something-else"})


def test_without_any_contract_there_is_nothing_to_permit() -> None:
    agreed = make.agreement()

    with pytest.raises(InvalidInput, match="unknown-contract"):
        decide(make.request(agreed), agreed, standing=Standing(), contracts=[], asking_agency="oja", now=make.NOW)


def test_a_policy_that_errs_denies(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = cedarpy.PolicySet.from_str(
        "permit (principal, action, resource);\n"
        '@id("door") forbid (principal, action, resource) when { context.missing == 1 };'
    )
    monkeypatch.setattr(module, "_policies", lambda: broken)
    monkeypatch.setattr(module, "_schema", lambda: None)

    assert verdict() == Denial(reasons=("policy-error",))


def test_without_a_permit_the_answer_is_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_policies", lambda: cedarpy.PolicySet.from_str(""))

    assert verdict() == Denial(reasons=("no-rule-allows-this",))


def test_every_forbid_has_a_text_in_the_catalogue() -> None:
    text = (files("policies") / "exchange.cedar").read_text(encoding="utf-8")
    names = [line.split('"')[1] for line in text.splitlines() if line.startswith("@id")]

    assert len(names) == 12
    assert set(names[1:]) <= set(CATALOGUE)


def test_the_policies_fit_their_schema() -> None:
    folder = files("policies")
    result = cedarpy.validate_policies(
        folder.joinpath("exchange.cedar").read_text(), folder.joinpath("schema.cedarschema").read_text()
    )

    assert result.validation_passed, result


def test_a_contract_is_cited_by_its_digest_alone() -> None:
    offered = make.contract()
    renamed = ContractRef(id="renamed", version="9.9.9", digest=offered.digest)

    assert isinstance(verdict(changes_activity={"contracts": (renamed,)}, contracts=[offered]), Permit)
