"""Agreements over HTTP: every act of the command line is a call, and errors are problems with a code."""

from collections.abc import Iterator
from http import HTTPStatus

import pytest
from pydantic import TypeAdapter

from contracts.agreement import Agreement
from contracts.agreement_acts import AgreementHistory, AgreementProposal, AgreementSignature, signed_act
from contracts.canonical import canonical_bytes
from contracts.errors import SaphanError
from contracts.lifecycle import Act, AgreementState, Because
from contracts.views import AgreementView, SignedText
from gateway import agreement_calls
from gateway.agreement_calls import Words
from tests import factories
from tests.agreement_world import an_act, text_signed
from tests.api_world import ApiWorld, problem_in
from tests.gateway_world import AGREEMENT, CONTRACT

pytestmark = pytest.mark.integration

NAME = "AGR-2569-010"
WORDS = Words(because=Because.INCIDENT, reason="we look into it")
_histories: TypeAdapter[list[AgreementHistory]] = TypeAdapter(list[AgreementHistory])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    made = ApiWorld(tmp_path_factory.mktemp("api"))
    with made.http:
        yield made


def draft(**changes: object) -> Agreement:
    return factories.agreement((CONTRACT,), **({"id": NAME} | changes))


def test_an_agreement_is_put_forward_approved_signed_and_read_over_http(world: ApiWorld) -> None:
    agreed, oja, ccib = draft(), world.member(), world.member("ccib#connector-1")
    act = an_act(agreed, Act.SUBMIT, "oja#officer-1", at=world.now)
    proposal = AgreementProposal(
        agreement=canonical_bytes(agreed).decode(), act=signed_act(act, world.keys["oja#officer-1"])
    )
    answer = oja.post("/v1/agreements", proposal)
    assert answer.status_code == HTTPStatus.CREATED
    view = AgreementView.model_validate_json(answer.content)
    review = an_act(agreed, Act.REVIEW, "ccib#dpo-1", at=world.now, previous=view.head)
    document = SignedText(document=signed_act(review, world.keys["ccib#dpo-1"]))
    view = AgreementView.model_validate_json(ccib.post(f"/v1/agreements/{NAME}/acts", document).content)
    for kid, member in (("ccib#officer-1", ccib), ("ccib#dpo-1", ccib), ("oja#officer-2", oja)):
        done = Act.SIGN if kid.startswith("oja") else Act.APPROVE
        act = an_act(agreed, done, kid, at=world.now, previous=view.head)
        text = text_signed(world.keys, agreed, kid)
        signature = AgreementSignature(act=signed_act(act, world.keys[kid]), document=text)
        view = AgreementView.model_validate_json(member.post(f"/v1/agreements/{NAME}/signatures", signature).content)

    assert view.active
    assert AgreementView.model_validate_json(oja.get(f"/v1/agreements/{NAME}").content) == view
    assert [each["state"] for each in oja.get(f"/v1/agreements/{NAME}/versions").json()] == ["active"]
    (history,) = _histories.validate_json(ccib.get(f"/v1/agreements/{NAME}/history").content)
    assert [each.act.act.value for each in history.acts] == [
        *("submit", "review", "approve", "approve", "sign", "activate"),
    ]


def test_a_stale_act_is_a_conflict(world: ApiWorld) -> None:
    act = an_act(AGREEMENT, Act.SUSPEND, "oja#officer-1", at=world.now)
    document = SignedText(document=signed_act(act, world.keys["oja#officer-1"]))

    problem = problem_in(world.member().post(f"/v1/agreements/{AGREEMENT.id}/acts", document))

    assert (problem.status, problem.code) == (HTTPStatus.CONFLICT, "agreement-moved")


def test_what_was_changed_since_it_was_read_is_not_acted_upon(world: ApiWorld) -> None:
    gateway = world.gateway()
    view = gateway.agreement(AGREEMENT.id)
    agreement_calls.move(gateway, view, Act.SUSPEND, world.keys["oja#officer-1"], WORDS)

    with pytest.raises(SaphanError, match="agreement-moved"):
        agreement_calls.move(gateway, view, Act.REVOKE, world.keys["oja#officer-1"], WORDS)
    resumed = agreement_calls.meant(gateway, AGREEMENT.id, Act.RESUME)
    assert agreement_calls.move(gateway, resumed, Act.RESUME, world.keys["oja#officer-1"], Words()).active


def test_officers_of_all_agencies_may_approve_at_the_same_moment(world: ApiWorld) -> None:
    agreed = draft(id="AGR-2569-011")
    agreement_calls.put_forward(world.gateway(), agreed, Act.SUBMIT, world.keys["oja#officer-1"])
    line = world.gateway("ccib#connector-1")
    read = agreement_calls.meant(line, agreed.id, Act.APPROVE)

    agreement_calls.approve(line, read, world.keys["ccib#officer-1"])
    approved = agreement_calls.approve(line, read, world.keys["ccib#dpo-1"])  # it read before the officer approved

    assert approved.state is AgreementState.APPROVED
    with pytest.raises(SaphanError, match="agreement-moved"):
        agreement_calls.approve(line, read, world.keys["ccib#officer-2"])  # nothing is left to approve


