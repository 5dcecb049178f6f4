"""A connector believes a task by two signatures: its requester's, and the gateway's over that for this task."""

from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.guard import CLOCK_SKEW, Guard
from contracts.chain import forward
from contracts.errors import SaphanError
from contracts.federation import Federation, KeyPurpose
from contracts.keys import new_key
from contracts.message_signatures import new_nonce
from contracts.signature_base import content_digest
from contracts.task import Task
from tests.connector_world import Case, Known, case, with_key
from tests.factories import NOW

pytestmark = pytest.mark.unit

SECOND = timedelta(seconds=1)


def guard_of(asked: Case, federation: Federation | None = None) -> Guard:
    contract = asked.contract
    return Guard("ccib", federation or asked.keys.federation, {contract.digest: contract}.get, Known())


def code_of(asked: Case, task: Task | None = None) -> str:
    with pytest.raises(SaphanError) as raised:
        guard_of(asked).check_task(task or asked.task(), NOW)
    return raised.value.code


def with_body(task: Task, body: str, **headers: str) -> Task:
    """The task with another question in it, under the same signatures."""
    request = task.request.model_copy(update={"body": body, "headers": {**task.request.headers, **headers}})
    return task.model_copy(update={"request": request})


def test_a_task_with_both_signatures_is_believed() -> None:
    asked = case()

    assert guard_of(asked).check_task(asked.task(), NOW).asking_agency == "oja"


def test_a_task_that_the_gateway_did_not_forward_is_refused() -> None:
    asked = case()

    assert code_of(asked, asked.unforwarded()) == "signature-missing"


@pytest.mark.parametrize("kid", ["oja#client-1", "oja#token-1", "ccib#connector-1", "oja#officer-1"])
def test_a_forward_by_a_key_of_another_purpose_is_refused(kid: str) -> None:
    assert code_of(replace(case(), gateway=kid)) == "key-unknown"


def test_a_forward_by_another_members_gateway_key_is_refused() -> None:
    keys = with_key(case().keys, "rtp#gateway-1", KeyPurpose.GATEWAY)

    assert code_of(replace(case(), keys=keys, gateway="rtp#gateway-1")) == "key-unknown"


def test_a_forward_under_the_gateways_name_by_another_key_is_refused() -> None:
    asked = case()
    stranger = replace(asked.keys, signing={**asked.keys.signing, "oja#gateway-1": new_key("oja#gateway-1")})

    assert code_of(replace(asked, keys=stranger)) == "signature-wrong"


@pytest.mark.parametrize("kid", ["oja#gateway-1", "ccib#connector-1"])
def test_a_question_that_the_gateway_or_a_connector_signed_itself_is_refused_though_well_forwarded(kid: str) -> None:
    assert code_of(replace(case(), client=kid)) == "key-unknown"


def test_a_question_that_the_gateway_changed_before_it_forwarded_it_is_refused() -> None:
    asked, other = case(), case(id="REQ-0002")
    body = other.unforwarded().request.body
    changed = with_body(asked.unforwarded(), body, **{"content-digest": content_digest(body.encode())})
    forged = forward(changed, asked.keys["oja#gateway-1"], NOW, new_nonce)

    assert code_of(asked, forged) == "signature-wrong"


def test_a_question_that_was_changed_after_it_was_forwarded_is_refused() -> None:
    asked = case()

    assert code_of(asked, with_body(asked.task(), case(id="REQ-0002").unforwarded().request.body)) == "signature-wrong"


def test_an_old_forward_on_a_new_task_is_refused() -> None:
    old, new = case().task(), replace(case(), task_id="TASK-0002").task()

    assert code_of(case(), new.model_copy(update={"request": old.request})) == "forward-of-another-task"


def test_a_forward_of_the_future_is_refused_beyond_the_skew_of_clocks() -> None:
    ahead = replace(case(), forwarded_at=NOW + CLOCK_SKEW)
    too_far = replace(case(), forwarded_at=NOW + CLOCK_SKEW + SECOND)

    assert guard_of(ahead).check_task(ahead.task(), NOW).request == ahead.request
    assert code_of(too_far) == "signature-stale"


def test_a_task_waits_longer_than_the_window_of_the_door_and_no_longer_than_its_request_says() -> None:
    asked = case()
    task, until = asked.task(), asked.request.deliver_until

    for at in (NOW + 61 * SECOND, until - SECOND, until):
        assert guard_of(asked).check_task(task, at).request == asked.request
    with pytest.raises(SaphanError, match="delivery-expired"):
        guard_of(asked).check_task(task, until + SECOND)


def test_a_forward_by_a_key_that_was_revoked_meanwhile_is_refused() -> None:
    asked = case()
    members = tuple(
        each.model_copy(
            update={"keys": tuple(k.model_copy(update={"revoked": k.purpose is KeyPurpose.GATEWAY}) for k in each.keys)}
        )
        for each in asked.keys.federation.members
    )
    revoked = asked.keys.federation.model_copy(update={"members": members})

    with pytest.raises(SaphanError, match="key-unknown"):
        guard_of(asked, revoked).check_task(asked.task(), NOW)
