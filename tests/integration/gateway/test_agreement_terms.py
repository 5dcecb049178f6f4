"""Terms that nobody offers, and texts that are no agreement: refused by the rule's name, and nothing is stored."""

from collections.abc import Iterator, Mapping

import pytest

from contracts.agreement import Activity, Agreement
from contracts.agreement_acts import AgreementProposal, signed_act
from contracts.canonical import canonical_bytes
from contracts.dataset import ContractRef, Tier
from contracts.lifecycle import Act
from contracts.query import Family, FamilyTable
from gateway import agreements
from gateway.agreement_terms import broken_rules
from tests import factories
from tests.agreement_parties import Parties, forget, refusal, stored
from tests.agreement_world import an_act
from tests.factories import NOW
from tests.gateway_world import CONTRACT, World, new_world

pytestmark = pytest.mark.integration

NAME = "AGR-2569-008"
OTHER = f"sha-256:{'1' * 64}"


def draft(**changes: object) -> Agreement:
    return factories.agreement((CONTRACT,), **({"id": NAME} | changes))


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One gateway for all these tests, since none of them may leave anything."""
    made = new_world(f"sqlite:///{tmp_path_factory.mktemp('terms') / 'gateway.db'}")
    yield made
    made.store.close()


@pytest.fixture
def world(gateway: World) -> Iterator[World]:
    gateway.now = NOW
    yield gateway
    forget(gateway, NAME)


@pytest.fixture
def parties(world: World) -> Parties:
    return Parties(world, NAME)


def activity(**changes: object) -> tuple[Activity, ...]:
    return (factories.activity((CONTRACT,), **changes),)


TERMS: Mapping[str, dict[str, object]] = {
    "purpose-offered": {"activities": activity(purpose="marketing")},
    "legal-basis-offered": {"activities": activity(legal_basis=("pdpa-24-4", "consent"))},
    "measure-offered": {"activities": activity(measures=("count", "age:mean"))},
    "dimension-offered": {"activities": activity(dimensions=("month", "home_address"))},
    "family-offered": {"activities": activity(families=(Family(tables=(FamilyTable(by=("month", "street")),)),))},
    "tier-offered": {"activities": activity(tier=Tier.MICRODATA)},
    "price-within-budget": {"activities": activity(nano_rho_per_request=1_000_000_001)},
    "period-is-over": {"period": factories.period("2024-10-01", "2025-10-01")},
    "providers-are-the-contracts-agencies": {"providers": ("ccib", "rtp")},
    "version-is-the-next": {"version": 2},
    "supersedes-what-stands": {"supersedes": OTHER},
}


@pytest.mark.parametrize("rule", TERMS)
def test_terms_that_nobody_offers_are_refused_by_name_and_nothing_is_stored(
    world: World, parties: Parties, rule: str
) -> None:
    counts = stored(world)
    error = refusal(lambda: parties.put(draft(**TERMS[rule]), Act.SUBMIT))

    assert (error.code, error.details["rule"]) == ("agreement-invalid", rule)
    assert stored(world) == counts


def test_every_broken_rule_is_found_not_only_the_first() -> None:
    broken = draft(**(TERMS["period-is-over"] | {"activities": activity(purpose="marketing", dimensions=("x",))}))

    rules = [rule for rule, _ in broken_rules(broken, {CONTRACT.digest: CONTRACT}, NOW)]

    assert rules == ["period-is-over", "purpose-offered", "dimension-offered"]


@pytest.mark.parametrize(
    "reference",
    [
        factories.contract(version="7.0.0").reference,
        CONTRACT.reference.model_copy(update={"version": "9.9.9"}),
        CONTRACT.reference.model_copy(update={"id": "crimes_case"}),
    ],
)
def test_an_unknown_contract_is_refused(world: World, parties: Parties, reference: ContractRef) -> None:
    counts = stored(world)
    over_nothing = draft(activities=activity(contracts=(reference,)))

    assert refusal(lambda: parties.put(over_nothing, Act.SUBMIT)).code == "unknown-contract"
    assert stored(world) == counts


def test_the_terms_of_a_draft_are_looked_at_when_it_is_submitted(parties: Parties) -> None:
    parties.put(draft(activities=activity(purpose="marketing")), Act.DRAFT)

    assert refusal(lambda: parties.act(Act.SUBMIT, "oja#officer-1")).code == "agreement-invalid"


@pytest.mark.parametrize("changes", [{"agreement": "AGR-2569-999"}, {"version": 2}])
def test_the_act_that_puts_a_text_forward_is_about_that_text(parties: Parties, changes: dict[str, object]) -> None:
    about_another = an_act(draft(), Act.SUBMIT, "oja#officer-1").model_copy(update=changes)

    assert refusal(lambda: parties.send(draft(), about_another, "oja#officer-1")).code == "malformed-body"


ACTIVITIES = [each.model_dump(mode="json", by_alias=True) for each in draft().activities]


def text_of(**changes: object) -> str:
    fields = draft().model_dump(mode="json", by_alias=True) | changes
    return canonical_bytes(fields).decode()


@pytest.mark.parametrize(
    ("text", "code", "rule"),
    [
        (text_of(period={"from": "2026-10-01", "until": "2025-10-01"}), "agreement-invalid", "period"),
        (text_of(period={"from": "2026-10-01", "until": "2026-10-01"}), "agreement-invalid", "period"),
        (text_of(providers=["oja"]), "agreement-invalid", "parties-differ"),
        (text_of(providers=["ccib", "ccib"]), "agreement-invalid", "parties-differ"),
        (text_of(activities=[*ACTIVITIES, *ACTIVITIES]), "agreement-invalid", "parties-differ"),
        (text_of(retention_days=0), "agreement-invalid", "form"),
        (text_of(surprise=1), "agreement-invalid", "form"),
        (text_of(id="x; DROP TABLE agreements"), "agreement-invalid", "form"),
        ("not json", "agreement-invalid", "form"),
        (f"{text_of()} ", "not-canonical", None),
    ],
)
def test_a_text_that_is_no_agreement_is_refused(
    world: World, parties: Parties, text: str, code: str, rule: str | None
) -> None:
    counts = stored(world)
    act = signed_act(an_act(draft(), Act.SUBMIT, "oja#officer-1"), world.keys["oja#officer-1"])
    proposal = AgreementProposal(agreement=text, act=act)

    error = refusal(lambda: agreements.propose(world.exchange.means, world.caller(), proposal))

    assert (error.code, error.details.get("rule")) == (code, rule)
    assert stored(world) == counts
