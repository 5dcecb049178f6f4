"""Guards of documents and signatures that another guard usually hides: here each stands alone."""

import base64
from dataclasses import replace

import pytest

from contracts.errors import InvalidInput, Refused
from contracts.federation import KeyPurpose
from contracts.message_signatures import Tag, sign, verify
from contracts.odcs_yaml import parse
from contracts.signature_base import Message
from tests.factories import NOW, federation

pytestmark = pytest.mark.unit

KEYS = federation()


def test_a_good_signature_without_its_first_colon_is_refused() -> None:
    message = sign(Message("GET", "/v1/budget", {}, b""), KEYS["oja#client-1"], Tag.REQUEST, NOW, "n" * 22)
    raw = base64.b64decode(message.headers["signature"].removeprefix("saphan=:").removesuffix(":"))
    changed = replace(message, headers={**message.headers, "signature": f"saphan={base64.b64encode(raw).decode()}:"})

    with pytest.raises(Refused, match="signature-wrong"):
        verify(changed, Tag.REQUEST, KEYS.resolve(KeyPurpose.CLIENT), NOW)


def test_a_key_that_stands_twice_within_a_list_is_refused() -> None:
    with pytest.raises(InvalidInput, match="contract-invalid") as caught:
        parse("schema:\n  - name: a\n    name: b\n")

    assert caught.value.details["rule"] == "yaml-plain"
