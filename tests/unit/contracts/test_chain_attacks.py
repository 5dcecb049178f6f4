"""Every way to break a link of the chain of signatures over one task."""

import base64
from collections.abc import Callable

import pytest

from contracts.chain import (
    PART_INPUT,
    PART_SIGNATURE,
    binding_of,
    check_forward,
    message_of,
    sign_part,
)
from contracts.errors import Refused
from contracts.message_signatures import (
    TASK_HEADER,
    Tag,
    covered_components,
    new_nonce,
    sign,
    verify,
)
from contracts.signature_base import Message, content_digest, members_of, signature_base
from contracts.task import Forwarded, Task
from tests import factories
from tests.chain_messages import (
    BODY,
    CLIENT,
    CLIENTS,
    CONNECTOR,
    GATEWAY,
    GATEWAYS,
    asked,
    forward_code,
    forwarded,
    part_code,
    posted,
    unforwarded,
    with_headers,
    with_mirrored,
    with_request,
)
from tests.factories import NOW

pytestmark = pytest.mark.unit


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
