"""The links of one chain of signatures, honest or bent, and with what a broken one is refused."""

import base64

import pytest

from contracts.chain import (
    check_forward,
    check_part,
    forward,
    sign_part,
)
from contracts.errors import Refused
from contracts.federation import KeyPurpose
from contracts.keys import SigningKey
from contracts.message_signatures import (
    JSON_TYPE,
    Tag,
    new_nonce,
    sign,
)
from contracts.signature_base import Message, content_digest, members_of
from contracts.signing import Resolve
from contracts.task import Forwarded, Task
from tests import factories
from tests.factories import NOW

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
