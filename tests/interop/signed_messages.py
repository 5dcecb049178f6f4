"""Signed messages for other people's libraries: the whole chain as we sign it now, and what must not verify."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from contracts.chain import binding_of, forward, message_of, sign_part
from contracts.dataset import ContractRef
from contracts.keys import SoftwareKey
from contracts.message_signatures import TASK_HEADER, Tag, new_nonce, sign
from contracts.signature_base import Message, content_digest
from contracts.task import Forwarded, Task

HOST = "gateway.example"
BODY = b'{"id":"REQ-0001","query":{"measures":["count"]}}'
PART = b'{"measures":[],"task":"TASK-0001"}'
REFERENCE = ContractRef(id="tpo_complaint", version="1.0.0", digest=f"sha-256:{1:064x}")


@dataclass(frozen=True, slots=True)
class Case:
    """A message, the meaning of the signature to look at, and whether it is good."""

    name: str
    message: Message
    tag: Tag
    good: bool


@dataclass(frozen=True, slots=True)
class Signers:
    """The keys of the three who sign."""

    requester: SoftwareKey
    gateway: SoftwareKey
    connector: SoftwareKey


def request(body: bytes = BODY) -> Message:
    """A question before it is signed."""
    return Message("POST", "/v1/requests", {"content-type": "application/json", "host": HOST}, body)


def task_for(signed: Message) -> Task:
    """The task that a signed question becomes, not forwarded yet."""
    sent = Forwarded(method=signed.method, path=signed.path, headers=dict(signed.headers), body=signed.body.decode())
    return Task(id="TASK-0001", agency="ccib", contract=REFERENCE, request=sent, agreement="the signed agreement")


def cases(keys: Signers, now: datetime) -> Iterator[Case]:
    """Each link of the chain, and each with something changed."""
    signed = sign(request(), keys.requester, Tag.REQUEST, now, new_nonce())
    yield Case("request", signed, Tag.REQUEST, good=True)
    yield Case("request with another digest", _digest(signed, b"{}"), Tag.REQUEST, good=False)
    asked = sign(replace(request(), path="/v1/releases?agency=ccib"), keys.requester, Tag.REQUEST, now, new_nonce())
    yield Case("request with a query", asked, Tag.REQUEST, good=True)
    other_query = replace(asked, path="/v1/releases?agency=rtp")
    yield Case("request with another query", other_query, Tag.REQUEST, good=False)

    task = forward(task_for(signed), keys.gateway, now, new_nonce)
    forwarded = message_of(task.request)
    yield Case("request under its forward", forwarded, Tag.REQUEST, good=True)
    yield Case("forward", forwarded, Tag.FORWARD, good=True)
    again = sign(request(), keys.requester, Tag.REQUEST, now, new_nonce())
    yield Case("forward over another signature", _swapped(forwarded, again), Tag.FORWARD, good=False)
    yield Case("forward for another task", _named(forwarded, binding_of(_other(task))), Tag.FORWARD, good=False)

    part = _answer(sign_part(task, PART, keys.connector, now, new_nonce()), forwarded)
    yield Case("part", part, Tag.PART, good=True)
    yield Case("part with another digest", _digest(part, b"{}"), Tag.PART, good=False)
    elsewhere = message_of(forward(task_for(again), keys.gateway, now, new_nonce).request)
    yield Case("part on another request", replace(part, request=elsewhere), Tag.PART, good=False)

    response = sign(Message("POST", signed.path, {}, b"{}", 202, signed), keys.gateway, Tag.RESPONSE, now, new_nonce())
    yield Case("response", response, Tag.RESPONSE, good=True)
    yield Case("response on another request", replace(response, request=again), Tag.RESPONSE, good=False)


def as_json(message: Message) -> dict[str, object]:
    """A message as the programs of other people read it."""
    return {
        "method": message.method,
        "url": f"{message.scheme}://{HOST}{message.path}",
        "status": message.status,
        "headers": dict(message.headers),
        "request": None if message.request is None else as_json(message.request),
    }


def public_pem(key: SoftwareKey) -> str:
    """The public half of a key, as every library reads it."""
    public = key.private.public_key()
    assert isinstance(public, EllipticCurvePublicKey)
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def _answer(fields: dict[str, str], forwarded: Message) -> Message:
    signature_input, signature = fields.values()
    headers = {
        "content-type": "application/json",
        "content-digest": content_digest(PART),
        "signature-input": signature_input,
        "signature": signature,
    }
    return Message("POST", "/v1/requests", headers, PART, 200, forwarded)


def _digest(message: Message, body: bytes) -> Message:
    return replace(message, headers={**message.headers, "content-digest": content_digest(body)})


def _named(message: Message, task: str) -> Message:
    return replace(message, headers={**message.headers, TASK_HEADER: task})


def _other(task: Task) -> Task:
    return task.model_copy(update={"id": "TASK-0002"})


def _swapped(forwarded: Message, again: Message) -> Message:
    own = {name: forwarded.headers[name].partition(", forward=")[2] for name in ("signature-input", "signature")}
    changed = {name: f"{again.headers[name]}, forward={value}" for name, value in own.items()}
    return replace(forwarded, headers={**forwarded.headers, **changed})
