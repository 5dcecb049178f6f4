"""The chain of signatures over one task: what it covers, who signs each link, what a release commits to."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.canonical import canonical_bytes, digest_of_bytes
from contracts.chain import (
    PART_INPUT,
    PART_SIGNATURE,
    answer_digest,
    answer_of,
    binding_of,
    check_forward,
    check_kept_part,
    check_part,
    message_of,
)
from contracts.errors import Refused
from contracts.federation import KeyPurpose
from contracts.message_signatures import (
    SIGNERS,
    TASK_HEADER,
    WINDOW_SECONDS,
    Tag,
    Verified,
    covered_components,
    label_of,
    new_nonce,
    sign,
    verify,
)
from contracts.signature_base import Message, members_of
from contracts.task import Forwarded
from tests import factories
from tests.chain_messages import (
    CLIENT,
    CLIENTS,
    CONNECTOR,
    CONNECTORS,
    GATEWAY,
    GATEWAYS,
    KEYS,
    asked,
    forward_code,
    forwarded,
    part_code,
    posted,
    with_headers,
    with_request,
)
from tests.factories import NOW

pytestmark = pytest.mark.unit


# ------------------------------------------------------------------ the honest chain
def test_a_forward_carries_both_signatures_and_both_verify() -> None:
    task = forwarded()

    assert verify(message_of(task.request), Tag.REQUEST, CLIENTS, NOW).kid == CLIENT.kid
    assert check_forward(task, GATEWAYS, NOW).kid == GATEWAY.kid


def test_the_profile_of_a_forward_is_what_the_reference_says() -> None:
    task = forwarded()
    inputs = dict(members_of(task.request.headers["signature-input"]))

    assert list(inputs) == ["saphan", "forward"]
    assert inputs["forward"].startswith(
        '("@method" "@path" "content-type" "content-digest" "saphan-task" "signature";key="saphan" '
        '"signature-input";key="saphan");created=1768446000;expires=1768446060;nonce="'
    )
    assert inputs["forward"].endswith('";keyid="oja#gateway-1";tag="saphan-forward"')


def test_a_part_answers_both_signatures_of_the_forward() -> None:
    task = forwarded()
    part = posted(task)

    assert covered_components(answer_of(task, part), Tag.PART) == (
        '"@status"',
        '"content-type"',
        '"content-digest"',
        '"@method";req',
        '"@path";req',
        '"content-digest";req',
        '"signature";req;key="saphan"',
        '"signature";req;key="forward"',
    )
    assert check_part(task, part, CONNECTORS, NOW).kid == CONNECTOR.kid


def test_the_forward_of_a_request_with_a_query_covers_it() -> None:
    path = "/v1/requests?a=1"
    signed = sign(Message("POST", path, {}, b"{}"), CLIENT, Tag.REQUEST, NOW, new_nonce())
    task = forwarded(Forwarded(method="POST", path=path, headers=dict(signed.headers), body="{}"))

    assert check_forward(task, GATEWAYS, NOW).kid == GATEWAY.kid
    other = task.request.model_copy(update={"path": "/v1/requests?a=2"})
    assert forward_code(with_request(task, other)) == "signature-wrong"


@pytest.mark.parametrize("label", ["forward", "gateway", "sig1", "x.y-z_1"])
def test_a_requester_may_label_its_signature_as_it_likes(label: str) -> None:
    task = forwarded(asked(label=label))

    assert label_of(message_of(task.request), Tag.REQUEST) == label
    assert label_of(message_of(task.request), Tag.FORWARD) != label
    assert check_forward(task, GATEWAYS, NOW).kid == GATEWAY.kid
    assert check_part(task, posted(task), CONNECTORS, NOW).kid == CONNECTOR.kid


def test_a_forward_keeps_the_requesters_signature_and_no_other() -> None:
    request = asked()
    extra = with_headers(
        request,
        signature_input=f'proxy=("@authority");created=1;tag="proxy", {request.headers["signature-input"]}',
        signature=f"proxy=:AAAA:, {request.headers['signature']}",
    )

    task = forwarded(extra)

    assert [label for label, _ in members_of(task.request.headers["signature"])] == ["saphan", "forward"]
    assert verify(message_of(task.request), Tag.REQUEST, CLIENTS, NOW).kid == CLIENT.kid


def test_a_forward_is_checked_long_after_it_was_signed_and_a_part_as_it_arrives() -> None:
    task = forwarded()
    part = posted(task)

    assert check_forward(task, GATEWAYS, NOW + timedelta(days=7)).created == NOW
    late = NOW + timedelta(seconds=WINDOW_SECONDS + 1)
    with pytest.raises(Refused, match="signature-stale"):
        check_part(task, part, CONNECTORS, late)
    assert check_kept_part(task, part, CONNECTORS, late) == Verified(
        CONNECTOR.kid, check_part(task, part, CONNECTORS, NOW).nonce, NOW
    )


def test_a_part_whose_figures_were_erased_is_known_by_its_digest() -> None:
    task = forwarded()
    part = posted(task)
    erased = part.model_copy(update={"body": ""})

    assert check_kept_part(task, erased, CONNECTORS, NOW).kid == CONNECTOR.kid
    assert answer_digest(erased) == answer_digest(part)
    with pytest.raises(Refused, match="signature-wrong"):
        check_kept_part(task, part.model_copy(update={"body": "{}"}), CONNECTORS, NOW)


# ------------------------------------------------------------------ purposes
@pytest.mark.parametrize("tag", list(Tag))
@pytest.mark.parametrize("purpose", list(KeyPurpose))
def test_a_key_signs_what_its_purpose_says_and_nothing_else(tag: Tag, purpose: KeyPurpose) -> None:
    key = factories.signing_key(f"oja#{purpose.value}-7")
    public = key.public_key(purpose, NOW - timedelta(days=1), NOW + timedelta(days=1))
    task = forwarded()
    messages = {
        Tag.REQUEST: Message("POST", "/v1/requests", {}, b"{}"),
        Tag.RESPONSE: Message("POST", "/v1/requests", {}, b"{}", 200, message_of(asked())),
        Tag.FORWARD: replace(message_of(asked()), headers={**asked().headers, TASK_HEADER: binding_of(task)}),
        Tag.PART: Message("POST", "/v1/requests", {}, b"{}", 200, message_of(task.request)),
    }
    signed = sign(messages[tag], key, tag, NOW, new_nonce())

    if purpose in SIGNERS[tag]:
        assert verify(signed, tag, lambda _: public, NOW).kid == key.kid
    else:
        with pytest.raises(Refused, match="key-unknown"):
            verify(signed, tag, lambda _: public, NOW)


def test_one_purpose_signs_each_link_beside_the_requests_of_connectors() -> None:
    assert {
        Tag.REQUEST: {KeyPurpose.CLIENT, KeyPurpose.CONNECTOR},
        Tag.RESPONSE: {KeyPurpose.GATEWAY},
        Tag.FORWARD: {KeyPurpose.GATEWAY},
        Tag.PART: {KeyPurpose.CONNECTOR},
    } == SIGNERS


@pytest.mark.parametrize("kid", ["oja#client-1", "ccib#connector-1", "oja#officer-1", "oja#token-1"])
def test_a_key_of_an_agency_cannot_sign_a_forward(kid: str) -> None:
    assert forward_code(forwarded(key=KEYS[kid])) == "key-unknown"


@pytest.mark.parametrize("kid", ["oja#client-1", "oja#gateway-1", "ccib#officer-1"])
def test_nobody_but_a_connector_signs_a_part(kid: str) -> None:
    task = forwarded()

    assert part_code(task, posted(task, key=KEYS[kid])) == "key-unknown"


# ------------------------------------------------------------------ what a release commits to
def test_what_is_committed_to_changes_with_the_figures_and_with_every_signature_below() -> None:
    request = asked()
    first, second = forwarded(request), forwarded(request)
    digests = {
        answer_digest(posted(first)),
        answer_digest(posted(first)),  # signed again: another signature
        answer_digest(posted(second)),
        answer_digest(posted(first, body=b"{}")),
    }

    assert len(digests) == 4


def test_what_is_committed_to_can_be_computed_by_anybody() -> None:
    part = posted(forwarded())
    written = canonical_bytes(
        {
            "content-digest": part.headers["content-digest"],
            "content-type": part.headers["content-type"],
            "signature": part.headers[PART_SIGNATURE],
            "signature-input": part.headers[PART_INPUT],
        }
    )

    assert answer_digest(part) == digest_of_bytes(written)
