"""What a connector believes: each attack here goes through if the check that it names is deleted."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import jwt
import pytest

from connectors.guard import Guard, read_lease
from connectors.situation import Situation
from contracts.canonical import canonical_bytes
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput, Refused, SaphanError
from contracts.federation import KeyPurpose
from contracts.keys import new_key
from contracts.message_signatures import Tag, sign
from contracts.signature_base import Message
from contracts.signing import sign_document
from contracts.task import Lease, LeasedTask
from tests import factories
from tests.connector_world import Case, Known, case, contract_of, contract_text, with_key
from tests.factories import NOW, Keys

pytestmark = pytest.mark.unit


@dataclass
class World:
    """CCIB, the contracts that it approved, and the time."""

    keys: Keys
    approved: dict[str, DatasetContract]
    now: datetime = NOW
    situation: Situation = field(default_factory=Known)

    def guard(self) -> Guard:
        return Guard("ccib", self.keys.federation, self.approved.get, self.situation)

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def world() -> World:
    contract = case().contract
    return World(factories.federation(), {contract.digest: contract})


def refusal_of_task(world: World, asked: Case) -> str:
    with pytest.raises(SaphanError) as raised:
        world.guard().check_task(asked.task(), world.now)
    return raised.value.code


def refusal_of_delivery(world: World, leased: LeasedTask) -> str:
    with pytest.raises(SaphanError) as raised:
        world.guard().check_delivery(leased, world.now)
    return raised.value.code


def test_an_honest_task_is_believed(world: World) -> None:
    asked = case()
    world.guard().check_delivery(asked.leased(), world.now)
    checked = world.guard().check_task(asked.task(), world.now)
    assert checked.request == asked.request
    assert checked.contract == asked.contract
    assert checked.grid.size == 4


# ------------------------------------------------------------------ the token of the delivery


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://other.example"}, "token-invalid"),
        ({"aud": "rtp"}, "token-invalid"),
        ({"aud": ["ccib", "rtp"]}, "token-invalid"),
        ({"sub": "TASK-0002"}, "task-not-ours"),
        ({"task_digest": f"sha-256:{'0' * 64}"}, "task-not-ours"),
        ({"task_digest": None}, "token-invalid"),
        ({"jti": None}, "token-invalid"),
        ({"typ": "JWT"}, "token-invalid"),
        ({"key": "oja#gateway-1"}, "key-unknown"),
        ({"now": NOW - timedelta(minutes=5)}, "token-invalid"),
        ({"now": NOW + timedelta(minutes=1)}, "token-invalid"),
        ({"exp": int(NOW.timestamp()) + 301}, "token-invalid"),
        ({"exp": int(NOW.timestamp())}, "token-invalid"),
        ({"exp": NOW.timestamp() + 60.5}, "token-invalid"),
    ],
)
def test_a_token_that_says_anything_else_is_refused(world: World, changes: dict[str, object], code: str) -> None:
    assert refusal_of_delivery(world, case().leased(**changes)) == code


def test_a_task_that_was_altered_after_its_token_was_written_is_refused(world: World) -> None:
    leased = case().leased()
    altered = leased.task.model_copy(update={"contract": contract_of(contract_text("gateway")).reference})
    assert refusal_of_delivery(world, leased.model_copy(update={"task": altered})) == "task-not-ours"


def test_a_token_of_another_member_is_refused_even_with_a_token_key(world: World) -> None:
    world.keys = with_key(world.keys, "rtp#token-1", KeyPurpose.TOKEN)
    asked = replace(case(), keys=world.keys)
    assert refusal_of_delivery(world, asked.leased(key="rtp#token-1")) == "key-unknown"


def test_a_token_under_another_private_key_is_refused(world: World) -> None:
    stranger = replace(world.keys, signing={**world.keys.signing, "oja#token-1": new_key("oja#token-1")})
    assert refusal_of_delivery(world, replace(case(), keys=stranger).leased()) == "token-invalid"


def test_a_token_without_a_signature_is_refused(world: World) -> None:
    leased = case().leased()
    claims = jwt.decode(leased.token, options={"verify_signature": False})
    naked = jwt.encode(claims, "", algorithm="none", headers={"kid": "oja#token-1", "typ": "at+jwt"})
    assert refusal_of_delivery(world, leased.model_copy(update={"token": naked})) == "token-invalid"


def with_header(leased: LeasedTask, keys: Keys, fields: dict[str, object], algorithm: str = "ES256") -> LeasedTask:
    """The same task under a token that is signed well, by PyJWT, with another header."""
    claims = jwt.decode(leased.token, options={"verify_signature": False})
    header = {"typ": "at+jwt", "kid": "oja#token-1"} | fields
    kept = {name: value for name, value in header.items() if value is not None}
    secret: object = b"k" * 32 if algorithm == "HS256" else keys["oja#token-1"].to_pem()
    token = jwt.encode(claims, secret, algorithm, headers=kept)  # type: ignore[arg-type]  # PEM or secret
    return leased.model_copy(update={"token": token})


def test_a_token_that_another_library_signed_is_believed(world: World) -> None:
    world.guard().check_delivery(with_header(case().leased(), world.keys, {}), world.now)


@pytest.mark.parametrize(
    ("fields", "code", "why"),
    [
        ({"jku": "https://evil.example/keys"}, "token-invalid", "header"),
        ({"x5u": "https://evil.example/cert"}, "token-invalid", "header"),
        ({"jwk": {"kty": "EC"}}, "token-invalid", "header"),
        ({"x5c": ["MIIB"]}, "token-invalid", "header"),
        ({"crit": ["exp"]}, "token-invalid", "InvalidTokenError"),
        ({"kid": None}, "token-invalid", "header"),
        ({"typ": "JWT"}, "token-invalid", "typ"),
        ({"typ": "dpop+jwt"}, "token-invalid", "typ"),
        ({"kid": "oja#token-9"}, "key-unknown", ""),
        ({"kid": "oja#gateway-1"}, "key-unknown", ""),
    ],
)
def test_a_token_whose_header_says_anything_else_is_refused_though_well_signed(
    world: World, fields: dict[str, object], code: str, why: str
) -> None:
    with pytest.raises(Refused) as raised:
        world.guard().check_delivery(with_header(case().leased(), world.keys, fields), world.now)
    assert (raised.value.code, raised.value.details.get("why", "")) == (code, why)


def test_a_token_under_a_shared_secret_is_refused(world: World) -> None:
    with pytest.raises(Refused) as raised:
        world.guard().check_delivery(with_header(case().leased(), world.keys, {}, "HS256"), world.now)
    assert (raised.value.code, raised.value.details["why"]) == ("token-invalid", "header")


def test_what_is_no_token_is_refused(world: World) -> None:
    assert refusal_of_delivery(world, case().leased().model_copy(update={"token": "x"})) == "token-invalid"


# ------------------------------------------------------------------ the task


def test_a_task_of_another_agency_is_refused(world: World) -> None:
    assert refusal_of_task(world, replace(case(), agency="rtp")) == "task-not-ours"


def test_a_request_that_the_client_did_not_sign_is_refused(world: World) -> None:
    task = case().task()
    body = task.request.body.replace('"nano_rho":40000000', '"nano_rho":40000001')
    assert body != task.request.body
    forged = task.model_copy(update={"request": task.request.model_copy(update={"body": body})})
    with pytest.raises(Refused) as raised:
        world.guard().check_task(forged, world.now)
    assert raised.value.code == "signature-wrong"


def test_a_request_signed_by_a_key_of_another_purpose_is_refused(world: World) -> None:
    assert refusal_of_task(world, replace(case(), client="oja#officer-1")) == "key-unknown"


def test_a_request_signed_by_another_member_is_refused(world: World) -> None:
    world.keys = with_key(world.keys, "rtp#client-1", KeyPurpose.CLIENT)
    assert refusal_of_task(world, replace(case(), keys=world.keys, client="rtp#client-1")) == "requester-not-party"


@pytest.mark.parametrize("change", [{"path": "/v1/preview"}, {"method": "PUT"}])
def test_a_signature_that_was_made_for_another_call_is_refused(world: World, change: dict[str, str]) -> None:
    assert refusal_of_task(world, replace(case(), **change)) == "question-changed"  # type: ignore[arg-type]  # strings


def test_a_request_for_another_gateway_is_refused(world: World) -> None:
    assert refusal_of_task(world, case().asking(gateway="https://other.example")) == "task-not-ours"


def test_a_request_that_does_not_name_the_contract_is_refused(world: World) -> None:
    other = case().asking(contracts=(factories.contract(id="other_set").reference,))
    assert refusal_of_task(world, other) == "question-changed"


def test_a_request_is_refused_after_its_delivery_time(world: World) -> None:
    asked = case()
    world.now = asked.request.deliver_until
    world.guard().check_task(asked.task(), world.now)
    world.later(seconds=1)
    assert refusal_of_task(world, asked) == "delivery-expired"


def test_a_request_from_the_future_is_refused(world: World) -> None:
    world.later(minutes=-1)
    assert refusal_of_task(world, case()) == "signature-stale"


def test_a_request_that_is_dated_in_the_future_is_refused(world: World) -> None:
    assert refusal_of_task(world, case().asking(created=NOW + timedelta(minutes=1))) == "signature-stale"


def test_a_request_that_was_signed_in_the_future_is_refused(world: World) -> None:
    assert refusal_of_task(world, replace(case(), signed_at=NOW + timedelta(minutes=1))) == "signature-stale"


def test_an_old_signature_is_believed_until_the_delivery_time(world: World) -> None:
    world.later(hours=20)
    assert world.guard().check_task(case().task(), world.now).request == case().request


def test_a_request_in_other_than_its_one_form_is_refused(world: World) -> None:
    asked = case()
    body = canonical_bytes(asked.request).replace(b'":', b'": ')
    assert refusal_of_task(world, replace(asked, body=body)) == "malformed-body"


def test_what_is_no_request_is_refused(world: World) -> None:
    assert refusal_of_task(world, replace(case(), body=b"{}")) == "malformed-body"


# ------------------------------------------------------------------ the agreement


OJA, CCIB, CCIB_DPO = "oja#officer-2", "ccib#officer-1", "ccib#dpo-1"


@pytest.mark.parametrize(
    "officers",
    [
        (OJA, CCIB),
        (OJA, CCIB_DPO),
        (CCIB, CCIB_DPO),
        (OJA, "rtp#officer-1", "rtp#dpo-1"),
        (OJA, CCIB, CCIB_DPO, "rtp#officer-1"),
        (OJA, CCIB, CCIB_DPO, "ccib#officer-2"),
        (OJA, CCIB, "ccib#officer-2"),
        (OJA, "oja#officer-3", CCIB),
    ],
)
def test_an_agreement_is_signed_by_exactly_those_who_must(world: World, officers: tuple[str, ...]) -> None:
    world.keys = with_key(world.keys, "oja#officer-3", KeyPurpose.OFFICER)
    assert refusal_of_task(world, replace(case(), keys=world.keys, officers=officers)) == "signers-incomplete"


@pytest.mark.parametrize("drafter", [OJA, CCIB, CCIB_DPO])
def test_the_signature_of_a_drafter_counts_for_nothing(world: World, drafter: str) -> None:
    asked = case()
    agreement = asked.agreement.model_copy(update={"drafted_by": drafter})
    request = factories.request(agreement, asked.request.query, nano_rho=1000, purpose="justice-statistics")
    assert refusal_of_task(world, replace(asked, agreement=agreement, request=request)) == "approves-own-draft"


def test_a_key_of_another_purpose_does_not_sign_an_agreement(world: World) -> None:
    assert refusal_of_task(world, replace(case(), officers=(OJA, CCIB, "ccib#steward-1"))) == "key-unknown"


def test_others_cannot_agree_about_this_agencys_data(world: World) -> None:
    asked = case()
    agreement = asked.agreement.model_copy(update={"providers": ("rtp",)})
    request = factories.request(agreement, asked.request.query, nano_rho=1000, purpose="justice-statistics")
    plot = replace(asked, agreement=agreement, request=request, officers=factories.signers_of(agreement))
    assert refusal_of_task(world, plot) == "signers-incomplete"


def test_another_text_of_the_agreement_is_refused(world: World) -> None:
    asked = case()
    wider = asked.agreement.model_copy(update={"retention_days": 3650})
    assert refusal_of_task(world, replace(asked, agreement=wider)) == "agreement-changed"


def test_another_agreement_of_the_same_parties_is_refused(world: World) -> None:
    assert refusal_of_task(world, case().asking(agreement="AGR-2569-002")) == "agreement-changed"


def test_a_document_that_is_no_agreement_is_refused(world: World) -> None:
    asked = case()
    keys = [asked.keys[kid] for kid in (OJA, CCIB, CCIB_DPO)]
    asked = asked.asking(agreement_digest="sha-256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
    assert refusal_of_task(world, replace(asked, document=sign_document(b"{}", "agreement", *keys))) == "malformed-body"


def test_the_policies_decide_again(world: World) -> None:
    assert refusal_of_task(world, case().asking(purpose="public-information")) == "purpose-not-agreed"


def test_every_rule_that_said_no_is_named(world: World) -> None:
    asked = case().asking(purpose="public-information", nano_rho=10**9)
    with pytest.raises(Refused) as raised:
        world.guard().check_task(asked.task(), world.now)
    assert [each.code for each in raised.value.reasons] == ["price-above-activity", "purpose-not-agreed"]


def test_an_expired_agreement_is_refused(world: World) -> None:
    world.later(days=300)
    asked = case().asking(created=world.now, deliver_until=world.now + timedelta(days=1))
    assert refusal_of_task(world, asked) == "agreement-expired"


# ------------------------------------------------------------------ the contract


def test_a_contract_that_is_not_on_the_agencys_own_list_is_refused(world: World) -> None:
    assert refusal_of_task(world, case("gateway")) == "contract-not-approved"


@pytest.mark.parametrize("change", [{"version": "1.0.1"}, {"id": "other_set"}, {"agency": "rtp"}])
def test_a_contract_is_this_agencys_and_is_named_as_it_is(world: World, change: dict[str, str]) -> None:
    asked = case()
    world.approved[asked.contract.digest] = asked.contract.model_copy(update=change)
    assert refusal_of_task(world, asked) == "task-not-ours"


def test_a_question_that_does_not_fit_the_contract_is_refused(world: World) -> None:
    asked = case()
    query = asked.request.query.model_copy(update={"where": {"case_type": ("not_a_code",)}})
    with pytest.raises(InvalidInput) as raised:
        world.guard().check_task(asked.asking(query=query).task(), world.now)
    assert raised.value.code == "unknown-filter-value"


def test_a_month_is_closed_when_it_has_ended_in_bangkok(world: World) -> None:
    asked = case()
    query = asked.request.query.model_copy(update={"period": factories.period("2025-10-01", "2026-02-01")})
    world.now = NOW.replace(month=1, day=31, hour=17)
    closing = asked.asking(query=query, created=world.now, deliver_until=world.now + timedelta(days=1))
    assert world.guard().check_task(closing.task(), world.now).grid.size == 8
    world.later(seconds=-1)
    assert refusal_of_task(world, closing) == "period-not-closed"


# ------------------------------------------------------------------ the lease


def answered(world: World, body: bytes, signer: str = "oja#gateway-1") -> Message:
    call = sign(
        Message("POST", "/v1/tasks:lease", {}, b"{}"), world.keys["ccib#connector-1"], Tag.REQUEST, NOW, "c" * 22
    )
    return sign(
        Message("POST", "/v1/tasks:lease", {}, body, 200, call), world.keys[signer], Tag.RESPONSE, NOW, "a" * 22
    )


def test_a_lease_under_the_gateways_signature_is_read(world: World) -> None:
    lease = Lease(tasks=(case().leased(),))
    response = answered(world, canonical_bytes(lease))
    world.guard().check_response(response, NOW)
    assert read_lease(response.body) == lease


def test_an_altered_answer_is_refused(world: World) -> None:
    honest = answered(world, canonical_bytes(Lease(tasks=())))
    with pytest.raises(Refused) as raised:
        world.guard().check_response(replace(honest, body=canonical_bytes(Lease(tasks=(case().leased(),)))), NOW)
    assert raised.value.code == "signature-wrong"


def test_an_answer_of_another_member_is_refused_even_with_a_gateway_key(world: World) -> None:
    world.keys = with_key(world.keys, "rtp#gateway-1", KeyPurpose.GATEWAY)
    with pytest.raises(Refused) as raised:
        world.guard().check_response(answered(world, canonical_bytes(Lease(tasks=())), "rtp#gateway-1"), NOW)
    assert raised.value.code == "key-unknown"


def test_a_stale_answer_is_refused(world: World) -> None:
    with pytest.raises(Refused) as raised:
        world.guard().check_response(answered(world, canonical_bytes(Lease(tasks=()))), NOW + timedelta(minutes=5))
    assert raised.value.code == "signature-stale"


def test_what_is_no_lease_is_refused() -> None:
    with pytest.raises(InvalidInput) as raised:
        read_lease(b"[]")
    assert raised.value.code == "malformed-body"
