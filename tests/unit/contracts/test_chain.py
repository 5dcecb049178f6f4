"""The chain of signatures over one task, and every way to break a link of it."""

import base64
from collections.abc import Callable
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
    forward,
    message_of,
    sign_part,
)
from contracts.errors import Refused
from contracts.federation import KeyPurpose
from contracts.keys import SigningKey
from contracts.message_signatures import (
    JSON_TYPE,
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
from contracts.signature_base import Message, content_digest, members_of, signature_base
from contracts.signing import Resolve
from contracts.task import Forwarded, Task
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.unit

CURVE_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
KEYS = factories.federation()
CLIENT, GATEWAY, CONNECTOR = KEYS["oja#client-1"], KEYS["oja#gateway-1"], KEYS["ccib#connector-1"]
CLIENTS, GATEWAYS = KEYS.resolve(KeyPurpose.CLIENT), KEYS.resolve(KeyPurpose.GATEWAY)
CONNECTORS = KEYS.resolve(KeyPurpose.CONNECTOR)
BODY = b'{"finished":"2026-01-15T03:00:00Z","task":"TASK-0001"}'


def asked(body: bytes = b'{"id":"REQ-0001"}', key: SigningKey = CLIENT, label: str = "saphan") -> Forwarded:
    """A request as its client signed it, under a label of its choice."""
    signed = sign(Message("POST", "/v1/requests", {}, body), key, Tag.REQUEST, NOW, new_nonce())
    headers = {name: value.replace("saphan=", f"{label}=", 1) for name, value in signed.headers.items()}
    return Forwarded(method="POST", path="/v1/requests", headers=headers, body=body.decode())


def unforwarded(request: Forwarded | None = None, **changes: object) -> Task:
    fields: dict[str, object] = {
        "id": "TASK-0001",
        "agency": "ccib",
        "contract": factories.contract().reference,
        "request": request or asked(),
        "agreement": "the signed agreement",
    }
    return Task.model_validate(fields | changes)


def forwarded(request: Forwarded | None = None, key: SigningKey = GATEWAY, **changes: object) -> Task:
    return forward(unforwarded(request, **changes), key, NOW, new_nonce)


def posted(task: Task, body: bytes = BODY, key: SigningKey = CONNECTOR) -> Forwarded:
    """A part as it arrives: the post's own fields, and the answer's signature."""
    headers = {"content-type": JSON_TYPE, "content-digest": content_digest(body)}
    headers |= sign_part(task, body, key, NOW, new_nonce())
    return Forwarded(method="POST", path=f"/v1/tasks/{task.id}/part", headers=headers, body=body.decode())


def with_headers(message: Forwarded, **headers: str) -> Forwarded:
    changed = {**message.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return message.model_copy(update={"headers": changed})


def with_request(task: Task, request: Forwarded) -> Task:
    return task.model_copy(update={"request": request})


def forward_code(task: Task, resolve: Resolve = GATEWAYS) -> str:
    with pytest.raises(Refused) as caught:
        check_forward(task, resolve, NOW)
    return caught.value.code


def part_code(task: Task, part: Forwarded, resolve: Resolve = CONNECTORS) -> str:
    with pytest.raises(Refused) as caught:
        check_part(task, part, resolve, NOW)
    return caught.value.code


def mirrored(value: str) -> str:
    """The other signature that the same key, unknown to us, could have made over the same bytes."""
    raw = base64.b64decode(value.strip(":"))
    twin = raw[:32] + (CURVE_ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    return f":{base64.b64encode(twin).decode()}:"


def with_mirrored(message: Forwarded, label: str) -> Forwarded:
    members = members_of(message.headers["signature"])
    written = ", ".join(f"{name}={mirrored(value) if name == label else value}" for name, value in members)
    return with_headers(message, signature=written)


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


# ------------------------------------------------------------------ attacks on a forward
def test_a_request_that_was_not_forwarded_is_refused() -> None:
    assert forward_code(unforwarded()) == "signature-missing"


def test_what_no_requester_signed_is_not_forwarded() -> None:
    bare = Forwarded(method="POST", path="/v1/requests", headers={}, body="{}")

    with pytest.raises(Refused, match="signature-missing"):
        forwarded(bare)


def test_a_requesters_signature_swapped_under_the_forward_is_refused() -> None:
    task, other = forwarded(), asked()
    theirs = dict(members_of(task.request.headers["signature"]))["forward"]
    inputs = dict(members_of(task.request.headers["signature-input"]))["forward"]
    swapped = with_headers(
        task.request,
        signature=f"{other.headers['signature']}, forward={theirs}",
        signature_input=f"{other.headers['signature-input']}, forward={inputs}",
    )

    assert verify(message_of(swapped), Tag.REQUEST, CLIENTS, NOW).kid == CLIENT.kid  # as good as the one it replaces
    assert forward_code(with_request(task, swapped)) == "signature-wrong"


def test_only_the_requesters_parameters_swapped_under_the_forward_are_refused() -> None:
    task = forwarded()
    renamed = with_headers(
        task.request, signature_input=task.request.headers["signature-input"].replace("client-1", "client-2")
    )

    assert forward_code(with_request(task, renamed)) == "signature-wrong"


def test_a_malleated_signature_of_the_requester_breaks_the_forward_over_it() -> None:
    task = forwarded()
    twin = with_mirrored(task.request, "saphan")

    assert verify(message_of(twin), Tag.REQUEST, CLIENTS, NOW).kid == CLIENT.kid  # malleable, as ECDSA is
    assert forward_code(with_request(task, twin)) == "signature-wrong"


@pytest.mark.parametrize(
    "change",
    [
        {"id": "TASK-0002"},
        {"agency": "rtp"},
        {"contract": factories.contract().reference.model_copy(update={"digest": f"sha-256:{0:064x}"})},
        {"agreement": "another agreement"},
    ],
    ids=["task", "agency", "contract", "agreement"],
)
def test_an_old_forward_on_another_task_is_refused(change: dict[str, object]) -> None:
    assert forward_code(forwarded().model_copy(update=change)) == "forward-of-another-task"


def test_a_forward_is_bound_to_the_task_that_it_names() -> None:
    old, new = forwarded(), unforwarded(id="TASK-0002")
    moved = with_headers(old.request, saphan_task=binding_of(new))

    assert forward_code(with_request(new, moved)) == "signature-wrong"


def test_a_forward_without_the_name_of_its_task_is_refused() -> None:
    task = forwarded()
    headers = {name: value for name, value in task.request.headers.items() if name != TASK_HEADER}

    assert forward_code(with_request(task, task.request.model_copy(update={"headers": headers}))) == "signature-wrong"


@pytest.mark.parametrize(
    ("name", "value"),
    [("body", '{"id":"REQ-0002"}'), ("path", "/v1/preview"), ("method", "PUT")],
)
def test_an_altered_request_under_a_forward_is_refused(name: str, value: str) -> None:
    task = forwarded()

    assert forward_code(with_request(task, task.request.model_copy(update={name: value}))) == "signature-wrong"


def test_an_altered_body_with_its_own_digest_under_a_forward_is_refused() -> None:
    task, body = forwarded(), '{"id":"REQ-0002"}'
    changed = task.request.model_copy(update={"body": body})
    changed = with_headers(changed, content_digest=content_digest(body.encode()))

    assert forward_code(with_request(task, changed)) == "signature-wrong"


def test_another_content_type_under_a_forward_is_refused() -> None:
    task = forwarded()

    assert forward_code(with_request(task, with_headers(task.request, content_type="text/plain"))) == "signature-wrong"


def test_two_forwards_are_refused_whatever_their_labels() -> None:
    task = forwarded()
    second = {
        name: value.replace("forward=", "again=")
        for name, value in forwarded(task.request).request.headers.items()
        if name in {"signature", "signature-input"}
    }
    doubled = with_headers(
        task.request,
        signature=f"{task.request.headers['signature']}, {second['signature'].partition(', ')[2]}",
        signature_input=f"{task.request.headers['signature-input']}, {second['signature-input'].partition(', ')[2]}",
    )

    assert forward_code(with_request(task, doubled)) == "signature-wrong"


def test_two_signatures_of_one_label_are_refused() -> None:
    task = forwarded()
    doubled = with_headers(
        task.request,
        signature_input=task.request.headers["signature-input"].replace("forward=", "saphan="),
        signature=task.request.headers["signature"].replace("forward=", "saphan="),
    )

    assert forward_code(with_request(task, doubled)) == "signature-wrong"


def resigned(change: Callable[[list[str]], list[str]]) -> Task:
    """A forward that the gateway itself signed well, but over other components."""
    task = forwarded()
    request = message_of(task.request)
    inputs = dict(members_of(task.request.headers["signature-input"]))
    covered = change(list(covered_components(request, Tag.FORWARD)))
    parameters = inputs["forward"].partition(")")[2]
    raw = base64.b64encode(GATEWAY.sign(signature_base(request, covered, parameters))).decode()
    signature = dict(members_of(task.request.headers["signature"]))["saphan"]
    return with_request(
        task,
        with_headers(
            task.request,
            signature_input=f"saphan={inputs['saphan']}, forward=({' '.join(covered)}){parameters}",
            signature=f"saphan={signature}, forward=:{raw}:",
        ),
    )


def test_the_forger_of_components_signs_well() -> None:
    assert check_forward(resigned(lambda covered: covered), GATEWAYS, NOW).kid == GATEWAY.kid


@pytest.mark.parametrize("place", range(7))
def test_a_forward_that_does_not_cover_each_component_is_refused(place: int) -> None:
    assert forward_code(resigned(lambda covered: covered[:place] + covered[place + 1 :])) == "signature-wrong"


def test_a_forward_over_the_components_in_another_order_is_refused() -> None:
    assert forward_code(resigned(lambda covered: covered[::-1])) == "signature-wrong"


def test_a_forward_over_a_component_more_is_refused() -> None:
    assert forward_code(resigned(lambda covered: [*covered, '"@query"'])) == "signature-wrong"


@pytest.mark.parametrize("tag", [Tag.REQUEST, Tag.RESPONSE, Tag.PART])
def test_a_signature_of_another_meaning_is_no_forward(tag: Tag) -> None:
    task = forwarded()
    renamed = task.request.headers["signature-input"].replace("saphan-forward", tag.value)

    assert forward_code(with_request(task, with_headers(task.request, signature_input=renamed))) == "signature-missing"


# ------------------------------------------------------------------ attacks on a part
def test_a_part_replayed_on_another_task_is_refused() -> None:
    first, second = forwarded(), forwarded(id="TASK-0002")

    assert part_code(second, posted(first)) == "signature-wrong"


def test_a_part_replayed_on_another_request_is_refused() -> None:
    first, second = forwarded(), forwarded(asked(b'{"id":"REQ-0002"}'))

    assert part_code(second, posted(first)) == "signature-wrong"


def test_a_part_does_not_answer_the_same_task_forwarded_again() -> None:
    request = asked()

    assert part_code(forwarded(request), posted(forwarded(request))) == "signature-wrong"


@pytest.mark.parametrize("label", ["saphan", "forward"])
def test_a_malleated_signature_below_it_breaks_the_part(label: str) -> None:
    task = forwarded()
    part = posted(task)

    assert part_code(with_request(task, with_mirrored(task.request, label)), part) == "signature-wrong"


def test_an_altered_part_is_refused() -> None:
    task = forwarded()
    part, body = posted(task), '{"task":"TASK-0001"}'
    changed = part.model_copy(update={"body": body})

    assert part_code(task, changed) == "signature-wrong"
    assert part_code(task, with_headers(changed, content_digest=content_digest(body.encode()))) == "signature-wrong"


def test_another_content_type_of_a_part_is_refused() -> None:
    task = forwarded()

    assert part_code(task, with_headers(posted(task), content_type="text/plain")) == "signature-wrong"


@pytest.mark.parametrize(("name", "code"), [(PART_INPUT, "signature-missing"), (PART_SIGNATURE, "signature-wrong")])
def test_a_part_that_is_not_signed_over_the_forward_is_refused(name: str, code: str) -> None:
    task = forwarded()
    part = posted(task)
    headers = {each: value for each, value in part.headers.items() if each != name}

    assert part_code(task, part.model_copy(update={"headers": headers})) == code


def test_a_post_signed_as_a_request_is_no_answer() -> None:
    task = forwarded()
    call = sign(Message("POST", "/v1/tasks/TASK-0001/part", {}, BODY), CONNECTOR, Tag.REQUEST, NOW, new_nonce())
    part = posted(task)
    moved = with_headers(
        part, saphan_part_input=call.headers["signature-input"], saphan_part_signature=call.headers["signature"]
    )

    assert part_code(task, moved) == "signature-missing"


@pytest.mark.parametrize("task", [unforwarded(), forwarded().model_copy(update={"request": asked()})])
def test_what_was_not_forwarded_is_not_answered(task: Task) -> None:
    with pytest.raises(Refused, match="signature-missing"):
        sign_part(task, BODY, CONNECTOR, NOW, new_nonce())


def test_a_part_that_answers_nothing_is_not_signed() -> None:
    with pytest.raises(Refused, match="forwarded request"):
        sign(Message("POST", "/", {}, BODY, 200), CONNECTOR, Tag.PART, NOW, new_nonce())


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


# ------------------------------------------------------------------ the bits that base64 leaves over
def test_a_signature_whose_base64_has_stray_bits_is_refused() -> None:
    task = forwarded()
    signature = dict(members_of(task.request.headers["signature"]))["forward"]
    letter = signature[-4]  # before "==:", its last four bits stand for nothing
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    stray = signature[:-4] + alphabet[alphabet.index(letter) + 1] + signature[-3:]
    changed = with_headers(task.request, signature=task.request.headers["signature"].replace(signature, stray))

    assert base64.b64decode(stray.strip(":")) == base64.b64decode(signature.strip(":"))
    assert forward_code(with_request(task, changed)) == "signature-wrong"
