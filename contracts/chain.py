"""The chain of signatures over one task: the requester's question, the gateway's forward, the connector's answer.

    requester  signs its request                                            tag ``saphan-request``
    gateway    signs that request and signature for one task                tag ``saphan-forward``
    connector  signs its part as the answer (200) to that forward           tag ``saphan-part``
    gateway    commits to the signed answers in release and log             ``answer_digest``

All of it is RFC 9421 over messages that anybody can put together again from what is kept: ``Task.request`` holds the
forwarded request with both its signatures, and the ``Forwarded`` of a posted part the signature of the answer, in two
fields of its own beside those by which the post itself is signed. Keys and clocks are the caller's.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from contracts.canonical import digest_of, digest_of_bytes
from contracts.errors import Refused
from contracts.keys import SigningKey
from contracts.message_signatures import JSON_TYPE, TASK_HEADER, Tag, Verified, sign, verify, verify_digested
from contracts.signature_base import Message
from contracts.signing import Resolve
from contracts.task import Forwarded, Task

PART_INPUT: Final = "saphan-part-input"
PART_SIGNATURE: Final = "saphan-part-signature"
PART_FIELDS: Final = (PART_INPUT, PART_SIGNATURE)
"""The fields of a posted part that hold ``Signature-Input`` and ``Signature`` of the answer."""

ANSWERED: Final = 200
"""The status of every answer, also of a refusal: what it says stands in its body."""

_BODY_FIELDS: Final = ("content-type", "content-digest")


def message_of(forwarded: Forwarded) -> Message:
    """A request as it was signed."""
    return Message(forwarded.method, forwarded.path, forwarded.headers, forwarded.body.encode())


def binding_of(task: Task) -> str:
    """What a forward is bound to: this task of this agency, this contract, this text of the agreement; a digest."""
    agreement = digest_of_bytes(task.agreement.encode())
    return digest_of({"id": task.id, "agency": task.agency, "contract": task.contract.digest, "agreement": agreement})


def forward(task: Task, key: SigningKey, now: datetime, nonce: Callable[[], str]) -> Task:
    """The task with the gateway's signature over the requester's, for this task and no other.

    Args:
        task: With the request as its requester signed it.
        key: The gateway's.
        now: The instant of signing.
        nonce: Gives a fresh one.

    Raises:
        Refused: ``signature-missing`` or ``signature-wrong``, when the request carries no signature of a requester.
    """
    request = message_of(task.request)
    bound = replace(request, headers={**request.headers, TASK_HEADER: binding_of(task)})
    signed = sign(bound, key, Tag.FORWARD, now, nonce())
    return task.model_copy(update={"request": task.request.model_copy(update={"headers": dict(signed.headers)})})


def check_forward(task: Task, resolve: Resolve, now: datetime) -> Verified:
    """Check that the gateway forwarded this request for this very task.

    Raises:
        Refused: As ``contracts.message_signatures.verify``, and ``forward-of-another-task``.
    """
    verified = verify(message_of(task.request), Tag.FORWARD, resolve, now, at_receipt=False)
    if task.request.headers[TASK_HEADER] != binding_of(task):
        raise Refused("forward-of-another-task")
    return verified


def sign_part(task: Task, body: bytes, key: SigningKey, now: datetime, nonce: str) -> dict[str, str]:
    """The fields that carry a connector's signature over its answer to a forwarded task.

    Args:
        task: With the forward as it was handed over.
        body: The canonical part.
        key: The connector's.
        now: The instant of signing.
        nonce: A fresh one.

    Raises:
        Refused: ``signature-missing`` or ``signature-wrong``, when the task carries no forward to answer.
    """
    request = message_of(task.request)
    answer = Message(request.method, request.path, {"content-type": JSON_TYPE}, body, ANSWERED, request)
    signed = sign(answer, key, Tag.PART, now, nonce).headers
    return {PART_INPUT: signed["signature-input"], PART_SIGNATURE: signed["signature"]}


def answer_of(task: Task, posted: Forwarded) -> Message:
    """A connector's answer as it was signed: the response to the forwarded request."""
    request = message_of(task.request)
    headers = _signed_headers(posted)
    return Message(request.method, request.path, headers, posted.body.encode(), ANSWERED, request)


def check_part(task: Task, posted: Forwarded, resolve: Resolve, now: datetime) -> Verified:
    """Check, as it arrives, that a part is the answer of a connector to this task's forward.

    Raises:
        Refused: As ``contracts.message_signatures.verify``.
    """
    return verify(answer_of(task, posted), Tag.PART, resolve, now)


def check_kept_part(task: Task, posted: Forwarded, resolve: Resolve, now: datetime) -> Verified:
    """Check a part that was kept, by its digest alone if its figures were erased.

    Raises:
        Refused: As ``check_part``; its age does not matter.
    """
    answer = answer_of(task, posted)
    if not posted.body:
        return verify_digested(answer, Tag.PART, resolve, None)
    return verify(answer, Tag.PART, resolve, now, at_receipt=False)


def answer_digest(posted: Forwarded) -> str:
    """What a release commits to: a connector's signed answer, hence its body and both signatures that it answers."""
    return digest_of(_signed_headers(posted))


def _signed_headers(posted: Forwarded) -> Mapping[str, str]:
    kept = {name: posted.headers.get(name, "") for name in _BODY_FIELDS}
    return kept | {
        "signature-input": posted.headers.get(PART_INPUT, ""),
        "signature": posted.headers.get(PART_SIGNATURE, ""),
    }
