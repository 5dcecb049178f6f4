"""What is read or written in a short way is what the general way gives: labels, parameters and forms of signatures."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import Refused
from contracts.federation import KeyPurpose
from contracts.keys import der_signature, raw_signature
from contracts.message_signatures import LABEL, Tag, Verified, covered_components, sign, verify
from contracts.signature_base import Message, inner_list, signature_base
from tests.factories import NOW, federation

pytestmark = pytest.mark.property

KEYS = federation()
CLIENT, CLIENTS = KEYS["oja#client-1"], KEYS.resolve(KeyPurpose.CLIENT)
SIGNED = sign(Message("POST", "/v1/requests", {}, b"{}"), CLIENT, Tag.REQUEST, NOW, "nonce-0123456789abcdef")
COVERED = inner_list(covered_components(SIGNED, Tag.REQUEST))
GIVEN = SIGNED.headers["signature-input"].removeprefix(f"{LABEL}=")
LETTERS = st.sampled_from(' "\\,;=():?-_#*.aAz09+/\u00e9\u0661\t\n') | st.characters()
COORDINATES = st.integers(0, 2**256 - 1) | st.integers(0, 2**16) | st.just(2**255) | st.just(2**248 - 1)


@st.composite
def edited(draw: st.DrawFn, text: str) -> str:
    """The text, or the text with a few places written otherwise."""
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        until = draw(st.integers(start, min(len(text), start + 3)))
        text = text[:start] + draw(st.text(LETTERS, max_size=2)) + text[until:]
    return text


def read(label: str, given_text: str, signature: str) -> Verified | str:
    """Who signed, or why it is refused, when the one signature of a message stands under this label."""
    headers = {"signature-input": f"{label}={given_text}", "signature": f"{label}={signature}"}
    try:
        return verify(SIGNED.with_headers({**SIGNED.headers, **headers}), Tag.REQUEST, CLIENTS, NOW)
    except Refused as error:
        return str(error)


def signature_over(given_text: str) -> str:
    """A good signature over whatever parameters, where there is a base for it."""
    base = signature_base(SIGNED, covered_components(SIGNED, Tag.REQUEST), given_text.removeprefix(COVERED))
    return f":{base64.b64encode(CLIENT.sign(base)).decode()}:"


@given(edited(GIVEN))
def test_a_signature_under_our_label_is_read_like_one_under_any_other(text: str) -> None:
    try:
        signature = signature_over(text)
    except UnicodeEncodeError:
        return

    assert read(LABEL, text, signature) == read("other", text, signature)


@given(edited(signature_over(GIVEN)))
def test_bytes_under_our_label_are_read_like_those_under_any_other(signature: str) -> None:
    assert read(LABEL, GIVEN, signature) == read("other", GIVEN, signature)


@given(COORDINATES, COORDINATES)
def test_a_signature_in_der_is_written_and_read_as_the_library_does(r: int, s: int) -> None:
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    der = encode_dss_signature(r, s)

    assert der_signature(raw) == der
    assert raw_signature(der) == raw
    assert decode_dss_signature(der_signature(raw)) == (r, s)