def test_only_a_move_meanwhile_lets_an_approval_be_tried_again(world: ApiWorld) -> None:
    agreed = draft(id="AGR-2569-013")
    agreement_calls.put_forward(world.gateway(), agreed, Act.SUBMIT, world.keys["oja#officer-1"])
    line = world.gateway("ccib#connector-1")
    read = agreement_calls.meant(line, agreed.id, Act.APPROVE)

    with pytest.raises(SaphanError, match="signers-incomplete"):
        agreement_calls.approve(line, read, world.keys["rtp#officer-1"])


def test_a_history_that_does_not_hold_keeps_anybody_from_answering_it(world: ApiWorld) -> None:
    gateway = world.gateway()
    told = agreement_calls.histories(gateway, NAME)
    bent = told[0].model_copy(update={"acts": told[0].acts[1:]})
    gateway.get_all = lambda *_: (bent,)  # type: ignore[method-assign,assignment]  # a gateway that leaves an act out

    with pytest.raises(SaphanError, match="agreement-history-wrong"):
        agreement_calls.put_forward(gateway, draft(version=2), Act.SUBMIT, world.keys["oja#officer-1"])


def test_a_draft_lies_there_is_written_anew_and_submitted(world: ApiWorld) -> None:
    gateway, key = world.gateway(), world.keys["oja#officer-1"]
    agreement_calls.put_forward(gateway, draft(id="AGR-2569-012"), Act.DRAFT, key)
    agreed = draft(id="AGR-2569-012", retention_days=30)
    agreement_calls.put_forward(gateway, agreed, Act.DRAFT, key)

    lying = agreement_calls.meant(gateway, agreed.id, Act.SUBMIT)
    submitted = agreement_calls.move(gateway, lying, Act.SUBMIT, world.keys["oja#officer-2"], Words())

    assert (submitted.state, submitted.agreement) == (AgreementState.SUBMITTED, agreed)


def test_every_version_is_listed_once(world: ApiWorld) -> None:
    names = [each.agreement.id for each in agreement_calls.everything(world.gateway())]

    assert len(names) == len(set(names))
    assert {AGREEMENT.id, NAME} <= set(names)
    (first,) = world.member().get("/v1/agreements?limit=1").json()
    assert first["agreement"]["id"] == names[0]


def test_an_act_may_name_the_entity_tag_of_what_was_read(world: ApiWorld) -> None:
    member, key = world.member(), world.keys["oja#officer-1"]
    read = member.get(f"/v1/agreements/{AGREEMENT.id}")
    view = AgreementView.model_validate_json(read.content)
    act = an_act(AGREEMENT, Act.SUSPEND, key.kid, at=world.now, previous=view.head)
    body = canonical_bytes(SignedText(document=signed_act(act, key)))
    path = f"/v1/agreements/{AGREEMENT.id}/acts"

    codes = []
    for tag in ('"another"', read.headers["etag"]):
        signed = member.message("POST", path, body)
        headers = {**signed.headers, "if-match": tag}
        codes.append(world.http.request("POST", path, content=body, headers=headers).status_code)

    assert codes == [HTTPStatus.PRECONDITION_FAILED, HTTPStatus.OK]


def test_an_amendment_is_made_from_python(world: ApiWorld) -> None:
    gateway = world.gateway()
    old = gateway.agreement(NAME)
    new = draft(version=2, supersedes=old.digest, retention_days=7)
    agreement_calls.put_forward(gateway, new, Act.SUBMIT, world.keys["oja#officer-1"])

    first = agreement_calls.meant(gateway, NAME, Act.SUSPEND)
    second = agreement_calls.meant(gateway, NAME, Act.WITHDRAW)

    assert (first.agreement.version, second.agreement.version) == (1, 2)
    assert agreement_calls.meant(gateway, NAME, Act.REVIEW, 1).digest == old.digest
    with pytest.raises(SaphanError, match="unknown-agreement"):
        agreement_calls.meant(gateway, NAME, Act.REVIEW, 9)
    agreement_calls.move(gateway, second, Act.WITHDRAW, world.keys["oja#officer-1"], Words())
    assert gateway.agreement(NAME) == old


def test_a_history_of_another_agreement_is_not_believed(world: ApiWorld) -> None:
    gateway = world.gateway()
    others = agreement_calls.histories(gateway, AGREEMENT.id)
    gateway.get_all = lambda *_: others  # type: ignore[method-assign,assignment]  # a gateway that shows another

    with pytest.raises(SaphanError, match="unknown-agreement"):
        agreement_calls.histories(gateway, NAME)


def test_what_cannot_be_asked_is_not_taken_for_unknown(world: ApiWorld) -> None:
    stranger = world.gateway("rtp#connector-1")
    with pytest.raises(SaphanError) as caught:
        agreement_calls.put_forward(stranger, draft(id=NAME), Act.SUBMIT, world.keys["rtp#officer-1"])
    assert caught.value.code in {"signers-incomplete", "not-a-party", "agreement-changed"}
