"""Properties of what travels: one byte form, and no altered message is ever accepted."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.canonical import canonical_bytes
from contracts.errors import Refused
from contracts.federation import KeyPurpose
from contracts.message_signatures import Tag, sign, verify
from contracts.periods import EARLIEST, LATEST, Period
from contracts.query import Query
from contracts.signature_base import Message
from contracts.signing import sign_document, verify_document
from tests.factories import NOW, federation, query

pytestmark = pytest.mark.property

KEYS = federation()
CLIENTS = KEYS.resolve(KeyPurpose.CLIENT)
OFFICERS = KEYS.resolve(KeyPurpose.OFFICER)
NONCE = "nonce-0123456789abcdef"
SIGNED = sign(Message("POST", "/v1/requests?wait=5", {}, b'{"id":1}'), KEYS["oja#client-1"], Tag.REQUEST, NOW, NONCE)
DOCUMENT = sign_document(b'{"id":"AGR-1"}', "agreement", KEYS["oja#officer-1"], KEYS["ccib#officer-1"])

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)
codes = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,6}", fullmatch=True)


def refused(check: Callable[[], object]) -> bool:
    try:
        check()
    except Refused:
        return True
    return False


def flipped(text: str, at: int, by: int) -> str:
    """The text with one letter changed to another printable one."""
    place = at % len(text)
    letter = chr((ord(text[place]) - 32 + by) % 95 + 32)
    return text[:place] + letter + text[place + 1 :]


@given(plain)
def test_canonical_bytes_are_a_fixed_point(value: object) -> None:
    written = canonical_bytes([value])

    assert json.loads(written) == [value]
    assert canonical_bytes(json.loads(written)) == written


@given(st.lists(codes, min_size=1), st.permutations(["count", "a:sum", "b:mean"]))
def test_a_question_has_one_byte_form(values: list[str], measures: list[str]) -> None:
    one = query(measures=tuple(measures), where={"x": tuple(values), "a": ("1",)})
    other = query(measures=("a:sum", "b:mean", "count"), where={"a": ("1",), "x": tuple(reversed(values))})

    assert canonical_bytes(one) == canonical_bytes(other)
    assert Query.model_validate_json(canonical_bytes(one)) == one


@given(st.lists(st.dates(EARLIEST, LATEST), min_size=2, max_size=2, unique=True).map(sorted))
def test_the_months_of_a_period_cover_it_without_a_gap(ends: list[date]) -> None:
    span = Period.model_validate({"from": ends[0], "until": ends[1]})

    months = span.months()

    assert all(re.fullmatch(r"FY2[45]\d\d", window) for window in span.windows())
    numbers = [int(month[:4]) * 12 + int(month[5:]) for month in months]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@given(st.sampled_from(["content-type", "content-digest", "signature-input"]), st.integers(0, 500), st.integers(1, 94))
def test_a_request_with_any_letter_of_a_covered_header_changed_is_refused(name: str, at: int, by: int) -> None:
    headers = dict(SIGNED.headers)
    headers[name] = flipped(headers[name], at, by)

    label_only = name == "signature-input" and at % len(SIGNED.headers[name]) < len("saphan")
    assert refused(lambda: verify(replace(SIGNED, headers=headers), Tag.REQUEST, CLIENTS, NOW)) or label_only


@given(st.sampled_from(["method", "path"]), st.integers(0, 100), st.integers(1, 94))
def test_a_request_with_any_letter_of_its_target_changed_is_refused(name: str, at: int, by: int) -> None:
    method, path = SIGNED.method, SIGNED.path
    if name == "method":
        changed = replace(SIGNED, method=flipped(method, at, by))
    else:
        changed = replace(SIGNED, path=flipped(path, at, by))

    assert refused(lambda: verify(changed, Tag.REQUEST, CLIENTS, NOW))


@given(st.binary(max_size=40).filter(lambda body: body != SIGNED.body))
def test_a_request_with_another_body_is_refused(body: bytes) -> None:
    assert refused(lambda: verify(replace(SIGNED, body=body), Tag.REQUEST, CLIENTS, NOW))


@given(st.text(max_size=200), st.text(max_size=120))
def test_no_signature_header_breaks_the_verifier(inputs: str, signature: str) -> None:
    headers = {**SIGNED.headers, "signature-input": inputs, "signature": signature}

    assert refused(lambda: verify(replace(SIGNED, headers=headers), Tag.REQUEST, CLIENTS, NOW))


@given(st.integers(0, 2000), st.integers(1, 94))
def test_a_document_with_any_letter_changed_is_refused_or_still_says_the_same(at: int, by: int) -> None:
    """What may change is what carries no meaning: the unused bits at the end of a base64 text."""
    changed = flipped(DOCUMENT, at, by)
    try:
        verified = verify_document(changed, "agreement", OFFICERS)
    except Refused:
        return

    assert verified == verify_document(DOCUMENT, "agreement", OFFICERS)


@given(st.text(max_size=300))
def test_no_text_breaks_the_verifier_of_documents(text: str) -> None:
    assert refused(lambda: verify_document(text, "agreement", OFFICERS))
