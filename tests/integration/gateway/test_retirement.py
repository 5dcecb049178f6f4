"""An agency takes a contract back: under two signatures, for good, and without giving any budget back."""

from datetime import timedelta

import pytest

from contracts.canonical import canonical_bytes
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput, Refused
from contracts.retirement import ContractRetirement
from contracts.signing import sign_document
from contracts.transparency import EventKind
from contracts.views import PublishedContract
from gateway import retirement
from gateway.caller import Caller
from gateway.store import registry
from tests import contract_texts, factories
from tests.contract_texts import tighter, version
from tests.factories import NOW
from tests.gateway_world import AGREEMENT, CONTRACT, World

pytestmark = pytest.mark.integration

BOTH = ("ccib#steward-1", "ccib#dpo-1")


def signed(
    world: World, *kids: str, kind: str = "contract-retirement", contract: DatasetContract = CONTRACT, **changes: object
) -> str:
    fields = {"reference": contract.reference, "agency": contract.agency, "reason": "replaced", "at": NOW}
    payload = canonical_bytes(ContractRetirement.model_validate(fields | changes))
    return sign_document(payload, kind, *(world.keys[kid] for kid in kids or BOTH))


def retire(
    world: World, document: str, caller: Caller | None = None, digest: str = CONTRACT.digest
) -> PublishedContract:
    return retirement.retire(world.exchange.means, caller or world.connector(), digest, document)


def test_a_retired_contract_says_so_wherever_it_is_read_and_in_the_log(world: World) -> None:
    before = world.exchange.contract(CONTRACT.digest)
    view = retire(world, signed(world))

    assert before.retired is None
    assert view.retired is not None
    assert (view.retired.retirement.reason, view.retired.retired_at) == ("replaced", NOW)
    assert world.exchange.contract(CONTRACT.digest) == view
    assert world.exchange.contracts() == (view,)
    entry = world.log()[-1]
    assert (entry.kind, entry.agency, entry.subject) == (EventKind.CONTRACT_RETIRED, "ccib", CONTRACT.id)
    assert entry.facts == {"version": "1.0.0", "digest": CONTRACT.digest, "reason": "replaced"}


def test_retiring_again_changes_nothing_and_the_first_reason_stands(world: World) -> None:
    first = retire(world, signed(world))

    assert retire(world, signed(world, reason="other words")) == first
    assert world.kinds().count(EventKind.CONTRACT_RETIRED) == 1


def test_a_retired_contract_is_not_asked_any_more_and_costs_nothing(world: World) -> None:
    retire(world, signed(world))

    with pytest.raises(Refused) as raised:
        world.submit(factories.request(AGREEMENT))

    assert [each.code for each in raised.value.reasons] == ["contract-retired"]
    assert world.spent() == world.reserved() == 0
    assert world.kinds()[-1] is EventKind.DATA_REFUSED


def test_a_release_of_before_is_not_given_again_under_a_retired_contract_but_stays_readable(world: World) -> None:
    world.submit(factories.request(AGREEMENT))
    world.answer()
    world.later()
    release = str(world.exchange.status(world.caller(), "REQ-0001").release)
    spent = world.spent()
    retire(world, signed(world))

    with pytest.raises(Refused, match="contract-retired"):
        world.submit(factories.request(AGREEMENT, id="REQ-0002"))
    assert world.exchange.release(world.caller(), release).withdrawal is None
    assert world.spent() == spent > 0


def test_nothing_new_begins_under_a_retired_contract(world: World) -> None:
    retire(world, signed(world))

    with world.store.read() as r:
        retirement.check_not_retired(r, ())
        with pytest.raises(Refused, match="contract-retired"):
            retirement.check_not_retired(r, (CONTRACT.reference,))


def test_neither_retirement_nor_publishing_again_resets_a_budget_or_the_version(world: World) -> None:
    publish = contract_texts.published(world.keys, version())
    world.exchange.publish_contract(world.connector("dop"), publish)
    world.exchange.publish_contract(world.connector("dop"), contract_texts.published(world.keys, tighter("1.1.0")))
    document = signed(world, "dop#steward-1", "dop#dpo-1", contract=tighter("1.1.0").contract)
    retire(world, document, world.connector("dop"), tighter("1.1.0").contract.digest)

    world.exchange.publish_contract(world.connector("dop"), contract_texts.published(world.keys, tighter("1.1.0")))

    assert world.exchange.contract(tighter("1.1.0").contract.digest).retired is not None
    with pytest.raises(Refused, match="contract-weaker-than-version"):
        world.exchange.publish_contract(world.connector("dop"), contract_texts.published(world.keys, version("1.2.0")))
    with world.store.read() as r:
        assert registry.budgets(r)["dop/probation"] == 100_000_000


@pytest.mark.parametrize(
    ("kids", "code"),
    [
        (("ccib#steward-1",), "signers-incomplete"),
        (("ccib#dpo-1",), "signers-incomplete"),
        (("ccib#steward-1", "rtp#dpo-1"), "signers-incomplete"),
        ((*BOTH, "rtp#steward-1"), "signers-incomplete"),
        (("rtp#steward-1", "rtp#dpo-1"), "signers-incomplete"),
        (("ccib#steward-1", "ccib#officer-1"), "key-unknown"),
    ],
)
def test_steward_and_dpo_of_the_owner_sign_a_retirement(world: World, kids: tuple[str, ...], code: str) -> None:
    with pytest.raises(Refused, match=code):
        retire(world, signed(world, *kids))
    assert world.exchange.contract(CONTRACT.digest).retired is None


def test_an_agency_retires_its_own_contracts_alone(world: World) -> None:
    with pytest.raises(Refused, match="not-allowed"):
        retire(world, signed(world), world.connector("rtp"))
    with pytest.raises(Refused, match="not-allowed"):
        retire(world, signed(world, "rtp#steward-1", "rtp#dpo-1", agency="rtp"), world.connector("rtp"))


def test_a_contract_under_signatures_is_no_retirement(world: World) -> None:
    with pytest.raises(Refused, match="signature-wrong"):
        retire(world, signed(world, kind="contract"))


def test_a_retirement_is_about_the_contract_that_it_is_posted_to(world: World) -> None:
    other = factories.contract(version="7.0.0")
    renamed = CONTRACT.reference.model_copy(update={"version": "7.0.0"})

    with pytest.raises(InvalidInput, match="malformed-body"):
        retire(world, signed(world, reference=other.reference))
    with pytest.raises(InvalidInput, match="unknown-contract"):
        retire(world, signed(world, reference=other.reference), digest=other.digest)
    with pytest.raises(InvalidInput, match="unknown-contract"):
        retire(world, signed(world, reference=renamed))


def test_a_retirement_of_the_future_is_refused(world: World) -> None:
    retire(world, signed(world, at=NOW + timedelta(minutes=5)))

    with pytest.raises(InvalidInput, match="malformed-body"):
        retire(world, signed(world, at=NOW + timedelta(minutes=6)))


@pytest.mark.parametrize(("payload", "code"), [(b"{}", "malformed-body"), (None, "not-canonical")])
def test_a_document_that_is_no_retirement_is_refused(world: World, payload: bytes | None, code: str) -> None:
    fields = ContractRetirement(reference=CONTRACT.reference, agency="ccib", reason="x", at=NOW)
    text = canonical_bytes(fields) + b" " if payload is None else payload
    document = sign_document(text, "contract-retirement", *(world.keys[kid] for kid in BOTH))

    with pytest.raises(InvalidInput, match=code):
        retire(world, document)


def test_a_call_is_spent_once(world: World) -> None:
    caller = world.connector()
    retire(world, signed(world), caller)

    with pytest.raises(Refused, match="request-replayed"):
        retire(world, signed(world), caller)
